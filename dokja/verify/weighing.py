"""Whether a decision weighed what the teams had said before it: it names the acts that it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from dokja.language import mark
from dokja.record.acts import Decision
from dokja.rulebook import Objections
from dokja.values import utc_text
from dokja.verify.course import Walk
from dokja.verify.verdict import Fault, Unchecked


def unweighed(walk: Walk, index: int, act: Decision) -> Iterator[Fault]:
    """Replies and objections that the record held before the decision and that it does not name."""
    left_out = [named for named in _before(walk, act) if named not in act.rests_on]
    if not _names_what_it_weighed(walk, act):
        walk.hearing.unweighed.extend(left_out)
        return
    for named in left_out:
        heard = walk.hearing.heard[named]
        said = mark("“{act}” of {team}, filed at {when}, is not among what the decision rests on.")
        values = {"act": named, "team": heard.team, "when": utc_text(heard.when)}
        yield Fault("OBJECTION_UNANSWERED", said, values, index)


def unsaid(walk: Walk) -> Iterator[Unchecked]:
    """What no decision says that it weighed, where none had to say so."""
    if walk.hearing.unweighed:
        said = mark("Weighing: decisions do not say whether they took account of {acts}.")
        yield Unchecked(said, {"acts": ", ".join(walk.hearing.unweighed)})


def _before(walk: Walk, act: Decision) -> list[str]:
    return [
        named for named, heard in walk.hearing.heard.items() if heard.stage == act.stage and heard.when <= act.when
    ]


def _names_what_it_weighed(walk: Walk, act: Decision) -> bool:
    """A decision must name it where a clause says so; one that names any of it names all of it."""
    return bool(act.rests_on) or any(rule.weighing for rule in walk.rules_at(act.when).of(Objections, act.stage))
