"""One pass over the weights: no thread, window or shortcut changes a digit; a deep model loses nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dokja.lineage import open_checkpoint, reference
from dokja.lineage.checkpoint import digesting, reading
from dokja.lineage.cores import Crew, at_work
from dokja.lineage.model import FEWEST_LOOKED_AT, LOOKED_AT
from dokja.lineage.pair import searching
from dokja.lineage.sides import CheckpointSource, Kept
from dokja.lineage.statistics import (
    cosines,
    gram_correlation,
    halved,
    mean_cosines,
    neuron_grams,
    relative,
    relative_labels,
    unit_rows,
)
from dokja.lineage.statistics.cka import correlated, gram, moments_of
from dokja.lineage.statistics.order import average_ranks
from dokja.lineage.statistics.units import joined
from dokja.lineage.telling import to_json
from tests.lineage.saved import save
from tests.lineage.test_audit import KEY, TINY, WIDE, by_component, made, moved, said, saved


def test_the_number_of_cores_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (
        saved(tmp_path / name, each) for name, each in (("one", made(1)), ("other", moved(made(1), 2, 1.0)))
    )
    alone = to_json(said(one, other))
    monkeypatch.setattr("dokja.lineage.cores.WORTH_IT", 0)
    monkeypatch.setattr("dokja.lineage.cores.cores", lambda: 3)
    assert to_json(said(one, other)) == alone


def test_results_come_in_the_order_of_the_items_and_few_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dokja.lineage.cores.cores", lambda: 3)
    begun: list[int] = []

    def items() -> object:
        for number in range(50):
            begun.append(number)
            yield number

    with at_work(1 << 40) as crew:
        assert crew.workers == 3
        for place, square in enumerate(crew.spread(lambda number: number**2, items())):  # type: ignore[arg-type]
            assert square == place**2
            assert len(begun) <= place + 5
    assert list(Crew().spread(str, range(3))) == ["0", "1", "2"]


def test_what_is_kept_stays_within_its_room() -> None:
    kept = Kept(100)
    made_again: list[int] = []

    def ask(number: int) -> int:
        def make() -> int:
            made_again.append(number)
            return number

        return kept.get((number,), make, lambda _: 40)

    assert [ask(number) for number in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 2]
    assert made_again == [1, 2, 3, 2]  # 2 went for 3, because 1 was asked for in between.
    assert kept.get(("large",), lambda: 5, lambda _: 101) == 5
    ask(1)
    assert made_again == [1, 2, 3, 2]


def test_digests_do_not_depend_on_the_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    arrays = {f"t{size}": rng.integers(0, 255, size, dtype=np.uint8) for size in (0, 1, 7, 64, 333, 1000)}
    path = save(tmp_path / "model.safetensors", arrays)
    monkeypatch.setattr(digesting, "PIECE", 37)
    with open_checkpoint(path) as checkpoint:
        digests = checkpoint.digests()
        for name, array in arrays.items():
            assert digests.tensors[name] == checkpoint.digest(name) == hashlib.sha256(array.tobytes()).hexdigest()
        assert checkpoint.digest("absent") is None
    data = path.read_bytes()
    before = data[: 8 + int.from_bytes(data[:8], "little")]
    assert set(digests.headers.values()) == {hashlib.sha256(before).hexdigest()}
    assert len(data) == len(before) + sum(array.nbytes for array in arrays.values())


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.integers(0, 199), max_size=60), gap=st.integers(0, 200), span=st.integers(1, 500))
def test_rows_are_read_alike_in_any_windows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[int], gap: int, span: int
) -> None:
    array = np.arange(200 * 9, dtype=np.float32).reshape(200, 9)
    path = save(tmp_path_factory.mktemp("rows") / "model.safetensors", {"x": array})
    with pytest.MonkeyPatch.context() as patch, open_checkpoint(path) as checkpoint:
        patch.setattr(reading, "SPAN", span)
        patch.setattr("dokja.lineage.checkpoint.source.LocalSource.gap", gap)
        index = np.array(rows, dtype=np.int64)
        np.testing.assert_array_equal(checkpoint.rows("x", index), array[index])


@pytest.mark.parametrize(("repeats", "block"), [(1, 1), (1, 3), (4, 1)])
def test_units_described_by_their_own_are_those_of_the_gram_matrix(repeats: int, block: int) -> None:
    rng = np.random.default_rng(5)
    one = (rng.standard_normal((repeats * block * 24, 10)) + 0.7).astype(np.float32)
    other = one + rng.standard_normal(one.shape).astype(np.float32)
    slow = relative_labels([neuron_grams(one, other, repeats=repeats, block=block)], seed=9)
    halves = halved(24, 9)
    x, y = (relative(unit_rows(side, repeats=repeats, block=block), halves, repeats) for side in (one, other))
    for half, expected in enumerate(slow.matches):
        found = cosines(x[half], y[half]).matches
        np.testing.assert_array_equal(found.mapping, expected.mapping)
        assert found.cosine == pytest.approx(expected.cosine, abs=1e-5)


def test_the_mean_of_cosines_is_the_cosine_of_joined_units() -> None:
    rng = np.random.default_rng(6)
    sides = [[rng.standard_normal((30, width)).astype(np.float32) for width in (8, 20)] for _ in range(2)]
    sides[0][0][4] = 0  # Without direction in one of the two: left out of both.
    parts = [[unit_rows(matrix) for matrix in side] for side in sides]
    mean = mean_cosines([cosines(*pair) for pair in zip(*parts, strict=True)])
    whole = cosines(joined(parts[0]), joined(parts[1]))
    np.testing.assert_array_equal(mean.rows, whole.rows)
    np.testing.assert_allclose(mean.values, whole.values, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(4, 40))
def test_moments_known_beforehand_give_the_same_correlation(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (gram(rng.standard_normal((size, 7)).astype(np.float32)) for _ in range(2))
    slow = gram_correlation([(one, other)])
    fast = correlated(float(np.vdot(one, other)), moments_of(one), moments_of(other))
    assert (fast.z, fast.cka) == pytest.approx((slow.z, slow.cka), rel=1e-6, abs=1e-9)


def test_equal_values_share_their_rank() -> None:
    assert average_ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


DEEP = replace(TINY, hidden=400, layers=80)


def test_a_deep_model_is_looked_at_less_in_every_layer_and_found_all_the_same(tmp_path: Path) -> None:
    parent = made(1, DEEP)
    child = moved(parent, 2, 1.0)
    paths = [saved(tmp_path / name, each, DEEP) for name, each in (("parent", parent), ("child", child))]
    stranger = saved(tmp_path / "stranger", made(3, DEEP), DEEP)
    with open_checkpoint(paths[0]) as opened:
        source = reference("parent", opened, KEY).source
        assert isinstance(source, CheckpointSource)
        assert (source.model.looks("text-decoder"), source.model.looks("embeddings")) == (FEWEST_LOOKED_AT, LOOKED_AT)
    assert by_component(said(paths[1], paths[0]))["text-decoder"].dependent
    assert not any(each.dependent for each in said(stranger, paths[0]).findings)


def test_layers_are_found_where_they_went_though_only_little_of_them_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = made(1)
    new = moved(
        {
            name.replace("layers.0", "layers.x")
            .replace("layers.2", "layers.0")
            .replace("layers.x", "layers.2"): value
            for name, value in old.items()
        },
        4,
        0.3,
    )
    paths = [saved(tmp_path / name, each, WIDE) for name, each in (("new", new), ("old", old))]
    for room in (searching.ROOM, 1):
        monkeypatch.setattr(searching, "ROOM", room)
        found = by_component(said(*paths))["text-decoder"]
        assert [row.from_layer for row in found.layer_map] == [2, 1, 0]
        assert found.word == "deepened"
