"""The page of a stage: the decision held against the rules, the standings, the readings, the figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from dokja.adjudicate import GateResult, StageOutcome
from dokja.report import addresses
from dokja.report.alternatives import Alternative, alternatives
from dokja.report.cells import Label, by_place
from dokja.report.drawing import Chart
from dokja.report.edition import Edition
from dokja.report.figure_tables import (
    AdditionRow,
    AggregateRow,
    CheckRow,
    addition_rows,
    aggregate_rows,
    check_rows,
)
from dokja.report.reading_cards import ReadingCard, reading_card
from dokja.report.stage_summary import began, decision_of, headline, summary
from dokja.report.standings import Standings, standings, standings_charts
from dokja.report.verdict_rows import VerdictRow, verdict_rows
from dokja.report.words import GATE_RESULTS

SHOWN_ACTS = 3
"""How many of the acts behind a gate's result are named; ballots come by the dozen."""


@dataclass(frozen=True)
class GateCell:
    """A team's result at a gate, and the acts that say so."""

    result: Label
    acts: tuple[Markup, ...]


@dataclass(frozen=True)
class GateTable:
    """Every team at every gate."""

    gates: tuple[Markup, ...]
    rows: tuple[tuple[Markup, tuple[GateCell, ...]], ...]


@dataclass(frozen=True)
class StagePage:
    """All that the page of a stage shows."""

    id: str
    title: str
    headline: Markup
    began: bool
    seats: int
    teams: tuple[Markup, ...]
    clause: Markup
    decided: Markup | None
    decision: Markup | None
    summary: tuple[Markup, ...]
    verdicts: tuple[VerdictRow, ...]
    standings: Standings | None
    charts: tuple[Chart, ...]
    axis_charts: tuple[Chart, ...]
    gates: GateTable | None
    readings: tuple[ReadingCard, ...]
    checks: tuple[CheckRow, ...]
    additions: tuple[AdditionRow, ...]
    aggregates: tuple[AggregateRow, ...]
    alternatives: tuple[Alternative, ...]
    trace: str | None


def stage_page(outcome: StageOutcome, edition: Edition) -> StagePage:
    """The page of a stage; of one that has not begun, only what the rulebook plans."""
    decision = decision_of(outcome, edition)
    started = began(outcome, edition)
    drawn, axis_charts = standings_charts(outcome, edition)
    return StagePage(
        id=outcome.stage,
        title=edition.stage_title(outcome.stage),
        headline=headline(outcome, edition),
        began=started,
        seats=outcome.seats,
        teams=tuple(edition.team(team).shown for team in outcome.teams),
        clause=edition.clause(outcome.stage, outcome.at).shown,
        decided=edition.day(decision.when) if decision else None,
        decision=edition.act_and_source(outcome.decision) if outcome.decision is not None else None,
        summary=summary(outcome, edition) if started else (),
        verdicts=verdict_rows(outcome, edition),
        standings=standings(outcome, edition),
        charts=drawn,
        axis_charts=axis_charts,
        gates=_gate_table(outcome, edition) if started else None,
        readings=tuple(reading_card(each, outcome, edition) for each in outcome.readings) if started else (),
        checks=check_rows(outcome, edition),
        additions=addition_rows(outcome, edition),
        aggregates=aggregate_rows(outcome, edition),
        alternatives=alternatives(outcome, edition),
        trace=addresses.trace_page(outcome.stage) if outcome.scores else None,
    )


def _gate_table(outcome: StageOutcome, edition: Edition) -> GateTable | None:
    gates = tuple(dict.fromkeys(result.gate for result in outcome.gates))
    if not gates:
        return None
    results = {(result.gate, result.team): result for result in outcome.gates}
    return GateTable(
        tuple(edition.gate(gate).shown for gate in gates),
        tuple(
            (edition.team(team).shown, tuple(_gate_cells(results, gates, team, edition)))
            for team in by_place(outcome)
        ),
    )


def _gate_cells(
    results: dict[tuple[str, str], GateResult], gates: tuple[str, ...], team: str, edition: Edition
) -> Iterator[GateCell]:
    for gate in gates:
        yield gate_cell(results[gate, team], edition)


def gate_cell(result: GateResult, edition: Edition) -> GateCell:
    """A gate's result for a team as a cell."""
    shown = tuple(edition.act_and_source(act) for act in result.acts[:SHOWN_ACTS])
    return GateCell(Label(result.result, edition.say(GATE_RESULTS[result.result])), shown)
