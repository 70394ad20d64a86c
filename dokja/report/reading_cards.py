"""The readings of a stage side by side: gate and points in either order that the rules leave open."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import Fate, Reading, SituationFound, StageOutcome
from dokja.report.cells import Label, by_place
from dokja.report.edition import Edition
from dokja.report.stage_summary import remaining
from dokja.report.verdict_rows import answer
from dokja.report.words import FATE_REASONS, GOES_ON, ORDER_MEANINGS, ORDERS, PRESENCE, SITUATIONS


@dataclass(frozen=True)
class FateItem:
    """A team under one reading."""

    team: Markup
    goes_on: Label
    why: Markup


@dataclass(frozen=True)
class SituationItem:
    """A situation under one reading, and what answers it."""

    said: Markup
    presence: Label
    answer: Markup
    answered: bool


@dataclass(frozen=True)
class ReadingCard:
    """One order of gate and points, and what follows under it; `said` is whether the rules say this order."""

    title: Markup
    meaning: Markup
    said: bool
    number: Markup
    fates: tuple[FateItem, ...]
    situations: tuple[SituationItem, ...]


def reading_card(reading: Reading, outcome: StageOutcome, edition: Edition) -> ReadingCard:
    """A reading as a card, teams in the order of their places."""
    return ReadingCard(
        title=edition.say(ORDERS[reading.order]),
        meaning=edition.say(ORDER_MEANINGS[reading.order]),
        said=reading.said,
        number=remaining(reading, edition),
        fates=tuple(_fate(reading.fates[team], edition) for team in by_place(outcome)),
        situations=tuple(_situation(found, outcome, edition) for found in reading.situations),
    )


def _fate(fate: Fate, edition: Edition) -> FateItem:
    return FateItem(
        edition.team(fate.team).shown,
        Label(fate.goes_on, edition.say(GOES_ON[fate.goes_on])),
        edition.say(FATE_REASONS[fate.reason]),
    )


def _situation(found: SituationFound, outcome: StageOutcome, edition: Edition) -> SituationItem:
    return SituationItem(
        edition.say(SITUATIONS[found.situation]),
        Label(found.modality, edition.say(PRESENCE[found.modality])),
        answer(found.clauses, found.consequences, outcome, edition),
        bool(found.clauses),
    )
