"""Each stage at the terminal: where the teams stand, what was decided, what the rules lead to, where the two part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup
from rich.box import Box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dokja.adjudicate import Outcome, StageOutcome, Verdict
from dokja.cli.face import FOLD
from dokja.language import mark
from dokja.report.edition import Edition
from dokja.report.figure_tables import AdditionRow, addition_rows
from dokja.report.stage_summary import began, decision_of, headline, summary
from dokja.report.standings import Standings, standings
from dokja.report.verdict_rows import Part, VerdictRow, parts, verdict_rows

COLOURS: dict[str, str] = {
    "agreed": "green",
    "contradicted": "bold red",
    "not-covered": "bold yellow",
    "open": "cyan",
}
STANDING_STYLES = {"exact": "bold", "published": "bold", "between": "", "unknown": "dim"}

RULED = Box("    \n    \n ── \n    \n ┄┄ \n    \n    \n    \n")
"""A line under the head, a lighter one where a section ends."""

LEAST_WIDTH = 16
"""Columns that what was decided is given at least: no word of it is broken."""

WIDEST = 500
"""A terminal on which every table has the room it asks for."""

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
    sums = addition_rows(outcome, edition)
    if sums:
        yield Padding(_sums(sums, edition), (1, 0, 0, 0))


def parting_lines(outcome: Outcome, edition: Edition) -> Iterator[RenderableType]:
    """Where decisions and admissions part from the rules in force; nothing where none was taken."""
    if not any(stage.holdings for stage in outcome.stages) and not any(call.holdings for call in outcome.calls):
        return
    yield Padding(Text(edition.voice(mark("Where decisions and rules part")), style="bold"), (1, 0, 0, 0))
    parting = [part for part in parts(edition) if part.verdict.kind in PARTING]
    if not parting:
        yield Padding(Text(edition.voice(mark("Nowhere."))), (0, 0, 0, 2), expand=False)
        return
    table = Table.grid(padding=(0, 3, 0, 0))
    for _ in range(3):
        table.add_column(overflow=FOLD)
    for part in parting:
        said = Text(f"{part.subject.striptags()}: {part.decided.striptags()}")
        table.add_row(_plain(part.where), said, _verdict(part))
    yield Padding(table, (0, 0, 0, 2), expand=False)


def _heading(outcome: StageOutcome, edition: Edition) -> RenderableType:
    line = Text(edition.stage_title(outcome.stage), style="bold")
    decision = decision_of(outcome, edition)
    if decision is not None:
        line.append(f"  {edition.day(decision.when).striptags()}", style="dim not bold")
    return Padding(line, (1, 0, 0, 0))


@dataclass(frozen=True)
class FirstThatFits:
    """The first of several tables that the terminal is wide enough for, or else the last."""

    tables: tuple[Table, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table that is shown."""
        wide = options.update_width(WIDEST)
        fitting = (each for each in self.tables if Measurement.get(console, wide, each).minimum <= options.max_width)
        yield next(fitting, self.tables[-1])


def _standings(standings: Standings, edition: Edition) -> FirstThatFits:
    """The table of places and points; a narrow terminal shows the total alone."""
    every = len(standings.columns)
    return FirstThatFits(tuple(_places(standings, edition, shown) for shown in dict.fromkeys((every, min(every, 1)))))


def _places(standings: Standings, edition: Edition, shown: int) -> Table:
    """Places, as many columns of points as are shown, and what was decided; a line stands under the last seat."""
    table = _table()
    table.add_column(edition.voice(mark("place")), justify="right", no_wrap=True)
    table.add_column(edition.voice(mark("team")), no_wrap=True)
    for column in standings.columns[:shown]:
        title = Text(column.title.striptags()).append(f"\n/ {column.points}", style="dim not bold")
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column(edition.voice(mark("decided")), overflow=FOLD, min_width=LEAST_WIDTH)
    for row in standings.rows:
        numbers = (
            Text(cell.quantity.text + (" *" if cell.leaked else ""), style=STANDING_STYLES[cell.quantity.standing])
            for cell in row.numbers[:shown]
        )
        decided = Text(row.decided.striptags()) if row.decided else Text("")
        table.add_row(row.place, row.team.striptags(), *numbers, decided, end_section=row.last_seat)
    notes = []
    if any(cell.leaked for row in standings.rows for cell in row.numbers[:shown]):
        notes.append(edition.voice(mark("* by a leak; leave leaks out with --without leaks")))
    if shown < len(standings.columns):
        notes.append(edition.voice(mark("The axes stand on the pages, and here on a wider terminal.")))
    if notes:
        table.caption, table.caption_justify = Text("\n".join(notes), style="dim"), "left"
    return table


def _verdicts(rows: Iterable[VerdictRow], edition: Edition) -> Table:
    table = _table()
    for title in (mark("part of the decision"), mark("decided"), mark("the rules in force lead to"), mark("verdict")):
        table.add_column(edition.voice(title), overflow=FOLD)
    for row in rows:
        follows = Text("\n").join(_plain(each) for each in row.follows)
        table.add_row(_plain(row.subject), _plain(row.decided), follows, _verdict(row))
    return table


def _sums(rows: Iterable[AdditionRow], edition: Edition) -> Table:
    table = _table()
    for title in (mark("what the figures add up to"), mark("sum")):
        table.add_column(edition.voice(title), overflow=FOLD)
    for title in (mark("comes to"), mark("published")):
        table.add_column(edition.voice(title), justify="right", no_wrap=True)
    table.add_column(edition.voice(mark("check")), no_wrap=True)
    for row in rows:
        result = Text(row.result + (" *" if row.leaked else ""), style="bold")
        verdict = _plain(row.verdict.said) if row.verdict else Text("")
        if row.verdict and row.verdict.kind == "contradicted":
            verdict.stylize(COLOURS["contradicted"])
        table.add_row(_plain(row.what), row.sum, result, row.published, verdict)
    return table


def _table() -> Table:
    return Table(box=RULED, pad_edge=False, header_style="bold dim", show_edge=False, padding=(0, 2, 0, 0))


def _verdict(row: VerdictRow | Part) -> Text:
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
