"""`dokja record pin|unpin`: a file outside the record, personal data for one, pinned by a salted digest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.key import Keys
from dokja.cli.marks import Key, When, Who, now_or, print_act, signed_with
from dokja.cli.record import Folder
from dokja.language import mark

PIN = mark("Keep a file outside the record, and print the act that pins it by a salted digest.")
UNPIN = mark("Delete such a file with its salt, and print the act that says so.")

Named = Annotated[str, typer.Argument(metavar="ID", help=mark("What the file is called; nothing personal."))]


def pin(
    ctx: typer.Context,
    folder: Folder,
    named: Named,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=mark("A text file."))],
    who: Who = "office",
    when: When = None,
    key: Key = None,
    keys: Keys = None,
) -> None:
    """Pin a file."""
    from dokja.programme import open_programme
    from dokja.programme.objects import pin_file

    face: Face = ctx.obj
    programme = open_programme(folder)
    act = pin_file(named, file, who, now_or(when, programme), programme)
    print_act(face, signed_with(face, act, key, keys))


def unpin(
    ctx: typer.Context,
    folder: Folder,
    named: Named,
    who: Who = "office",
    when: When = None,
    key: Key = None,
    keys: Keys = None,
) -> None:
    """Delete a pinned file."""
    from dokja.programme import open_programme
    from dokja.programme.objects import delete_object

    face: Face = ctx.obj
    programme = open_programme(folder)
    act = delete_object(named, who, now_or(when, programme), programme)
    print_act(face, signed_with(face, act, key, keys))
