"""Acts of sealing in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from markupsafe import Markup

from dokja.language import mark
from dokja.record import acts
from dokja.report.edition import Edition
from dokja.report.names import name

ABSENCES: Mapping[str, str] = {"recused": mark("recused"), "no-mark": mark("gave no mark")}
"""Why there is no mark, in words."""


def _sealed(act: acts.MarksSealed, edition: Edition) -> Iterator[Markup]:
    values = {
        "rater": name(act.rater),
        "subject": edition.measure(act.stage, act.measure) if act.measure else name(act.subject),
        "stage": edition.stage(act.stage),
        "teams": edition.team_list(act.teams),
    }
    yield edition.say(mark("{rater} seals what it says on “{subject}” of {stage} of {teams}."), values)
    yield edition.say(mark("Sealed cells: {number}."), {"number": len(act.cells)})


def _closed(act: acts.StageSealed, edition: Edition) -> Iterator[Markup]:
    values = {"stage": edition.stage(act.stage), "number": act.cells, "root": name(act.root)}
    yield edition.say(mark("No more marks of {stage} are sealed. Cells: {number}, root {root}."), values)
    for each in act.absent:
        said = {
            "rater": name(each.rater),
            "subject": name(each.subject),
            "reason": edition.say(ABSENCES[each.reason]),
        }
        yield edition.say(mark("{rater} on “{subject}”: {reason}."), said)


def _opened(act: acts.MarksOpened, edition: Edition) -> Iterator[Markup]:
    sealed = edition.join(
        edition.act(edition.act_indexes[each]) if each in edition.act_indexes else name(each) for each in act.sealed
    )
    values = {"stage": edition.stage(act.stage), "acts": sealed}
    yield edition.say(mark("What opens the sealed marks of {stage} is handed over: {acts}."), values)


def _pinned(act: acts.ObjectPinned, edition: Edition) -> Iterator[Markup]:
    values = {"object": name(act.object), "digest": name(act.digest)}
    yield edition.say(mark("The file “{object}” is kept outside the record; its salted digest is {digest}."), values)


def _deleted(act: acts.ObjectDeleted, edition: Edition) -> Iterator[Markup]:
    yield edition.say(mark("The file “{object}” was deleted, and its salt with it."), {"object": name(act.object)})


SEALING_SAID: Mapping[type[acts.AnyAct], Callable[[Any, Edition], Iterator[Markup]]] = {
    acts.MarksSealed: _sealed,
    acts.StageSealed: _closed,
    acts.MarksOpened: _opened,
    acts.ObjectPinned: _pinned,
    acts.ObjectDeleted: _deleted,
}
