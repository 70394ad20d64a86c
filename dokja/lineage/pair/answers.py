"""What units answer to words that both models know (of an encoder: to its single inputs), whatever their basis.

Words are rows of the embeddings of both models; a unit's answers are its inner products with them, the gain of the
norm in between folded in. They are whitened (`answering`), so that a few directions that all words share do not fill
them. Turning units and words alike changes no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

import numpy as np

from dokja.lineage.cores import Crew
from dokja.lineage.model import Member, Model, drawn
from dokja.lineage.pair.evidence import Held
from dokja.lineage.sides import Reader, bytes_of
from dokja.lineage.statistics import Units, answering, signatures
from dokja.lineage.statistics.units import Labels, Matrix

ANCHORS = 512

READS_WORDS = ("text-decoder", "experts")
"""Components that answer to words; the encoders answer to their inputs."""

BEHIND: Final = {"experts": "text-decoder", "router": "text-decoder"}
"""Whose norms stand in front of a component that has none of its own."""

NETWORK: Final = (
    re.compile(r"(?:pre_feedforward_layernorm|pre_mlp_layernorm|ffn_norm|ln_2|layer_?norm2|norm2)\.weight$"),
    re.compile(r"(?:layernorm_after|layers\.\d+\.final_layer_norm|post_attention_layernorm)\.weight$"),
)
"""The norm in front of a feed-forward block or a router, by what families call it."""

ATTENTION: Final = (
    re.compile(
        r"(?:input_layernorm|attention_norm|attn_norm|self_attn_layer_norm|layer_?norm1|layernorm_before|ln_1|norm1)"
        r"\.weight$"
    ),
)
"""The norm in front of an attention block."""

ANSWER: Final = frozenset({"hidden", "heads", "kv-heads"})
"""Axes whose units answer."""

Vectors = Mapping[str, Matrix]
"""Anchors over the residual channels: what comes in ("up": gates and ups answer), what goes out ("down")."""

Anchors = Mapping[str, tuple[bytes, Matrix]]
"""By what units answer to each kind of anchors, and what tells these from others."""

Meant = Literal["word", "number", "input"]
"""By what the anchors of both sides are taken for the same: a word, the number of a row, an input of an encoder."""


@dataclass(frozen=True)
class Anchoring:
    """One set of anchors on both sides."""

    by: Meant
    sides: tuple[Vectors, Vectors]


def answers_to_anything(model: Model, component: str) -> bool:
    """Whether there is something that a component answers to."""
    return "embedding" in model.words if component in READS_WORDS else _input_member(model, component) is not None


def anchorings(held: Held, component: str) -> tuple[Anchoring, ...]:
    """What a component answers to on both sides: shared words, of an encoder its single inputs.

    Where shared words stand in other rows there are two sets, by word and by number, for the words may be false.
    A layer norm takes the mean of all channels away, so whatever is added alike to all of them, by what writes to
    them or by what reads them behind its gains, changes no answer. Anchors without a mean do not hear it either.
    Where norms are of root mean squares they lose one direction of many, and nobody has to know which kind they are.
    """
    return tuple(
        Anchoring(each.by, (_all_without_means(each.sides[0]), _all_without_means(each.sides[1])))
        for each in (_words(held) if component in READS_WORDS else _inputs(held, component))
        if _read(held.left, each.sides[0], component) and _read(held.right, each.sides[1], component)
    )


def _read(reader: Reader, vectors: Vectors, component: str) -> bool:
    """Whether these are of as many channels as the component reads: of factorised embeddings they are not."""
    residual = reader.model.residual(component)
    channels = {reader.model.extent(member)[1] for member in residual if member.axis.space in ANSWER}
    return channels <= {each.shape[1] for each in vectors.values()} == {vectors["up"].shape[1]}


def _all_without_means(vectors: Vectors) -> Vectors:
    return {name: _without_means(each) for name, each in vectors.items()}


def _without_means(vectors: Matrix) -> Matrix:
    with np.errstate(invalid="ignore", over="ignore"):  # What is not finite is left out later.
        return np.asarray(vectors - vectors.mean(axis=1, keepdims=True), dtype=vectors.dtype)


def answered(held: Held, vectors: tuple[Vectors, Vectors], crew: Crew) -> tuple[Anchors, Anchors]:
    """Each kind of anchors of both sides as what is multiplied by: the same words serve against many references."""
    sides = tuple(zip((held.left, held.right), vectors, strict=True))
    made = crew.spread(
        lambda item: _multiplied(*item), [(reader, each) for reader, of in sides for each in of.values()]
    )
    left, right = ({name: next(made) for name in of} for _, of in sides)
    return left, right


def _multiplied(reader: Reader, anchors: Matrix) -> tuple[bytes, Matrix]:
    content = sha256(f"{anchors.shape} {anchors.dtype}".encode() + np.ascontiguousarray(anchors).data).digest()
    return content, reader.kept.get(("answering", content), lambda: answering(reader.arrays.put(anchors)), bytes_of)


def answers(reader: Reader, member: Member, words: Anchors, chosen: Labels | None) -> Units:
    """What the neurons answer: gates and ups to embeddings, downs to unembeddings."""
    content, anchors = words["down" if member.family == "down" else "up"]

    def made() -> Units:
        gain = None if member.family == "down" else gain_in_front(reader, member)
        rows = reader.matrix(member) if chosen is None else reader.source.rows(member, chosen)
        put = reader.arrays.put
        return signatures(put(rows), anchors, None if gain is None else put(gain))

    # Of one axis the same neurons are always chosen.
    return reader.keep(("answers", content, chosen is None), member, made, lambda units: bytes_of(units.rows))


def gain_in_front(reader: Reader, member: Member, norms: Sequence[re.Pattern[str]] = NETWORK) -> Matrix | None:
    """The gain of the norm in front of a layer's block: the first found, of the names that such norms have.

    One that has not a number for every channel that the member reads is none.
    """
    part, channels = member.part, reader.model.extent(member)[1]
    known = [
        other
        for component in dict.fromkeys((part.component, BEHIND.get(part.component, part.component)))
        for other in reader.model.components.get(component, ())
        if other.role == "norm" and other.layer == part.layer
        if reader.model.extent(Member(other.role, other, "rows")) == (channels, 1)
    ]
    found = next((other for norm in norms for other in known if norm.search(other.tensor)), None)
    if found is None:
        return None
    return reader.matrix(Member(found.role, found, "rows")).ravel() + np.float32(found.offset)


def anchor_rows(held: Held) -> Iterator[tuple[Meant, tuple[Labels, Labels]]]:
    """Rows of both vocabularies that are taken for the same: of shared words, and of one number.

    Of vocabularies of two sizes those numbers are taken that both have drawn; none where most words are shared and
    all of them stand in one row, for they then say the same. Of few words the rows alone may be false.
    """
    models = (held.left.model, held.right.model)
    one, other = (drawn_rows(held.key, model) for model in models)
    numbers = np.intersect1d(one, other, assume_unique=True)
    words = None if held.words is None else held.words.within([model.vocabulary_size for model in models])
    if words is not None and words.count:
        mine, his = (rows[:ANCHORS] for rows in words.rows)
        yield "word", (mine, his)
    alike = words is not None and words.most and not words.moved.any() and 2 * words.count >= len(numbers)
    if len(numbers) and not alike:
        yield "number", (numbers, numbers)


def drawn_rows(key: int, model: Model) -> Labels:
    """The rows of embeddings that are drawn by their numbers."""
    if "embedding" not in model.words:
        return np.empty(0, dtype=np.int64)
    found = drawn(key, model.shapes[model.words["embedding"]][0], ANCHORS)
    return found[found < model.vocabulary_size]


def _words(held: Held) -> Iterator[Anchoring]:
    """Embeddings and unembeddings of the rows that are taken for the same."""
    for by, (mine, his) in anchor_rows(held):
        left, right = held.left.source.words(mine), held.right.source.words(his)
        if left is not None and right is not None:
            yield Anchoring(by, (left, right))


def _inputs(held: Held, component: str) -> Iterator[Anchoring]:
    """What each single input (a pixel of a patch, a band of sound) writes to the residual channels of an encoder."""
    mine, his = (_input_member(reader.model, component) for reader in (held.left, held.right))
    if mine is None or his is None or held.left.model.extent(mine)[0] != held.right.model.extent(his)[0]:
        return
    left, right = held.left.matrix(mine), held.right.matrix(his)
    yield Anchoring("input", ({"up": left, "down": left}, {"up": right, "down": right}))


def _input_member(model: Model, component: str) -> Member | None:
    parts = model.components.get(component, ())
    found = (part for part in parts if part.columns.space == "patch" and part.rows.space == "residual")
    part = next(found, None)
    return None if part is None else Member(part.role, part, "columns")
