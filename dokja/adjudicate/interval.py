"""Closed intervals of exact numbers: what is known of a quantity that may not be known exactly.

Every operation returns an interval that holds all results its arguments can give (interval arithmetic, Moore 1966),
computed in exact fractions, so that no bound is ever tighter than the truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dokja.rulebook.measures import Rounding, RoundingMode


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from `lower` to `upper`, both included."""

    lower: Fraction
    upper: Fraction

    @property
    def exact(self) -> bool:
        """Whether one number is left."""
        return self.lower == self.upper

    @property
    def middle(self) -> Fraction:
        """The number halfway between the ends."""
        return (self.lower + self.upper) / 2

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.lower + other.lower, self.upper + other.upper)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.lower - other.upper, self.upper - other.lower)

    def times(self, factor: Fraction) -> Interval:
        """The interval stretched by a factor of at least zero."""
        return Interval(self.lower * factor, self.upper * factor)

    def meet(self, other: Interval) -> Interval | None:
        """The numbers in both, `None` where there is none."""
        lower, upper = max(self.lower, other.lower), min(self.upper, other.upper)
        return Interval(lower, upper) if lower <= upper else None

    def holds(self, number: Fraction) -> bool:
        """Whether the number lies in the interval."""
        return self.lower <= number <= self.upper


def point(number: Fraction | Decimal | int) -> Interval:
    """The interval of one number."""
    return Interval(Fraction(number), Fraction(number))


def between(lower: Fraction | Decimal | int, upper: Fraction | Decimal | int) -> Interval:
    """The interval from one number to another."""
    return Interval(Fraction(lower), Fraction(upper))


def total(intervals: Iterable[Interval]) -> Interval:
    """The sum of intervals."""
    result = point(0)
    for each in intervals:
        result = result + each
    return result


def published(value: Decimal) -> Interval:
    """All numbers that a published figure can stand for: half a unit of its last digit to either side.

    The ends are kept, so that every common rounding mode (half up, half even, half down) is covered.
    """
    exponent = value.as_tuple().exponent
    half_unit = Fraction(10) ** int(exponent) / 2
    return Interval(Fraction(value) - half_unit, Fraction(value) + half_unit)


def rounded(number: Fraction, rounding: Rounding) -> Fraction:
    """The number rounded as a clause orders, exactly."""
    return Fraction(_units(number, rounding.decimals, rounding.mode), 10**rounding.decimals)


def _units(number: Fraction, decimals: int, mode: RoundingMode) -> int:
    """The number rounded, in units of its last decimal: what is cut off is compared as a fraction, not as digits."""
    scale: int = 10**decimals
    whole, rest = divmod(abs(number.numerator) * scale, number.denominator)
    half = (2 * rest > number.denominator) - (2 * rest < number.denominator)
    up = {
        "half-up": half >= 0,
        "half-even": half > 0 or (half == 0 and whole % 2 == 1),
        "down": False,
        "up": rest > 0,
    }[mode]
    magnitude = whole + up
    return magnitude if number >= 0 else -magnitude


def round_interval(interval: Interval, rounding: Rounding | None) -> Interval:
    """An interval after a clause's rounding; rounding is monotone, so its ends suffice."""
    if rounding is None:
        return interval
    return Interval(rounded(interval.lower, rounding), rounded(interval.upper, rounding))


def to_decimal(number: Fraction, decimals: int, mode: RoundingMode = "half-even") -> Decimal:
    """The number as a decimal with that many digits behind the point, for people to read."""
    return Decimal(_units(number, decimals, mode)).scaleb(-decimals)
