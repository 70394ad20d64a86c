"""Numbers leave exactly as they are, and every run gives the same bytes."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dokja.adjudicate.interval import between
from dokja.report.machine_readable import exact_text, plain, to_json


@given(st.fractions())
def test_exact_text_reads_back_as_the_same_number(number: Fraction) -> None:
    assert Fraction(exact_text(number)) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [(Fraction(181, 2), "90.5"), (Fraction(1, 3), "1/3"), (Fraction(-5), "-5"), (Fraction(100), "100")],
)
def test_exact_text_is_decimal_where_it_can_be(number: Fraction, text: str) -> None:
    assert exact_text(number) == text


def test_results_become_plain() -> None:
    value = {"a": between(1, Fraction(5, 2)), "b": frozenset({"y", "x"}), "c": Decimal("1.50")}
    assert plain(value) == {"a": {"lower": "1", "upper": "2.5"}, "b": ["x", "y"], "c": "1.50"}
    assert to_json({("a", "b"): (1, None)}) == "[\n  [\n    1,\n    null\n  ]\n]\n"
    with pytest.raises(TypeError):
        plain(1.5)
