"""Whether every draw that the rules ask for was made, in time; that each draw is true, `dokja.intake` computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from dokja.language import mark
from dokja.record import Entry
from dokja.record.acts import Act, Decision, DrawAnnounced, DrawMade, Recusal
from dokja.record.beacon import time_of
from dokja.rulebook import Contingency, Cut, Draw, Rulebook
from dokja.values import utc_text
from dokja.verify.course import Walk
from dokja.verify.verdict import Fault, Unchecked

Check = Callable[[Walk, int, Any], Iterator[Fault]]


def _announced(walk: Walk, index: int, act: DrawAnnounced) -> Iterator[Fault]:
    """A clause in force knows the draw, and it is announced as long ahead as the clause says."""
    rules = walk.rules_at(act.when)
    clause = _clause_of(act, rules)
    if clause is None:
        if act.purpose != "lot" or not _lot_decides(rules, act.stage):
            said = mark("A draw was announced, and no clause in force at {when} speaks of it.")
            yield Fault("PROCEDURE_NOT_PINNED", said, {"when": utc_text(act.when)}, index)
    elif clause.ahead_hours is not None:
        latest = time_of(act.round) - timedelta(hours=clause.ahead_hours)
        if act.when > latest:
            said = mark("It was announced at {when}; by “{clause}” the time ended at {until}.")
            values = {"when": utc_text(act.when), "clause": clause.id, "until": utc_text(latest)}
            yield Fault("DRAW_NOT_IN_ADVANCE", said, values, index)


def _clause_of(act: DrawAnnounced, rules: Rulebook) -> Draw | None:
    asked = (act.purpose, act.panel, act.measure)
    return next(
        (each for each in rules.of(Draw, act.stage) if (each.purpose, each.panel, each.measure) == asked), None
    )


def _lot_decides(rules: Rulebook, stage: str) -> bool:
    cut = rules.one(Cut, stage)
    by_contingency = any(
        each.situation == "tie-at-cut" and each.consequence == "lot" for each in rules.of(Contingency, stage)
    )
    return by_contingency or (cut is not None and any(step.step == "lot" for step in cut.ties))


def _made(walk: Walk, index: int, act: DrawMade) -> Iterator[Fault]:
    """A draw that bears on a decision is made before it."""
    draw = walk.course.draws.get(act.draw)
    decided = walk.decisions.get(draw.announced.stage) if draw else None
    if draw is not None and decided is not None and walk.course.stage(draw.announced.stage).settled:
        said = mark("It came into the record after the decision “{decision}” of {when}.")
        values = {"decision": decided[1].id, "when": utc_text(decided[1].when)}
        yield Fault("DEADLINE", said, values, index)


def _recused(walk: Walk, index: int, act: Recusal) -> Iterator[Fault]:
    """Who has marked already cannot leave and take the marks' worth along."""
    draw = walk.course.draws.get(act.draw)
    if draw is not None and draw.announced.panel is not None:
        seat = draw.announced.stage, draw.announced.panel, act.member
        if seat in walk.marked:
            said = mark("“{member}” had marked for the panel “{panel}” before.")
            yield Fault("DRAW_RECUSAL", said, {"member": act.member, "panel": draw.announced.panel}, index)


def _decision(walk: Walk, index: int, act: Decision) -> Iterator[Fault]:
    """Every draw that a clause asks for was made; the lot between level teams is asked for by the outcome."""
    for clause in walk.rules_at(act.when).of(Draw, act.stage):
        subject = (clause.purpose, act.stage, clause.panel or clause.measure or "")
        made = (draw for draw in walk.course.draws.values() if draw.made and draw.announced.subject == subject)
        if next(made, None) is None:
            said = mark("“{stage}” was decided without the draw that “{clause}” asks for.")
            yield Fault("DRAW_MISSING", said, {"stage": act.stage, "clause": clause.id}, index)


def on_its_word(entries: Iterable[Entry], vouched: Sequence[tuple[int, int]]) -> Iterator[Unchecked]:
    """Draws of which no witness says that they were announced before their round: the act's own date is believed.

    vouched: the sizes of checkpoints, each with the time by which witnesses had seen it (seconds since 1970).
    """
    announced = [(entry.index, entry.act) for entry in entries if isinstance(entry.act, DrawAnnounced)]
    believed = [
        act.id
        for index, act in announced
        if not any(size > index and seen < time_of(act.round).timestamp() for size, seen in vouched)
    ]
    if believed:
        said = mark("That {draws} were announced before their rounds: only the dates of the acts say so, no witness.")
        yield Unchecked(said, {"draws": ", ".join(believed)})


def unheard(walk: Walk) -> Iterator[Unchecked]:
    """Orders that were drawn, where no act says who presented when."""
    for stage, draw in walk.course.orders.items():
        if draw.made is not None and not walk.course.stage(stage).presented:
            said = mark("That teams presented in the order that “{draw}” drew: no act says who presented when.")
            yield Unchecked(said, {"draw": draw.announced.id})


draw_faults: Mapping[type[Act], Sequence[Check]] = {
    Decision: (_decision,),
    DrawAnnounced: (_announced,),
    DrawMade: (_made,),
    Recusal: (_recused,),
}
