"""Calls that say who may come in, who decides, and what follows when hardly anybody comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from dokja.language import mark
from dokja.rulebook.clauses import Call, Contingency, Stage
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.subject import Subject

_NEEDED: Mapping[str, str] = {
    "eligible": mark("“{clause}” does not say who may apply."),
    "panel": mark("“{clause}” does not say who decides."),
    "majority": mark("“{clause}” does not say which majority admits a team."),
    "nobody_is_legal": mark("“{clause}” does not say whether nobody may be chosen."),
    "sole_applicant": mark("“{clause}” does not say what follows when one team alone applies."),
    "nobody_applies": mark("“{clause}” does not say what follows when nobody applies."),
}


def call_gaps(subject: Subject) -> Iterator[Remark]:
    """A call that leaves something open."""
    for call in subject.rules.of(Call):
        for name, what in _NEEDED.items():
            if getattr(call, name) in (None, ()):
                yield subject.remark(call, what, mark("Write {field}."), {"field": name})


def majority_out_of_range(subject: Subject) -> Iterator[Remark]:
    """A majority that no vote can exceed."""
    for call in subject.rules.of(Call):
        if call.majority is not None and call.majority >= 1:
            yield subject.remark(
                call,
                mark("“{clause}” asks for more than {majority} of the votes: no vote can exceed all of them."),
                mark("Write a share below 1, such as 0.5 for more than half."),
                {"majority": str(call.majority)},
            )


def open_call_unnamed(subject: Subject) -> Iterator[Remark]:
    """A contingency that opens a call and does not say which, or names one that it does not open."""
    for clause in subject.rules.of(Contingency):
        if clause.consequence == "open-call" and clause.call is None:
            yield subject.remark(
                clause,
                mark("“{clause}” opens a call, but does not say which."),
                mark("Write call: the id of the call."),
            )
        if clause.consequence != "open-call" and clause.call is not None:
            yield subject.remark(
                clause,
                mark("“{clause}” names the call “{call}”, but its consequence is {consequence}."),
                mark("Write consequence: open-call, or take the call out."),
                {"call": clause.call, "consequence": clause.consequence},
            )


def call_never_opened(subject: Subject) -> Iterator[Remark]:
    """A call into a later stage that nothing opens: no contingency names it, and it does not open by date."""
    opened = {clause.call for clause in subject.rules.of(Contingency) if clause.consequence == "open-call"}
    first = subject.stages[0].id if subject.stages else None
    for call in subject.rules.of(Call):
        if call.call not in opened and call.stage != first and not call.by_date:
            yield subject.remark(
                call,
                mark("No clause opens the call “{call}” into {stage}."),
                mark("Let a contingency of an earlier stage open it, write by_date: true, or take it out."),
                {"call": call.call},
            )


def call_goes_back(subject: Subject) -> Iterator[Remark]:
    """A contingency that opens a call into its own stage or an earlier one: the stage would wait for itself."""
    order = {stage.id: position for position, stage in enumerate(subject.stages)}
    for clause in subject.rules.of(Contingency):
        if clause.consequence != "open-call":
            continue
        for call in subject.calls(clause.call):
            if order.get(call.stage, len(order)) <= order.get(clause.stage, -1):
                yield subject.remark(
                    clause,
                    mark(
                        "“{clause}” of {stage} opens a call into {into}, which does not come after it: the two wait "
                        "for each other."
                    ),
                    mark("Open a call into a later stage."),
                    {"into": call.stage},
                )


def seats_and_entrants(subject: Subject) -> Iterator[Remark]:
    """Numbers of teams that do not fit together from stage to stage."""
    for stage in subject.stages:
        if stage.seats > stage.entrants:
            yield subject.remark(
                stage,
                mark("{stage} has {seats} seats for {entrants} entrants."),
                mark("Correct one of the two numbers."),
                {"stage": stage.id, "seats": str(stage.seats), "entrants": str(stage.entrants)},
            )
    for before, after in pairwise(subject.stages):
        newcomers = sum(call.places for call in subject.rules.of(Call) if call.stage == after.id and call.by_date)
        if after.entrants != before.seats + newcomers:
            yield _mismatch(subject, before, after, newcomers)
    for call in subject.rules.of(Call):
        into = subject.rules.stage(call.stage)
        if into is not None and call.places > into.entrants:
            yield subject.remark(
                call,
                mark("“{clause}” has {places} places in {stage}, which {entrants} teams enter."),
                mark("Correct one of the two numbers."),
                {"places": str(call.places), "entrants": str(into.entrants)},
            )


def _mismatch(subject: Subject, before: Stage, after: Stage, newcomers: int) -> Remark:
    alone = mark("{stage} is planned for {entrants} teams; {seats} go on from {before}.")
    joined = mark(
        "{stage} is planned for {entrants} teams; {seats} go on from {before} and {newcomers} come in by a call."
    )
    return subject.remark(
        after,
        joined if newcomers else alone,
        mark("Correct one of the numbers."),
        {
            "stage": after.id,
            "entrants": str(after.entrants),
            "seats": str(before.seats),
            "before": before.id,
            "newcomers": str(newcomers),
        },
    )
