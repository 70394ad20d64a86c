"""Whether sealed marks were sealed, closed and opened in their time, and what of them an audience can check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from dokja.intake.admissible import mark_form
from dokja.language import mark
from dokja.record.acts import Act, Decision, Disclosure, MarksOpened, StageSealed
from dokja.record.transparency.sealing.ballots import SealedMarks, SealedRow
from dokja.record.transparency.sealing.openings import Openings, Value
from dokja.rulebook import Gate, PanelRule
from dokja.rulebook.measures import Panel, walk
from dokja.values import plain, utc_text
from dokja.verify.audiences import Opened
from dokja.verify.course import Walk
from dokja.verify.verdict import Fault, Unchecked

Check = Callable[[Walk, int, Any], Iterator[Fault]]


def _subjects(walk_: Walk, stage: str, when: Any) -> Mapping[tuple[str, str], bool]:  # noqa: ANN401
    """A stage's measures and gates that are marked by panels, and whether their marks are to be sealed."""
    rules = walk_.rules_at(when)
    sealed = {rule.panel for rule in rules.of(PanelRule, stage) if rule.sealed}
    marked = [(each.panel, each.id) for each in rules.measures(stage) if isinstance(each, Panel)]
    voted = [(gate.panel, gate.id) for gate in rules.of(Gate, stage) if gate.panel and gate.evidence == "ballots"]
    return {(panel, subject): panel in sealed for panel, subject in (*marked, *voted)}


def _decided(walk_: Walk, index: int, act: Decision) -> Iterator[Fault]:
    """Nothing that is sealed, or should be, lies open-ended when it is decided."""
    grid = walk_.course.grid
    if act.stage in grid.closed:
        return
    to_be_sealed = [subject for (_, subject), sealed in _subjects(walk_, act.stage, act.when).items() if sealed]
    held = [row.key[2] for row in grid.of(act.stage)]
    if to_be_sealed or held:
        said = mark("“{stage}” was decided; no root stands in the record over its marks on {subjects}.")
        subjects = ", ".join(sorted({*to_be_sealed, *held}))
        yield Fault("STAGE_UNSEALED", said, {"stage": act.stage, "subjects": subjects}, index)


def _disclosed(walk_: Walk, index: int, act: Disclosure) -> Iterator[Fault]:
    """No figure that rests on sealed marks is made known before all of them are sealed."""
    grid = walk_.course.grid
    if act.stage in grid.closed:
        return
    subjects = {subject for (_, subject), sealed in _subjects(walk_, act.stage, act.when).items() if sealed}
    subjects |= {row.key[2] for row in grid.of(act.stage)}
    measures = {each.id: each for each in walk_.rules_at(act.when).measures(act.stage)}
    for figure in act.figures:
        rests_on = {each.id for each in walk(measures[figure.measure])} if figure.measure in measures else set()
        if rests_on & subjects:
            said = mark("A figure of “{measure}” was made known; no root stands in the record over its marks.")
            yield Fault("STAGE_UNSEALED", said, {"measure": figure.measure}, index)


def _closed(walk_: Walk, index: int, act: StageSealed) -> Iterator[Fault]:
    """Every rater of a panel sealed, or its absence is explicit."""
    sealed = Counter(row.key[1:3] for row in walk_.course.grid.of(act.stage))
    absent = Counter((each.panel, each.subject) for each in act.absent)
    rules = {rule.panel: rule for rule in walk_.rules_at(act.when).of(PanelRule, act.stage)}
    for (panel, subject), required in _subjects(walk_, act.stage, act.when).items():
        there = sealed[panel, subject] + absent[panel, subject]
        if panel in rules and there != rules[panel].raters and (required or there):
            said = mark("{there} of the {raters} raters of “{panel}” sealed marks on “{subject}” or are absent.")
            values = {"there": str(there), "raters": str(rules[panel].raters), "panel": panel, "subject": subject}
            yield Fault("GRID_INCOMPLETE", said, values, index)
    for each in act.absent:
        if (act.stage, each.panel, each.subject, each.rater) in walk_.course.grid.rows:
            said = mark("“{rater}” is absent, and sealed marks on “{subject}”.")
            yield Fault("GRID_INCOMPLETE", said, {"rater": each.rater, "subject": each.subject}, index)


def _handed_over(walk_: Walk, index: int, act: MarksOpened) -> Iterator[Fault]:
    if act.stage in walk_.decisions:
        decision = walk_.decisions[act.stage][1]
        if act.when >= decision.when or walk_.course.stage(act.stage).settled:
            said = mark("{sealed} were handed over at {when}; the decision “{decision}” was taken without them.")
            values = {"sealed": ", ".join(act.sealed), "when": utc_text(act.when), "decision": decision.id}
            yield Fault("OPENING_LATE", said, values, index)


sealing_checks: Mapping[type[Act], Sequence[Check]] = {
    Decision: (_decided,),
    Disclosure: (_disclosed,),
    MarksOpened: (_handed_over,),
    StageSealed: (_closed,),
}


def never_opened(walk_: Walk, marks: SealedMarks) -> Iterator[Fault]:
    """Rows of a stage that was decided, and that nobody handed the openings over of."""
    for held in marks.rows:
        stage = held.row.key[0]
        if stage in walk_.decisions and held.row.act not in marks.grid.opened:
            said = mark("“{stage}” was decided; what opens “{sealed}” was never handed over.")
            yield Fault("OPENING_MISSING", said, {"stage": stage, "sealed": held.row.act}, held.index)


def opening_faults(walk_: Walk, marks: SealedMarks, openings: Openings, opened: Opened | None) -> Iterator[Fault]:
    """Openings that are due and missing, that are there and not due, or that hold what the rules do not allow."""
    for held in marks.rows:
        if opened is not None:
            for team in held.row.teams:
                yield from _as_due(held, team, openings.of(held.row, team), due=opened.holds(held.row, team))
        if held.row.act in openings.values:
            yield from _in_range(walk_, held, openings)


def _as_due(held: SealedRow, team: str, values: Sequence[Value | None], *, due: bool) -> Iterator[Fault]:
    there = sum(value is not None for value in values)
    if due and there < len(values):
        said = mark("{missing} of the {cells} cells that “{sealed}” holds of {team} are not opened.")
        values_ = {"missing": str(len(values) - there), "cells": str(len(values))}
        yield Fault("OPENING_MISSING", said, {**values_, "sealed": held.row.act, "team": team}, held.index)
    elif there and not due:
        said = mark("What “{sealed}” holds of {team} is open.")
        yield Fault("OPENING_EARLY", said, {"sealed": held.row.act, "team": team}, held.index)


def _in_range(walk_: Walk, held: SealedRow, openings: Openings) -> Iterator[Fault]:
    stage, panel, subject, _ = held.row.key
    if not held.row.criteria:
        return
    form = mark_form(walk_.rules, held.when, stage, panel, subject, None)
    names = list(held.row.names())
    for place, value in enumerate(openings.values[held.row.act]):
        bounds = form.marks.get(held.row.criteria[place % held.row.width])
        if isinstance(value, Decimal) and bounds is not None and not bounds.low <= value <= bounds.high:
            said = mark("“{cell}” holds {mark}; marks go from {low} to {high}.")
            values = {
                "cell": names[place],
                "mark": plain(value),
                "low": plain(bounds.low),
                "high": plain(bounds.high),
            }
            yield Fault("OPENING_VALUE", said, values, held.index)


def left_sealed(marks: SealedMarks, openings: Openings, opened: Opened | None) -> Iterator[Unchecked]:
    """What an audience cannot check because it is not open to it."""
    if opened is None and marks.rows:
        said = mark("Openings: the bundle does not say whom it is for and when they were chosen, so none was missed.")
        yield Unchecked(said)
    for stage in sorted({held.row.key[0] for held in marks.rows}):
        rows = [held.row for held in marks.rows if held.row.key[0] == stage]
        cells = sum(row.cells for row in rows)
        there = sum(value is not None for row in rows for value in openings.values.get(row.act, ()))
        if there < cells:
            said = mark("Sealed marks of {stage}: {there} of {cells} cells are open to this audience ({audience}).")
            values = {"stage": stage, "there": f"{there:,}", "cells": f"{cells:,}"}
            yield Unchecked(said, {**values, "audience": str(opened.audience) if opened else "–"})
