"""The audit on other arrays than NumPy's: the strictest of the standard, PyTorch's where it is, a device's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.lineage.speed import generated
from benchmarks.training.checkpoint import kept, write
from benchmarks.training.disguise import disguised
from benchmarks.training.network import Shape, Text, draw
from dokja.errors import DeviceError
from dokja.language import Voice
from dokja.lineage import Audit, Reference, audit, open_checkpoint, reference
from dokja.lineage.arrays import (
    CPU,
    LIBRARIES,
    NUMPY,
    Arrays,
    arrays_on,
    counts,
    host,
    hosts,
    row_products,
    taken,
    where_true,
)
from dokja.lineage.cores import WORTH_IT
from dokja.lineage.library import build, open_library
from dokja.lineage.page import write_page
from dokja.lineage.pair.candidates import MOST
from dokja.lineage.statistics.labels import mutual_neighbours
from dokja.lineage.statistics.trace import trace_test
from dokja.lineage.statistics.units import unit_rows
from dokja.lineage.telling import lines

FIVE = Path(__file__).parents[2] / "examples" / "five-teams"
PAIRS = {
    "borrowed encoders": ("team-b", "alder", "derived"),
    "another depth": ("team-d", "cedar", "deepened"),
    "scrambled": ("team-e", "elm", "rearranged"),
}
CLOSE = 1e-4
"""By so much may a number differ that was added up in another order: p-values are told as powers of ten."""


def _strict() -> Arrays:
    reason = "array-api-strict is not installed (it comes with dokja[dev])"
    strict = pytest.importorskip("array_api_strict", reason=reason)
    # As from a graphics processor's memory, NumPy reads nothing from there.
    return Arrays("strict", strict, strict.Device("device1"))


def _torch() -> Arrays:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (it comes with dokja[gpu])")
    import array_api_compat.torch

    return Arrays("torch", array_api_compat.torch, torch.device("cpu"))


def _on_card(library: str) -> Arrays:
    pytest.importorskip(library, reason=f"{library} is not installed (torch comes with dokja[gpu])")
    made = LIBRARIES[library](0)
    if made is None:
        pytest.skip(f"{library} finds no graphics processor here")
    return made


ON_CARDS = {f"cuda by {library}": partial(_on_card, library) for library in LIBRARIES}
MAKERS: dict[str, Callable[[], Arrays]] = {"strict": _strict, "torch": _torch, **ON_CARDS}


@pytest.fixture(params=list(MAKERS.values()), ids=list(MAKERS))
def arrays(request: pytest.FixtureRequest) -> Arrays:
    made: Callable[[], Arrays] = request.param
    return made()


@pytest.fixture(params=list(ON_CARDS.values()), ids=list(ON_CARDS))
def card(request: pytest.FixtureRequest) -> Arrays:
    made: Callable[[], Arrays] = request.param
    return made()


def said(one: str, other: str, device: str | Arrays) -> Audit:
    with open_checkpoint(FIVE / "entrants" / one) as mine, open_checkpoint(FIVE / "references" / other) as his:
        return audit(reference(one, mine, 7), [reference(other, his, 7)], key=7, device=device)


def assert_same(found: Audit, known: Audit) -> None:
    for mine, his in zip(found.findings, known.findings, strict=True):
        assert (mine.component, mine.word, mine.layer_map) == (his.component, his.word, his.layer_map)
        assert mine.log10_p == (his.log10_p and pytest.approx(his.log10_p, rel=CLOSE, abs=CLOSE))
        assert mine.step0 == (his.step0 and pytest.approx(his.step0, abs=CLOSE))
        for test, same in zip(mine.tests, his.tests, strict=True):
            # Of the channels of position tables some are alike but for rounding: there a count may turn on it.
            assert abs(test.fixed - same.fixed) <= 1
            assert test.groups == same.groups


@pytest.mark.parametrize(("one", "other", "word"), PAIRS.values(), ids=PAIRS)
def test_other_arrays_find_what_numpy_finds(one: str, other: str, word: str, arrays: Arrays) -> None:
    found, known = said(one, other, arrays), said(one, other, CPU)
    assert (known.device, found.device) == (CPU, arrays.name)
    assert word in {each.word for each in known.findings}
    assert_same(found, known)


def test_they_find_the_same_of_what_a_library_keeps(arrays: Arrays, tmp_path: Path) -> None:
    references = FIVE / "references"
    build(tmp_path, {name: references / name for name in ("elm", "cedar")}, key=7, workers=1)
    library = open_library(tmp_path)
    with (
        open_checkpoint(FIVE / "entrants" / "team-e") as mine,
        library.pack("elm") as elm,
        library.pack("cedar") as cedar,
    ):
        packs = [Reference("elm", elm), Reference("cedar", cedar)]
        found, known = (audit(reference("team-e", mine, 7), packs, key=7, device=each) for each in (arrays, CPU))
    assert "rearranged" in {each.word for each in known.findings if each.reference == "elm"}
    assert_same(found, known)


def test_they_find_the_same_where_step_0_is_known(arrays: Arrays, tmp_path: Path) -> None:
    shape = Shape(text=Text(width=48, hidden=96, layers=2, heads=4, key_heads=2))
    start, moved, further = (draw(shape, np.random.default_rng(seed)) for seed in (1, 2, 3))
    write(tmp_path / "start", kept(start), shape)
    write(tmp_path / "one", kept({name: start[name] + 0.5 * moved[name] for name in start}), shape)
    write(tmp_path / "two", kept({name: start[name] + 0.5 * further[name] for name in start}), shape)
    with ExitStack() as stack:
        one, two, begun = (
            reference(name, stack.enter_context(open_checkpoint(tmp_path / name)), 7)
            for name in ("one", "two", "start")
        )
        found, known = (audit(one, [two], key=7, step0=begun, device=each) for each in (arrays, CPU))
    decoder = next(each for each in known.findings if each.component == "text-decoder")
    assert decoder.word == "common-initialisation"
    assert decoder.step0 is not None
    assert_same(found, known)


def test_products_of_float32_are_made_of_no_shorter_numbers(card: Arrays) -> None:
    xp, rows = card.namespace, np.random.default_rng(5).standard_normal((256, 512)).astype(np.float32)
    known = rows.astype(np.float64) @ rows.T.astype(np.float64)

    def error() -> float:
        put = card.put(rows)
        return float(np.abs(host(xp.matmul(put, put.T)) - known).max() / np.abs(known).max())

    with shorter_products(card):
        before = error()
        with card.exact():
            exact = error()
        assert error() == before
    assert exact < 1e-6
    assert exact < before / 10


def test_several_workers_share_a_card(card: Arrays, tmp_path: Path) -> None:
    paths = [generated(tmp_path / name, 2 * WORTH_IT * 2 >> 20, seed) for seed, name in enumerate(("one", "two"))]
    with open_checkpoint(paths[0]) as mine, open_checkpoint(paths[1]) as his:
        found, known = (
            audit(reference("one", mine, 7), [reference("two", his, 7)], key=7, device=each) for each in (card, CPU)
        )
    assert_same(found, known)


@contextmanager
def shorter_products(card: Arrays) -> Iterator[None]:
    """What a program may have set before it asks for an audit."""
    if "torch" in card.name:
        import torch

        setting = torch.backends.cuda.matmul
        before, setting.fp32_precision = setting.fp32_precision, "tf32"
        yield
        setting.fp32_precision = before
    else:
        from cupy._core import get_compute_type, set_compute_type
        from cupy._core._routines_linalg import COMPUTE_TYPE_TF32

        before = get_compute_type(np.float32)
        set_compute_type(np.float32, COMPUTE_TYPE_TF32)
        yield
        set_compute_type(np.float32, before)


def test_experts_that_a_router_names_are_found_there(arrays: Arrays, tmp_path: Path) -> None:
    crowd = Shape(text=Text(width=48, hidden=40, layers=2, heads=4, key_heads=2, experts=MOST + 2))
    parent = draw(crowd, np.random.default_rng(1))
    write(tmp_path / "parent", kept(parent), crowd)
    write(tmp_path / "child", kept(disguised(parent, crowd, np.random.default_rng(3))), crowd)
    with open_checkpoint(tmp_path / "child") as mine, open_checkpoint(tmp_path / "parent") as his:
        found = audit(reference("child", mine, 7), [reference("parent", his, 7)], key=7, device=arrays)
    assert {each.component: each.word for each in found.findings}["experts"] == "rearranged"


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_neighbours_are_the_same_ties_included(rows: int, columns: int, seed: int) -> None:
    arrays = _strict()
    left, right = (
        np.random.default_rng(seed + side).integers(-1, 2, (count, 3)).astype(np.float32)
        for side, count in enumerate((rows, columns))
    )
    for axis in (0, 1):
        np.testing.assert_array_equal(counts(left == 0, axis), np.sum(left == 0, axis=axis))
        np.testing.assert_array_equal(counts(arrays.put(left) == 0, axis), np.sum(left == 0, axis=axis))
    known = mutual_neighbours(left, right)
    for found, same in zip(mutual_neighbours(arrays.put(left), arrays.put(right)), known, strict=True):
        np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize("hurt", [0.0, np.nan, np.inf, 1e-30, 1e30])
def test_units_and_traces_are_the_same_of_whatever_numbers(hurt: float, arrays: Arrays) -> None:
    weights = np.random.default_rng(3).standard_normal((24, 40)).astype(np.float32)
    weights[5] = hurt
    known, found = unit_rows(weights, repeats=2), unit_rows(arrays.put(weights), repeats=2)
    np.testing.assert_array_equal(found.labels, known.labels)
    np.testing.assert_allclose(host(found.rows), known.rows, atol=1e-6)
    similar = known.rows @ known.rows.T
    assert trace_test(arrays.put(similar)).log10_p == pytest.approx(trace_test(similar).log10_p, rel=CLOSE)


def test_arrays_go_there_and_come_back(arrays: Arrays) -> None:
    own = np.arange(12, dtype=np.float32).reshape(3, 4)
    own.flags.writeable = False
    put = arrays.put(own)
    assert not isinstance(put, np.ndarray)
    np.testing.assert_array_equal(host(put), own)
    np.testing.assert_array_equal(host(taken(put, np.array([3, 0]), axis=1)), own[:, [3, 0]])
    np.testing.assert_array_equal(host(row_products(put, put)), np.sum(own * own, axis=1))
    np.testing.assert_array_equal(where_true(put > 6), [7, 8, 9, 10, 11])
    for mine, his in zip(hosts(put[0, :], put[2, :]), own[[0, 2]], strict=True):
        np.testing.assert_array_equal(mine, his)
    assert host(arrays.zeros((2, 3))).dtype == np.float32
    assert {arrays: "kept"}[replace(arrays)] == "kept"
    assert NUMPY.put(own) is own


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "cuda:1234", "CUDA", "cpu:0", "cuda\n", "$(id)"])
def test_unknown_devices_are_refused(name: str) -> None:
    with pytest.raises(DeviceError) as refused:
        arrays_on(name)
    assert refused.value.problems[0].code == "audit-device-unknown"


def test_a_pytorch_that_may_round_products_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # As of 2.8: whoever asks it for `fp32_precision` gets an AttributeError.
    old = SimpleNamespace(
        __version__="2.8.0",
        backends=SimpleNamespace(cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False))),
        cuda=SimpleNamespace(device_count=lambda: 1, get_device_name=lambda number: f"card {number}"),
    )
    for name, module in {"torch": old, "array_api_compat": old, "array_api_compat.torch": old}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(old, "torch", old, raising=False)
    with pytest.raises(DeviceError) as refused:
        arrays_on("cuda")
    (problem,) = refused.value.problems
    assert problem.code == "audit-device-old"
    assert (problem.values["version"], problem.values["least"]) == ("2.8.0", "2.9")


def test_an_audit_says_what_it_was_counted_on(tmp_path: Path) -> None:
    by_numpy, counted = (said("team-b", "maple", device) for device in (CPU, _strict()))
    for language in ("en", "ko"):
        text = {each.device: "\n".join(lines(each, Voice(language))) for each in (by_numpy, counted)}
        assert "--device" in text["strict"]
        assert "--device" not in text[CPU]
    pages: Iterator[str] = (
        write_page(each, tmp_path / f"{each.device}.html", "dokja audit", "en")[0].read_text(encoding="utf-8")
        for each in (by_numpy, counted)
    )
    plain, other = pages
    assert "to the same bytes" in plain
    assert "to the same bytes" not in other
    assert "audits again with NumPy" in other
