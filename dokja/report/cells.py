"""What stands in the cells of tables: numbers that lead to their trace, and places."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import Score, StageOutcome
from dokja.report import addresses
from dokja.report.edition import Edition
from dokja.report.quantities import DASH, Quantity
from dokja.report.words import DEPARTURES


@dataclass(frozen=True)
class NumberCell:
    """A number, where it is traced, and whether a leak says it."""

    quantity: Quantity
    href: str
    leaked: bool


def number_cell(score: Score, stage: str, edition: Edition) -> NumberCell:
    """A score as a cell."""
    shown = edition.quantity(score)
    return NumberCell(shown, addresses.trace(stage, score.team, score.measure), edition.leaked(shown.act))


def place(outcome: StageOutcome, team: str, edition: Edition) -> str:
    """A team's place by points, or the places that it may have; empty where there are no points."""
    position = outcome.positions.get(team)
    if position is None:
        return ""
    if position.best == position.worst:
        return str(position.best)
    return f"{position.best}{DASH[edition.language]}{position.worst}"


def by_place(outcome: StageOutcome) -> tuple[str, ...]:
    """The teams in the order of their places, as far as it is known."""
    root = outcome.root
    if root is None:
        return outcome.teams
    return tuple(
        sorted(
            outcome.teams,
            key=lambda team: (
                outcome.positions[team].best,
                outcome.positions[team].worst,
                -outcome.scores[team, root].interval.middle,
            ),
        )
    )


@dataclass(frozen=True)
class Label:
    """A result in a word, with the kind that its mark and its colour go by."""

    kind: str
    said: Markup


def decided_label(outcome: StageOutcome, team: str, edition: Edition) -> Label | None:
    """What was decided on a team, `None` where nothing was."""
    held = next((each for each in outcome.holdings if each.part == "team" and each.subject == team), None)
    return Label(held.decided, edition.say(DEPARTURES[held.decided])) if held else None
