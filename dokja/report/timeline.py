"""The course of a programme as a reader follows it: what happened, month by month, alike things told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from babel.dates import format_date
from markupsafe import Markup

from dokja.adjudicate import Verdict
from dokja.language import mark
from dokja.record import acts
from dokja.record.acts import AnyAct
from dokja.report.act_words import act_kind, act_said
from dokja.report.cells import Label
from dokja.report.edition import Edition
from dokja.report.stage_summary import headline
from dokja.report.words import VERDICTS
from dokja.values import LanguageCode

_MONTH_PATTERNS: Mapping[LanguageCode, str] = {"ko": "y년 M월", "en": "MMMM y"}

WEIGHTS: Mapping[str, str] = {
    "rulebook-published": "rule",
    "rulebook-amended": "rule",
    "call-opened": "call",
    "call-closed": "call",
    "decision": "decision",
}
"""What stands out in the course; everything else is told in passing."""


@dataclass(frozen=True)
class Event:
    """One thing that happened, or several of a kind on one day.

    weight: "rule", "call" or "decision" where it stands out, else "other". more: where the rest is told.
    """

    day: Markup
    kind: Markup
    weight: str
    said: Markup
    notes: tuple[str, ...]
    verdict: Label | None
    more: Markup | None
    references: tuple[Markup, ...]
    source: Markup


@dataclass(frozen=True)
class Month:
    """A month in which something happened."""

    title: str
    events: tuple[Event, ...]


def timeline(edition: Edition, among: Iterable[int] | None = None) -> tuple[Month, ...]:
    """The acts by months; among: the indexes of those that are told, all where none are named."""
    shown = edition.publication.acts if among is None else {each: edition.publication.acts[each] for each in among}
    months = groupby(
        sorted(shown.items(), key=lambda each: (each[1].when, each[0])),
        key=lambda each: _month(each[1], edition),
    )
    return tuple(Month(title, tuple(_events(list(entries), edition))) for title, entries in months)


def _month(act: AnyAct, edition: Edition) -> str:
    day = act.when.astimezone(edition.zone).date()
    return format_date(day, _MONTH_PATTERNS[edition.language], locale=edition.language)


Entries = list[tuple[int, AnyAct]]


def _events(entries: Entries, edition: Edition) -> Iterator[Event]:
    for _, alike in groupby(entries, key=_alike):
        yield _event(list(alike), edition)


def _alike(entry: tuple[int, AnyAct]) -> tuple[object, ...]:
    """What acts have in common that are told as one."""
    index, act = entry
    common = (act.type, act.when, act.source)
    match act:
        case acts.Application() | acts.Declined():
            return (*common, act.call)
        case acts.Admission():
            return (*common, act.call, act.stage)
        case acts.Finding() if act.component is None and act.note is None:
            return (*common, act.gate, act.result)
        case acts.GrantDelivered() | acts.GrantReturned():
            return (*common, act.stage, act.team)
        case acts.MeasurementReported():
            return (*common, act.stage, act.measure)
        case _:
            return (*common, index)


SEVERAL: Mapping[type[AnyAct], str] = {
    acts.Application: mark("{teams} apply to the call “{call}”."),
    acts.Admission: mark("{teams} are admitted to {stage} by the call “{call}”."),
    acts.Declined: mark("{teams} say that they will not enter the call “{call}”."),
}


def _event(entries: Entries, edition: Edition) -> Event:
    first = entries[0][1]
    notes = dict.fromkeys(edition.text(act.note) for _, act in entries if act.note is not None)
    outcome = edition.publication.outcome.stage(first.stage) if isinstance(first, acts.Decision) else None
    return Event(
        day=edition.day(first.when),
        kind=act_kind(first, edition),
        weight=WEIGHTS.get(first.type, "other"),
        said=_said(entries, edition),
        notes=tuple(notes),
        verdict=_verdict(entries[0][0], edition),
        more=headline(outcome, edition) if outcome is not None else None,
        references=tuple(edition.act(index).shown for index, _ in entries),
        source=edition.source(first.source),
    )


def _said(entries: Entries, edition: Edition) -> Markup:
    first = entries[0][1]
    message = SEVERAL.get(type(first))
    if message is None or len(entries) == 1:
        return Markup(" ").join(act_said(act, edition) for _, act in entries)
    teams = [
        act.team or act.who
        for _, act in entries
        if isinstance(act, acts.Application | acts.Admission | acts.Declined)
    ]
    values: dict[str, object] = {"teams": edition.team_list(teams)}
    if isinstance(first, acts.Application | acts.Admission | acts.Declined):
        values["call"] = edition.call(first.call)
    if isinstance(first, acts.Admission):
        values["stage"] = edition.stage(first.stage)
    return edition.say(message, values)


def _verdict(index: int, edition: Edition) -> Label | None:
    """What the rules say of an act: of a decision in number, of a call opened, of an admission."""
    found = verdict_of(index, edition)
    return Label(found, edition.say(VERDICTS[found])) if found is not None else None


def verdict_of(index: int, edition: Edition) -> Verdict | None:
    """The verdict on an act, `None` where the rules pass none."""
    outcome = edition.publication.outcome
    for stage in outcome.stages:
        if stage.decision == index:
            return next((each.verdict for each in stage.holdings if each.part == "number"), None)
    for call in outcome.calls:
        if call.opened == index and not call.covered_when_opened:
            return "not-covered"
        for holding in call.holdings:
            if holding.act == index:
                return holding.verdict
    return None
