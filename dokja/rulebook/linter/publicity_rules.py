"""Fixed in advance: what is shown to whom, what must be in the record by when, how a decision is objected to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import get_args

from dokja.language import mark
from dokja.rulebook.clauses import Audience, Disclosure, Field_, Objections, RecordKeeping
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.subject import Subject


def disclosure_gaps(subject: Subject) -> Iterator[Remark]:
    """A stage in which it is not fixed who sees what."""
    needed = tuple(product(get_args(Field_), get_args(Audience)))
    for stage in subject.stages:
        clauses = subject.all(Disclosure, stage.id)
        if not clauses:
            yield subject.remark(
                stage,
                mark("No clause says what of {stage} is shown to whom."),
                mark("Add a disclosure: a level for each field and audience."),
                {"stage": stage.id},
            )
            continue
        fixed = {(row.field, row.audience) for clause in clauses for row in clause.levels}
        missing = [f"{field} → {audience}" for field, audience in needed if (field, audience) not in fixed]
        if missing:
            yield subject.remark(
                clauses[0],
                mark("“{clause}” leaves open: {missing}."),
                mark("Write a level for each of them: exact, rounded, aggregate or withheld."),
                {"missing": ", ".join(missing)},
            )


def disclosure_twice(subject: Subject) -> Iterator[Remark]:
    """Two levels for one field and audience."""
    for stage in subject.stages:
        seen: set[tuple[str, str]] = set()
        for clause in subject.all(Disclosure, stage.id):
            for row in clause.levels:
                if (row.field, row.audience) in seen:
                    yield subject.remark(
                        clause,
                        mark("“{clause}” fixes {field} for {audience} twice."),
                        mark("Keep one of the two."),
                        {"field": row.field, "audience": row.audience},
                    )
                seen.add((row.field, row.audience))


def no_objections(subject: Subject) -> Iterator[Remark]:
    """A stage whose decision cannot be objected to, or nobody knows how long."""
    for stage in subject.stages:
        clauses = subject.all(Objections, stage.id)
        if not clauses:
            yield subject.remark(
                stage,
                mark("No clause says how the decision of {stage} can be objected to."),
                mark("Add objections: the window, the time to answer and the standstill."),
                {"stage": stage.id},
            )
        for clause in clauses:
            missing = [name for name in ("answer_days", "standstill_days") if getattr(clause, name) is None]
            if missing:
                yield subject.remark(
                    clause,
                    mark("“{clause}” does not say: {missing}."),
                    mark("Write it in days."),
                    {"missing": ", ".join(missing)},
                )


def short_standstill(subject: Subject) -> Iterator[Remark]:
    """A decision that takes effect before the last objection to it must be answered."""
    for clause in subject.rules.of(Objections):
        needed = clause.window_days + (clause.answer_days or 0)
        if clause.standstill_days is not None and clause.standstill_days < needed:
            yield subject.remark(
                clause,
                mark(
                    "“{clause}” lets the decision take effect after {standstill} days; objections and their answers "
                    "take {needed}."
                ),
                mark("Let the standstill last as long as the window and the answers together."),
                {"standstill": str(clause.standstill_days), "needed": str(needed)},
            )


def duties_unsaid(subject: Subject) -> Iterator[Remark]:
    """A stage whose rules name no act that must be in the record by a day."""
    for stage in subject.stages:
        if not any(clause.due for clause in subject.all(RecordKeeping, stage.id)):
            yield subject.remark(
                stage,
                mark("No clause says which acts of {stage} must be in the record, and by when."),
                mark("Add a record clause with what is due, at least the decision and what is made known of it."),
                {"stage": stage.id},
            )


def duty_dayless(subject: Subject) -> Iterator[Remark]:
    """An act that is due by a time which the stage's calendar leaves open, so that nobody can say that it is late."""
    for stage in subject.stages:
        for clause in subject.all(RecordKeeping, stage.id):
            for due in clause.due:
                if getattr(stage.calendar, due.by) is None:
                    yield subject.remark(
                        clause,
                        mark("By “{clause}” an act “{act}” is due, and the calendar of {stage} fixes no “{by}”."),
                        mark("Fix the day in the calendar, or let the act be due by another one."),
                        {"act": due.act, "by": due.by, "stage": stage.id},
                    )
