"""Matrices from an axis to itself: exact under W → PWPᵀ, blind to the diagonal, and to constants of the trade."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dokja.lineage import Finding, Reference, audit, open_checkpoint, reference
from dokja.lineage.library import build, open_library
from dokja.lineage.pair.evidence import Held, LabelTest
from dokja.lineage.pair.pairing import aligned_squares
from dokja.lineage.pair.squares import look_at_squares, squares_test
from tests.lineage.saved import save

KEY = 7
UNITS = 64

Weights = dict[str, NDArray[np.float32]]


def graph_network(seed: int) -> Weights:
    """Square layers on one stream of channels, each unit of which hears itself loudest."""
    rng = np.random.default_rng(seed)
    own = 3 * np.eye(UNITS)
    return {
        f"gnns.{layer}.linear.weight": (own + rng.standard_normal((UNITS, UNITS))).astype(np.float32)
        for layer in range(4)
    }


def recurrent_network(seed: int) -> Weights:
    """Gates of an LSTM over embeddings that are as wide as its state."""
    rng = np.random.default_rng(seed)
    own = np.tile(3 * np.eye(UNITS), (4, 1))
    return {
        "embedding.weight": rng.standard_normal((90, UNITS)).astype(np.float32),
        **{
            f"rnn.weight_{side}_l0": (own + rng.standard_normal((4 * UNITS, UNITS))).astype(np.float32)
            for side in ("ih", "hh")
        },
        "rnn.bias_hh_l0": rng.standard_normal(4 * UNITS).astype(np.float32),
    }


def convolutions(seed: int) -> Weights:
    """Kernels from and to the channels between skips."""
    rng = np.random.default_rng(seed)
    return {
        f"block.{layer}.conv.weight": rng.standard_normal((UNITS, UNITS, 3, 3)).astype(np.float32)
        for layer in range(2)
    }


NETWORKS: Mapping[str, Callable[[int], Weights]] = {
    "graph": graph_network,
    "recurrent": recurrent_network,
    "convolutions": convolutions,
}


def relabelled(weights: Weights, order: NDArray[np.int64]) -> Weights:
    """The same function, the one axis in another order: rows in every gate, columns, everything of that length."""
    new = {}
    for name, value in weights.items():
        table = value
        if table.shape[0] % UNITS == 0:
            gates = table.reshape(-1, UNITS, *table.shape[1:])
            table = gates[:, order].reshape(table.shape)
        if table.ndim > 1 and table.shape[1] == UNITS:
            table = table[:, order]
        new[name] = np.ascontiguousarray(table)
    return new


def more(weights: Weights, seed: int, by: float) -> Weights:
    rng = np.random.default_rng(seed)
    return {
        name: (value + by * rng.standard_normal(value.shape)).astype(np.float32) for name, value in weights.items()
    }


def said(one: Path, other: Path) -> Finding:
    with open_checkpoint(one) as mine, open_checkpoint(other) as his:
        [found] = audit(reference("one", mine, KEY), [reference("other", his, KEY)], key=KEY).findings
    return found


def squares(one: Path, other: Path) -> LabelTest:
    return next(test for test in said(one, other).tests if test.name == "squares")


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_kin_are_told_strangers_are_not_though_all_hear_themselves_loudest(
    network: Callable[[int], Weights], tmp_path: Path
) -> None:
    parent = save(tmp_path / "parent.safetensors", network(1))
    child = save(tmp_path / "child.safetensors", more(network(1), 2, 2.0))
    stranger = save(tmp_path / "stranger.safetensors", network(3))
    found = said(child, parent)
    test = next(each for each in found.tests if each.name == "squares")
    assert test.log10_p < -20
    assert test.share > 0.5
    assert found.word == "common-initialisation"  # Not close enough to rule out the same seed.
    assert said(stranger, parent).word == "no-evidence"
    assert squares(stranger, parent).log10_p > -3
    assert squares(child, parent).log10_p == squares(parent, child).log10_p


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_relabelling_both_alike_changes_nothing_and_relabelling_one_hides_everything(
    network: Callable[[int], Weights], tmp_path: Path
) -> None:
    order = np.random.default_rng(5).permutation(UNITS)
    one, other = network(1), more(network(1), 2, 1.0)
    plain = squares(save(tmp_path / "one.safetensors", one), save(tmp_path / "other.safetensors", other))
    both = squares(
        save(tmp_path / "one-turned.safetensors", relabelled(one, order)),
        save(tmp_path / "other-turned.safetensors", relabelled(other, order)),
    )
    # Other units are anchors then, so not every count is the same.
    assert plain.log10_p < -20
    assert both.log10_p < -20
    alone = squares(
        save(tmp_path / "one.safetensors", one), save(tmp_path / "turned.safetensors", relabelled(other, order))
    )
    assert alone.log10_p > -3


def test_a_constant_of_both_is_no_kinship(tmp_path: Path) -> None:
    """An orthogonal matrix that both models were given, among weights that have nothing to do with each other."""
    given_to_both, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((UNITS, UNITS)))
    one, other = (
        save(
            tmp_path / f"{seed}.safetensors",
            {**graph_network(seed), "basis": np.asarray(given_to_both * scale, np.float32)},
        )
        for seed, scale in ((1, 1.0), (2, 1.0 + 1e-6))
    )
    assert said(one, other).word == "no-evidence"


def test_the_p_value_is_a_bound_over_all_relabellings(tmp_path: Path) -> None:
    """A child under random labels is a stranger: whatever the weights, P(p ≤ 10⁻ᵏ) ≤ 10⁻ᵏ over the labellings."""
    parent, child = graph_network(1), more(graph_network(1), 2, 0.5)
    rng = np.random.default_rng(11)
    found = []
    with open_checkpoint(save(tmp_path / "parent.safetensors", parent)) as his:
        for turn in range(150):
            mine = save(tmp_path / "child.safetensors", relabelled(child, rng.permutation(UNITS)))
            with open_checkpoint(mine) as checkpoint:
                held = Held(reference("c", checkpoint, turn).reader, reference("p", his, turn).reader, turn)
                [pair] = aligned_squares(held.left.model, held.right.model, "other")
                seen = look_at_squares(held, pair)
                assert seen is not None
                found.append(10 ** squares_test([seen]).log10_p)
    values = np.array(found)
    for level, most in ((0.1, 27), (0.01, 7), (0.001, 3)):
        assert (values <= level).sum() <= most


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), diagonal=st.floats(0, 1e6))
def test_no_number_on_the_diagonal_is_read(
    tmp_path_factory: pytest.TempPathFactory, seed: int, diagonal: float
) -> None:
    folder = tmp_path_factory.mktemp("diagonal")
    one, other = graph_network(seed), graph_network(seed + 1)
    loud = {name: value + np.float32(diagonal) * np.eye(UNITS, dtype=np.float32) for name, value in one.items()}
    his = save(folder / "other.safetensors", other)
    assert squares(save(folder / "one.safetensors", one), his) == squares(
        save(folder / "loud.safetensors", loud), his
    )


def test_a_library_asks_the_same_of_its_packs(tmp_path: Path) -> None:
    parent = save(tmp_path / "parent.safetensors", graph_network(1))
    child = save(tmp_path / "child.safetensors", more(graph_network(1), 2, 1.0))
    build(tmp_path / "library", {"parent": parent}, key=KEY, workers=1)
    library = open_library(tmp_path / "library")
    with library.pack("parent") as pack, open_checkpoint(child) as mine:
        [found] = audit(reference("child", mine, KEY), [Reference("parent", pack)], key=KEY).findings
    direct = squares(child, parent)
    kept = next(test for test in found.tests if test.name == "squares")
    assert (kept.groups, kept.units) == (direct.groups, direct.units)
    assert kept.log10_p < -20
