"""A programme's signed record as a BagIt 1.0 folder that is checked without the office, even with `sha256sum -c`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from dokja.errors import Place, Problem, RecordError
from dokja.record import Record
from dokja.record.transparency.checkpoint import number_of
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.published import DECLARATION, MANIFEST, TAG_MANIFEST, files_under
from dokja.record.transparency.signing import last_checkpoint, snapshot
from dokja.record.transparency.tiles import write_tiles, write_whole

Audience = Literal["public", "auditor"]

BAG_INFO = "bag-info.txt"
LOG, RULEBOOK, EVIDENCE = "data/log", "data/rulebook", "data/evidence"
PROGRAMME = "data/programme.yaml"
_HASH_BYTES = 32
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)


@dataclass(frozen=True)
class Source:
    """What is packed: `programme.yaml`, the rulebook's files in order, the signed log, the folder of evidence."""

    programme: Path
    rulebook: Sequence[Path]
    log: Path
    evidence: Path


def export(source: Source, record: Record, target: Path, audience: Audience = "public") -> tuple[str, ...]:
    """Pack the record up to its last checkpoint; the paths that were written, in order.

    The rulebook's files are named by their numbers, because a bag's paths are plain. An auditor also gets the
    evidence; the record itself is whole for both. Raises `RecordError`; then nothing is called a bag.
    """
    last = last_checkpoint(source.log)
    if last is None:
        raise RecordError(
            Problem(
                "record-no-checkpoint",
                "The record has not been signed yet.",
                "Sign it with: dokja record checkpoint",
                record.place,
            )
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RecordError(
            Problem(
                "record-target",
                "There is something here already.",
                "Name a folder that is new or empty.",
                Place(target),
            )
        )
    note, checkpoint = last
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
    write_whole(target / LOG / "checkpoint", note)
    _seal(target, {"Audience": audience, "Origin": checkpoint.origin, "Record-Size": str(checkpoint.size)})
    return tuple(files_under(target))


def _files(source: Source, audience: Audience) -> Iterator[tuple[str, bytes]]:
    yield PROGRAMME, source.programme.read_bytes()
    for number, file in enumerate(source.rulebook, start=1):
        yield f"{RULEBOOK}/{number:04d}.yaml", file.read_bytes()
    if audience == "auditor" and source.evidence.is_dir():
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
