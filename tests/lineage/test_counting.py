"""Factorials and binomial tails, held against SciPy's."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtrc, gammaln, ndtr, poch

from dokja.lineage.statistics.counting import (
    binomial_above,
    log_factorial,
    log_factorials,
    log_falling,
    normal_below,
)


@given(st.lists(st.integers(0, 20_000), max_size=50))
def test_factorials(numbers: list[int]) -> None:
    expected = gammaln(np.array(numbers, dtype=np.float64) + 1)
    np.testing.assert_allclose(log_factorials(np.array(numbers, dtype=np.int64)), expected, rtol=1e-13)
    np.testing.assert_allclose([log_factorial(number) for number in numbers], expected, rtol=1e-13)


@given(st.integers(0, 60), st.integers(0, 60))
def test_falling(value: int, count: int) -> None:
    if count <= value:
        assert log_falling(value, count) == pytest.approx(np.log(poch(value - count + 1, count)), abs=1e-9)


@given(st.integers(-1, 3_001), st.integers(1, 3_000), st.floats(0, 1))
def test_binomial(least: int, trials: int, chance: float) -> None:
    expected = 1.0 if least <= 0 else 0.0 if least > trials else float(bdtrc(least - 1, trials, chance))
    assert binomial_above(least, trials, chance) == pytest.approx(expected, abs=1e-9)


@given(st.floats(-40, 40))
def test_normal(value: float) -> None:
    assert normal_below(value) == pytest.approx(float(ndtr(value)), rel=1e-12, abs=1e-300)


def test_no_scipy_is_imported_by_an_audit() -> None:
    """Its import takes longer than an audit of a small model."""
    found_in = "[each for each in sys.modules if each in ('scipy', 'babel')]"
    asked = f"import sys; from dokja.lineage import audit; print({found_in})"
    found = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
