"""The models that the benchmarks of the audit hold against each other: the zoo in its dresses, real checkpoints."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.training.checkpoint import write, write_tensors
from benchmarks.training.zoo import SPECIMENS, dressed, spoken
from dokja import lineage

KEY = 7

NAMELESS = ("renamed", "transposed")
"""Dresses under which neither names nor config say what a tensor is."""


@contextmanager
def opened(*paths: Path, key: int = KEY) -> Iterator[list[lineage.Reference]]:
    """Checkpoints as references, by their own names."""
    with ExitStack() as stack:
        checkpoints = [stack.enter_context(lineage.open_checkpoint(path)) for path in paths]
        yield [
            lineage.reference(path.name, checkpoint, key) for path, checkpoint in zip(paths, checkpoints, strict=True)
        ]


@contextmanager
def worn(zoo: Path, name: str, dress: str) -> Iterator[Path]:
    """A specimen's checkpoint in a dress."""
    if dress == "none":
        yield zoo / name
        return
    weights, shape = dressed(zoo, name, dress), SPECIMENS[name].shape
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / name
        if dress in NAMELESS:
            folder.mkdir()
            write_tensors(folder / "model.safetensors", weights)
        else:
            rows = len(weights["model.embed_tokens.weight"])
            text = replace(SPECIMENS[name].text, vocabulary=rows)
            write(folder, weights, replace(shape, text=text), spoken=spoken(name, dress))
        yield folder


@dataclass(frozen=True)
class Labelled:
    """Two real checkpoints, and what their authors say of them."""

    name: str
    label: str
    relation: str
    left: Path
    right: Path


def labelled(weights: Path) -> tuple[Labelled, ...]:
    """The labelled pairs of a folder of real checkpoints; none where there is no such folder."""
    if not (weights / "pairs.json").is_file():
        return ()
    pairs: list[dict[str, Any]] = json.loads((weights / "pairs.json").read_text(encoding="utf-8"))["pairs"]
    return tuple(
        Labelled(each["id"], each["label"], each["relation"], weights / each["a"], weights / each["b"])
        for each in pairs
    )


def unrelated(weights: Path) -> Iterator[tuple[Path, Path]]:
    """Real checkpoints of different repositories: whatever they are, neither came from the other."""
    files = sorted(weights.glob("*/*.safetensors"))
    for place, one in enumerate(files):
        yield from ((one, other) for other in files[place + 1 :] if one.parent != other.parent)
