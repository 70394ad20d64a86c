"""`dokja init`: a starter programme, commented, to begin one's own from."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from dokja.cli.face import Face
from dokja.errors import Place, Problem, ProgrammeError
from dokja.language import mark

HELP = mark("Make a starter programme: a rulebook without gaps and first acts, commented, to write your own from.")


def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=mark("A folder that is new or empty."))],
) -> None:
    """Write the starter programme into a folder that is new or empty."""
    face: Face = ctx.obj
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProgrammeError(
            Problem(
                "init-not-empty",
                "There is something here already.",
                "Name a folder that is new or empty.",
                Place(folder),
            )
        )
    written = _copy(resources.files("dokja.programme") / "starter", folder)
    if face.json:
        from dokja.report.machine_readable import to_json

        face.write(to_json({"folder": folder, "files": written}))
        return
    for file in written:
        face.line(str(file))
    face.note(mark("Next: dokja run {folder}"), {"folder": folder})


def _copy(source: Traversable, target: Path) -> list[Path]:
    """Copy a folder of texts; the files that were written."""
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for each in sorted(source.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            written += _copy(each, target / each.name)
        else:
            (target / each.name).write_bytes(each.read_bytes())
            written.append(target / each.name)
    return written
