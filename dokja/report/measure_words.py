"""How a measure's value follows from its parts, in words; each rule of the score tree has its sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from dokja.language import mark
from dokja.report.edition import Edition
from dokja.report.names import name
from dokja.rulebook import AnyMeasure
from dokja.rulebook.measures import (
    Index,
    MinMax,
    Panel,
    Proposed,
    Ratio,
    Reported,
    Runs,
    ScaleToFirst,
    Sum,
    Weighted,
)
from dokja.values import plain


def rule_said(measure: AnyMeasure, edition: Edition) -> Markup:
    """The rule of a measure in a sentence, with its rounding."""
    said = _SAID[type(measure)](measure, edition)
    if measure.rounding is None:
        return said
    rounding = mark("Rounded to {decimals} decimals ({mode}).")
    values = {"decimals": measure.rounding.decimals, "mode": edition.say(MODES[measure.rounding.mode])}
    return said + " " + edition.say(rounding, values)


MODES: Mapping[str, str] = {
    "half-up": mark("half up"),
    "half-even": mark("half to even"),
    "down": mark("down"),
    "up": mark("up"),
}

COMBINED: Mapping[str, str] = {
    "mean": mark("Mean of the marks of the panel × {points} ÷ {per}."),
    "sum": mark("Sum of the marks of the panel."),
    "trimmed-mean": mark(
        "Mean of the marks of the panel without the {highest} highest and the {lowest} lowest, × {points} ÷ {per}."
    ),
}


def _sum(_: Sum, edition: Edition) -> Markup:
    return edition.say(mark("Sum of its items."))


def _weighted(measure: Weighted, edition: Edition) -> Markup:
    weights = edition.join(name(f"{edition.text(item.measure.title)} {plain(item.weight)}") for item in measure.items)
    return edition.say(mark("Weighted mean of its items; weights: {weights}."), {"weights": weights})


def _reported(_: Reported, edition: Edition) -> Markup:
    return edition.say(mark("Points as they are reported."))


def _index(measure: Index, edition: Edition) -> Markup:
    values = {"points": plain(measure.points), "per": plain(measure.per)}
    said = edition.say(mark("Reported index × {points} ÷ {per}."), values)
    if measure.definition is None:
        return said
    definition = mark("Only this version counts: {definition}.")
    return said + " " + edition.say(definition, {"definition": name(measure.definition)})


def _ratio(measure: Ratio, edition: Edition) -> Markup:
    capped = mark("Own value ÷ target × {points}, averaged over the benchmarks; a ratio counts up to {cap}.")
    uncapped = mark("Own value ÷ target × {points}, averaged over the benchmarks; no highest ratio is said.")
    values = {"points": plain(measure.points), "cap": plain(measure.cap) if measure.cap is not None else ""}
    return edition.say(uncapped if measure.cap is None else capped, values)


def _proposed(measure: Proposed, edition: Edition) -> Markup:
    values = {"number": measure.proposed_by, "points": plain(measure.points), "per": plain(measure.per)}
    return edition.say(
        mark("Mean of the benchmarks that at least {number} teams proposed × {points} ÷ {per}."), values
    )


def _runs(measure: Runs, edition: Edition) -> Markup:
    values = {"number": measure.count, "points": plain(measure.points), "per": plain(measure.per)}
    return edition.say(mark("Mean of {number} runs × {points} ÷ {per}."), values)


def _panel(measure: Panel, edition: Edition) -> Markup:
    values = {
        "points": plain(measure.points),
        "per": plain(measure.per),
        "highest": measure.drop_highest,
        "lowest": measure.drop_lowest,
    }
    criteria = edition.join(name(f"{edition.text(each.title)} {plain(each.points)}") for each in measure.criteria)
    said = edition.say(COMBINED[measure.combine], values)
    return said + " " + edition.say(mark("Marks: {criteria}."), {"criteria": criteria})


def _scale_to_first(measure: ScaleToFirst, edition: Edition) -> Markup:
    values = {"points": plain(measure.points), "of": name(edition.text(measure.of.title))}
    return edition.say(mark("{of} ÷ that of the first team × {points}."), values)


def _min_max(measure: MinMax, edition: Edition) -> Markup:
    values = {"points": plain(measure.points), "of": name(edition.text(measure.of.title))}
    return edition.say(mark("{of} between the lowest and the highest team, from 0 to {points}."), values)


_SAID: Mapping[type[AnyMeasure], Callable[[Any, Edition], Markup]] = {
    Sum: _sum,
    Weighted: _weighted,
    Reported: _reported,
    Index: _index,
    Ratio: _ratio,
    Proposed: _proposed,
    Runs: _runs,
    Panel: _panel,
    ScaleToFirst: _scale_to_first,
    MinMax: _min_max,
}
