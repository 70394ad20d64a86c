"""Numbers as they are shown: exact ones as they are, intervals rounded outward, so that nothing is said too sharply.

A number that was itself published is shown as it was published; every other one that is not known exactly is shown
as the interval that it lies in, never as 0 and never as the middle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from dokja.adjudicate import Interval, Score, Support, published, to_decimal
from dokja.record.acts import AnyAct, Disclosure, PublishedFigure
from dokja.report.machine_readable import exact_text
from dokja.values import LanguageCode, plain

DECIMALS = 2
"""How many decimals an interval's ends are shown with."""

MOST_DECIMALS = 6
"""How many decimals an exact number is shown with at most; of a longer one the first are, and that it goes on."""

Standing = Literal["exact", "published", "between", "unknown"]
"""exact: follows to the last digit; published: as a figure says; between: narrowed; unknown: nothing is known."""

DASH: Mapping[LanguageCode, str] = {"ko": "~", "en": "–"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number ready to be shown; `figure` is the act that published it, where one did."""

    text: str
    standing: Standing
    lower: str
    upper: str
    act: int | None = None


def number_text(number: Fraction) -> str:
    """An exact number in digits; one with too many of them is cut off, and ends in "…"."""
    text = exact_text(number)
    if "/" not in text and len(text.partition(".")[2]) <= MOST_DECIMALS:
        return text
    return f"{plain(to_decimal(number, 4, 'down'))}…"


def outward(interval: Interval) -> tuple[str, str]:
    """The ends of an interval, rounded so that the interval shown holds the whole of it."""
    if all(end.denominator == 1 for end in (interval.lower, interval.upper)):
        return str(interval.lower), str(interval.upper)
    lower = to_decimal(interval.lower, DECIMALS, "down" if interval.lower >= 0 else "up")
    upper = to_decimal(interval.upper, DECIMALS, "up" if interval.upper >= 0 else "down")
    return plain(lower), plain(upper)


def interval_text(interval: Interval, language: LanguageCode) -> str:
    """An interval in digits, one number where it is exact."""
    if interval.exact:
        return number_text(interval.lower)
    return DASH[language].join(outward(interval))


def quantity(score: Score, acts: Mapping[int, AnyAct], language: LanguageCode) -> Quantity:
    """A score as it is shown."""
    lower, upper = outward(score.interval)
    if score.interval.exact:
        return Quantity(number_text(score.interval.lower), "exact", lower, upper)
    for act, figure in _own_figures(score, acts):
        if _holds(published(figure), score.interval):
            return Quantity(plain(figure), "published", lower, upper, act)
    text = interval_text(score.interval, language)
    return Quantity(text, "between" if score.known else "unknown", lower, upper)


def _holds(outer: Interval, inner: Interval) -> bool:
    return outer.lower <= inner.lower and inner.upper <= outer.upper


def _own_figures(score: Score, acts: Mapping[int, AnyAct]) -> Iterator[tuple[int, Decimal]]:
    """The published values of this very score, earliest first."""
    supports = {support for support in (*score.lower_from, *score.upper_from) if support.act is not None}
    for support in sorted(supports, key=lambda each: (each.act, each.position)):
        figure = figure_of(support, acts)
        if (
            figure is not None
            and figure.value is not None
            and figure.of in ("value", "best")
            and figure.measure == score.measure
            and score.team in figure.teams
        ):
            yield support.act or 0, figure.value


def figure_of(support: Support, acts: Mapping[int, AnyAct]) -> PublishedFigure | None:
    """The published figure that a bound rests on; `None` where it rests on the score tree."""
    if support.act is None or support.position is None:
        return None
    act = acts.get(support.act)
    return act.figures[support.position] if isinstance(act, Disclosure) else None
