"""A pack is made in one reading of its tensors, and holds what reading each matrix by itself gives."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from benchmarks.training.checkpoint import kept, write
from benchmarks.training.network import Shape, Text, draw
from dokja.lineage import open_checkpoint, reference
from dokja.lineage.architecture import Part
from dokja.lineage.architecture.parts import FIXED
from dokja.lineage.checkpoint import digesting
from dokja.lineage.checkpoint.source import Bytes, LocalSource
from dokja.lineage.library.packing import make_pack
from dokja.lineage.library.packs import kept as kept_members
from dokja.lineage.library.packs import neuron_columns, open_pack, pack_file
from dokja.lineage.library.passing import Picked, goes_by, measuring
from dokja.lineage.measuring import By, Lengths, row_lengths
from dokja.lineage.model import looked_at
from dokja.lineage.pair.longest import gain_of
from dokja.lineage.sides import CheckpointSource, Reader

UNITS = 16
SHAPE = Shape(text=Text(width=32, hidden=96, layers=2, heads=4, key_heads=2))
TYPES = (np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.int8, ml_dtypes.float8_e4m3fn)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write(tmp_path / "model", kept(draw(SHAPE, np.random.default_rng(5))), SHAPE)
    return tmp_path / "model"


def _fused(folder: Path, model: Path) -> Path:
    """As Phi-3 stores them: the gate and the up matrices in one tensor."""
    with open_checkpoint(model) as plain:
        tensors = {name: plain.read(name) for name in plain.tensors}
    for layer in range(2):
        at = f"model.layers.{layer}.mlp."
        both = [tensors.pop(f"{at}{part}_proj.weight") for part in ("gate", "up")]
        tensors[f"{at}gate_up_proj.weight"] = np.concatenate(both)
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_bytes((model / "config.json").read_bytes())
    return folder


@pytest.mark.parametrize("fused", [False, True], ids=["each its own", "gate and up in one"])
@pytest.mark.parametrize("piece", [1, 100, 1 << 20])
def test_a_pack_holds_what_each_matrix_has_by_itself(
    model: Path, tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch, *, fused: bool
) -> None:
    monkeypatch.setattr(digesting, "PIECE", piece)
    where = _fused(tmp_path / "fused", model) if fused else model
    with open_checkpoint(where) as checkpoint:
        digest = make_pack(tmp_path, "one", checkpoint, 7, UNITS)
        source = reference("one", checkpoint, 7).source
        assert isinstance(source, CheckpointSource)
        with open_pack(pack_file(tmp_path, digest), digest=digest) as pack:
            assert dict(pack.about.digests) == checkpoint.digests().tensors
            for _, member in kept_members(source.model):
                labels = looked_at(7, source.model, member, UNITS)
                known = source.rows(member, labels).astype(ml_dtypes.bfloat16)
                np.testing.assert_array_equal(pack.rows(member, labels), known.astype(np.float32))
            layers = [members for _, members in neuron_columns(source.model, UNITS)]
            assert len(layers) == 2
            for member in (member for members in layers for member in members):
                measured, there = source.lengths(member, gain_of(Reader(source), member)), pack.lengths(member, None)
                assert there is not None
                np.testing.assert_allclose(there, measured, rtol=1e-6)


def test_no_tensor_is_read_twice_but_for_some_of_its_neurons(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(self: LocalSource, begin: int, found: Bytes) -> Bytes:
        nonlocal read
        read += len(found) if self.where.endswith(".safetensors") else 0
        return reading(self, begin, found)

    reading = LocalSource._read
    monkeypatch.setattr(LocalSource, "_read", counted)
    with open_checkpoint(model) as checkpoint:
        size = (model / "model.safetensors").stat().st_size
        words = sum(checkpoint.stored[name].nbytes for name in checkpoint.stored if "embed" in name or "head" in name)
        hidden = sum(checkpoint.stored[name].nbytes for name in checkpoint.stored if ".mlp." in name)
        read = 0
        make_pack(tmp_path, "one", checkpoint, 7, UNITS)
    # The longest neurons come once more (of the down matrices all rows do), and the embeddings of words.
    assert size <= read < size + words + hidden


@st.composite
def matrices(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], tuple[int, int] | None, By, tuple[int, ...]]:
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    numbers = np.random.default_rng(draw(st.integers(0, 99))).integers(-3, 4, (rows, columns))
    first = draw(st.integers(0, rows - 1))
    take = draw(st.sampled_from([None, (first, draw(st.integers(first + 1, rows)))]))
    by: By = draw(st.sampled_from(["rows", "columns"]))
    height = columns if by == "columns" else (rows if take is None else take[1] - take[0])
    places = draw(st.sets(st.integers(0, height - 1)))
    return numbers.astype(draw(st.sampled_from(TYPES))), take, by, tuple(sorted(places))


@settings(max_examples=200)
@given(found=matrices(), piece=st.integers(1, 40))
def test_what_goes_by_is_what_is_there(
    found: tuple[np.ndarray[Any, Any], tuple[int, int] | None, By, tuple[int, ...]],
    piece: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    stored, take, by, places = found
    path = tmp_path_factory.getbasetemp() / "one.safetensors"
    save_file({"one": stored}, path)
    part = Part("one", "body", "role", None, None, FIXED, FIXED, take=take)
    matrix = stored.astype(np.float32)[slice(*(take or (None,)))]
    with pytest.MonkeyPatch.context() as patch, open_checkpoint(path) as checkpoint:
        patch.setattr(digesting, "PIECE", piece)
        assert goes_by(checkpoint, part)
        picked = Picked(checkpoint, part, by, np.array(places, dtype=np.int64))
        lengths = Lengths(matrix.shape if by == "rows" else matrix.shape[::-1], by)
        digest = checkpoint.pass_by("one", [picked.see, measuring(checkpoint, part, lengths)])
    assert digest == hashlib.sha256(stored.tobytes()).hexdigest()
    whole = matrix if by == "rows" else matrix.T
    np.testing.assert_array_equal(picked.found().astype(np.float32), whole[list(places)])
    np.testing.assert_allclose(lengths.found(), row_lengths(whole, None), rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (), (2, 3, 4), (1, 1 << 21)])
def test_what_does_not_go_by_is_only_hashed(tmp_path: Path, shape: tuple[int, ...]) -> None:
    stored = np.ones(shape, dtype=np.int8)
    save_file({"one": stored}, tmp_path / "one.safetensors")
    with open_checkpoint(tmp_path / "one.safetensors") as checkpoint:
        assert not checkpoint.plain("one")
        assert checkpoint.pass_by("one", []) == hashlib.sha256(stored.tobytes()).hexdigest()


@settings(max_examples=200)
@given(
    by=st.sampled_from(["rows", "columns"]),
    scale=st.integers(-30, 30),
    spread=st.integers(0, 15),
    gained=st.none() | st.integers(0, 18),
    holes=st.booleans(),
    seed=st.integers(0, 99),
)
def test_lengths_are_right_at_every_scale(
    by: By, scale: int, spread: int, gained: int | None, holes: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((6, 9)) * 10.0 ** (scale + random.integers(-spread, spread + 1, (6, 9)))
    numbers = np.clip(matrix, -1e37, 1e37).astype(np.float32)
    if holes:
        numbers[:, :2] = numbers[3] = 0
    extent = numbers.shape if by == "rows" else numbers.shape[::-1]
    gains = 10.0 ** random.integers(-(gained or 0), (gained or 0) + 1, extent[1])
    gain = None if gained is None else np.array(gains, dtype=np.float32)
    lengths = Lengths(extent, by, gain)
    for first in (0, 4):
        lengths.see(first, numbers[first : first + 4])
    read = numbers.astype(np.float64) if by == "rows" else numbers.T.astype(np.float64)
    with np.errstate(over="ignore"):
        right = np.linalg.norm(read * (1.0 if gain is None else gain.astype(np.float64)), axis=1).astype(np.float32)
    np.testing.assert_allclose(lengths.found(), right, rtol=1e-5)
