"""What changes in a stage when some evidence, such as leaks, is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import StageOutcome
from dokja.language import mark
from dokja.report.cells import Label, by_place, place
from dokja.report.edition import Edition
from dokja.report.quantities import interval_text
from dokja.report.words import VERDICTS

LEFT_OUT: Mapping[str, str] = {"leaks": mark("leaks")}


@dataclass(frozen=True)
class Side:
    """A team with or without the evidence."""

    place: str
    total: str
    verdict: Label | None


@dataclass(frozen=True)
class AlternativeRow:
    """A team as it stands, and as it stands without the evidence."""

    team: Markup
    given: Side
    without: Side


@dataclass(frozen=True)
class Alternative:
    """A stage with and without some evidence; no rows where nothing changes."""

    left_out: Markup
    rows: tuple[AlternativeRow, ...]


def alternatives(outcome: StageOutcome, edition: Edition) -> tuple[Alternative, ...]:
    """The stage under every other evidence that the publication holds."""
    return tuple(_alternatives(outcome, edition))


def _alternatives(outcome: StageOutcome, edition: Edition) -> Iterator[Alternative]:
    for left_out, other in edition.publication.alternatives.items():
        without = other.stage(outcome.stage)
        if without is None or not outcome.scores:
            continue
        called = edition.say(LEFT_OUT[left_out]) if left_out in LEFT_OUT else Markup("{}").format(left_out)
        same = without == outcome
        teams = () if same else by_place(outcome)
        yield Alternative(
            called,
            tuple(
                AlternativeRow(edition.team(team).shown, _side(outcome, team, edition), _side(without, team, edition))
                for team in teams
            ),
        )


def _side(outcome: StageOutcome, team: str, edition: Edition) -> Side:
    score = outcome.scores.get((team, outcome.root)) if outcome.root else None
    held = next((each for each in outcome.holdings if each.part == "team" and each.subject == team), None)
    return Side(
        place(outcome, team, edition),
        interval_text(score.interval, edition.language) if score else "",
        Label(held.verdict, edition.say(VERDICTS[held.verdict])) if held else None,
    )
