"""The longest neurons: which they are no symmetry changes, and a library that keeps them knows a permuted copy."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from benchmarks.training.checkpoint import Floats, kept, write
from benchmarks.training.disguise import disguised, rotation
from benchmarks.training.network import ROUTER, Shape, Text, draw, networks_of
from dokja.lineage import Finding, audit, open_checkpoint, reference
from dokja.lineage.library import build, open_library
from dokja.lineage.library.packs import open_pack
from dokja.lineage.pair.longest import crowded, lengths, longest, neurons
from dokja.lineage.sides import Reader
from dokja.lineage.statistics.units import Matrix

KEY = 7
WIDE = Text(width=48, hidden=400, layers=3, heads=4, key_heads=2)
UNITS = 64
"""Of 400 neurons so many are kept: among those that a key draws a permuted copy would meet ten of its own."""


def drawn(shape: Shape, seed: int) -> dict[str, Any]:
    return dict(draw(shape, np.random.default_rng(seed)))


def blended(one: Mapping[str, Floats], other: Mapping[str, Floats], share: float) -> dict[str, Floats]:
    """What is left of a model when it was trained on: so much of its weights, and another's."""
    rest = (1 - share**2) ** 0.5
    return {name: share * value + rest * other[name] if value.ndim > 1 else value for name, value in one.items()}


def scrambled(weights: Mapping[str, Floats], shape: Shape) -> dict[str, Floats]:
    return kept(disguised(weights, shape, np.random.default_rng(3)))


def asked(
    folder: Path,
    submissions: Mapping[str, tuple[Mapping[str, Floats], Shape]],
    references: Mapping[str, tuple[Mapping[str, Floats], Shape]],
    units: int = UNITS,
) -> dict[tuple[str, str, str], Finding]:
    """The findings of submissions against a library, by submission, reference and component."""
    for name, (weights, shape) in {**submissions, **references}.items():
        write(folder / name, weights, shape)
    build(folder / "library", {name: folder / name for name in references}, key=KEY, units=units, workers=1)
    library = open_library(folder / "library")
    found: dict[tuple[str, str, str], Finding] = {}
    for name in submissions:
        with open_checkpoint(folder / name) as checkpoint, ExitStack() as stack:
            others = [library.reference(each) for each in library.names]
            for each in others:
                stack.enter_context(each.source)  # type: ignore[arg-type]
            told = audit(reference(name, checkpoint, KEY), others, key=KEY)
        found |= {(name, each.reference, each.component): each for each in told.findings}
    return found


@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.floats(0.0, 3.0),
    scaled=st.sampled_from(["up", "gate", "both"]),
    far=st.sampled_from([1e-25, 1.0, 1e25]),
    looks=st.integers(1, 40),
)
@settings(max_examples=15, deadline=None)
def test_no_symmetry_of_a_layer_changes_which_neurons_are_longest(
    seed: int, spread: float, scaled: str, far: float, looks: int
) -> None:
    """Gates may be scaled where what is behind them is piecewise linear. Of `far` the square is no float32."""
    random = np.random.default_rng(seed)
    shape = Shape(text=replace(WIDE, width=16, hidden=48, layers=1))
    parent = drawn(shape, seed)
    order, turn = random.permutation(48), rotation(16, random)
    one, other = (np.exp(spread * random.standard_normal(48)) for _ in range(2))
    scales = {"gate": one if scaled != "up" else 1.0, "up": far * (other if scaled != "gate" else 1.0)}
    child: dict[str, Any] = dict(parent)
    [(gate, up, down)] = networks_of(WIDE, 0)
    child[gate] = ((parent[gate].T * scales["gate"]).T @ turn)[order]
    child[up] = ((parent[up].T * scales["up"]).T @ turn)[order]
    child[down] = (turn.T @ (parent[down] / (scales["gate"] * scales["up"])))[:, order]
    mine, his = (measured(weights) for weights in (child, parent))
    products = [np.prod(each, axis=0) for each in (mine, his)]
    assert products[0] == pytest.approx(products[1][order], rel=1e-4)
    # Of two that are as long to the last digits either may be chosen.
    least = np.sort(products[1])[-looks] * (1 - 1e-4)
    assert (products[1][order[longest(mine, looks)]] >= least).all()


def measured(weights: Mapping[str, Floats]) -> list[Matrix]:
    with TemporaryDirectory() as folder:
        exact = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()}
        save_file(exact, Path(folder) / "model.safetensors")
        with open_checkpoint(folder) as checkpoint:
            reader = reference("", checkpoint, KEY).reader
            [group] = [each for each in reader.model.groups["text-decoder"] if len(neurons(each)) > 1]
            found = lengths(reader, neurons(group))
    assert found is not None
    assert len(found) == 3
    return found


def test_lengths_that_are_no_numbers_come_last() -> None:
    measured = np.array([1.0, np.nan, 3.0, np.inf, 0.0, 2.0], dtype=np.float32)
    assert longest([measured, np.ones(6, dtype=np.float32)], 3).tolist() == [2, 3, 5]
    assert longest([measured], 6).tolist() == list(range(6))


def test_a_smaller_choice_is_part_of_a_larger_one_though_lengths_are_equal() -> None:
    measured = np.repeat(np.arange(5, dtype=np.float32), 8)
    choices = [set(longest([measured], size)) for size in range(1, 41)]
    assert all(one < other for one, other in pairwise(choices))


@pytest.mark.parametrize("share", [1.0, 0.95])
def test_a_scrambled_copy_is_told_from_a_library_that_keeps_a_sixth_of_its_neurons(
    share: float, tmp_path: Path
) -> None:
    shape = Shape(text=WIDE)
    parent, other, third = (drawn(shape, seed) for seed in (1, 2, 4))
    found = asked(
        tmp_path,
        {
            "child": (scrambled(blended(parent, other, share), shape), shape),
            "stranger": (scrambled(third, shape), shape),
        },
        {"parent": (kept(parent), shape), "nobody": (kept(drawn(shape, 5)), shape)},
    )
    told = {key[:2]: each for key, each in found.items() if key[2] == "text-decoder"}
    copy = told["child", "parent"]
    assert copy.word == "rearranged"
    assert copy.anchored is not None
    assert copy.anchored.compared > UNITS
    assert copy.anchored.log10_p == pytest.approx(np.log10(1 / 20))
    assert [row.from_layer for row in copy.layer_map] == [0, 1, 2]
    for pair in (("child", "nobody"), ("stranger", "parent"), ("stranger", "nobody")):
        assert told[pair].word == "no-evidence"
        silent = told[pair].anchored
        assert silent is not None
        assert silent.agreed < 16
    # What nothing was asked of says so.
    assert found["child", "parent", "head"].hides_a_scrambled_copy


def test_layers_that_were_left_out_or_doubled_are_found_in_a_library(tmp_path: Path) -> None:
    shape = Shape(text=WIDE)
    parent = drawn(shape, 1)
    submissions = {}
    for name, order in (("shallow", (0, 2)), ("deepened", (0, 1, 1, 2, 2))):
        other = Shape(text=replace(WIDE, layers=len(order)))
        made = drawn(other, 6)
        for key in made:
            if key.startswith("model.layers."):
                _, _, layer, rest = key.split(".", 3)
                made[key] = parent[f"model.layers.{order[int(layer)]}.{rest}"]
            else:
                made[key] = parent[key]
        submissions[name] = (scrambled(made, other), other)
    found = asked(tmp_path, submissions, {"parent": (kept(parent), shape)})
    for name, order in (("shallow", (0, 2)), ("deepened", (0, 1, 1, 2, 2))):
        told = found[name, "parent", "text-decoder"]
        assert told.word == "rearranged"
        assert tuple(row.from_layer for row in told.layer_map) == order


def test_scrambled_experts_are_told_from_a_library_by_their_routers(tmp_path: Path) -> None:
    crowd = Shape(text=replace(WIDE, hidden=40, layers=2, experts=18))
    parent = drawn(crowd, 1)
    assert any(ROUTER in name for name in parent)
    found = asked(
        tmp_path,
        {
            "child": (scrambled(blended(parent, drawn(crowd, 2), 0.95), crowd), crowd),
            "stranger": (scrambled(drawn(crowd, 3), crowd), crowd),
        },
        {"parent": (kept(parent), crowd)},
        units=24,
    )
    assert found["child", "parent", "experts"].word == "rearranged"
    assert found["stranger", "parent", "experts"].word == "no-evidence"


def test_of_a_layer_that_is_kept_whole_the_longest_are_chosen_as_from_the_weights(tmp_path: Path) -> None:
    """An audit may look at fewer units than a pack keeps: of many layers, or where many choices are tried."""
    shape = Shape(text=WIDE)
    write(tmp_path / "parent", kept(drawn(shape, 1)), shape)
    build(tmp_path / "library", {"parent": tmp_path / "parent"}, key=KEY, units=WIDE.hidden, workers=1)
    [path] = (tmp_path / "library" / "packs").iterdir()
    with open_checkpoint(tmp_path / "parent") as checkpoint, open_pack(path) as pack:
        whole, held = reference("", checkpoint, KEY).reader, Reader(pack)
        layers = [members for group in whole.model.groups["text-decoder"] if (members := neurons(group))]
        assert len(layers) == WIDE.layers
        for members in layers:
            mine, his = (lengths(reader, members) for reader in (whole, held))
            assert mine is not None
            assert his is not None
            assert (longest(mine, UNITS) == longest(his, UNITS)).all()


def test_a_pack_keeps_what_its_weights_have_of_the_longest_and_little_more_than_before(tmp_path: Path) -> None:
    shape = Shape(text=WIDE)
    write(tmp_path / "parent", kept(drawn(shape, 1)), shape)
    build(tmp_path / "library", {"parent": tmp_path / "parent"}, key=KEY, units=UNITS, workers=1)
    path = next((tmp_path / "library" / "packs").iterdir())
    with open_checkpoint(tmp_path / "parent") as checkpoint, open_pack(path) as pack:
        whole, held = reference("", checkpoint, KEY).reader, Reader(pack)
        seen = 0
        for group in whole.model.groups["text-decoder"]:
            members = neurons(group)
            if len(members) < 2:
                continue
            assert crowded(whole.model, members, UNITS)
            for size in (UNITS, UNITS // 4):
                mine, his = (lengths(reader, members) for reader in (whole, held))
                assert mine is not None
                assert his is not None
                assert (longest(mine, size) == longest(his, size)).all()
                for member in members:
                    ours, theirs = (source.rows(member, longest(mine, size)) for source in (whole.source, pack))
                    assert np.array_equal(ours, theirs)
                    with pytest.raises(KeyError):
                        pack.rows(member, np.arange(UNITS + 1))
            seen += 1
        more = sum(
            entry.nbytes for name, entry in pack._columns.entries.items() if name.endswith(("lengths", "longest"))
        )
    assert seen == WIDE.layers
    assert more < path.stat().st_size / 2
