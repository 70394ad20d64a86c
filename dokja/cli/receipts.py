"""`dokja record receipt`: what a team gets for an act that it hands in, signed with the log's key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.key import Keys, opened
from dokja.cli.record import Folder
from dokja.cli.signed_log import ActsFile, SignedBy, told
from dokja.cli.usage import UsageError
from dokja.errors import Place, Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.record.canonical import Row
    from dokja.record.transparency.keys import Signer
    from dokja.rulebook import History

RECEIPT = mark(
    "Give receipts for the acts of a file: the log's signed promise that each will be in the record within so many "
    "hours. Whoever keeps one can prove that an act was left out."
)
HOURS = 24

ReceiptsFolder = Annotated[
    Path, typer.Option("--receipts", metavar="DIR", help=mark("Where the receipts are written, one an act."))
]
Hours = Annotated[
    int | None,
    typer.Option(
        "--hours", metavar="N", min=1, max=8760, help=mark("The promise; the rulebook's, or else 24 hours.")
    ),
]


def receipt(
    ctx: typer.Context,
    folder: Folder,
    file: ActsFile,
    key: SignedBy,
    receipts: ReceiptsFolder,
    hours: Hours = None,
    keys: Keys = None,
) -> None:
    """Give receipts."""
    from dokja.intake import rows_in
    from dokja.programme import open_programme

    face: Face = ctx.obj
    programme = open_programme(folder)
    rows = tuple(rows_in(file, programme.history, frozenset(programme.sources)))
    (signer,) = opened(face, keys, key)
    tell(face, give(rows, signer, receipts, hours or hours_of(programme.history)))


def hours_of(history: History) -> int:
    """What the rulebook in force promises: within how many hours an act that was handed in is in the record."""
    from dokja.rulebook import RecordKeeping

    said = [each.merge_hours for each in history.at(datetime.now(UTC)).of(RecordKeeping) if each.merge_hours]
    return min(said, default=HOURS)


def give(rows: Iterable[Row], signer: Signer, target: Path, hours: int) -> Mapping[Path, Row]:
    """Write a receipt for each act, under its key; one that was given already stays, with its earlier promise."""
    from dokja.record.transparency.note import LARGEST_NOTE, read_note
    from dokja.record.transparency.plain_files import read_file
    from dokja.record.transparency.receipt import give_receipt, read_receipt
    from dokja.record.transparency.tiles import write_whole

    now = int(datetime.now(UTC).timestamp())
    written = {target / f"{row.key.replace('/', '_')}.receipt": row for row in rows}
    fresh = {file: row for file, row in written.items() if not file.exists()}
    for file in written.keys() - fresh.keys():
        with told(file):
            held = read_receipt(read_note(read_file(file, LARGEST_NOTE + 1)).text)
        if held.leaf != written[file].leaf:
            raise UsageError(
                Problem(
                    "record-receipt-exists",
                    "There is a receipt for another act here.",
                    "Name another folder; a receipt is kept as it was given.",
                    Place(file),
                )
            )
    for file, row in fresh.items():
        write_whole(file, give_receipt(row.leaf, signer, now, 3600 * hours))
    return written


def tell(face: Face, written: Mapping[Path, Row]) -> None:
    """Say where the receipts are."""
    from dokja.report.machine_readable import to_json

    if face.json:
        face.write(to_json([{"file": file, "act": row.key, "leaf": row.leaf.hex()} for file, row in written.items()]))
        return
    for file in written:
        face.line(str(file))
