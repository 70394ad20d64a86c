"""Each stage at the terminal: where the teams stand, what was decided, what the rules lead to, where the two part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from markupsafe import Markup
from rich.box import Box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dokja.adjudicate import Outcome, StageOutcome, Verdict
from dokja.cli.face import FOLD
from dokja.language import mark
from dokja.report.edition import Edition
from dokja.report.stage_summary import began, decision_of, headline, summary
from dokja.report.standings import Standings, standings
from dokja.report.verdict_rows import VerdictRow, verdict_rows

COLOURS: dict[str, str] = {
    "agreed": "green",
    "contradicted": "bold red",
    "not-covered": "bold yellow",
    "open": "cyan",
}
STANDING_STYLES = {"exact": "bold", "published": "bold", "between": "", "unknown": "dim"}

RULED = Box("    \n    \n ── \n    \n ┄┄ \n    \n    \n    \n")
"""A line under the head, a lighter one where a section ends."""

PARTING: frozenset[Verdict] = frozenset({"contradicted", "not-covered"})
"""The verdicts by which a decision and the rules in force part."""


def verdict_lines(edition: Edition) -> Iterator[RenderableType]:
    """Every stage, one after the other, and then the places where decision and rules part."""
    outcome = edition.publication.outcome
    for stage in outcome.stages:
        yield from stage_lines(stage, edition)
    yield from parting_lines(outcome, edition)


def stage_lines(outcome: StageOutcome, edition: Edition) -> Iterator[RenderableType]:
    """A stage: its headline, the standings, the decision part by part, and what to know beside it."""
    yield _heading(outcome, edition)
    yield Padding(_plain(headline(outcome, edition)), (0, 0, 0, 2))
    if not began(outcome, edition):
        return
    table = standings(outcome, edition)
    if table is not None:
        yield Padding(_standings(table, edition), (1, 0, 0, 0))
    rows = verdict_rows(outcome, edition)
    if rows:
        yield Padding(_verdicts(rows, edition), (1, 0, 0, 0))
    yield _list(summary(outcome, edition))


def parting_lines(outcome: Outcome, edition: Edition) -> Iterator[RenderableType]:
    """Where the decisions and the rules in force part; nothing where no decision was taken."""
    decided = [stage for stage in outcome.stages if stage.holdings]
    if not decided:
        return
    yield Padding(Text(edition.voice(mark("Where decisions and rules part")), style="bold"), (1, 0, 0, 0))
    parting = [
        (stage, row) for stage in decided for row in verdict_rows(stage, edition) if row.verdict.kind in PARTING
    ]
    if not parting:
        yield Padding(Text(edition.voice(mark("Nowhere."))), (0, 0, 0, 2), expand=False)
        return
    table = Table.grid(padding=(0, 3, 0, 0))
    for _ in range(3):
        table.add_column(overflow=FOLD)
    for stage, row in parting:
        said = Text(f"{row.subject.striptags()}: {row.decided.striptags()}")
        table.add_row(Text(edition.stage_title(stage.stage)), said, _verdict(row))
    yield Padding(table, (0, 0, 0, 2), expand=False)


def _heading(outcome: StageOutcome, edition: Edition) -> RenderableType:
    line = Text(edition.stage_title(outcome.stage), style="bold")
    decision = decision_of(outcome, edition)
    if decision is not None:
        line.append(f"  {edition.day(decision.when).striptags()}", style="dim not bold")
    return Padding(line, (1, 0, 0, 0))


def _standings(standings: Standings, edition: Edition) -> Table:
    """The table of places and points; a line stands under the last seat."""
    table = _table()
    table.add_column(edition.voice(mark("place")), justify="right", no_wrap=True)
    table.add_column(edition.voice(mark("team")), no_wrap=True)
    for column in standings.columns:
        title = Text(column.title.striptags()).append(f"\n/ {column.points}", style="dim not bold")
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column(edition.voice(mark("decided")), overflow=FOLD)
    for row in standings.rows:
        numbers = (
            Text(cell.quantity.text + (" *" if cell.leaked else ""), style=STANDING_STYLES[cell.quantity.standing])
            for cell in row.numbers
        )
        decided = Text(row.decided.striptags()) if row.decided else Text("")
        table.add_row(row.place, row.team.striptags(), *numbers, decided, end_section=row.last_seat)
    if any(cell.leaked for row in standings.rows for cell in row.numbers):
        table.caption = Text(edition.voice(mark("* by a leak; leave leaks out with --without leaks")), style="dim")
        table.caption_justify = "left"
    return table


def _verdicts(rows: Iterable[VerdictRow], edition: Edition) -> Table:
    table = _table()
    for title in (mark("part of the decision"), mark("decided"), mark("the rules in force lead to"), mark("verdict")):
        table.add_column(edition.voice(title), overflow=FOLD)
    for row in rows:
        follows = Text("\n").join(_plain(each) for each in row.follows)
        table.add_row(_plain(row.subject), _plain(row.decided), follows, _verdict(row))
    return table


def _table() -> Table:
    return Table(box=RULED, pad_edge=False, header_style="bold dim", show_edge=False, padding=(0, 2, 0, 0))


def _verdict(row: VerdictRow) -> Text:
    return Text(row.verdict.said.striptags(), style=COLOURS[row.verdict.kind])


def _list(sentences: Iterable[Markup]) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    for _ in range(2):
        table.add_column(overflow=FOLD)
    for sentence in sentences:
        table.add_row("-", _plain(sentence))
    return Padding(table, (1, 0, 0, 0))


def _plain(said: Markup) -> Text:
    return Text(said.striptags())
