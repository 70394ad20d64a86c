r"""The figures beside which the page of an audit shows a pair: a known child, and ten pairs of known strangers.

    python -m benchmarks.training.zoo build/draw-5 --draw 5 \
        stranger-00 … stranger-04 stranger-00.continued stranger-00.narrowed
    python -m benchmarks.audit_calibration build/draw-5 > dokja/lineage/page/calibration.json

The ten pairs that five strangers make, and a child that was trained on for twice its parent's steps (where the test
asks for an order: a child of half the width). Neurons of the text decoder, as the audit's tests of the same name look
at them, and the channels where a test is of channels or of matrices from an axis to itself. `answers` is the anchored
agreement (T3), by which the page shows what was rearranged: no scrambling of a child changes it.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.checkpoint import Floats
from benchmarks.training.network import networks_of
from benchmarks.training.zoo import SPECIMENS, load
from dokja.lineage import open_checkpoint, reference
from dokja.lineage.cores import ALONE
from dokja.lineage.pair.anchoring import anchored
from dokja.lineage.pair.evidence import Held
from dokja.lineage.pair.rows import shared_words
from dokja.lineage.statistics import (
    Matches,
    Units,
    channel_gram,
    fixed_points,
    joined,
    neuron_grams,
    recurrent_pairs,
    relative_labels,
    unit_rows,
)

STRANGERS = tuple(f"stranger-{number:02}" for number in range(5))
PARENT, CHILD, NARROW = STRANGERS[0], "stranger-00.continued", "stranger-00.narrowed"
COMMAND = "python -m benchmarks.audit_calibration build/draw-5"
KEY = 7

Neurons = list[tuple[Floats, Floats, Floats]]


def neurons(cache: Path, name: str) -> Neurons:
    """Gate, up and down of every layer, a row for each neuron."""
    weights, text = load(cache, name), SPECIMENS[name].text
    found = []
    for layer in range(text.layers):
        [(gate, up, down)] = networks_of(text, layer)
        found.append((weights[gate], weights[up], np.ascontiguousarray(weights[down].T)))
    return found


def labels(left: Neurons, right: Neurons) -> float:
    """Same place, same label."""
    return _share([fixed_points(_units(a), _units(b)) for a, b in zip(left, right, strict=True)])


def layers(left: Neurons, right: Neurons) -> float:
    """The best partner among all layers, same label."""
    tried = [[fixed_points(_units(a), _units(b)) for b in right] for a in left]
    return _share([max(each, key=lambda found: (found.fixed, found.mutual)) for each in tried])


def order(left: Neurons, right: Neurons) -> float:
    """The longest run of matched neurons in one order, of as many as there could be."""
    found = [fixed_points(_units(a), _units(b)) for a, b in zip(left, right, strict=True)]
    return sum(each.increasing for each in found) / sum(min(each.units, each.labels) for each in found)


def turned(left: Neurons, right: Neurons) -> float:
    """Neurons described by inner products with neurons of their own layer."""
    found: list[Matches] = []
    for a, b in zip(left, right, strict=True):
        found += relative_labels([neuron_grams(x, y) for x, y in zip(a, b, strict=True)], seed=0).matches
    return _share(found)


def matched(left: Neurons, right: Neurons) -> float:
    """Channels described by inner products with channels, summed over tensors."""
    return _share(list(relative_labels([(_channels(left), _channels(right))], seed=0).matches))


def squares(left: Neurons, right: Neurons) -> float:
    """Channels by how they feed each other through each layer's neurons."""
    through = ([down.T @ up for _, up, down in model] for model in (left, right))
    pairs = [pair for a, b in zip(*through, strict=True) for pair in recurrent_pairs(a, b)]
    return _share(list(relative_labels(pairs, seed=0).matches))


def _channels(model: Neurons) -> NDArray[np.float64]:
    grams = [channel_gram(matrix) for layer in model for matrix in layer]
    return np.asarray(np.sum(grams, axis=0), dtype=np.float64)


TESTS: Mapping[str, tuple[Callable[[Neurons, Neurons], float], str]] = {
    "labels": (labels, CHILD),
    "layers": (layers, CHILD),
    "order": (order, NARROW),
    "turned": (turned, CHILD),
    "matched": (matched, CHILD),
    "squares": (squares, CHILD),
}
"""Every test of the audit, and the child that it finds."""


def answers(cache: Path, one: str, other: str) -> float:
    """The share of compared neurons that answer shared words alike."""
    with open_checkpoint(cache / one) as left, open_checkpoint(cache / other) as right:
        mine, his = (reference(name, each, KEY) for name, each in ((one, left), (other, right)))
        shared = shared_words(mine.source, his.source)
        found = anchored(Held(mine.reader, his.reader, KEY, shared), "text-decoder", ALONE)
    return found.share if found is not None else 0.0


def _units(layer: tuple[Floats, Floats, Floats]) -> Units:
    return joined([unit_rows(matrix) for matrix in layer])


def _share(found: list[Matches]) -> float:
    return sum(each.fixed for each in found) / sum(each.units for each in found)


def main() -> None:
    """Write the figures as JSON."""
    reading = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reading.add_argument("cache", type=Path)
    cache: Path = reading.parse_args().cache
    held = {name: neurons(cache, name) for name in (*STRANGERS, CHILD, NARROW)}
    tests = {}
    for name, (test, child) in TESTS.items():
        # Strangers of a test of order differ in width, as the child does.
        others = {**held, **{each: _half(held[each]) for each in STRANGERS}} if child == NARROW else held
        tests[name] = {
            "child": round(test(held[child], held[PARENT]), 4),
            "strangers": [
                round(test(others[one], held[other]), 4) for one, other in itertools.combinations(STRANGERS, 2)
            ],
        }
    tests["answers"] = {
        "child": round(answers(cache, CHILD, PARENT), 4),
        "strangers": [round(answers(cache, *pair), 4) for pair in itertools.combinations(STRANGERS, 2)],
    }
    print(json.dumps({"comment": f"Made by: {COMMAND}", "tests": tests}, indent=1))


def _half(model: Neurons) -> Neurons:
    return [(gate[::2], up[::2], down[::2]) for gate, up, down in model]


if __name__ == "__main__":
    main()
