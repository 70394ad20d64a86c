"""What witnesses vouch for: which checkpoints enough of them have cosigned, when, and which decisions those carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dokja.language import mark
from dokja.record import Entry
from dokja.record.acts import Decision
from dokja.record.transparency import Policy, Witnessed
from dokja.verify.verdict import Fault


@dataclass(frozen=True)
class Standing:
    """How far a record is witnessed.

    carried: how many acts stand under a checkpoint that enough witnesses have cosigned; `None` where the policy asks
    for no quorum. names: who cosigned the newest checkpoint. seen: the time that they vouch for (seconds since 1970).
    """

    carried: int | None
    names: tuple[str, ...]
    enough: bool | None
    seen: int | None


UNKNOWN = Standing(None, (), None, None)
"""What is known where no policy was named."""


def standing(policy: Policy, witnessed: Sequence[Witnessed]) -> Standing:
    """How far the checkpoints of a bundle, in order of size, are witnessed."""
    newest = witnessed[-1]
    names = tuple(sorted(name.decode("utf-8", "backslashreplace") for name in newest.witnesses))
    seen = policy.clock(newest.times)
    if not policy.asks:
        return Standing(None, names, None, seen)
    carried = max((each.checkpoint.size for each in witnessed if policy.met(each.witnesses)), default=0)
    return Standing(carried, names, policy.met(newest.witnesses), seen)


def uncarried(entries: Iterable[Entry], carried: int | None) -> Iterator[Fault]:
    """Decisions that stand under no checkpoint that enough witnesses have cosigned."""
    for entry in entries:
        if carried is not None and isinstance(entry.act, Decision) and entry.index >= carried:
            said = mark(
                "“{decision}” came after the last checkpoint that enough witnesses have cosigned ({size} acts)."
            )
            yield Fault("QUORUM_DECISION", said, {"decision": entry.act.id, "size": str(carried)}, entry.index)
