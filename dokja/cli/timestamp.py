"""`dokja record timestamp`: the time of an outside authority on the last checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.record import Folder, open_
from dokja.errors import Place, Problem, RecordError
from dokja.language import mark

TIMESTAMP = mark("Ask a time-stamping authority for a token on the last checkpoint, and keep it for every bundle.")


def timestamp(
    ctx: typer.Context,
    folder: Folder,
    tsa: Annotated[
        str, typer.Option("--tsa", metavar="URL", help=mark("The authority to ask (RFC 3161), over the network."))
    ],
) -> None:
    """Get a token."""
    from dokja.record.transparency.note import read_note
    from dokja.record.transparency.signing import signed_checkpoint
    from dokja.record.transparency.tiles import write_whole
    from dokja.record.transparency.timestamps import ask, available
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme, record = open_(folder)
    record.close()
    note, signed = signed_checkpoint(programme.log_folder, record)
    if not available():
        raise RecordError(
            Problem(
                "record-timestamps-extra",
                "The library rfc3161-client is not installed.",
                "pip install 'dokja[timestamps]'",
            )
        )
    try:
        with face.working(mark("Waiting for the authority")):
            token = ask(tsa, read_note(note).text)
    except (OSError, ValueError) as error:
        raise RecordError(
            Problem(
                "record-no-timestamp",
                "“{url}” gives no token: {why}.",
                "Try again later, or another authority.",
                Place(),
                {"url": tsa, "why": str(error)[:200]},
            )
        ) from error
    target = _free(tokens_of(programme.record_folder), signed.size)
    write_whole(target, token)
    if face.json:
        face.write(to_json({"file": target, "size": signed.size}))
    else:
        face.line(str(target))


def tokens_of(folder: Path) -> Path:
    """Where tokens lie in the folder of what belongs to the record."""
    return folder / "timestamps"


def _free(folder: Path, size: int) -> Path:
    """The next name for a token on a checkpoint of this size."""
    number = 1
    while (target := folder / f"{size}-{number}.tsr").exists():
        number += 1
    return target
