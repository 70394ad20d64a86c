"""What must be in the record of a stage and is not: acts that were due, signs of life, running numbers.

The time by which something is missed is that of the newest checkpoint: what its witnesses vouch for, or else the
latest of any act.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dokja.language import mark
from dokja.record import Entry
from dokja.record.acts import Act, Heartbeat
from dokja.rulebook import RecordKeeping, Stage
from dokja.values import LATEST, utc_text
from dokja.verify.course import Walk
from dokja.verify.reading import First
from dokja.verify.verdict import Fault, Unchecked
from dokja.verify.witnessed import Standing


@dataclass(frozen=True)
class Done:
    """An act of a stage: its type, when, where it stands."""

    type: str
    stage: str | None
    when: str
    index: int


def unnumbered(walk: Walk, index: int, act: Act) -> Iterator[Fault]:
    """An act without a running number, in a stage whose acts are numbered."""
    stage = getattr(act, "stage", None)
    if act.sequence is None and act.signature is not None and stage is not None:
        clause = walk.numbering_at(act.when).get(stage)
        if clause is not None:
            said = mark("By “{clause}” whoever acts in the stage numbers its acts; this one has no number.")
            yield Fault("ACT_SEQUENCE", said, {"clause": clause}, index)


def missed(
    walk: Walk, entries: Sequence[Entry], ballots: Mapping[str, First], standing: Standing, told: Iterable[Fault]
) -> Iterator[Fault | Unchecked]:
    """Everything that was due in the record at its clock and was not there in time.

    ballots: the first of each stage.
    """
    now = _clock(walk, standing)
    if now is None:
        return
    late = {fault.act for fault in told if fault.code == "DEADLINE"}
    done = [
        Done(each.act.type, getattr(each.act, "stage", None), utc_text(each.act.when), each.index) for each in entries
    ]
    done += [Done("ballot", stage, when, index) for stage, (when, index) in ballots.items()]
    rules = walk.rules_at(now)
    for clause in rules.of(RecordKeeping):
        stage = rules.stage(clause.stage)
        if stage is not None:
            yield from _due(clause, stage, done, late, now)
            if clause.heartbeat:
                yield from _silent(walk, clause, entries, standing, now)


def _clock(walk: Walk, standing: Standing) -> datetime | None:
    if standing.seen is not None and standing.seen <= LATEST.timestamp():
        return datetime.fromtimestamp(standing.seen, UTC)
    return walk.latest


def _due(
    clause: RecordKeeping, stage: Stage, done: Sequence[Done], late: set[int | None], now: datetime
) -> Iterator[Fault | Unchecked]:
    for due in clause.due:
        by: datetime | None = getattr(stage.calendar, due.by)
        values = {"clause": clause.id, "act": due.act, "stage": stage.id}
        if by is None:
            said = mark("By “{clause}” an act “{act}” is due in {stage}, and the calendar names no day for it.")
            yield Unchecked(said, values)
            continue
        until = by + timedelta(days=due.after_days)
        found = [each for each in done if each.type == due.act and each.stage == stage.id]
        values["until"] = utc_text(until)
        if until > now or any(each.when <= values["until"] for each in found):
            continue
        if not found:
            said = mark("By “{clause}” an act “{act}” was due in {stage} by {until}; there is none in the record.")
            yield Fault("DUTY_MISSED", said, values)
        elif (first := min(found, key=lambda each: (each.when, each.index))).index not in late:
            said = mark("By “{clause}” an act “{act}” was due in {stage} by {until}; the first is of {when}.")
            yield Fault("DEADLINE", said, {**values, "when": first.when}, first.index)


def _silent(
    walk: Walk, clause: RecordKeeping, entries: Sequence[Entry], standing: Standing, now: datetime
) -> Iterator[Fault]:
    """Whole days (in the programme's zone) of an open stage, without a sign of life or a witnessed checkpoint."""
    zone = ZoneInfo(walk.contents.about.time_zone)
    opened = walk.course.stage(clause.stage).opened
    if opened is None:
        return
    document = walk.enacted_at(now)[clause.id].document
    since = max(datetime.fromisoformat(opened), document.announced, document.effective)
    decided = walk.decisions.get(clause.stage)
    until = now if decided is None else min(now, decided[1].when)
    alive = {each.act.when.astimezone(zone).date() for each in entries if isinstance(each.act, Heartbeat)}
    alive |= {_day(seconds, zone) for seconds in standing.times if 0 <= seconds <= LATEST.timestamp()}
    for first, last in _runs(_days(since.astimezone(zone).date(), until.astimezone(zone).date()), alive):
        said = mark("“{stage}” was open and gave no sign of life from {first} to {last}.")
        values = {"stage": clause.stage, "first": first.isoformat(), "last": last.isoformat()}
        yield Fault("HEARTBEAT_MISSED", said, values)


def _day(seconds: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(seconds, zone).date()


def _days(first: date, end: date) -> Iterator[date]:
    """The days from the first to before the end, which is not over yet."""
    for number in range((end - first).days):
        yield first + timedelta(days=number)


def _runs(days: Iterable[date], alive: set[date]) -> Iterator[tuple[date, date]]:
    """The first and the last of each run of days that are not among those with a sign of life."""
    run: tuple[date, date] | None = None
    for day in days:
        if day in alive:
            if run is not None:
                yield run
            run = None
        else:
            run = (run[0] if run else day), day
    if run is not None:
        yield run
