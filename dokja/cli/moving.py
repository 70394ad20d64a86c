"""`dokja record move`: the record goes from the programme's folder into a database, from one to another, or back."""

from __future__ import annotations

from typing import Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.record import FELL_SHORT, Folder
from dokja.language import mark

MOVE = mark(
    "Move the record into a PostgreSQL database, or back into the programme's folder where none is named, with every "
    "act, every root and every file's digest. What it was moved from takes nothing in any more."
)


def move(
    ctx: typer.Context,
    folder: Folder,
    url: Annotated[
        str | None,
        typer.Argument(metavar="URL", help=mark("Such as postgresql://USER@HOST/DATABASE; without a password.")),
    ] = None,
) -> int:
    """Move the record."""
    from dokja.programme import open_programme
    from dokja.programme.record_place import moved_from, name_place, own_file, read_url, set_aside
    from dokja.record import open_record
    from dokja.record.check import check
    from dokja.record.moving import hold_open
    from dokja.record.moving import move as move_record
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    target = own_file(folder) if url is None else read_url(url)
    whose = open_programme(folder).about.id
    source, aside = moved_from(folder, target), None
    if source != target:
        with open_record(source, create=False, programme=whose) as record, face.working(mark("Checking the record")):
            problems = check(record).problems
            if not problems:
                hold_open(record, target)
                with open_record(target, programme=whose) as other:
                    move_record(record, other)
        for problem in problems:
            face.notes.print(face.voice.problem(problem), soft_wrap=True)
        if problems:
            return FELL_SHORT
        name_place(folder, target)
        aside = set_aside(source)
    with open_record(target, create=False, programme=whose) as there:
        head = there.head
    if face.json:
        face.write(to_json({"size": head.size, "root": head.root.hex(), "old": aside}))
        return 0
    said = mark("{size} acts moved. Root {root}")
    if source == target:
        said = mark("The record lies there already, with {size} acts. Root {root}")
    face.line(face.voice(said, {"size": f"{head.size:,}", "root": head.root.hex()}))
    if aside is not None:
        face.note(mark("The old file is kept as {file}; it takes nothing in any more."), {"file": aside})
    return 0
