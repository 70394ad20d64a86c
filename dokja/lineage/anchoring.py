"""T3 for a component: do the neurons of two models answer shared words alike, whatever was done to their order?

The anchors are tokens that both vocabularies hold, drawn by the key; of an encoder, its single inputs. The controls
are the same layers with the anchors of one side shuffled: what agreement there is when words and answers have nothing
to do with each other. The result is calibrated on them and never convicts alone; it is what is left when every axis
was scrambled.

Where a layer has more neurons than are looked at, those are asked whose rows are longest: a draw by labels would meet
few of its own on a side whose neurons were permuted, and no permutation and no rotation changes a length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.cores import Crew
from dokja.lineage.evidence import Held
from dokja.lineage.pairing import DENSE_OF, GroupPair, paired, sources
from dokja.lineage.sides import Member, Model, Reader, Source, drawn
from dokja.lineage.statistics import Agreement, Units, agreement, answering, signatures
from dokja.lineage.statistics.units import Labels, Matrix
from dokja.lineage.vocabulary import priority

ANCHORS = 512
MOST_EXPERTS = 16
"""Of so many experts each is held against all others; of more against its own number alone."""

LAYERS = 8
"""In how many layers neurons are asked: what was scrambled was scrambled throughout."""

SHUFFLES = 19
"""How often the anchors are shuffled for a control."""

FEWEST_AGREED = 24
LEAST_AGREED = 0.9
"""Below these the agreement is not told as one. In the zoos a fifth of strangers' neurons agree at most, of models of
one seed three in five to nine in ten (the less they were trained, the more), and of a child that was trained on for
twice its parent's steps 19 in 20."""

ROLES = ("gate", "up", "down")

READS_WORDS = ("text-decoder", "experts")
"""Components that answer to words; the encoders answer to their inputs."""

FEWEST_ANCHORS = 16

Vectors = Mapping[str, Matrix]
"""Anchors over the residual channels: what comes in ("up": gates and ups answer), what goes out ("down")."""

Anchors = Mapping[str, tuple[bytes, Matrix]]
"""By what units answer to each kind of anchors, and what tells these from others."""


@dataclass(frozen=True)
class Anchored:
    """Neurons compared and agreed over all layers, and the largest share among the controls.

    controls: how many there are; none where so few agree that nothing is to be calibrated. log10_p: conformal, at
    least 1/(controls + 1). of: what was compared; heads where a component has no neurons.
    """

    anchors: int
    compared: int
    agreed: int
    control: float
    controls: int
    of: Literal["neurons", "heads"] = "neurons"

    @property
    def share(self) -> float:
        """Agreed among compared."""
        return self.agreed / self.compared if self.compared else 0.0

    @property
    def log10_p(self) -> float:
        """Conformal: the pair among its shuffled controls."""
        above = self.controls if self.control >= self.share else 0
        return float(np.log10((1 + above) / (self.controls + 1))) if self.controls else 0.0

    @property
    def fires(self) -> bool:
        """Whether the neurons agree far beyond every control."""
        return self.agreed >= FEWEST_AGREED and self.share >= LEAST_AGREED and self.share > 2 * self.control


def anchored(held: Held, component: str, shared: tuple[Labels, Labels] | None, crew: Crew) -> Anchored | None:
    """The agreement of a component's neurons; `None` where there are no anchors or no two kinds of answers.

    shared: for each shared word its row in the embeddings of both models.
    """
    found_anchors = anchor_vectors(held, component, shared)
    count = 0 if found_anchors is None else len(found_anchors[0]["up"])
    layers = _answering(held, component)
    if found_anchors is None or count < FEWEST_ANCHORS or not layers:
        return None
    anchors = _answered(held, found_anchors, crew)

    def counts(orders: Sequence[Labels]) -> Sequence[tuple[int, int]]:
        return _counts(held, layers, anchors, orders, crew)

    return beside_controls(count, (held.key, ANCHORS), counts)


def beside_controls(
    anchors: int,
    seed: tuple[int, int],
    counts: Callable[[Sequence[Labels]], Sequence[tuple[int, int]]],
    of: Literal["neurons", "heads"] = "neurons",
) -> Anchored | None:
    """How much agrees and, where that is much, how much does by shuffled anchors; `None` where nothing is compared.

    counts: for each order of one side's anchors how many are compared, and how many of them agree.
    """
    ((compared, agreed),) = counts([np.arange(anchors)])
    if not compared:
        return None
    plain = Anchored(anchors, compared, agreed, 0.0, 0, of)
    if not plain.fires:
        return plain
    random = np.random.default_rng(seed)
    shuffled = counts([random.permutation(anchors) for _ in range(SHUFFLES)])
    control = max(same / both if both else 0.0 for both, same in shuffled)
    return Anchored(anchors, compared, agreed, control, SHUFFLES, of)


def anchor_vectors(
    held: Held, component: str, shared: tuple[Labels, Labels] | None
) -> tuple[Vectors, Vectors] | None:
    """What a component answers to on both sides: shared words, of an encoder its single inputs."""
    return _words(held, shared) if component in READS_WORDS else _inputs(held, component)


def _answered(held: Held, vectors: tuple[Vectors, Vectors], crew: Crew) -> tuple[Anchors, Anchors]:
    """Each kind of anchors of both sides as what is multiplied by: the same words serve against many references."""
    sides = tuple(zip((held.left, held.right), vectors, strict=True))
    made = crew.spread(
        lambda item: _multiplied(*item), [(reader, each) for reader, of in sides for each in of.values()]
    )
    left, right = ({name: next(made) for name in of} for _, of in sides)
    return left, right


def _multiplied(reader: Reader, anchors: Matrix) -> tuple[bytes, Matrix]:
    content = sha256(f"{anchors.shape} {anchors.dtype}".encode() + np.ascontiguousarray(anchors).data).digest()
    return content, reader.kept.get(("answering", content), lambda: answering(anchors), lambda made: made.nbytes)


Layer = Sequence[tuple[Member, Member]]
"""The matrices of one layer's neurons, on both sides."""


def _answering(held: Held, component: str) -> Sequence[Sequence[Layer]]:
    """The neurons of layers at the same place, of at most so many layers, drawn by the key. Experts may have been
    permuted, or made of a dense block: each is asked with all of its layer that it may come from."""
    right = held.right.model
    layers: list[Sequence[Layer]] = []
    for group in held.left.model.groups.get(component, ()):
        others = [other for other in sources(right, component) if other.layer == group.layer]
        if group.expert is None or len(others) > MOST_EXPERTS:
            others = [other for other in others if (other.expert, other.name) == (group.expert, group.name)]
        found = [pair for other in others if (pair := paired(held.left.model, right, group, other)) is not None]
        choices = [choice for pair in found if len(choice := _reading(pair)) > 1]
        if choices:
            layers.append(choices)
    return [layers[place] for place in drawn(held.key, len(layers), LAYERS)]


def _reading(pair: GroupPair) -> Layer:
    """Of two groups the matrices that read words or write them."""
    return [(a, b) for a, b in pair.members if a.family in ROLES and a.other.space == b.other.space == "residual"]


def _chosen(held: Held, members: Layer) -> tuple[Labels | None, Labels | None]:
    """The neurons with the longest rows, as many as are looked at; `None` where all are, or not all are at hand."""
    sides = [
        _longest(reader, [pair[side] for pair in members]) for side, reader in enumerate((held.left, held.right))
    ]
    return (None, None) if sides[0] is None or sides[1] is None else (sides[0], sides[1])


def _longest(reader: Reader, members: Sequence[Member]) -> Labels | None:
    """By gates where there are any: their lengths are not free, for what is behind them is not linear."""
    member = min((each for each in members if each.family != "down"), key=lambda each: each.family, default=None)
    if member is None or reader.model.units(member) <= reader.looks or member.axis.block * member.axis.repeats > 1:
        return None

    def made() -> Labels | None:
        lengths = reader.source.lengths(member, _gain(reader, member))
        if lengths is None:
            return None
        longest = np.argsort(-np.nan_to_num(lengths), kind="stable")[: reader.looks]
        return np.sort(longest).astype(np.int64)

    return reader.keep(("longest",), member, made, lambda found: 0 if found is None else found.nbytes)


def _counts(
    held: Held,
    layers: Sequence[Sequence[Layer]],
    anchors: tuple[Anchors, Anchors],
    orders: Sequence[NDArray[np.int64]],
    crew: Crew,
) -> list[tuple[int, int]]:
    """Neurons compared and agreed over all layers, for each order of the right side's anchors. Of several choices
    that one counts with which the most neurons agree, in the controls as well."""

    def count(choices: Sequence[Layer]) -> list[tuple[int, int]]:
        found = [counted(members) for members in choices]
        return [max(turn, key=lambda each: (each[1], -each[0])) for turn in zip(*found, strict=True)]

    def counted(members: Layer) -> list[tuple[int, int]]:
        chosen = _chosen(held, members)
        mine = {a.family: _answers(held.left, a, anchors[0], chosen[0]) for a, _ in members}
        theirs = {b.family: _answers(held.right, b, anchors[1], chosen[1]) for _, b in members}
        found: list[Agreement] = []
        for order in orders:
            his = {
                family: Units(np.take(each.rows, order, axis=1), each.labels, each.total)
                for family, each in theirs.items()
            }
            found.append(agreement(mine, his))
        return [(each.compared, each.agreed) for each in found]

    counts = list(crew.spread(count, layers))
    return [
        (sum(each[turn][0] for each in counts), sum(each[turn][1] for each in counts)) for turn in range(len(orders))
    ]


def _words(held: Held, shared: tuple[Labels, Labels] | None) -> tuple[Vectors, Vectors] | None:
    """Embeddings and unembeddings of the shared words."""
    if shared is None:
        return None
    left, right = held.left.source.words(shared[0]), held.right.source.words(shared[1])
    return None if left is None or right is None else (left, right)


def _inputs(held: Held, component: str) -> tuple[Vectors, Vectors] | None:
    """What each single input (a pixel of a patch, a band of sound) writes to the residual channels of an encoder."""
    found = [_input_member(reader.model, component) for reader in (held.left, held.right)]
    if found[0] is None or found[1] is None:
        return None
    if held.left.model.extent(found[0])[0] != held.right.model.extent(found[1])[0]:
        return None
    left, right = held.left.matrix(found[0]), held.right.matrix(found[1])
    return {"up": left, "down": left}, {"up": right, "down": right}


def _input_member(model: Model, component: str) -> Member | None:
    parts = model.components.get(component, ())
    found = (part for part in parts if part.columns.space == "patch" and part.rows.space == "residual")
    part = next(found, None)
    return None if part is None else Member(part.role, part, "columns")


def _answers(reader: Reader, member: Member, words: Anchors, chosen: Labels | None) -> Units:
    """What the neurons answer: gates and ups to embeddings, downs to unembeddings."""
    content, anchors = words["down" if member.family == "down" else "up"]

    def made() -> Units:
        gain = None if member.family == "down" else _gain(reader, member)
        rows = reader.matrix(member) if chosen is None else reader.source.rows(member, chosen)
        return signatures(rows, anchors, gain)

    # Of one axis the same neurons are always chosen.
    return reader.keep(("answers", content, chosen is None), member, made, lambda units: units.rows.nbytes)


def _gain(reader: Reader, member: Member) -> NDArray[np.float32] | None:
    """The gain of the norm in front of the layer's feed-forward block, where it is known."""
    part = member.part
    # The norm in front of experts belongs to the decoder.
    for component in (part.component, DENSE_OF.get(part.component, "")):
        for other in reader.model.components.get(component, ()):
            if other.role == "norm" and other.layer == part.layer and "post_attention" in other.tensor:
                return reader.matrix(Member(other.role, other, "rows")).ravel()
    return None


def shared_words(left: Source, right: Source) -> tuple[Labels, Labels] | None:
    """The rows of the words that both vocabularies hold; by number where neither says its words and sizes agree."""
    mine, his = left.vocabulary(), right.vocabulary()
    if mine and his:
        words = sorted(set(mine) & set(his), key=lambda word: priority(left.key, word))[:ANCHORS]
        return np.array([mine[word] for word in words]), np.array([his[word] for word in words])
    sizes = [_vocabulary_size(model) for model in (left.model, right.model)]
    chosen = drawn(left.key, sizes[0], ANCHORS)
    return (chosen, chosen) if sizes[0] == sizes[1] > 0 else None


def _vocabulary_size(model: Model) -> int:
    return model.shapes[model.words["embedding"]][0] if "embedding" in model.words else 0
