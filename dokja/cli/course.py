"""A programme's course at the terminal: what happened, day by day, without what happens by the dozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from markupsafe import Markup
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dokja.cli.face import FOLD
from dokja.cli.verdicts import COLOURS, PARTING
from dokja.language import mark
from dokja.record import acts
from dokja.record.acts import AnyAct
from dokja.report.act_words import act_said
from dokja.report.edition import Edition
from dokja.report.timeline import verdict_of
from dokja.report.words import VERDICTS

MARKS: Mapping[str, tuple[str, str]] = {
    "rulebook-published": ("§", "magenta"),
    "rulebook-amended": ("§", "magenta"),
    "decision": ("●", "bold"),
}
"""What stands before an act, and its style; all others have a small dot."""

OTHER = ("·", "dim")


def course(edition: Edition) -> RenderableType:
    """The course as a table: day, mark, what happened."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow=FOLD)
    before = ""
    for day, first, said in _lines(edition):
        sign, style = MARKS.get(first.type, OTHER)
        table.add_row("" if day == before else day, Text(sign, style=style), _said(first, said, edition))
        before = day
    return Padding(table, (1, 0, 0, 2), expand=False)


def _said(act: AnyAct, said: Markup, edition: Edition) -> Text:
    """What happened, and beside it where the rules in force do not lead there."""
    text = Text(said.striptags(), style="bold" if isinstance(act, acts.Decision) else "")
    verdict = verdict_of(edition.act_indexes[act.id], edition)
    if verdict in PARTING:
        text.append(f"  [{edition.voice(VERDICTS[verdict])}]", style=COLOURS[verdict])
    return text


def _lines(edition: Edition) -> Iterator[tuple[str, AnyAct, Markup]]:
    """Day, first act and words of every line; acts of one type and one moment are told together where they can be."""
    told = (act for act in edition.publication.acts.values() if type(act) in _TOLD)
    for _, same in groupby(told, key=lambda act: (act.when, type(act), getattr(act, "stage", None))):
        together = tuple(same)
        day = together[0].when.astimezone(edition.zone).date().isoformat()
        for said in _TOLD[type(together[0])](together, edition):
            yield day, together[0], said


def _each(together: tuple[AnyAct, ...], edition: Edition) -> Iterator[Markup]:
    return (act_said(act, edition) for act in together)


def _applications(together: tuple[acts.Application, ...], edition: Edition) -> Iterator[Markup]:
    yield edition.say(mark("Applications: {teams}."), {"teams": edition.team_list(act.team for act in together)})


def _admissions(together: tuple[acts.Admission, ...], edition: Edition) -> Iterator[Markup]:
    values = {"stage": edition.stage(together[0].stage), "teams": edition.team_list(act.team for act in together)}
    yield edition.say(mark("Admitted to {stage}: {teams}."), values)


def _declined(together: tuple[acts.Declined, ...], edition: Edition) -> Iterator[Markup]:
    names = edition.team_list(act.team or act.who for act in together)
    values = {"call": edition.call(together[0].call), "names": names}
    yield edition.say(mark("Not entering the call “{call}”: {names}."), values)


def _findings(together: tuple[acts.Finding, ...], edition: Edition) -> Iterator[Markup]:
    failed = [act for act in together if act.result == "does-not-meet"]
    return (act_said(act, edition) for act in failed)


def _disclosures(together: tuple[acts.Disclosure, ...], edition: Edition) -> Iterator[Markup]:
    count = sum(len(act.figures) for act in together)
    leaked = any(edition.leaked(edition.act_indexes[act.id]) for act in together)
    message = (
        mark("{count} figures of {stage} leak out.") if leaked else mark("{count} figures of {stage} are made known.")
    )
    yield edition.say(message, {"count": count, "stage": edition.stage(together[0].stage)})


_TOLD: Mapping[type[AnyAct], Callable[[Any, Edition], Iterator[Markup]]] = {
    acts.RulebookPublished: _each,
    acts.RulebookAmended: _each,
    acts.CallOpened: _each,
    acts.CallClosed: _each,
    acts.Application: _applications,
    acts.Admission: _admissions,
    acts.Declined: _declined,
    acts.EvaluationMoved: _each,
    acts.Finding: _findings,
    acts.ObjectionFiled: _each,
    acts.ObjectionAnswered: _each,
    acts.Decision: _each,
    acts.Disclosure: _disclosures,
    acts.StageSealed: _each,
    acts.Withdrawal: _each,
}
"""The acts that make the course, and how those of one moment are told."""
