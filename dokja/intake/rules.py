"""What acts may name: the rulebook over time, laid out for quick look-ups.

An id counts as known where the rulebook in force on the act's day holds it or the rulebook as it has become does:
rules are sometimes published late, which is a finding of the linter and no reason to refuse an act.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from dokja.rulebook import AnyMeasure, Call, Gate, History, PanelRule, Rulebook
from dokja.rulebook.measures import Panel
from dokja.values import utc_text


@dataclass(frozen=True)
class MarkRange:
    """The lowest and the highest mark of a criterion."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Lookup:
    """One state of the rulebook; measures, gates and panels are found by their stage and their own id.

    forms: what a ballot on a measure holds, each criterion with its marks. sealed: panels whose marks are sealed.
    """

    stages: frozenset[str]
    calls: frozenset[str]
    measures: Mapping[tuple[str, str], AnyMeasure]
    gates: Mapping[tuple[str, str], Gate]
    panels: frozenset[tuple[str, str]]
    forms: Mapping[tuple[str, str], Mapping[str, MarkRange]]
    sealed: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Rules:
    """All states of a rulebook, and what does not change with time.

    turns: the times (UTC text) at which a new state begins, `states` one for each. opens: when a stage opens, where
    the calendar says so. order: the stages as they follow each other.
    """

    turns: tuple[str, ...]
    states: tuple[Lookup, ...]
    whole: Lookup
    order: tuple[str, ...]
    opens: Mapping[str, str]
    clauses: frozenset[str]
    documents: frozenset[int]
    sources: frozenset[str]

    def since(self, when: str) -> str:
        """When the state in force at a time began, "" before the first one; acts since then meet the same rules."""
        turn = bisect_right(self.turns, when)
        return self.turns[turn - 1] if turn else ""

    def at(self, when: str) -> Lookup:
        """The state in force at a time; before the first one, what the rulebook has become."""
        turn = bisect_right(self.turns, when)
        return self.states[turn - 1] if turn else self.whole

    def both(self, when: str) -> tuple[Lookup, Lookup]:
        """The states in which an act of that time may find what it names, the one in force first."""
        return self.at(when), self.whole


def rules_of(history: History, sources: frozenset[str]) -> Rules:
    """Lay a rulebook's history out; `sources` are the ids that `programme.yaml` lists."""
    turns = sorted({max(document.announced, document.effective) for document in history.documents})
    return Rules(
        turns=tuple(utc_text(turn) for turn in turns),
        states=tuple(_lookup(history.at(turn)) for turn in turns),
        whole=_lookup(history.whole),
        order=tuple(stage.id for stage in history.whole.stages),
        opens={stage.id: utc_text(stage.calendar.opens) for stage in history.whole.stages if stage.calendar.opens},
        clauses=frozenset(clause.id for document in history.documents for clause in document.clauses),
        documents=frozenset(document.number for document in history.documents),
        sources=sources,
    )


def _lookup(rulebook: Rulebook) -> Lookup:
    stages = frozenset(stage.id for stage in rulebook.stages)
    measures = {(stage, measure.id): measure for stage in stages for measure in rulebook.measures(stage)}
    panels = [(stage, measure) for (stage, _), measure in measures.items() if isinstance(measure, Panel)]
    return Lookup(
        stages=stages,
        calls=frozenset(call.call for call in rulebook.of(Call)),
        measures=measures,
        gates={(gate.stage, gate.id): gate for gate in rulebook.of(Gate)},
        panels=frozenset(
            [(rule.stage, rule.panel) for rule in rulebook.of(PanelRule)]
            + [(stage, measure.panel) for stage, measure in panels]
        ),
        forms={
            (stage, measure.id): {
                criterion.id: MarkRange(measure.lowest_mark, criterion.points) for criterion in measure.criteria
            }
            for stage, measure in panels
        },
        sealed=frozenset((rule.stage, rule.panel) for rule in rulebook.of(PanelRule) if rule.sealed),
    )
