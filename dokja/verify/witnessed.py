"""What witnesses vouch for: which checkpoints enough of them have cosigned, when, and which decisions those carry."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dokja.language import mark
from dokja.record import Entry
from dokja.record.acts import Decision
from dokja.record.transparency import Policy, Published, Witnessed
from dokja.rulebook import RecordKeeping
from dokja.values import text_of_seconds, utc_text
from dokja.verify.course import Walk
from dokja.verify.verdict import Fault, Unchecked


@dataclass(frozen=True)
class Standing:
    """How far a record is witnessed.

    carried: how many acts stand under a checkpoint that enough witnesses have cosigned; `None` where the policy asks
    for no quorum. names: who cosigned the newest checkpoint; enough: whether they are a quorum. seen: the time that
    they vouch for, in seconds since 1970; times, sizes: the same of every checkpoint, and how many acts it holds.
    """

    carried: int | None
    names: tuple[str, ...]
    enough: bool | None
    seen: int | None
    times: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()


UNKNOWN = Standing(None, (), None, None)
"""What is known where no policy was named."""


def standing(policy: Policy, witnessed: Sequence[Witnessed]) -> Standing:
    """How far the checkpoints of a bundle, in order of size, are witnessed."""
    newest = witnessed[-1]
    names = tuple(sorted(name.decode("utf-8", "backslashreplace") for name in newest.witnesses))
    seen = policy.clock(newest.times)
    clocks = [(each.checkpoint.size, policy.clock(each.times)) for each in witnessed]
    known = [(size, clock) for size, clock in clocks if clock is not None]
    sizes, times = tuple(size for size, _ in known), tuple(clock for _, clock in known)
    if not policy.asks:
        return Standing(None, names, None, seen, times, sizes)
    carried = max((each.checkpoint.size for each in witnessed if policy.met(each.witnesses)), default=0)
    return Standing(carried, names, policy.met(newest.witnesses), seen, times, sizes)


def not_due(published: Published) -> Iterator[Unchecked]:
    """Receipts whose promise was not due yet by the bundle's clock: what they are worth is not known yet."""
    for name, receipt in published.receipts.items():
        if published.clock is None or published.clock < receipt.merged_by:
            said = mark("The receipt {name}: it is to be kept by {due}; the newest checkpoint is of {now}.")
            now = "–" if published.clock is None else text_of_seconds(published.clock)
            yield Unchecked(said, {"name": name, "due": text_of_seconds(receipt.merged_by), "now": now})


def uncarried(entries: Iterable[Entry], carried: int | None) -> Iterator[Fault]:
    """Decisions that stand under no checkpoint that enough witnesses have cosigned."""
    for entry in entries:
        if carried is not None and isinstance(entry.act, Decision) and entry.index >= carried:
            said = mark(
                "“{decision}” came after the last checkpoint that enough witnesses have cosigned ({size} acts)."
            )
            yield Fault("QUORUM_DECISION", said, {"decision": entry.act.id, "size": str(carried)}, entry.index)


def late(walk: Walk, entries: Iterable[Entry], standing: Standing) -> Iterator[Fault | Unchecked]:
    """Decisions that enough witnesses cosigned later than the rules of their day allow."""
    for entry in entries:
        if not isinstance(entry.act, Decision):
            continue
        clauses = walk.rules_at(entry.act.when).of(RecordKeeping, entry.act.stage)
        hours = min((each.witnessed_hours for each in clauses if each.witnessed_hours), default=None)
        if hours is None:
            continue
        if standing.carried is None:
            said = mark(
                "That witnesses cosigned “{decision}” in time: the policy asks for no quorum, or was not named."
            )
            yield Unchecked(said, {"decision": entry.act.id})
            continue
        until = (entry.act.when + timedelta(hours=hours)).timestamp()
        seen = min(standing.times[bisect_right(standing.sizes, entry.index) :], default=None)
        if seen is not None and seen > until:
            said = mark("Witnesses cosigned “{decision}” at {seen}; the time for that ended at {until}.")
            times = {"seen": text_of_seconds(seen), "until": text_of_seconds(int(until))}
            yield Fault("QUORUM_LATE", said, {"decision": entry.act.id, **times}, entry.index)


def ahead(entries: Iterable[Entry], standing: Standing) -> Iterator[Fault]:
    """Acts that are dated later than a checkpoint that holds them was seen by enough witnesses."""
    for entry in entries:
        place = bisect_right(standing.sizes, entry.index)
        seen = min(standing.times[place:], default=None)
        if seen is not None and entry.act.when.timestamp() > seen:
            said = mark("It is dated {when}; witnesses saw it at {seen} already.")
            values = {"when": utc_text(entry.act.when), "seen": text_of_seconds(seen)}
            yield Fault("DATED_AHEAD", said, values, entry.index)
