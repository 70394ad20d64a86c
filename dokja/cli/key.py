"""`dokja key new|list|show`: private keys, kept encrypted, and the public halves to be given away."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import FOLD, Face
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.record.transparency.keys import Signer

HELP = mark("Make and keep the keys that acts, checkpoints and cosignatures are signed with.")
NEW = mark("Make a key and keep it encrypted; the public half is printed, to be given away.")
LIST = mark("List the keys of a folder.")
SHOW = mark("Print the public half of a key.")

PASSPHRASE = "DOKJA_PASSPHRASE"  # noqa: S105 (the name of a variable of the environment)

Keys = Annotated[
    Path | None,
    typer.Option("--keys", metavar="DIR", help=mark("The folder with the keys; ~/.config/dokja/keys if not named.")),
]
KeyName = Annotated[
    str, typer.Argument(metavar="NAME", help=mark("The key's name, such as record.example/office; no spaces."))
]


def new(
    ctx: typer.Context,
    name: KeyName,
    witness: Annotated[
        bool, typer.Option("--witness", help=mark("A witness's key, for cosigning checkpoints of others."))
    ] = False,
    keys: Keys = None,
) -> None:
    """Make a key."""
    from dokja.record.transparency.keys import make_key
    from dokja.record.transparency.note import COSIGNATURE, ED25519

    face: Face = ctx.obj
    key = make_key(folder_of(keys), name, COSIGNATURE if witness else ED25519, _passphrase(face, confirm=True))
    _tell(face, key.name, str(key))


def list_(ctx: typer.Context, keys: Keys = None) -> None:
    """List the keys."""
    from rich.table import Table

    from dokja.record.transparency.keys import keys_in
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    held = [(key.name, str(key)) for _, key in keys_in(folder_of(keys))]
    if face.json:
        face.write(to_json([{"name": name, "vkey": vkey} for name, vkey in held]))
        return
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="bold")
    for column in (mark("name"), mark("public key")):
        table.add_column(face.voice(column), overflow=FOLD)
    for row in held:
        table.add_row(*row)
    face.show(table)


def show(ctx: typer.Context, name: KeyName, keys: Keys = None) -> None:
    """Print a public key."""
    from dokja.record.transparency.keys import public_key

    face: Face = ctx.obj
    _, key = public_key(folder_of(keys), name)
    _tell(face, key.name, str(key))


def folder_of(keys: Path | None) -> Path:
    """Where keys are kept."""
    return keys or Path.home() / ".config" / "dokja" / "keys"


def opened(face: Face, keys: Path | None, *names: str) -> tuple[Signer, ...]:
    """The private keys with these names; one passphrase opens all of them."""
    from dokja.record.transparency.keys import open_key, public_key

    folder = folder_of(keys)
    for name in names:
        public_key(folder, name)
    passphrase = _passphrase(face, confirm=False)
    return tuple(open_key(folder, name, passphrase) for name in names)


def _passphrase(face: Face, *, confirm: bool) -> str:
    """The passphrase: from the environment, or asked for at the terminal; empty where neither is to be had."""
    said = os.environ.get(PASSPHRASE)
    if said is not None or not sys.stdin.isatty():
        return said or ""
    asked: str = typer.prompt(face.voice("Passphrase"), hide_input=True, confirmation_prompt=confirm, err=True)
    return asked


def _tell(face: Face, name: str, vkey: str) -> None:
    from dokja.report.machine_readable import to_json

    if face.json:
        face.write(to_json({"name": name, "vkey": vkey}))
    else:
        face.write(f"{vkey}\n")
