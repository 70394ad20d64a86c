"""The statistics on models made here: exact moments, valid p-values, power, symmetries, and the traps."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from math import factorial

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln
from scipy.stats import kstest, spearmanr

from dokja.lineage import statistics as s
from dokja.lineage.statistics.trace import log_bregman

Array = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


def normal(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def kin(seed: int, rho: float, *shape: int) -> tuple[Array, Array]:
    """Two matrices whose numbers correlate by rho."""
    x, noise = normal(seed, *shape), normal(seed + 10**6, *shape)
    return x, rho * x + (1 - rho**2) ** 0.5 * noise


def rotation(seed: int, size: int) -> Array:
    q, _ = np.linalg.qr(normal(seed, size, size))
    return np.asarray(q)


# -- exact moments and bounds, against every permutation


@pytest.mark.parametrize("seed", range(6))
def test_the_trace_against_all_720_labellings(seed: int) -> None:
    square = normal(seed, 6, 6) ** 3
    orders = np.array(list(itertools.permutations(range(6))))
    traces = square[np.arange(6), orders].sum(axis=1)
    for order in orders[::97]:
        test = s.trace_test(square[:, order])
        assert test.mean == pytest.approx(traces.mean())
        assert test.deviation == pytest.approx(traces.std(), rel=1e-5)
        assert 10**test.log10_p >= np.mean(traces >= test.trace - 1e-9) * (1 - 1e-9)
        assert 10**test.log10_p_lower >= np.mean(traces <= test.trace + 1e-9) * (1 - 1e-9)


@pytest.mark.parametrize("size", [2, 5, 40, 700])
def test_no_trace_is_less_likely_than_one_labelling_and_the_identity_reaches_it(size: int) -> None:
    least = -float(np.sum(np.log10(np.arange(1, size + 1))))
    found = s.trace_test(np.eye(size)).log10_p
    assert least - 1e-6 <= found <= least * 0.99 + 0.31


@given(SEEDS, st.integers(2, 6), st.floats(0.05, 4))
@settings(max_examples=60, deadline=None)
def test_permanents_are_bounded_and_the_bound_is_reached(seed: int, size: int, power: float) -> None:
    square = np.random.default_rng(seed).random((size, size)) ** power
    square /= square.max(axis=1, keepdims=True)
    orders = np.array(list(itertools.permutations(range(size))))
    permanent = np.log(square[np.arange(size), orders].prod(axis=1).sum())
    assert permanent <= log_bregman(square.sum(axis=1)).sum() + 1e-9
    assert log_bregman(np.full(size, float(size))).sum() == pytest.approx(np.log(factorial(size)))
    assert log_bregman(np.array([2.25])) == pytest.approx(np.log(0.75 * 2**0.5 + 0.25 * 6 ** (1 / 3)))


@pytest.mark.parametrize("tensors", [1, 3])
def test_the_gram_correlation_against_all_120_labellings(tensors: int) -> None:
    pairs = [(s.gram(_f4(normal(k, 5, 3))), s.gram(_f4(normal(50 + k, 5, 4)))) for k in range(tensors)]
    orders = [list(order) for order in itertools.permutations(range(5))]
    values = [sum(float(np.vdot(k, other[np.ix_(o, o)])) for k, other in pairs) for o in orders]
    found = s.gram_correlation(pairs)
    assert found.value == pytest.approx(values[0])
    assert found.mean == pytest.approx(np.mean(values))
    assert found.deviation == pytest.approx(np.std(values))
    assert 10**found.log10_p >= np.mean(np.array(values) >= values[0] - 1e-9)


@pytest.mark.parametrize("mutual", [1, 3, 5, 6])
def test_fixed_points_against_all_720_labellings(mutual: int) -> None:
    orders = np.array(list(itertools.permutations(range(6))))
    counts = (orders[:, :mutual] == np.arange(mutual)).sum(axis=1)
    for fixed in range(mutual + 1):
        bound = 10 ** s.fixed_point_log10_p([(fixed, mutual, 6)])
        assert np.mean(counts >= fixed) <= bound * (1 + 1e-9)
        assert bound <= 1 / factorial(fixed) * (1 + 1e-9)


@given(st.integers(2, 80), st.integers(1, 4000))
def test_the_layer_bound_is_never_above_the_published_one(layers: int, fixed: int) -> None:
    found = s.fixed_point_log10_p([(fixed, 900, 900)] + [(0, 900, 900)] * (layers - 1))
    if fixed > layers:
        assert found <= (fixed - layers - fixed * np.log(fixed / layers)) / np.log(10) + 1e-9
    assert found <= 0
    # Of all factorial moments the best is taken.
    rate = 0.75 * layers
    found = s.fixed_point_log10_p([(fixed, 300, 400)] + [(0, 300, 400)] * (layers - 1))
    logs = [j * np.log(rate) + gammaln(fixed - j + 1) - gammaln(fixed + 1) for j in range(fixed + 1)]
    assert found == pytest.approx(min(0.0, min(logs) / np.log(10)), rel=1e-9, abs=1e-9)


def test_the_layer_bound_holds_by_simulation() -> None:
    generator = np.random.default_rng(3)
    counts = np.array(
        [sum(int((generator.permutation(40)[:25] == np.arange(25)).sum()) for _ in range(6)) for _ in range(20000)]
    )
    for fixed in range(1, 14):
        bound = 10 ** s.fixed_point_log10_p([(fixed, 25, 40)] + [(0, 25, 40)] * 5)
        assert np.mean(counts >= fixed) <= bound + 4 * (bound / 20000) ** 0.5


def test_p_values_do_not_underflow() -> None:
    assert s.fixed_point_log10_p([(11008, 11008, 11008)] * 80) < -3_000_000
    assert s.increasing_log10_p(4096, 4096) < -13_000
    assert s.holm([-1e6, -3.0]).tolist() == pytest.approx([-1e6 + np.log10(2), -3.0])
    assert s.mean_of_e_values([-1e5, 0.0]) == pytest.approx(-1e5, abs=12)
    assert s.stouffer([-1e5, -1e5]) < -1.9e5
    assert s.fisher([-1e5, -1e5]) == pytest.approx(-2e5, abs=12)


# -- p-values under H0


def _fixed(k: int) -> float:
    return s.fixed_points(normal(2 * k, 24, 10), normal(2 * k + 1, 24, 10)).log10_p


def _trace(k: int) -> float:
    return s.unit_trace(normal(2 * k, 24, 10), normal(2 * k + 1, 24, 10)).log10_p


def _heavy_trace(k: int) -> float:
    return s.trace_test(np.random.default_rng(k).standard_cauchy((20, 20))).log10_p_two_sided


def _hubs(k: int) -> float:
    """A common direction and wild scales: a few neurons are everyone's neighbour."""
    x, y = normal(2 * k, 24, 10), normal(2 * k + 1, 24, 10)
    return s.fixed_points(np.exp(x[:, :1]) + x, 3 + y * np.exp(2 * y[:, :1])).log10_p


def _relative(k: int) -> float:
    return s.relative_labels([s.neuron_grams(normal(2 * k, 24, 10), normal(2 * k + 1, 24, 10))], seed=k).log10_p


def _joint(k: int) -> float:
    joint = s.JointTrace(20)
    for layer in range(3):
        joint.add(normal(1000 * k + layer, 12, 20), normal(10**7 + 1000 * k + layer, 12, 20))
    return joint.trace().log10_p


def _increasing(k: int) -> float:
    return s.fixed_points(normal(2 * k, 30, 10), normal(2 * k + 1, 20, 10)).increasing_log10_p


def _layers(k: int) -> float:
    return s.fixed_point_log10_p(
        [s.fixed_points(normal(50 * k + i, 16, 9), normal(50 * k + 25 + i, 16, 9)) for i in range(4)]
    )


def _cantelli(k: int) -> float:
    return s.gram_correlation([s.neuron_grams(normal(2 * k, 16, 8), normal(2 * k + 1, 16, 8))]).log10_p


def _merged(k: int) -> float:
    return s.mean_of_e_values([_fixed(k), _trace(k), _cantelli(k)])


def _fished(k: int) -> float:
    return s.fisher([_trace(3 * k), _trace(3 * k + 1), _trace(3 * k + 2)])


@pytest.mark.parametrize(
    "p",
    [_fixed, _trace, _heavy_trace, _hubs, _relative, _joint, _increasing, _layers, _cantelli, _merged, _fished],
    ids=lambda p: p.__name__.strip("_"),
)
def test_p_values_are_super_uniform_over_independent_pairs(p: Callable[[int], float]) -> None:
    values = [10 ** p(k) for k in range(2000)]
    assert all(0 < value <= 1 for value in values)
    assert kstest(values, "uniform", alternative="greater").pvalue > 1e-4
    assert min(values) > 1e-6


# -- power


@pytest.mark.parametrize(
    ("rho", "fixed", "trace"), [(0.03, 0.0, -6), (0.1, -6, -100), (0.3, -300, -600), (1.0, -1100, -1100)]
)
def test_power_on_planted_kinship(rho: float, fixed: float, trace: float) -> None:
    x, y = kin(7, rho, 512, 256)
    assert s.fixed_points(x, y).log10_p <= fixed
    found = s.unit_trace(x, y)
    assert found.log10_p <= trace
    assert found.effect == pytest.approx(rho, abs=0.01)


def test_a_sample_of_units_against_all_keeps_its_power_and_its_validity() -> None:
    x, y = kin(5, 0.4, 900, 256)
    sample = np.sort(np.random.default_rng(1).permutation(900)[:128])
    found = s.fixed_points(x, y, sample=sample)
    assert (found.units, found.labels) == (128, 900)
    assert found.fixed > 120
    assert found.log10_p < -200
    assert s.unit_trace(x, y, sample=sample).log10_p < -100
    assert s.fixed_points(x, normal(99, 900, 256), sample=sample).fixed <= 3


def test_parts_of_a_neuron_are_tested_as_one() -> None:
    parts = [kin(k, 0.15, 200, width) for k, width in ((1, 64), (2, 64), (3, 80))]
    left, right = ([s.unit_rows(pair[side]) for pair in parts] for side in (0, 1))
    alone = [s.unit_trace(x, y).log10_p for x, y in zip(left, right, strict=True)]
    together = s.unit_trace(s.joined(left), s.joined(right))
    assert together.log10_p < 2 * min(alone)
    assert together.effect == pytest.approx(0.15, abs=0.02)
    broken = parts[1][0].copy()
    broken[7] = np.nan
    assert s.joined([left[0], s.unit_rows(broken)]).excluded == 1
    with pytest.raises(ValueError, match="labels"):
        s.joined([left[0], s.unit_rows(normal(1, 10, 4))])


def test_a_negative_copy_is_seen_by_the_lower_tail_alone() -> None:
    x, y = kin(7, 0.5, 128, 64)
    found = s.unit_trace(x, -y)
    assert found.log10_p == 0
    assert found.log10_p_lower < -50
    assert found.log10_p_two_sided == pytest.approx(found.log10_p_lower, abs=0.31)


def test_width_pruning_keeps_the_order() -> None:
    x, y = kin(3, 0.8, 300, 64)
    kept = np.sort(np.random.default_rng(0).permutation(300)[:150])
    found = s.fixed_points(y[kept], x)
    assert found.log10_p == 0  # Labels of layers of different width cannot be the same.
    assert np.mean(found.mapping == kept) > 0.95
    assert found.increasing_log10_p < -200


def test_rotation_blinds_t1_and_not_t2() -> None:
    x, y = kin(11, 0.4, 512, 64)
    y = 0.3 * y @ rotation(1, 64)
    assert s.unit_trace(x, y).log10_p > -3
    pairs = [s.neuron_grams(x, y)]
    assert s.gram_correlation(pairs).z > 20
    assert s.relative_labels(pairs, seed=4).log10_p < -30
    assert s.monte_carlo_log10_p(pairs, seed=4, permutations=99) == pytest.approx(-2)


def test_hidden_permutation_blinds_the_joint_trace_and_not_t2_of_channels() -> None:
    left, right = zip(*(kin(60 + k, 0.7, 200, 96) for k in range(5)), strict=True)
    mixed = [y[np.random.default_rng(k).permutation(200)] for k, y in enumerate(right)]
    plain, blind = s.JointTrace(96), s.JointTrace(96)
    for x, y, z in zip(left, right, mixed, strict=True):
        plain.add(x, y)
        blind.add(x, z)
    assert plain.trace().log10_p < -100
    assert plain.matches().fixed == 96
    assert blind.trace().log10_p > -3
    pairs = [(s.channel_gram(x), s.channel_gram(z)) for x, z in zip(left, mixed, strict=True)]
    assert s.gram_correlation(pairs).z > 20
    assert s.relative_labels(pairs, seed=2).log10_p < -10


def test_the_joint_trace_by_a_sample_of_channels() -> None:
    joint = s.JointTrace(96, sample=np.arange(0, 96, 2))
    joint.add(*kin(60, 0.7, 200, 96))
    found = joint.matches()
    assert (found.units, found.fixed) == (48, 48)


# -- symmetries


@given(SEEDS, st.sampled_from([0.0, 0.3, 0.9]))
@settings(max_examples=40, deadline=None)
def test_relabelling_both_alike_changes_nothing_and_sides_may_be_swapped(seed: int, rho: float) -> None:
    x, y = kin(seed % 10**6, rho, 40, 12)
    order = np.random.default_rng(seed).permutation(40)
    plain, moved, swapped = (s.fixed_points(*pair) for pair in ((x, y), (x[order], y[order]), (y, x)))
    assert (plain.fixed, plain.mutual, plain.log10_p) == (moved.fixed, moved.mutual, moved.log10_p)
    assert (plain.fixed, plain.mutual, plain.log10_p) == (swapped.fixed, swapped.mutual, swapped.log10_p)
    a, b, c = (s.unit_trace(*pair) for pair in ((x, y), (x[order], y[order]), (y, x)))
    for other in (b, c):
        assert other.z == pytest.approx(a.z, abs=1e-4)
        assert other.log10_p == pytest.approx(a.log10_p, abs=1e-3)
    g, h, k = (s.gram_correlation([s.neuron_grams(*pair)]) for pair in ((x, y), (x[order], y[order]), (y, x)))
    assert h.z == pytest.approx(g.z, abs=1e-4)
    assert k.z == pytest.approx(g.z, abs=1e-4)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_scaling_rows_shifting_rows_and_permuting_columns_of_both_change_nothing(seed: int) -> None:
    x, y = kin(seed % 10**6, 0.5, 30, 12)
    generator = np.random.default_rng(seed)
    columns = generator.permutation(12)
    x2 = (x * np.exp(3 * generator.normal(size=(30, 1))) + generator.normal(size=(30, 1)))[:, columns]
    y2 = (y * np.exp(3 * generator.normal(size=(30, 1))))[:, columns]
    plain, moved = s.fixed_points(x, y), s.fixed_points(x2, y2)
    assert plain.mapping.tolist() == moved.mapping.tolist()
    assert s.unit_trace(x2, y2).z == pytest.approx(s.unit_trace(x, y).z, abs=1e-3)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_relabelling_one_side_relabels_the_map(seed: int) -> None:
    x, y = kin(seed % 10**6, 0.6, 30, 12)
    order = np.random.default_rng(seed).permutation(30)
    plain, moved = s.fixed_points(x, y).mapping, s.fixed_points(x, y[order]).mapping
    assert [-1 if j < 0 else order[j] for j in moved] == plain.tolist()


def test_blocks_give_the_same_as_one_product(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = kin(1, 0.2, 300, 16)
    whole, trace = s.fixed_points(x, y), s.unit_trace(x, y)
    monkeypatch.setattr("dokja.lineage.statistics.units.BLOCK_BYTES", 300 * 4 * 7)
    monkeypatch.setattr("dokja.lineage.statistics.trace.HELD", 100)
    blocks, parts = s.fixed_points(x, y), s.unit_trace(x, y)
    assert whole.mapping.tolist() == blocks.mapping.tolist()
    assert parts.z == pytest.approx(trace.z, abs=1e-4)
    assert parts.log10_p == pytest.approx(trace.log10_p, rel=0.1)
    assert parts.log10_p >= trace.log10_p - 1e-3


# -- what is no evidence


def test_rows_sorted_by_norm_accuse_nobody_and_are_seen() -> None:
    x, y = (normal(k, 400, 64) * np.exp(0.5 * normal(k + 9, 400, 1)) for k in (1, 2))
    x, y = (side[np.argsort(np.linalg.norm(side, axis=1))] for side in (x, y))
    distance = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None] - 2 * x @ y.T
    rows, columns = linear_sum_assignment(distance)
    assert spearmanr(rows, columns).pvalue < 1e-50  # The false accusation correlates places …
    assert s.fixed_points(x, y).log10_p > -3  # … the test counts identities, of directions.
    assert s.unit_trace(x, y).log10_p > -3
    assert "size" in s.shared_order(s.order(x), s.order(y))
    assert "size" not in s.shared_order(s.order(x), s.order(y[::-1]))
    assert not s.order(normal(1, 400, 64)).signs


def test_a_filter_bank_is_seen_as_ordered() -> None:
    centres = np.arange(64)[:, None]
    bank = np.maximum(0, 1 - np.abs(np.arange(257)[None] / 4 - centres) / 2)
    assert "direction nearby" in s.order(bank).signs
    assert s.constants(bank, bank).rows == 64
    assert s.constants(bank, bank + 1e-6).equal == 0


def test_gate_blocks_of_an_lstm_fire_alone_and_are_silent_when_moved_jointly() -> None:
    """Rows of each gate share a direction, in every model: all 4h rows are not exchangeable, the h units are."""
    gates = np.repeat(0.5 * normal(0, 4, 64), 64, axis=0)
    zs, joint = [], []
    for k in range(8):
        x, y = gates + normal(2 * k + 1, 256, 64), gates + normal(2 * k + 2, 256, 64)
        zs.append(s.unit_trace(x, y).z)
        joint.append(s.unit_trace(x, y, repeats=4))
        assert s.fixed_points(x, y, repeats=4).log10_p > -4
        assert "direction in blocks" in s.shared_order(s.order(x), s.order(y))
        assert not s.order(x, repeats=4).signs
    assert np.mean(zs) > 4.5
    assert abs(np.mean([one.z for one in joint])) < 0.8
    assert min(one.log10_p for one in joint) > -3


def test_recurrent_matrices_move_on_both_axes() -> None:
    """Units that feed themselves are in every LSTM: a diagonal accuses row by row, and not off the diagonal."""
    memory = np.concatenate([2 * np.eye(64)] * 4)
    x, y = memory + 0.5 * normal(1, 256, 64), memory + 0.5 * normal(2, 256, 64)
    assert s.unit_trace(x, y, repeats=4).log10_p < -6  # The wrong group accuses strangers …
    assert s.relative_labels(s.recurrent_pairs(x, y, repeats=4), seed=1).log10_p > -3  # … the right one not …
    child = x + 0.5 * normal(3, 256, 64)
    assert s.relative_labels(s.recurrent_pairs(x, child, repeats=4), seed=1).log10_p < -30  # … and finds a child.
    with pytest.raises(ValueError, match="square"):
        s.recurrent_pairs(x, y, repeats=3)


def test_one_seed_is_told_from_descent_by_the_step_before_training() -> None:
    start = normal(1, 256, 64)
    left, right = start + 0.7 * normal(2, 256, 64), start + 0.7 * normal(3, 256, 64)
    child = 0.9 * left + 0.3 * normal(4, 256, 64)
    assert s.fixed_points(left, right).log10_p < -300  # The label test fires for the seed alone …
    assert abs(s.partial_correlation(left, right, start).partial) < 0.05  # … and nothing is left beyond it.
    assert s.partial_correlation(left, child, start).partial > 0.6
    halves = s.partial_correlation(left[:99], child[:99], start[:99]) + s.partial_correlation(
        left[99:], child[99:], start[99:]
    )
    assert halves.partial == pytest.approx(s.partial_correlation(left, child, start).partial)
    assert s.partial_correlation(start, right, start).partial == 0


@pytest.mark.parametrize("spoil", [np.nan, np.inf, 0.0, 3.5], ids=["nan", "infinity", "zero", "constant"])
def test_rows_without_direction_are_left_out_counted_and_no_evidence(spoil: float) -> None:
    x, y = normal(1, 60, 20), normal(2, 60, 20)
    x[10:40], y[10:40] = spoil, spoil
    found = s.fixed_points(x, y)
    assert (found.units, found.excluded) == (30, 30)
    assert (found.mapping[10:40] == -1).all()
    assert found.log10_p > -3
    assert s.unit_trace(x, y).units == 30
    joint = s.JointTrace(60)
    joint.add(x.T, y.T)
    assert joint.trace().log10_p > -3
    assert np.isfinite(s.order(np.nan_to_num(x, posinf=0)).z["size"])


@pytest.mark.parametrize(
    "make", [np.zeros, np.ones, lambda shape: np.full(shape, np.nan)], ids=["zeros", "ones", "nan"]
)
@pytest.mark.parametrize("shape", [(16, 8), (1, 8), (16, 1), (0, 8), (16, 0)])
def test_nothing_crashes_and_nothing_convicts_where_there_is_nothing(
    make: Callable[[tuple[int, int]], Array], shape: tuple[int, int]
) -> None:
    x = make(shape)
    assert s.fixed_points(x, x).log10_p == 0
    assert s.unit_trace(x, x).log10_p == 0
    assert s.gram_correlation([s.neuron_grams(x, x)]).log10_p == 0
    assert s.relative_labels([s.neuron_grams(x, x)], seed=0).log10_p == 0
    assert s.partial_correlation(x, x, x).partial == 0
    assert s.order(x).signs == frozenset()
    assert s.in_cells(x, x).numbers == s.equal_rows(x, x).equal == 0
    assert s.increasing_log10_p(0, 0) == 0


def test_a_unit_needs_a_direction_in_every_gate() -> None:
    x = normal(1, 40, 12)
    x[13] = 0  # Gate 1 of unit 3.
    found = s.unit_rows(x, repeats=4)
    assert (found.excluded, found.labels.tolist()) == (1, [0, 1, 2, 4, 5, 6, 7, 8, 9])


def test_ties_match_nobody() -> None:
    same = np.repeat(normal(1, 1, 20), 50, axis=0)
    assert s.fixed_points(same, same).mutual == 0
    twins = np.concatenate([normal(1, 25, 20)] * 2)
    assert s.fixed_points(twins, twins).mutual == 0
    for left, right in ((normal(1, 50, 20), twins), (twins, normal(1, 50, 20))):
        mapping = s.fixed_points(left, right).mapping
        assert not np.isin(mapping, [*range(25)]).any()


def test_huge_and_tiny_numbers_have_directions_too() -> None:
    x = normal(1, 40, 20)
    assert s.fixed_points((x * 1e37).astype(np.float32), x * 1e-300).fixed == 40


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="blocks"):
        s.unit_rows(normal(1, 10, 4), repeats=4)
    with pytest.raises(ValueError, match="cannot be compared"):
        s.fixed_points(normal(1, 10, 4), normal(1, 10, 5))
    with pytest.raises(ValueError, match="square"):
        s.trace_test(normal(1, 3, 4))
    with pytest.raises(ValueError, match="channels"):
        s.JointTrace(4).add(normal(1, 3, 4), normal(1, 2, 4))


# -- T3, T4, T5, T6, T7


def _network(seed: int) -> dict[str, Array]:
    return {
        "gate": normal(seed, 120, 48),
        "up": normal(seed + 1, 120, 48),
        "anchors": normal(seed + 2, 512, 48),
        "gain": 1 + 0.2 * normal(seed + 3, 48),
    }


def _child(parent: dict[str, Array], seed: int, rho: float = 0.95) -> dict[str, Array]:
    return {
        name: rho * value + (1 - rho**2) ** 0.5 * value.std() * normal(seed + k, *value.shape)
        for k, (name, value) in enumerate(parent.items())
    }


def _scrambled(net: dict[str, Array], seed: int) -> tuple[dict[str, Array], NDArray[np.int64]]:
    """The same function: hidden units permuted and scaled, the gain folded in, the residual axis rotated."""
    order, turn = np.random.default_rng(seed).permutation(120), rotation(seed, 48)
    scale = np.exp(normal(seed, 120, 1))
    folded = {name: (net[name] * net["gain"])[order] @ turn for name in ("gate", "up")}
    return {
        "gate": folded["gate"],
        "up": scale * folded["up"],
        "anchors": 5 * net["anchors"] @ turn,
        "gain": np.ones(48),
    }, order


def _agreement(left: dict[str, Array], right: dict[str, Array]) -> s.Agreement:
    return s.agreement(
        *(
            {role: s.signatures(net[role], net["anchors"].T, net["gain"]) for role in ("gate", "up")}
            for net in (left, right)
        )
    )


def test_anchored_agreement_sees_through_every_scramble() -> None:
    parent = _network(100)
    child, order = _scrambled(_child(parent, 900), 5)
    found = _agreement(parent, child)
    controls = [_agreement(parent, _network(2000 + 10 * k)) for k in range(19)]
    assert found.share > 0.9
    right = found.mapping >= 0
    assert (order[found.mapping[right]] == np.flatnonzero(right)).mean() > 0.99
    assert max(control.share for control in controls) < 0.2
    assert found.log10_p(controls) == pytest.approx(np.log10(1 / 20))
    assert controls[0].log10_p(controls[1:]) > -1.3


def test_few_units_say_which_network_they_come_from() -> None:
    parent = _network(100)
    child, _ = _scrambled(_child(parent, 900), 5)
    answers = [
        {role: s.signatures(net[role], net["anchors"].T, net["gain"]) for role in ("gate", "up")}
        for net in (child, parent, _network(2000))
    ]
    random, count = np.random.default_rng(1), len(parent["anchors"])
    orders = [np.arange(count), *(random.permutation(count) for _ in range(5))]
    few = np.arange(0, 120, 4)
    own, *shuffled = s.named_alike(answers[0], answers[1], few, orders)
    assert own > 0.9 * len(few)
    assert max(shuffled) < 0.2 * len(few)
    assert max(s.named_alike(answers[0], answers[2], few, orders)) < 0.2 * len(few)
    # A unit without a direction in one role names nobody, and one role alone agrees with nothing.
    halved = {**answers[0], "up": s.unit_rows(np.where(np.arange(120)[:, None] % 8, answers[0]["up"].rows, 0.0))}
    assert s.named_alike(halved, answers[1], few, orders[:1])[0] <= len(few) // 2
    assert list(s.named_alike({"up": answers[0]["up"]}, answers[1], few, orders)) == [0] * len(orders)


def test_the_conformal_p_counts_ties_against_the_accuser() -> None:
    assert s.conformal_log10_p(0.5, [0.5, 0.1, 0.9]) == pytest.approx(np.log10(3 / 4))
    assert s.conformal_log10_p(0.5, []) == 0


def test_cloned_layers_and_experts_betray_themselves() -> None:
    layers = {str(k): normal(k, 128, 48) for k in range(6)}
    layers["6"] = kin(2, 0.6, 128, 48)[1]  # seed 2 is layer 2
    units = {name: s.unit_rows(one) for name, one in layers.items()}
    found = s.self_test(units)
    assert len(found) == 21
    assert {(one.left, one.right) for one in found if one.log10_p < -6} == {("2", "6")}
    clone = min(found, key=lambda one: one.log10_p)
    assert clone.log10_p == pytest.approx(clone.matches.log10_p + np.log10(21))
    parent = {name: s.unit_rows(kin(int(name), 0.7, 128, 48)[1]) for name in "012345"}
    deep = {str(k): s.unit_rows(normal(source, 128, 48)) for k, source in enumerate((0, 1, 2, 3, 2, 3, 4, 5))}
    assert s.kinship_map(s.layer_table(deep, parent)) == dict(zip("01234567", "01232345", strict=True))
    assert (
        s.kinship_map(
            s.layer_table(deep, {"a": s.unit_rows(normal(77, 128, 48)), "b": s.unit_rows(normal(7, 64, 48))})
        )
        == {}
    )


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.0), (0.05, 0.0, 0.0), (0.0, 0.0, 0.0), (0.2, 0.4, 0.4)])
@pytest.mark.parametrize("based", [True, False])
def test_merge_shares(shares: tuple[float, ...], based: bool) -> None:
    fit = s.MergeFit(["a", "b", "c"])
    for tensor in range(3):
        base = normal(tensor, 150, 40) if based else np.zeros((150, 40))
        tasks = [0.1 * normal(10 * tensor + k + 20, 150, 40) for k in range(3)]
        mixed = (
            base
            + sum(share * task for share, task in zip(shares, tasks, strict=True))
            + 0.01 * normal(tensor + 90, 150, 40)
        )
        fit.add(mixed, base if based else None, {name: base + task for name, task in zip("abc", tasks, strict=True)})
    found = fit.shares()
    for name, share in zip("abc", shares, strict=True):
        assert found.shares[name] == pytest.approx(share, abs=0.02)
        assert abs(found.shares[name] - share) < 5 * found.errors[name] + 1e-9
    assert found.significant().keys() == {name for name, share in zip("abc", shares, strict=True) if share}


def test_shares_of_a_merge_whose_training_went_on_are_read_from_what_was_moved_least() -> None:
    """A fifth of the units learn on, the way from a parent to its child: plain least squares take it for shares."""
    parent = normal(1, 200, 40)
    children = {name: parent + 0.3 * normal(place + 2, 200, 40) for place, name in enumerate(("one", "two"))}
    merge = 0.2 * parent + 0.5 * children["one"] + 0.3 * children["two"]
    merge[:40] += 0.6 * (children["one"] + children["two"] - 2 * parent)[:40]
    merge += 0.005 * normal(9, 200, 40)
    fit = s.MergeFit(["parent", "one", "two"])
    fit.add(merge, None, {"parent": parent, **children})
    assert fit.shares().shares == pytest.approx({"parent": 0.2, "one": 0.5, "two": 0.3}, abs=0.01)


def test_standard_errors_of_shares_are_as_large_as_the_errors() -> None:
    deviations = []
    for k in range(60):
        fit = s.MergeFit(["a", "b"])
        tasks = {name: 3 + normal(2 * k + place, 40, 12) for place, name in enumerate("ab")}
        noise = normal(10**6 + k, 40, 12)
        base = np.zeros((40, 12))
        fit.add(0.5 * tasks["a"] + 0.5 * tasks["b"] + noise - noise.mean(axis=0), base, tasks)
        found = fit.shares()
        deviations += [(found.shares[name] - 0.5) / found.errors[name] for name in "ab"]
    assert 0.75 < np.sqrt(np.mean(np.square(deviations))) < 1.3


def test_merge_with_a_parent_equal_to_the_base_and_a_broken_tensor() -> None:
    base, other = normal(1, 50, 20), normal(2, 50, 20)
    fit = s.MergeFit(["same", "other"])
    fit.add(base + 0.3 * (other - base), base, {"same": base, "other": other})
    fit.add(np.full((5, 4), np.nan), np.zeros((5, 4)), {"same": np.ones((5, 4)), "other": np.ones((5, 4))})
    assert fit.shares().shares == {"same": 0.0, "other": pytest.approx(0.3)}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1e-3, 1.0, 50.0]), width=st.sampled_from([16, 40, 90]))
def test_whitened_signatures_are_blind_to_rotation_to_scale_and_to_what_is_broken(
    seed: int, scale: float, width: int
) -> None:
    weights, anchors = normal(seed, 30, width), normal(seed + 1, 60, width)
    anchors += 5 * normal(seed + 2, 1, width)  # what all words share
    turn, _ = np.linalg.qr(normal(seed + 3, width, width))
    plain = s.signatures(weights, s.answering(anchors))
    turned = s.signatures(3 * weights @ turn, s.answering(scale * anchors @ turn))
    assert np.abs(plain.rows - turned.rows).max() < 1e-3
    anchors[7] = np.nan
    assert np.isfinite(s.answering(anchors)).all()


HEADS, GROUPS, HEAD, WIDTH = 16, 8, 8, 64


def _attention(seed: int) -> dict[str, Array]:
    return {
        "q": normal(seed, HEADS * HEAD, WIDTH),
        "k": normal(seed + 1, GROUPS * HEAD, WIDTH),
        "v": normal(seed + 2, GROUPS * HEAD, WIDTH),
        "o": normal(seed + 3, WIDTH, HEADS * HEAD),
    }


def _reparametrised(net: dict[str, Array], seed: int, groups: NDArray[np.int64], *, rope: bool) -> dict[str, Array]:
    """The same attention: GL per head, heads permuted in their groups, groups permuted."""
    generator = np.random.default_rng(seed)
    q, k, v, o = [], [], [], []
    for group in groups:
        mix = generator.normal(size=(HEAD, HEAD))
        if rope:
            real, imaginary = np.diag(generator.normal(size=HEAD // 2)), np.diag(generator.normal(size=HEAD // 2))
            turn = np.block([[real, -imaginary], [imaginary, real]])
        else:
            turn = generator.normal(size=(HEAD, HEAD))
        k.append(np.linalg.inv(turn).T @ net["k"].reshape(GROUPS, HEAD, WIDTH)[group])
        v.append(mix @ net["v"].reshape(GROUPS, HEAD, WIDTH)[group])
        for head in 2 * group + generator.permutation(2):
            q.append(turn @ net["q"].reshape(HEADS, HEAD, WIDTH)[head])
            o.append(net["o"].reshape(WIDTH, HEADS, HEAD)[:, head] @ np.linalg.inv(mix))
    return {"q": np.concatenate(q), "k": np.concatenate(k), "v": np.concatenate(v), "o": np.concatenate(o, axis=1)}


def _maps(net: Mapping[str, Array], words: Array) -> list[s.Units]:
    answers = {name: (net[name].T if name == "o" else net[name]) @ words.T for name in "qkvo"}
    q, k, o, v = (answers[name].astype(np.float32) for name in "qkov")
    return [s.word_maps(q, k, GROUPS), s.word_maps(o, v, GROUPS)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), rope=st.booleans(), pairs=st.booleans())
def test_nothing_that_attention_leaves_free_changes_what_heads_do_to_words(
    seed: int, rope: bool, pairs: bool
) -> None:
    net, words = _attention(seed), normal(seed + 7, 24, WIDTH)
    place = np.arange(HEAD).reshape(2, HEAD // 2).T.ravel() if pairs else np.arange(HEAD)
    moved = np.random.default_rng(seed).permutation(GROUPS)
    other = _reparametrised(net, seed + 8, moved, rope=rope)
    for name in "qk":  # The layout of rotary pairs: halves, or neighbours. Nobody has to know it.
        other[name] = other[name].reshape(-1, HEAD, WIDTH)[:, place].reshape(-1, WIDTH)
    turn, _ = np.linalg.qr(normal(seed + 9, WIDTH, WIDTH))
    other = {name: turn.T @ value if name == "o" else value @ turn for name, value in other.items()}
    for one, two in zip(_maps(net, words), _maps(other, 3 * words @ turn), strict=True):
        assert np.abs(one.rows[moved] - two.rows).max() < 1e-3
        found = s.fixed_points(one, two)
        assert moved[found.mapping].tolist() == list(range(GROUPS))


def test_the_maps_are_those_of_the_products_that_would_be_formed() -> None:
    net, words = _attention(1), normal(2, 24, WIDTH)
    queries = net["q"].reshape(GROUPS, HEADS // GROUPS, HEAD, WIDTH).sum(axis=1)
    keys = net["k"].reshape(GROUPS, HEAD, WIDTH)
    maps = np.stack([words @ q.T @ k @ words.T for q, k in zip(queries, keys, strict=True)])
    maps -= maps.mean(axis=1, keepdims=True)
    maps -= maps.mean(axis=2, keepdims=True)
    flat = maps.reshape(GROUPS, -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    flat -= flat.mean(axis=0)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    assert np.abs(_maps(net, words)[0].rows - flat).max() < 1e-4
    with pytest.raises(ValueError, match="kv-groups"):
        s.word_maps(np.ones((24, 8), np.float32), np.ones((16, 8), np.float32), 8)


def test_heads_that_are_not_finite_or_do_nothing_are_left_out() -> None:
    net, words = _attention(1), normal(2, 24, WIDTH)
    net["k"][:HEAD], net["k"][HEAD : 2 * HEAD] = np.nan, 0.0
    assert _maps(net, words)[0].labels.tolist() == list(range(2, GROUPS))
    net["k"][:] = 0.0
    assert len(_maps(net, words)[0].labels) == 0


def test_equal_rows_are_counted_and_constant_ones_are_not() -> None:
    x = normal(1, 50, 12)
    y = x.copy()
    y[10:14] += 1.0
    x[20] = y[20] = 0.0
    assert s.equal_rows(x, y) == s.Rows(compared=49, equal=45)
    assert s.equal_rows(x, x * (1 + 2**-16)).equal > 45  # To the digits of bfloat16.
    assert s.equal_rows(x, normal(2, 50, 12)).equal == 0
    assert s.equal_rows(x[:0], y[:0]) == s.Rows(0, 0)
    with pytest.raises(ValueError, match="differ"):
        s.equal_rows(x, y[:, :4])


@pytest.mark.parametrize(("bits", "group"), [(4, 32), (4, 128), (4, 2048), (8, 2048)])
def test_a_quantised_copy_lies_in_its_cells_and_a_trained_one_less(bits: int, group: int) -> None:
    x = normal(1, 20, 2048)
    cut = x.reshape(20, -1, group)
    step = np.abs(cut).max(axis=-1, keepdims=True) / (2 ** (bits - 1) - 1)
    copy = (np.round(cut / step) * step).reshape(x.shape).astype(np.float32)
    found = s.in_cells(copy, x)
    assert found.inside / found.numbers > 0.995
    assert found.chance / found.numbers < 0.3
    trained = s.in_cells(copy, x + 0.05 * normal(3, 20, 2048))
    assert found.chance < trained.inside < 0.95 * found.inside
    stranger = s.in_cells(copy, normal(2, 20, 2048))
    assert abs(stranger.inside - stranger.chance) < 0.06 * stranger.numbers


def test_what_is_not_quantised_has_no_cells() -> None:
    x = normal(1, 20, 2048)
    halved = x.astype(ml_dtypes.bfloat16).astype(np.float32)
    for side in (x, halved, np.zeros_like(x), np.full_like(x, np.nan), x[:1], x[:, :8]):
        assert s.in_cells(side, side).numbers == 0


# -- combining


def test_holm_by_hand() -> None:
    adjusted = 10 ** s.holm(np.log10([0.01, 0.04, 0.03, 0.005]).tolist())
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert s.holm([]).tolist() == []
    # Those that were put aside count as if they had been asked.
    among = s.holm([*np.log10([0.0001, 0.0004]), *[0.0] * 8])[:2]
    assert s.holm(np.log10([0.0001, 0.0004]).tolist(), silent=8) == pytest.approx(among)


def test_calibrated_e_values_have_expectation_one_and_are_continuous() -> None:
    p = (np.arange(200_000) + 0.5) / 200_000
    assert np.mean([10 ** s.log10_e_value(float(v)) for v in np.log10(p)]) == pytest.approx(0.93, abs=0.07)
    assert s.log10_e_value(0.0) == pytest.approx(np.log10(0.5))
    below, above = (s.log10_e_value(-value / np.log(10)) for value in (0.000999, 0.001001))
    assert below == pytest.approx(above, abs=1e-6)


def test_stouffer_and_fisher_by_hand() -> None:
    assert 10 ** s.stouffer([np.log10(0.05)] * 4) == pytest.approx(0.000501, abs=1e-5)
    assert 10 ** s.fisher([np.log10(0.05)] * 2) == pytest.approx(0.0174787, abs=1e-6)
    assert (s.stouffer([]), s.fisher([]), s.smallest([]), s.mean_of_e_values([])) == (0, 0, 0, 0)
    assert s.stouffer([0.0, -9.0]) == pytest.approx(0)
    assert s.smallest([-3.0, -1.0]) == pytest.approx(-3 + np.log10(2))
    with pytest.raises(ValueError, match="not a number"):
        s.holm([float("nan")])


def test_speed_and_memory_stay_small() -> None:
    x, y = kin(1, 0.1, 2048, 1024)
    begin = time.perf_counter()
    assert s.fixed_points(x, y).fixed > 500
    assert s.unit_trace(x, y).log10_p < -3000
    assert time.perf_counter() - begin < 20  # About one second on two idle cores.


def _f4(array: Array) -> NDArray[np.float32]:
    return array.astype(np.float32)
