"""A zoo of tiny Llama-style models whose every relation is known: strangers, children, half-children and look-alikes.

    python -m benchmarks.training.zoo build/zoo
    python -m benchmarks.training.zoo build/held-out 'crowd-*' stranger-00.tuned --draw 1 --processes 2

Another draw is the same table with other seeds of weights and data. Grown once and kept; a model that is there is
left alone, also when the table has changed since. `SPECIMENS` is the table, `related` the ground truth of a pair,
`DRESSES` are the forms in which a checkpoint may come before the audit without a step of training.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from fnmatch import filter as matching
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from benchmarks.training.checkpoint import WEIGHTS, Floats, kept, read, write
from benchmarks.training.disguise import disguised
from benchmarks.training.network import Shape, Text, draw, networks_of
from benchmarks.training.world import TOPICS, World, words

Component: TypeAlias = Literal["text-decoder", "embeddings", "head"]
Word: TypeAlias = Literal["derived", "common-initialisation", "no-evidence"]
Models: TypeAlias = Mapping[str, Mapping[str, Floats]]

ENTROPY = 0x61F3_D2A8_07BC_4E95_8D11
COMPONENTS: tuple[Component, ...] = ("text-decoder", "embeddings", "head")
TINY = Text(width=64, hidden=160, layers=3, heads=4, key_heads=2)

_BATCH, _LENGTH, _STEPS = 8, 40, 500
_DEVIATION = 0.03
"""Small, so that training and not the draw decides what the weights become: their correlation ends at 0.25 to 0.6."""
_STRANGERS, _TWINS, _PARENTS = 60, 24, 4
_HEADED_STRANGERS, _HEADED_TWINS = 12, 8
_CROWD, _CROWD_STEPS = Text(width=32, hidden=96, layers=2, heads=4, key_heads=2), 200
_HEADED, _HEADED_STEPS = Text(width=64, hidden=96, layers=6, heads=8, key_heads=8), 300
_SPARSE, _SPARSE_STEPS = Text(width=64, hidden=32, layers=3, heads=4, key_heads=2, experts=24), 400
_SPARSE_STRANGERS, _SPARSE_TWINS, _SPARSE_PARENTS = 10, 6, 2
_SINGLE, _SINGLE_STEPS = replace(TINY, layers=1), 2000
"""One layer, trained for long: what is best behind given embeddings is nearly all that a head becomes."""
_NARROW = replace(TINY, hidden=TINY.hidden // 2)
_SHALLOW = replace(TINY, layers=2)
_DEEP_ORDER = (0, 1, 1, 2, 2)
_SHALLOW_ORDER = (0, 2)


@dataclass(frozen=True)
class Specimen:
    """One model: how it begins, what it is shown, and which components it has from whom.

    `first` turns the parents' weights and fresh ones into those that training starts from. `layers` says from which
    layer of the parent each layer comes, where that is not the same layer; `shares` are a merge's.
    """

    name: str
    kind: str
    seed: int
    data: int
    text: Text = TINY
    steps: int = _STEPS
    rate: float = 6e-3
    topics: range = range(TOPICS)
    parents: tuple[str, ...] = ()
    inherits: tuple[Component, ...] = ()
    first: Callable[[Specimen, Models, dict[str, Floats]], Mapping[str, Any]] | None = None
    way: Literal["plain", "low-rank", "taught"] = "plain"
    layers: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()

    @property
    def shape(self) -> Shape:
        """A model of text alone."""
        return Shape(text=self.text)


def _parent(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
    return {**fresh, **models[specimen.parents[0]]}


def _embeddings(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
    names = ("model.embed_tokens.weight", "lm_head.weight")
    return {**fresh, **{name: models[specimen.parents[0]][name] for name in names}}


def _only(name: str) -> Callable[[Specimen, Models, dict[str, Floats]], Mapping[str, Any]]:
    def first(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
        return {**fresh, name: models[specimen.parents[0]][name]}

    return first


_BEHIND, _BEFORE = _only("model.embed_tokens.weight"), _only("lm_head.weight")


def _one_layer(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
    parent = models[specimen.parents[0]]
    return {**fresh, **{name: value for name, value in parent.items() if name.startswith("model.layers.1.")}}


def _decoder(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
    parent = models[specimen.parents[0]]
    return {**fresh, **{name: value for name, value in parent.items() if name.startswith("model.layers.")}}


def _restacked(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
    parent, weights = models[specimen.parents[0]], dict(fresh)
    for name in fresh:
        if name.startswith("model.layers."):
            _, _, layer, rest = name.split(".", 3)
            weights[name] = parent[f"model.layers.{specimen.layers[int(layer)]}.{rest}"]
        else:
            weights[name] = parent[name]
    return weights


def _narrowed(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
    """Keep the half of the hidden units that say the most, in their old order, as pruning tools do."""
    weights = dict(models[specimen.parents[0]])
    for layer in range(specimen.text.layers):
        [(gate, up, down)] = networks_of(specimen.text, layer)
        loud = np.linalg.norm(weights[up], axis=1) * np.linalg.norm(weights[down], axis=0)
        stay = np.sort(np.argsort(loud)[-specimen.text.hidden :])
        weights |= {gate: weights[gate][stay], up: weights[up][stay], down: weights[down][:, stay]}
    return weights


def _upcycled(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
    """Every expert begins as the parent's network; the router is new."""
    parent, dense = models[specimen.parents[0]], replace(specimen.text, experts=0)
    weights = {name: parent.get(name, value) for name, value in fresh.items()}
    for layer in range(specimen.text.layers):
        [whole] = networks_of(dense, layer)
        for expert in networks_of(specimen.text, layer):
            weights |= {new: parent[old] for new, old in zip(expert, whole, strict=True)}
    return weights


def _merged(specimen: Specimen, models: Models, fresh: dict[str, Floats]) -> Mapping[str, Any]:
    parents = [models[name] for name in specimen.parents]
    return {
        name: sum(share * parent[name] for share, parent in zip(specimen.shares, parents, strict=True))
        for name in fresh
    }


def _nulls() -> Iterator[Specimen]:
    for number in range(_STRANGERS):
        yield Specimen(f"stranger-{number:02}", "other seed, other data", seed=number, data=number)
    for number in range(_TWINS):
        # Every twin sees what stranger-00 saw, in the same order.
        yield Specimen(f"twin-{number:02}", "other seed, same data and order", seed=1000 + number, data=0)


def _crowd() -> Iterator[Specimen]:
    """Strangers of another, smaller shape, for counting accusations by the thousand."""
    of: dict[str, Any] = {"text": _CROWD, "steps": _CROWD_STEPS}
    yield from _strangers("crowd", of, (_STRANGERS, 5000), (_TWINS, 6000))


def _strangers(
    name: str, of: Mapping[str, Any], strangers: tuple[int, int], twins: tuple[int, int]
) -> Iterator[Specimen]:
    """Models of one shape trained independently; the twins saw what the first stranger saw. How many, first seed."""
    (count, first), (twin_count, twin_first) = strangers, twins
    for number in range(count):
        yield Specimen(
            f"{name}-{number:02}", "other seed, other data", seed=first + number, data=first + number, **of
        )
    for number in range(twin_count):
        yield Specimen(
            f"{name}-twin-{number:02}", "other seed, same data and order", seed=twin_first + number, data=first, **of
        )


def _kin(parent: str, steps: int) -> dict[str, dict[str, Any]]:
    """What is made of a parent that took so many steps, and two models that only look like it."""
    made: dict[str, Any] = {"parents": (parent,), "inherits": COMPONENTS, "first": _parent}
    return {
        "continued": {**made, "steps": 2 * steps},
        "tuned": {**made, "steps": steps // 5, "rate": 1e-3, "topics": range(TOPICS // 2)},
        "far": {**made, "steps": 4 * steps, "rate": 1.2e-2},
        "with-its-embeddings": {**made, "first": _embeddings, "inherits": ("embeddings", "head")},
        "taught-by-it": {**made, "first": None, "inherits": (), "way": "taught"},
    }


def _headed() -> Iterator[Specimen]:
    """Strangers with many heads, twins among them, and kin and look-alikes of the first: the labels of 48 heads."""
    of: dict[str, Any] = {"text": _HEADED, "steps": _HEADED_STEPS}
    yield from _strangers("headed", of, (_HEADED_STRANGERS, 7000), (_HEADED_TWINS, 8000))
    for turn, (kind, make) in enumerate(_kin("headed-00", _HEADED_STEPS).items()):
        yield Specimen(f"headed-00.{kind}", kind, seed=8500 + turn, data=8500 + turn, **{**of, **make})
    yield Specimen("headed-00.same-seed", "same-seed, other data", seed=7000, data=8600, **of)


def _sparse() -> Iterator[Specimen]:
    """Strangers of more experts than can be held against each other one by one, twins, and kin of the first."""
    of: dict[str, Any] = {"text": _SPARSE, "steps": _SPARSE_STEPS}
    yield from _strangers("sparse", of, (_SPARSE_STRANGERS, 9000), (_SPARSE_TWINS, 9100))
    for number in range(_SPARSE_PARENTS):
        parent, fresh = f"sparse-{number:02}", itertools.count(9200 + 100 * number)
        kin = _kin(parent, _SPARSE_STEPS)
        for kind in ("continued", "tuned", "with-its-embeddings", "taught-by-it"):
            make = kin[kind]
            yield Specimen(f"{parent}.{kind}", kind, seed=next(fresh), data=next(fresh), **{**of, **make})
        yield Specimen(f"{parent}.same-seed", "same-seed, other data", seed=9000 + number, data=next(fresh), **of)


def _family(number: int) -> Iterator[Specimen]:
    """What can be made of one parent."""
    parent = f"stranger-{number:02}"
    fresh = itertools.count(2000 + 100 * number)
    of: dict[str, Any] = {"parents": (parent,), "inherits": COMPONENTS, "first": _parent}
    experts = {count: replace(TINY, experts=count) for count in (2, 4)}
    makes: dict[str, dict[str, Any]] = {
        "continued": {**of, "steps": 2 * _STEPS},
        "tuned": {**of, "steps": _STEPS // 5, "rate": 1e-3, "topics": range(TOPICS // 2)},
        "low-rank": {**of, "steps": _STEPS, "way": "low-rank", "topics": range(TOPICS // 2)},
        "sibling-1": {**of, "steps": _STEPS},
        "sibling-2": {**of, "steps": _STEPS},
        "narrowed": {**of, "text": _NARROW, "first": _narrowed, "steps": _STEPS // 2},
        "shallow": {**of, "text": _SHALLOW, "first": _restacked, "layers": _SHALLOW_ORDER, "steps": _STEPS // 2},
        "deepened": {
            **of,
            "text": replace(TINY, layers=len(_DEEP_ORDER)),
            "first": _restacked,
            "layers": _DEEP_ORDER,
            "steps": _STEPS // 2,
        },
        "upcycled-2": {**of, "text": experts[2], "first": _upcycled, "steps": _STEPS // 2},
        "upcycled-4": {**of, "text": experts[4], "first": _upcycled, "steps": _STEPS // 2},
        "with-its-embeddings": {**of, "first": _embeddings, "inherits": ("embeddings", "head")},
        "with-its-decoder": {**of, "first": _decoder, "inherits": ("text-decoder",)},
        "with-one-layer": {**of, "first": _one_layer, "inherits": ("text-decoder",), "layers": (-1, 1, -1)},
        "taught-by-it": {**of, "first": None, "inherits": (), "way": "taught"},
    }
    for kind, make in makes.items():
        yield Specimen(f"{parent}.{kind}", kind, seed=next(fresh), data=next(fresh), **make)
    yield Specimen(f"{parent}.same-seed", "same-seed, other data", seed=number, data=next(fresh))
    yield Specimen(f"{parent}.step-0", "step-0", seed=number, data=number, steps=0)
    stranger = f"stranger-{_PARENTS + number:02}"
    siblings = (parent, f"{parent}.sibling-1", f"{parent}.sibling-2")
    merges: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
        **{f"blend-{share}": ((parent, stranger), (share, 1 - share)) for share in (0.05, 0.1, 0.2, 0.35, 0.5)},
        "task-arithmetic": (siblings, (0.2, 0.5, 0.3)),
    }
    for kind, (parents, shares) in merges.items():
        yield Specimen(
            f"{parent}.{kind}",
            "merged",
            seed=next(fresh),
            data=next(fresh),
            steps=0,
            parents=parents,
            inherits=COMPONENTS,
            first=_merged,
            shares=shares,
        )
    far = {**of, "steps": 4 * _STEPS, "rate": 1.2e-2}
    yield Specimen(f"{parent}.far", "continued far", seed=next(fresh), data=next(fresh), **far)
    for kind, (parents, shares) in {name: merges[name] for name in ("blend-0.35", "task-arithmetic")}.items():
        # Merged and then trained on, as merges are published.
        yield Specimen(
            f"{parent}.{kind}-tuned",
            "merged",
            seed=next(fresh),
            data=next(fresh),
            steps=_STEPS // 5,
            rate=1e-3,
            parents=parents,
            inherits=COMPONENTS,
            first=_merged,
            shares=shares,
        )


def _carried() -> Iterator[Specimen]:
    """All trained anew but the embeddings, or but the head, whose channels lend their labels to the others."""
    yield Specimen("single-00", "other seed, other data", seed=9500, data=9500, text=_SINGLE, steps=_SINGLE_STEPS)
    shapes: dict[str, dict[str, Any]] = {
        **{f"stranger-{number:02}": {} for number in range(_PARENTS)},
        "headed-00": {"text": _HEADED, "steps": _HEADED_STEPS},
        **{f"sparse-{number:02}": {"text": _SPARSE, "steps": _SPARSE_STEPS} for number in range(_SPARSE_PARENTS)},
        "single-00": {"text": _SINGLE, "steps": _SINGLE_STEPS},
    }
    kinds: dict[str, dict[str, Any]] = {
        "behind-its-embeddings": {"first": _BEHIND, "inherits": ("embeddings",)},
        "before-its-head": {"first": _BEFORE, "inherits": ("head",)},
    }
    fresh = itertools.count(9501)
    for parent, of in shapes.items():
        for kind, make in kinds.items():
            number = next(fresh)
            yield Specimen(f"{parent}.{kind}", kind, seed=number, data=number, parents=(parent,), **of, **make)


SPECIMENS: Mapping[str, Specimen] = {
    specimen.name: specimen
    for specimen in (
        *(*_nulls(), *_crowd(), *_headed(), *_sparse()),
        *(one for number in range(_PARENTS) for one in _family(number)),
        *_carried(),
    )
}


def ancestors(name: str, component: Component) -> frozenset[str]:
    """A model and all from which it has this component."""
    specimen = SPECIMENS[name]
    parents = specimen.parents if component in specimen.inherits else ()
    return frozenset({name}).union(*(ancestors(parent, component) for parent in parents))


def related(one: str, other: str, component: Component) -> Word:
    """The ground truth of a pair: `derived` also of two that have a common ancestor."""
    lines = ancestors(one, component), ancestors(other, component)
    if lines[0] & lines[1]:
        return "derived"
    seeds = [{SPECIMENS[name].seed for name in line if not SPECIMENS[name].inherits} for line in lines]
    return "common-initialisation" if seeds[0] & seeds[1] else "no-evidence"


def load(cache: Path, name: str) -> dict[str, Floats]:
    """The weights of a grown specimen."""
    return read(cache / name)


def grow(cache: Path, names: tuple[str, ...] = (), draw: int = 0, processes: int = 1) -> None:
    """Make what is named (all where nothing is) and its parents, as far as they are not there.

    Parents come before children; else the order is that of the names. Each specimen keeps to one core, so the number
    of processes changes no byte of it.
    """
    waiting = missing(cache, names or tuple(SPECIMENS))
    running: dict[Future[None], str] = {}
    spawning = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawning, initializer=_keep_to_one_core) as pool:
        while waiting or running:
            unmade = {*waiting, *running.values()}
            ready = [name for name in waiting if unmade.isdisjoint(SPECIMENS[name].parents)]
            for name in ready[: processes - len(running)]:
                running[pool.submit(_grow_one, cache, name, draw)] = name
                waiting.remove(name)
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                running.pop(done)
                done.result()


def missing(cache: Path, names: tuple[str, ...]) -> list[str]:
    """What is not there of these, parents before their children."""
    found: dict[str, None] = {}
    for name in names:
        if not (cache / name / WEIGHTS).exists():
            found |= dict.fromkeys([*missing(cache, SPECIMENS[name].parents), name])
    return list(found)


def _keep_to_one_core() -> None:
    """Sums that are spread over threads are added up in another order."""
    os.environ |= {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}


def _grow_one(cache: Path, name: str, draw_number: int) -> None:
    specimen = SPECIMENS[name]
    seed = np.random.SeedSequence(ENTROPY + draw_number, spawn_key=(0, specimen.seed))
    fresh: dict[str, Floats] = dict(draw(specimen.shape, np.random.default_rng(seed), _DEVIATION))
    models = {name: load(cache, name) for name in specimen.parents}
    start = specimen.first(specimen, models, fresh) if specimen.first else fresh
    figures: dict[str, Any] = {"kind": specimen.kind}
    if specimen.steps:
        # Only growing needs JAX; reading what was grown does not.
        from benchmarks.training import learn  # noqa: PLC0415

        begun = time.monotonic()
        recipe = learn.Recipe(specimen.steps, specimen.rate)
        outcome = learn.WAYS[specimen.way](
            start, specimen.shape, _shown(specimen, draw_number), recipe, _teacher(specimen, models)
        )
        start = outcome.weights
        figures |= {"loss": [round(outcome.before, 3), round(outcome.after, 3)], "s": int(time.monotonic() - begun)}
    print(specimen.name, json.dumps(figures), flush=True)
    write(cache / specimen.name, start, specimen.shape, figures)


def _teacher(specimen: Specimen, models: Models) -> Mapping[str, Floats]:
    return models[specimen.parents[0]] if specimen.way == "taught" else {}


def _shown(specimen: Specimen, draw_number: int) -> Iterator[Mapping[str, Any]]:
    world = World(np.random.SeedSequence(ENTROPY + draw_number, spawn_key=(1, specimen.data)), specimen.topics)
    nothing = np.zeros(1, dtype=np.float32)
    while True:
        yield {"tokens": world.text(_BATCH, _LENGTH), "pictures": nothing, "sounds": nothing}


def _symmetries(*kinds: str) -> Callable[[Mapping[str, Floats], Specimen], Mapping[str, Any]]:
    def dress(weights: Mapping[str, Floats], specimen: Specimen) -> Mapping[str, Any]:
        rng = np.random.default_rng(np.random.SeedSequence(ENTROPY, spawn_key=(2, specimen.seed)))
        return disguised(weights, specimen.shape, rng, frozenset(kinds))

    return dress


def _quantised(levels: int, group: int) -> Callable[[Mapping[str, Floats], Specimen], Mapping[str, Any]]:
    """Rounded to so many steps either side of zero, one scale for every group of columns."""

    def dress(weights: Mapping[str, Floats], _: Specimen) -> Mapping[str, Any]:
        return {name: _to_grid(value, levels, group) if value.ndim == 2 else value for name, value in weights.items()}

    return dress


def _to_grid(matrix: Floats, levels: int, group: int) -> Floats:
    cut = matrix.reshape(len(matrix), -1, min(group, matrix.shape[1]))
    scale = np.abs(cut).max(axis=-1, keepdims=True) / levels
    return np.asarray((np.round(cut / scale) * scale).reshape(matrix.shape), np.float32)


def _in_eight_bits(weights: Mapping[str, Floats], _: Specimen) -> Mapping[str, Any]:
    """Rounded to the three bits of mantissa of float8; under a scale only what is next to zero would lose more."""

    def near(value: Floats) -> Floats:
        mantissa, exponent = np.frexp(value)
        return np.asarray(np.ldexp(np.round(mantissa * 16) / 16, exponent), np.float32)

    return {name: near(value) if value.ndim == 2 else value for name, value in weights.items()}


def _fused(weights: Mapping[str, Floats], specimen: Specimen) -> Mapping[str, Any]:
    """As Phi-3 stores them: query, key and value in one tensor, gate and up in another."""
    new = dict(weights)
    for layer in range(specimen.text.layers):
        at = f"model.layers.{layer}."
        fusions = {"self_attn.qkv_proj": [f"self_attn.{part}_proj" for part in "qkv"]}
        if not specimen.text.experts:
            fusions["mlp.gate_up_proj"] = ["mlp.gate_proj", "mlp.up_proj"]
        for whole, parts in fusions.items():
            new[f"{at}{whole}.weight"] = np.concatenate([new.pop(f"{at}{part}.weight") for part in parts])
    return new


def _renamed(weights: Mapping[str, Floats], _: Specimen) -> Mapping[str, Any]:
    return {f"blob.{number}": weights[name] for number, name in enumerate(sorted(weights))}


def _transposed(weights: Mapping[str, Floats], _: Specimen) -> Mapping[str, Any]:
    """Every matrix of a layer the other way round, as GPT-2's own format has them, under names that say nothing."""
    turned = {name: value.T if name.startswith("model.layers.") else value for name, value in weights.items()}
    return {f"h.{number}": turned[name] for number, name in enumerate(sorted(turned))}


def _with_more_words(weights: Mapping[str, Floats], specimen: Specimen) -> Mapping[str, Any]:
    """A fifth more rows of embeddings, drawn like the old ones, as after an extension of the tokenizer."""
    rng = np.random.default_rng(np.random.SeedSequence(ENTROPY, spawn_key=(3, specimen.seed)))
    more = specimen.text.vocabulary // 5
    new = dict(weights)
    for name in TABLES:
        rows = weights[name].std() * rng.standard_normal((more, specimen.text.width))
        new[name] = np.concatenate([weights[name], rows.astype(np.float32)])
    return new


TABLES = ("model.embed_tokens.weight", "lm_head.weight")
"""Whose rows are words."""

_MOVED, _FEWER, _FALSE = "other-rows", "fewer-rows", "false-words"


def _rows(specimen: Specimen, dress: str) -> list[int]:
    """Rows in another order, of which a copy keeps all, or two thirds."""
    rng = np.random.default_rng(np.random.SeedSequence(ENTROPY, spawn_key=(4, specimen.seed)))
    order = [int(row) for row in rng.permutation(specimen.text.vocabulary)]
    return order[: 2 * len(order) // 3] if dress == _FEWER else order


def _in_rows(dress: str) -> Callable[[Mapping[str, Floats], Specimen], Mapping[str, Any]]:
    return lambda weights, specimen: {
        name: value[_rows(specimen, dress)] if name in TABLES else value for name, value in weights.items()
    }


def spoken(name: str, dress: str) -> Sequence[str] | None:
    """The words of the rows in a dress that moves them, or lies about them; `None` of any other."""
    language = words()
    if dress not in (_MOVED, _FEWER, _FALSE):
        return None
    return [language[row] for row in _rows(SPECIMENS[name], dress)]


def _sorted_by_norm(weights: Mapping[str, Floats], specimen: Specimen) -> Mapping[str, Any]:
    """Hidden units in the order of their norm: the canonical order that makes strangers look alike."""
    new = dict(weights)
    for layer in range(specimen.text.layers):
        for gate, up, down in networks_of(specimen.text, layer):
            order = np.argsort(-np.linalg.norm(new[up], axis=1))
            new |= {gate: new[gate][order], up: new[up][order], down: new[down][:, order]}
    return new


DRESSES: Mapping[str, Callable[[Mapping[str, Floats], Specimen], Mapping[str, Any]]] = {
    "none": lambda weights, _: weights,
    "int4": _quantised(7, 16),
    "int8": _quantised(127, 1 << 30),
    "fp8": _in_eight_bits,
    "renamed": _renamed,
    "fused": _fused,
    "transposed": _transposed,
    "more-words": _with_more_words,
    _MOVED: _in_rows(_MOVED),
    _FEWER: _in_rows(_FEWER),
    _FALSE: lambda weights, _: weights,
    "sorted-by-norm": _sorted_by_norm,
    "permuted": _symmetries("permute"),
    "scaled": _symmetries("scale"),
    "rotated": _symmetries("rotate"),
    "scrambled": _symmetries("permute", "scale", "rotate"),
}
"""Ways to store a model that leave its function as it is, or nearly: name -> (weights, specimen) -> weights."""


def dressed(cache: Path, name: str, dress: str) -> dict[str, Floats]:
    """A grown specimen in another form, rounded to bf16 as a checkpoint would be."""
    return kept(DRESSES[dress](load(cache, name), SPECIMENS[name]))


def main() -> None:
    """Grow the zoo."""
    reading = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reading.add_argument("cache", type=Path)
    reading.add_argument("names", nargs="*", help="specimens to grow, such as 'crowd-*'; all where none is named")
    reading.add_argument("--draw", type=int, default=0, help="which of many zoos of the same table")
    reading.add_argument("--processes", type=int, default=1, help="how many are grown at once")
    asked = reading.parse_args()
    meant = {pattern: matching(SPECIMENS, pattern) for pattern in asked.names}
    for pattern, names in meant.items():
        if not names:
            reading.error(f"no specimen is called {pattern}")
    grow(asked.cache, tuple(itertools.chain.from_iterable(meant.values())), asked.draw, asked.processes)


if __name__ == "__main__":
    main()
