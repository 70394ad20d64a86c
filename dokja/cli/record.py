"""`dokja record list|check|schema`: what stands in the record, whether it is what it was, how acts are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.schemas import schema_text
from dokja.cli.usage import UsageError, unknown
from dokja.language import mark

if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from dokja.programme import Programme
    from dokja.record import Entry, Record

HELP = mark(
    "Look into the record, check that all is as it was written, and publish it so that outsiders can check it."
)
LIST = mark("List the acts of the record, one a line; ballots only where asked for.")
CHECK = mark(
    "Compute every hash of the record anew and hold it against what stands there; exit code 1 if any differs."
)

SCHEMA = mark("Print the JSON Schema of a file of acts, for editors and other programs.")

FELL_SHORT = 1

Folder = Annotated[Path, typer.Argument(metavar="DIR", help=mark("A programme's folder."))]
NamedAct = Annotated[str, typer.Argument(metavar="ACT", help=mark("An act's index in the record, or its id."))]


def list_(
    ctx: typer.Context,
    folder: Folder,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help=mark("Only acts of this type, such as decision."))
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", metavar="ID", help=mark("Only acts that name this team."))
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", metavar="ID", help=mark("Only acts that name this stage."))
    ] = None,
    ballots: Annotated[bool, typer.Option("--ballots", help=mark("Ballots too."))] = False,
) -> None:
    """List acts."""
    face: Face = ctx.obj
    programme, record = open_(folder)
    wanted = {"type": type_, "team": team, "stage": stage}
    with record:
        found = (
            entry
            for entry in record.entries(ballots=ballots or type_ == "ballot")
            if all(value is None or getattr(entry.act, name, None) == value for name, value in wanted.items())
        )
        if face.json:
            write_json(face, found)
        else:
            _print_list(face, programme, found)


def schema(ctx: typer.Context) -> None:
    """Print the JSON Schema."""
    from dokja.record.acts import ACTS_FILE

    face: Face = ctx.obj
    face.write(schema_text(ACTS_FILE))


def check(ctx: typer.Context, folder: Folder) -> int:
    """Check the whole record."""
    from dokja.record.check import check as check_record
    from dokja.record.transparency.continuing import departures
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme, record = open_(folder)
    with record, face.working(mark("Checking the record")):
        checked = check_record(record)
        found = (*checked.problems, *departures(record, programme.log_folder / "checkpoint"))
    if face.json:
        problems = [face.voice.problem(problem) for problem in found]
        face.write(to_json({"size": checked.size, "root": checked.root.hex(), "problems": problems}))
    else:
        for problem in found:
            face.line(face.voice.problem(problem))
        if not found:
            values = {"size": f"{checked.size:,}", "root": checked.root.hex()}
            face.line(face.voice("{size} acts, all as they were written. Root {root}", values))
    return FELL_SHORT if found else 0


def open_(folder: Path) -> tuple[Programme, Record]:
    """A programme and its record, which must exist."""
    from dokja.programme import open_programme
    from dokja.record import open_record

    programme = open_programme(folder)
    return programme, open_record(programme.record_at, create=False, programme=programme.about.id)


def find(record: Record, name: str) -> Entry:
    """The act with this index or id."""
    ids: list[str] = []
    for entry in record.entries(ballots=name.isdecimal()):
        if name in (str(entry.index), entry.act.id):
            return entry
        ids.append(entry.act.id)
    raise UsageError(unknown("record-no-act", mark("The record holds no act “{name}”."), name, ids, record.place))


def write_json(face: Face, found: Iterator[Entry]) -> None:
    """A list with one act a line, written as it is read, so that a long one needs no more memory than a short one."""
    import json

    from dokja.report.machine_readable import plain

    joint = "[\n"
    for entry in found:
        face.write(joint + json.dumps(plain({"index": entry.index, "act": entry.act}), ensure_ascii=False))
        joint = ",\n"
    face.write("\n]\n" if joint != "[\n" else "[]\n")


def _print_list(face: Face, programme: Programme, found: Iterator[Entry]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for column in (mark("index"), mark("when"), mark("type"), mark("id"), mark("who"), mark("about")):
        justify: JustifyMethod = "right" if column == "index" else "left"
        table.add_column(face.voice(column), justify=justify, no_wrap=True)
    for entry in found:
        act = entry.act
        about = " ".join(each for name in ("stage", "call", "team") if (each := getattr(act, name, None)))
        when = act.when.astimezone(programme.zone).strftime("%Y-%m-%d %H:%M")
        table.add_row(str(entry.index), when, act.type, act.id, act.who, about)
    face.show(table, whole=True)
