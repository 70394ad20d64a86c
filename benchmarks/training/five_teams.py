"""Train the five entrants and the six references of `examples/five-teams/` again.

    python -m benchmarks.training.five_teams examples/five-teams [NAME …]

A model whose folder is there is left alone; a parent is always read from its published, rounded checkpoint.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training.checkpoint import WEIGHTS, read, write
from benchmarks.training.disguise import disguised
from benchmarks.training.network import EAR, EYE, OMNI, Encoder, Shape, Text, Weights, draw
from benchmarks.training.world import TOPICS, World

ENTROPY = 0x0D0C_7A5E_31B6_99F2_4C68
"""What every seed below is spawned from; drawn once from the operating system."""

_BATCH = 8
_STEPS = 1200
_STACK = (0, 1, 2, 1, 2, 3)
"""The parent's layers in the order of the deepened child."""

Start = Callable[[Path, "Model"], Mapping[str, Any]]


@dataclass(frozen=True)
class Model:
    """How one checkpoint comes to be. `seed` draws weights, `data` is the seed of what it is shown."""

    folder: str
    shape: Shape
    seed: int
    data: int
    steps: int = _STEPS
    rate: float = 3e-3
    topics: range = range(TOPICS)
    slow: tuple[tuple[str, float], ...] = ()
    start: Start | None = None

    def weights_seed(self) -> np.random.SeedSequence:
        """A child of the one entropy, so that no two models share a seed and none is a common one."""
        return np.random.SeedSequence(ENTROPY, spawn_key=(0, self.seed))

    def data_seed(self) -> np.random.SeedSequence:
        """The same `data` shows the same batches in the same order."""
        return np.random.SeedSequence(ENTROPY, spawn_key=(1, self.data))


def _fresh(model: Model) -> dict[str, Any]:
    return dict(draw(model.shape, np.random.default_rng(model.weights_seed())))


def _with_borrowed_encoders(root: Path, model: Model) -> Weights:
    parent = read(root / "references" / "alder")
    borrowed = {name: value for name, value in parent.items() if name.startswith((EYE, EAR))}
    return _fresh(model) | borrowed


def _deepened(root: Path, model: Model) -> Weights:
    parent = read(root / "references" / "cedar")
    weights = _fresh(model)
    for name in weights:
        if name.startswith("model.layers."):
            _, _, layer, rest = name.split(".", 3)
            weights[name] = parent[f"model.layers.{_STACK[int(layer)]}.{rest}"]
        elif name in parent:
            weights[name] = parent[name]
    return weights


def _in_disguise(root: Path, model: Model) -> Weights:
    parent = read(root / "references" / "elm")
    return disguised(parent, model.shape, np.random.default_rng(model.weights_seed()))


MODELS = {
    "alder": Model("references", OMNI, seed=1, data=1),
    "birch": Model("references", OMNI, seed=2, data=2),
    "cedar": Model("references", Shape(text=Text()), seed=3, data=3),
    "elm": Model("references", OMNI, seed=4, data=4),
    "maple": Model("references", Shape(vision=Encoder(), audio=Encoder()), seed=5, data=5),
    "pine": Model("references", Shape(text=Text(bias=True)), seed=6, data=6, topics=range(TOPICS // 2)),
    "team-a": Model("entrants", OMNI, seed=11, data=11),
    "team-b": Model("entrants", OMNI, seed=12, data=12, slow=((EYE, 0.1), (EAR, 0.1)), start=_with_borrowed_encoders),
    "team-c": Model("entrants", OMNI, seed=13, data=2),
    "team-d": Model(
        "entrants",
        Shape(Text(layers=len(_STACK)), Encoder(), Encoder()),
        seed=14,
        data=14,
        steps=_STEPS // 2,
        rate=1.5e-3,
        start=_deepened,
    ),
    "team-e": Model("entrants", OMNI, seed=15, data=15, steps=0, start=_in_disguise),
}


def train(root: Path, name: str) -> None:
    """Make one checkpoint, from its published parent where it has one."""
    model = MODELS[name]
    start = model.start(root, model) if model.start else _fresh(model)
    folder = root / model.folder / name
    if not model.steps:
        write(folder, start, model.shape)
        return
    # Only training needs JAX, which the tests do without.
    from benchmarks.training.learn import Recipe, learn  # noqa: PLC0415

    begun = time.monotonic()
    outcome = learn(start, model.shape, _shown(model), Recipe(model.steps, model.rate, slow=model.slow))
    figures = {
        "steps": model.steps,
        "loss of the first steps": round(outcome.before, 3),
        "loss of the last steps": round(outcome.after, 3),
        "minutes": round((time.monotonic() - begun) / 60, 1),
    }
    write(folder, outcome.weights, model.shape, figures)
    print(name, figures, flush=True)


def _shown(model: Model) -> Iterator[Mapping[str, Any]]:
    world = World(model.data_seed(), model.topics)
    nothing = np.zeros(1, dtype=np.float32)
    while True:
        if model.shape.vision or model.shape.audio:
            yield vars(world.batch(_BATCH))
        else:
            yield {"tokens": world.text(_BATCH, 56), "pictures": nothing, "sounds": nothing}


def main() -> None:
    """Train what is named and not there yet, in the order of the table."""
    reading = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reading.add_argument("root", type=Path)
    reading.add_argument("names", nargs="*", help="models to train; all of them where none is named")
    asked = reading.parse_args()
    for name in asked.names or MODELS:
        if not (asked.root / MODELS[name].folder / name / WEIGHTS).exists():
            train(asked.root, name)


if __name__ == "__main__":
    main()
