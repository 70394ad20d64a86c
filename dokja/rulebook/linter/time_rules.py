"""Rules that were there before what they rule on, and calendars that can be kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from dokja.language import mark
from dokja.rulebook.clauses import AmendmentRule, AnyClause, Call, Goal, Objections, Stage, stage_of
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.subject import Subject
from dokja.rulebook.versions import Enacted, RulebookDocument


def _begins(subject: Subject, document: RulebookDocument, clause: AnyClause) -> datetime | None:
    """When what a clause rules on begins: the call it is about, or its stage.

    What earlier documents say goes before what this one says: a change cannot put off its own beginning.
    """
    for rules in (subject.history.before(document), subject.rules):
        if isinstance(clause, Call):
            calls = [each for each in rules.of(Call) if each.call == clause.call and each.opens is not None]
            found = calls[0].opens if calls else None
        else:
            stage = rules.stage(stage_of(clause) or "")
            found = stage.calendar.opens if stage else None
        if found is not None:
            return found
    return None


def _late(subject: Subject, document: RulebookDocument, clause: AnyClause) -> datetime | None:
    """When what the clause rules on had begun, where that was before the document was in force."""
    begins = _begins(subject, document, clause)
    in_force = max(document.announced, document.effective)
    return begins if begins is not None and in_force > begins and not isinstance(clause, Goal) else None


def _consented(document: RulebookDocument) -> bool:
    return bool(document.amendment and document.amendment.consented)


def _enacted(subject: Subject, document: RulebookDocument, clause: AnyClause) -> Enacted:
    place = subject.history.places.get((document.number, clause.id))
    return Enacted(clause, document, place) if place else Enacted(clause, document)


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def late_rule(subject: Subject) -> Iterator[Remark]:
    """A clause that is first published after what it rules on has begun."""
    known: set[str] = set()
    for document in subject.history.documents:
        for clause in document.clauses:
            begins = _late(subject, document, clause)
            if clause.id not in known and begins is not None and not _consented(document):
                yield subject.remark_in(
                    _enacted(subject, document, clause),
                    mark("“{clause}” is in force from {from}; what it rules on began on {began}."),
                    mark("Publish the rule before, or have everybody whom it touches consent to it."),
                    {"from": _day(max(document.announced, document.effective)), "began": _day(begins)},
                )
            known.add(clause.id)


def changed_after_opening(subject: Subject) -> Iterator[Remark]:
    """A clause of a stage or call that has begun is changed or repealed, and nobody's consent is named."""
    known: dict[str, AnyClause] = {}
    for document in subject.history.documents:
        touched = [
            *((clause.id, clause) for clause in document.clauses if known.get(clause.id) not in (None, clause)),
            *((identifier, known[identifier]) for identifier in document.repeals if identifier in known),
        ]
        for _, clause in touched:
            begins = _late(subject, document, clause)
            if begins is not None and not _consented(document):
                yield subject.remark_in(
                    _enacted(subject, document, clause),
                    mark(
                        "“{clause}” is changed from {from}, after {stage} opened on {began}, and no team's consent "
                        "is named."
                    ),
                    mark("Name who consented in the amendment, or let the change begin with a later stage."),
                    {"from": _day(max(document.announced, document.effective)), "began": _day(begins)},
                )
        known.update({clause.id: clause for clause in document.clauses})


def retroactive(subject: Subject) -> Iterator[Remark]:
    """A document that takes effect before it is announced."""
    for document in subject.history.documents:
        if document.effective < document.announced:
            yield _of_document(
                subject,
                document,
                mark("Document {number} takes effect on {effective}, before it is announced on {announced}."),
                mark("Let it take effect on the day it is announced, or later."),
                {"effective": _day(document.effective), "announced": _day(document.announced)},
            )


def out_of_scope(subject: Subject) -> Iterator[Remark]:
    """An amendment that touches a stage which it does not name: by a clause, by moving one away, by a repeal."""
    for document in subject.history.documents:
        if document.amendment is None:
            continue
        before = subject.history.before(document).enacted
        touched: list[tuple[Enacted, str | None]] = []
        for clause in document.clauses:
            enacted = _enacted(subject, document, clause)
            touched.append((enacted, stage_of(clause)))
            if clause.id in before and stage_of(before[clause.id].clause) != stage_of(clause):
                touched.append((enacted, stage_of(before[clause.id].clause)))
        touched += [(before[name], stage_of(before[name].clause)) for name in document.repeals if name in before]
        for enacted, stage in touched:
            if stage is not None and stage not in document.amendment.scope:
                yield subject.remark_in(
                    enacted,
                    mark("Document {number} changes “{clause}” of {stage}, which its scope does not name."),
                    mark("Add the stage to the amendment's scope, or leave its clauses alone."),
                    {"number": str(document.number), "stage": stage},
                )


def amendments_unsaid(subject: Subject) -> Iterator[Remark]:
    """A rulebook that does not say with which notice, and by whose consent, its rules may be changed."""
    rules = tuple(subject.rules.of(AmendmentRule))
    if not rules and subject.stages:
        yield _of_document(
            subject,
            subject.history.documents[0],
            mark("No clause says how the rules may be changed."),
            mark("Add amendments: the days of notice, and whose consent a change of what has begun needs."),
            {},
        )
    for rule in rules:
        missing = [name for name in ("notice_days", "consent") if getattr(rule, name) is None]
        if missing:
            yield subject.remark(
                rule,
                mark("“{clause}” does not say: {missing}."),
                mark("Write the days from announcement to effect, and every-team or most-teams."),
                {"missing": ", ".join(missing)},
            )


def short_notice(subject: Subject) -> Iterator[Remark]:
    """An amendment that takes effect sooner after its announcement than the rules before it allow."""
    for document in subject.history.documents:
        asked = subject.history.notice(document)
        if asked is not None and document.effective - document.announced < asked[1]:
            yield _of_document(
                subject,
                document,
                mark(
                    "Document {number} was announced on {announced} and takes effect on {effective}; “{rule}” asks "
                    "for {days} days between."
                ),
                mark("Let it take effect later."),
                {
                    "announced": _day(document.announced),
                    "effective": _day(document.effective),
                    "rule": asked[0].id,
                    "days": str(asked[1].days),
                },
            )


def _of_document(
    subject: Subject, document: RulebookDocument, what: str, mend: str, values: dict[str, str]
) -> Remark:
    first = next(iter(document.clauses), None)
    place = subject.history.places.get((document.number, first.id)) if first else None
    said = {"number": str(document.number), **values}
    return Remark(what, mend, said, place=place) if place else Remark(what, mend, said)


_ORDER = ("opens", "submission", "evaluation", "decision")


def calendar_order(subject: Subject) -> Iterator[Remark]:
    """Times of a stage or a call that do not follow each other."""
    for stage in subject.stages:
        known = [(name, time) for name in _ORDER if (time := getattr(stage.calendar, name)) is not None]
        yield from _not_in_order(subject, stage, known)
    for call in subject.rules.of(Call):
        if call.opens is not None and call.closes is not None:
            yield from _not_in_order(subject, call, [("opens", call.opens), ("closes", call.closes)])


def _not_in_order(subject: Subject, clause: Stage | Call, times: Sequence[tuple[str, datetime]]) -> Iterator[Remark]:
    for (first, earlier), (second, later) in pairwise(times):
        if later < earlier:
            yield subject.remark(
                clause,
                mark("“{clause}”: {second} ({later}) lies before {first} ({earlier})."),
                mark("Put the times in order."),
                {"first": first, "earlier": _day(earlier), "second": second, "later": _day(later)},
            )


def calendar_gaps(subject: Subject) -> Iterator[Remark]:
    """A stage or a call without its days."""
    for stage in subject.stages:
        missing = [name for name in _ORDER if getattr(stage.calendar, name) is None]
        if missing:
            yield _days_missing(subject, stage, missing)
    for call in subject.rules.of(Call):
        missing = [name for name in ("opens", "closes") if getattr(call, name) is None]
        if missing:
            yield _days_missing(subject, call, missing)


def _days_missing(subject: Subject, clause: Stage | Call, missing: Sequence[str]) -> Remark:
    return subject.remark(
        clause,
        mark("“{clause}” does not say when: {missing}."),
        mark("Write the day and the hour, with the zone."),
        {"missing": ", ".join(missing)},
    )


def overtaken(subject: Subject) -> Iterator[Remark]:
    """A stage that opens while the decision before it can still be objected to."""
    for before, after in pairwise(subject.stages):
        decision, opens = before.calendar.decision, after.calendar.opens
        for rule in subject.all(Objections, before.id):
            if decision is None or opens is None:
                continue
            days = max(rule.window_days, rule.standstill_days or 0)
            if (opens - decision).days < days:
                yield subject.remark(
                    after,
                    mark(
                        "“{clause}” opens {apart} days after the decision of {before}, which can be objected to, or "
                        "stands still, for {days} days."
                    ),
                    mark("Open the stage later, or shorten the window."),
                    {"apart": str((opens - decision).days), "before": before.id, "days": str(days)},
                )
