"""Intervals hold every result that their arguments can give, and rounding is exact."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from dokja.adjudicate.interval import Interval, point, published, round_interval, rounded, to_decimal
from dokja.rulebook.measures import Rounding, RoundingMode

numbers = st.fractions(min_value=-1000, max_value=1000, max_denominator=997)
modes: st.SearchStrategy[RoundingMode] = st.sampled_from(["half-up", "half-even", "down", "up"])
DECIMAL_MODES = {"half-up": "ROUND_HALF_UP", "half-even": "ROUND_HALF_EVEN", "down": "ROUND_DOWN", "up": "ROUND_UP"}


@st.composite
def intervals_with_member(draw: st.DrawFn) -> tuple[Interval, Fraction]:
    low, middle, high = sorted(draw(st.lists(numbers, min_size=3, max_size=3)))
    return Interval(low, high), middle


@given(intervals_with_member(), intervals_with_member(), st.fractions(min_value=0, max_value=50))
def test_operations_hold_every_result(
    one: tuple[Interval, Fraction], other: tuple[Interval, Fraction], factor: Fraction
) -> None:
    (first, x), (second, y) = one, other
    assert (first + second).holds(x + y)
    assert (first - second).holds(x - y)
    assert first.times(factor).holds(x * factor)
    meeting = first.meet(second)
    assert (meeting is not None and meeting.holds(x)) == second.holds(x) or not second.holds(x)


@given(st.decimals(min_value=-999, max_value=999, places=4), st.integers(0, 3), modes)
def test_rounding_agrees_with_the_decimal_module(number: Decimal, decimals: int, mode: RoundingMode) -> None:
    expected = number.quantize(Decimal(1).scaleb(-decimals), rounding=DECIMAL_MODES[mode])
    assert rounded(Fraction(number), Rounding(decimals=decimals, mode=mode)) == Fraction(expected)


@given(intervals_with_member(), st.integers(0, 3), modes)
def test_rounding_an_interval_holds_the_rounded_member(
    held: tuple[Interval, Fraction], decimals: int, mode: RoundingMode
) -> None:
    interval, member = held
    rounding = Rounding(decimals=decimals, mode=mode)
    assert round_interval(interval, rounding).holds(rounded(member, rounding))


@given(numbers, st.integers(0, 4), st.sampled_from(["half-up", "half-even"]))
def test_a_published_figure_stands_for_every_number_that_rounds_to_it(
    number: Fraction, decimals: int, mode: RoundingMode
) -> None:
    assert published(to_decimal(number, decimals, mode)).holds(number)


def test_trailing_zeros_are_precision() -> None:
    assert published(Decimal("25.0")) == Interval(Fraction(499, 20), Fraction(501, 20))
    assert published(Decimal(25)) == Interval(Fraction(49, 2), Fraction(51, 2))
    assert published(Decimal("28.75")).upper - published(Decimal("28.75")).lower == Fraction(1, 100)
    assert point(3).exact
