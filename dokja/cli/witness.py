"""`dokja witness serve|cosign|show`: to remember a log's last checkpoint, and to sign none that contradicts it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import FOLD, Face
from dokja.cli.key import Keys, folder_of, opened
from dokja.cli.signed_log import own_policy, told
from dokja.cli.usage import UsageError
from dokja.errors import Place, Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.witness import Witness

HELP = mark(
    "Witness the records of others: cosign checkpoints, and refuse those that contradict what was seen before."
)
SERVE = mark("Answer requests for cosignatures over HTTP (C2SP tlog-witness) until it is stopped.")
COSIGN = mark("Check the files of a log, a bundle or what “record tiles” wrote, and print the cosignature.")
SHOW = mark("Show what a witness remembers; exit code 1 if a log contradicted itself.")

FELL_SHORT = 1
LISTEN = "127.0.0.1:7380"

Key = Annotated[
    str, typer.Option("--key", metavar="NAME", help=mark("The witness's key; see: dokja key new --witness"))
]
Logs = Annotated[
    Path, typer.Option("--policy", metavar="FILE", help=mark("Which logs to witness: the file's “log” lines."))
]
MemoryFile = Annotated[
    Path | None,
    typer.Option("--memory", metavar="FILE", help=mark("Where it remembers; beside the key if not named.")),
]


def serve(
    ctx: typer.Context,
    key: Key,
    policy: Logs,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help=mark("Where it listens; port 0 takes a free one."))
    ] = LISTEN,
    memory: MemoryFile = None,
    keys: Keys = None,
) -> None:
    """Serve."""
    from dokja.witness import Server

    face: Face = ctx.obj
    witness = _witness(face, key, policy, memory, keys)
    witness.memory.all()
    signal.signal(signal.SIGTERM, _stop)
    with Server(_address(listen), witness) as server:
        values = {"url": server.url, "name": key, "logs": ", ".join(sorted(witness.logs)) or "–"}
        face.note(mark("{name} listens at {url} and witnesses: {logs}"), values)
        server.serve_forever()


def _stop(*_: object) -> None:
    raise typer.Exit(0)


def cosign(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=mark("A bundle, or the files of a log."))],
    key: Key,
    policy: Logs,
    memory: MemoryFile = None,
    add: Annotated[
        bool,
        typer.Option("--add", help=mark("Also write the cosignature beneath the log's checkpoint; not in a bundle.")),
    ] = False,
    keys: Keys = None,
) -> None:
    """Cosign a folder."""
    from dokja.record.transparency.note import LARGEST_NOTE
    from dokja.record.transparency.plain_files import read_file
    from dokja.record.transparency.tiles import write_whole
    from dokja.report.machine_readable import to_json
    from dokja.witness import cosign_folder
    from dokja.witness.folder import log_in

    face: Face = ctx.obj
    log = log_in(folder)
    if not read_file(log / "checkpoint", 1) or (add and log != folder):
        raise UsageError(
            Problem(
                "witness-no-log",
                "There is no signed log here that this can be done with.",
                "Name a bundle, or a folder with “checkpoint” and “tile”; a bundle is not written to.",
                Place(folder),
            )
        )
    witness = _witness(face, key, policy, memory, keys)
    with told(folder), face.working(mark("Checking the log")):
        line = cosign_folder(witness, folder)
    if add:
        file = log / "checkpoint"
        write_whole(file, read_file(file, LARGEST_NOTE + 1) + line.encode())
    face.write(to_json({"cosignature": line}) if face.json else line)
    face.note(mark("Give this line to the office; it adds it with: dokja record witness DIR FILE"))


def show(ctx: typer.Context, key: Key, memory: MemoryFile = None, keys: Keys = None) -> int:
    """Show the memory."""
    from datetime import UTC, datetime

    from rich.table import Table

    from dokja.report.machine_readable import to_json
    from dokja.witness import Memory

    face: Face = ctx.obj
    held = Memory(_memory_of(key, memory, keys))
    seen, forks = held.all(), held.forks()
    if face.json:
        logs = [
            {
                "origin": each.origin,
                "size": each.size,
                "root": each.root.hex(),
                "at": datetime.fromtimestamp(each.at, UTC),
            }
            for each in seen
        ]
        face.write(
            to_json(
                {"logs": logs, "forks": [{"origin": origin, "checkpoint": note.decode()} for origin, note in forks]}
            )
        )
        return FELL_SHORT if forks else 0
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="bold")
    for column in (mark("log"), mark("acts"), mark("cosigned"), mark("root")):
        table.add_column(face.voice(column), overflow=FOLD)
    for each in seen:
        table.add_row(
            each.origin,
            f"{each.size:,}",
            f"{datetime.fromtimestamp(each.at, UTC):%Y-%m-%d %H:%M:%SZ}",
            each.root.hex(),
        )
    face.show(table)
    for origin, note in forks:
        face.line(
            face.voice(
                mark("{origin} signed another root for a size that was cosigned. Keep this:"), {"origin": origin}
            ),
            style="bold red",
        )
        face.write(note.decode())
    return FELL_SHORT if forks else 0


def _witness(face: Face, name: str, policy: Path, memory: Path | None, keys: Path | None) -> Witness:
    from dokja.witness import Memory, Witness

    file = _memory_of(name, memory, keys)
    read = own_policy(policy)
    (signer,) = opened(face, keys, name)
    return Witness.of(signer, read, Memory(file))


def _memory_of(name: str, memory: Path | None, keys: Path | None) -> Path:
    """The file in which a witness's key remembers; the key must be a witness's."""
    from dokja.record.transparency.keys import public_key
    from dokja.record.transparency.note import COSIGNATURE

    file, key = public_key(folder_of(keys), name)
    if key.kind != COSIGNATURE:
        raise UsageError(
            Problem(
                "witness-key",
                "“{name}” is no witness's key.",
                "Make one with: dokja key new {name}-witness --witness",
                Place(file),
                {"name": name},
            )
        )
    return memory or file.with_suffix(".witness")


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise UsageError(
            Problem(
                "witness-address",
                "“{listen}” is no address to listen at.",
                "Write HOST:PORT, such as 127.0.0.1:7380 or [::1]:7380.",
                Place(),
                {"listen": listen},
            )
        )
    return host.removeprefix("[").removesuffix("]"), int(port)
