"""Published figures, and what a bound rests on, in words."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from dokja.adjudicate import Support
from dokja.language import mark
from dokja.record.acts import Aggregate, PublishedFigure
from dokja.report import addresses
from dokja.report.edition import Edition
from dokja.report.names import linked
from dokja.report.quantities import figure_of
from dokja.values import plain

FIGURES: Mapping[tuple[Aggregate, bool], str] = {
    ("value", True): mark("{measure} of {teams}: {value}"),
    ("mean", False): mark("mean of {measure}: {value}"),
    ("best", True): mark("best of {measure}: {value} ({teams})"),
    ("best", False): mark("best of {measure}: {value}"),
    ("gap", False): mark("{measure}, first less last: {value}"),
    ("first", True): mark("first on {measure}: {teams}"),
    ("last", True): mark("last on {measure}: {teams}"),
}
"""By what a figure is, and whether it names teams."""

KINDS: Mapping[tuple[Aggregate, bool], str] = {
    ("value", True): mark("value of {teams}"),
    ("mean", False): mark("mean"),
    ("best", True): mark("best: {teams}"),
    ("best", False): mark("best"),
    ("gap", False): mark("first less last"),
    ("first", True): mark("first: {teams}"),
    ("last", True): mark("last: {teams}"),
}


def figure_said(figure: PublishedFigure, stage: str, edition: Edition) -> Markup:
    """A published figure in words."""
    values = {
        "measure": edition.measure(stage, figure.measure),
        "teams": edition.team_list(figure.teams),
        "value": "" if figure.value is None else plain(figure.value),
    }
    return edition.say(FIGURES[figure.of, bool(figure.teams)], values)


def figure_kind(figure: PublishedFigure, edition: Edition) -> Markup:
    """What a published figure is, its measure apart."""
    return edition.say(KINDS[figure.of, bool(figure.teams)], {"teams": edition.team_list(figure.teams)})


def support_said(support: Support, stage: str, edition: Edition) -> Markup:
    """What a bound rests on: a published figure with its act and source, or a rule of the score tree."""
    figure = figure_of(support, edition.publication.acts)
    if figure is not None and support.act is not None:
        return figure_said(figure, stage, edition) + " · " + edition.act_and_source(support.act)
    measure = edition.measure(stage, support.measure)
    if support.team is None:
        return edition.say(mark("the rule of {measure}"), {"measure": measure})
    here = linked(measure, addresses.trace(stage, support.team, support.measure))
    return edition.say(
        mark("the rule of {measure} for {team}"), {"measure": here, "team": edition.team(support.team)}
    )
