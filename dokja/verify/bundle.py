"""A programme's signed record as a BagIt 1.0 folder that is checked without the office, even with `sha256sum -c`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dokja.errors import Place, Problem, RecordError
from dokja.record import Record
from dokja.record.transparency.bag import DECLARATION, MANIFEST, TAG_MANIFEST
from dokja.record.transparency.checkpoint import number_of
from dokja.record.transparency.plain_files import files_under, read_file
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.sealing.ballots import sealed_marks
from dokja.record.transparency.sealing.kept import read_openings
from dokja.record.transparency.signing import signed_checkpoint, snapshot
from dokja.record.transparency.tiles import write_tiles, write_whole
from dokja.rulebook import read_rulebook
from dokja.values import Moment, utc_text
from dokja.verify.audiences import Audience, opened_to

BAG_INFO = "bag-info.txt"
LOG, RULEBOOK, EVIDENCE, OPENINGS = "data/log", "data/rulebook", "data/evidence", "data/openings"
AUDIENCE, OPENINGS_AT = "Audience", "Openings-At"
TIMESTAMPS = "data/timestamps"
PROGRAMME = "data/programme.yaml"
_HASH_BYTES = 32
_LARGEST_INFO = 100_000
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)


@dataclass(frozen=True)
class Source:
    """What is packed: `programme.yaml`, the rulebook's files in order, the signed log, evidence, openings."""

    programme: Path
    rulebook: Sequence[Path]
    log: Path
    evidence: Path
    openings: Path


PUBLIC = Audience()


def export(
    source: Source, record: Record, target: Path, audience: Audience = PUBLIC, at: datetime | None = None
) -> tuple[str, ...]:
    """Pack the record up to its last checkpoint; the paths that were written, in order.

    The rulebook's files are named by their numbers, because a bag's paths are plain. An auditor also gets the
    evidence, and everyone what opens the sealed marks that are open to them; the record itself is whole for all.
    at: when that is; now where no time is named. Raises `RecordError`; then nothing is called a bag.
    """
    note, checkpoint = signed_checkpoint(source.log, record)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RecordError(
            Problem(
                "record-target",
                "There is something here already.",
                "Name a folder that is new or empty.",
                Place(target),
            )
        )
    opened, info = _openings(source, record, checkpoint.size, audience, at or datetime.now(UTC))
    for path, data in _files(source, audience):
        write_whole(target / path, data)
    held = snapshot(record)
    tree = Tree.of(held.tree.levels[0][: checkpoint.size * _HASH_BYTES])
    for _ in write_tiles(target / LOG, tree, held.entries[: checkpoint.size]):
        pass
    for earlier in sorted(source.log.glob("checkpoints/*")):
        size = number_of(earlier.name)
        if size is not None and size < checkpoint.size:
            write_whole(target / LOG / "checkpoints" / earlier.name, earlier.read_bytes())
    for token in sorted((source.log.parent / "timestamps").glob("*.tsr")):
        size = number_of(token.name.partition("-")[0])
        if size is not None and size <= checkpoint.size:
            write_whole(target / TIMESTAMPS / token.name, token.read_bytes())
    write_whole(target / LOG / "checkpoint", note)
    if opened:
        write_whole(target / OPENINGS, opened)
    _seal(target, {AUDIENCE: str(audience), "Origin": checkpoint.origin, "Record-Size": str(checkpoint.size), **info})
    return tuple(files_under(target))


def _files(source: Source, audience: Audience) -> Iterator[tuple[str, bytes]]:
    yield PROGRAMME, source.programme.read_bytes()
    for number, file in enumerate(source.rulebook, start=1):
        yield f"{RULEBOOK}/{number:04d}.yaml", file.read_bytes()
    if audience.kind == "auditor" and source.evidence.is_dir():
        for file in sorted(source.evidence.iterdir()):
            if not _PLAIN_NAME.fullmatch(file.name) or file.is_symlink() or not file.is_file():
                raise RecordError(
                    Problem(
                        "record-evidence-name",
                        "“{name}” cannot go into a bundle.",
                        "Keep plain files as evidence, named with ASCII letters, digits, “.”, “_” and “-”.",
                        Place(file),
                        {"name": file.name},
                    )
                )
            yield f"{EVIDENCE}/{file.name}", file.read_bytes()


def _openings(
    source: Source, record: Record, size: int, audience: Audience, at: datetime
) -> tuple[bytes, Mapping[str, str]]:
    """What opens the marks that are open to an audience, in the order of the record, and when that was so."""
    if not record.holds_type("marks-sealed"):
        return b"", {}
    entries = [entry for entry in record.entries() if entry.index < size]
    marks = sealed_marks(entries)
    openings = read_openings(source.openings, marks.grid)
    opened = opened_to(audience, at, read_rulebook(source.rulebook), entries, marks)
    lines = [
        openings.written[held.row.act, place]
        for held in marks.rows
        for place, team in enumerate(team for team in held.row.teams for _ in range(held.row.width))
        if (held.row.act, place) in openings.written and opened.holds(held.row, team)
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii"), {OPENINGS_AT: utc_text(at)}


def read_info(folder: Path) -> tuple[Audience | None, datetime | None]:
    """Whom a bundle says it is for, and when its openings were chosen; `None` for what it does not say."""
    lines = read_file(folder / BAG_INFO, _LARGEST_INFO).decode("utf-8", "replace").splitlines()
    said = dict(line.split(": ", 1) for line in lines if ": " in line)
    try:
        audience = Audience.read(said.get(AUDIENCE, ""))
    except ValueError:
        audience = None
    try:
        at = _MOMENT.validate_python(said.get(OPENINGS_AT))
    except ValidationError:
        at = None
    return audience, at


def _seal(target: Path, info: Mapping[str, str]) -> None:
    """Write the tag files, the manifests last: without them the folder is no bag."""
    payload = [path for path in files_under(target) if path.startswith("data/")]
    octets = sum((target / path).stat().st_size for path in payload)
    said = {**info, "Payload-Oxum": f"{octets}.{len(payload)}"}
    write_whole(target / "bagit.txt", DECLARATION)
    write_whole(target / BAG_INFO, "".join(f"{name}: {value}\n" for name, value in said.items()).encode())
    write_whole(target / MANIFEST, _manifest(target, payload))
    write_whole(target / TAG_MANIFEST, _manifest(target, ["bagit.txt", BAG_INFO, MANIFEST]))


def _manifest(target: Path, paths: Sequence[str]) -> bytes:
    lines = (f"{sha256((target / path).read_bytes()).hexdigest()}  {path}\n" for path in sorted(paths))
    return "".join(lines).encode()
