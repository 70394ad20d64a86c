"""Files of acts: YAML for what people write (`acts:` with a list), JSON Lines for bulk (one act a line).

Both are capped before they are parsed and read strictly; every problem names the file, the line and, in YAML, the
column. A file comes out as batches of rows, each with the place of its act; what only the rulebook is needed for has
been checked by then, in the same process that parsed the line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from os import SEEK_END
from pathlib import Path
from typing import Any, Protocol

from dokja.errors import ActError, Place, Problem
from dokja.intake.reading import Reader
from dokja.intake.timely import Earliest, earliest_ballots
from dokja.record.bulk import folded_rows
from dokja.record.canonical import Row, Rows
from dokja.record.folding import Folded, fold
from dokja.record.parallel import InOrder, processors, spread
from dokja.strict_yaml import MAXIMUM_BYTES, Document, Locate, Path_, opened, read_bytes, read_yaml, too_large

MAXIMUM_LINE = 1024 * 1024
"""Bytes of one line; two notes of the greatest length fit in, every character escaped."""

MAXIMUM_BULK_BYTES = 4 * 1024**3
"""Bytes of one JSON Lines file, some ten million ballots."""

_CHUNK = 1024 * 1024
_ALONE = 8 * _CHUNK
"""Up to this many bytes in all, lines are read in this process: others take longer to start than to help."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Batch:
    """Acts of one file that follow each other, and what is wrong among them.

    numbers: for each row, what `ActFile.place` finds its act by. earliest: of `earliest_ballots`. folded: the ballots
    among the rows, their indexes counted from the first row.
    """

    rows: Rows
    numbers: Sequence[int]
    problems: tuple[Problem, ...]
    earliest: Earliest | None
    folded: Folded


@dataclass(frozen=True)
class Chunk:
    """Some whole lines of a file; `first` is the number of the first one."""

    file: Path
    first: int
    lines: bytes


ReadChunks = InOrder[Chunk, Batch]


class ActFile(Protocol):
    """An open file of acts. `digest` is that of its bytes; it is known once all batches have been read."""

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes that were read."""

    def batches(self, reader: Reader, read_chunks: ReadChunks) -> Iterator[Batch]:
        """The acts, in order."""

    def place(self, number: int, path: Path_) -> Place:
        """Where a field of an act stands."""


def chunk_reading(files: Sequence[Path], reader: Reader) -> AbstractContextManager[ReadChunks]:
    """How the chunks of these files are read: in several processes where that takes less time than starting them."""
    bulk = sum(file.stat().st_size for file in files if file.suffix == ".jsonl" and file.is_file())
    return spread(partial(read_chunk, reader), processors() if bulk > _ALONE else 1)


def open_acts(file: Path) -> ActFile:
    """Open a file of acts by its ending; raises `ActError` where it is too large, unreadable, or no such file."""
    kind = _KINDS.get(file.suffix)
    if kind is None:
        raise ActError(
            Problem(
                "act-file-kind",
                "Acts are not read from a file of this kind.",
                "Write them as .yaml, or as .jsonl (one act a line).",
                Place(file),
            )
        )
    return kind(file)


@dataclass(frozen=True)
class YamlActs:
    """A YAML file, read whole: `acts` and nothing else."""

    document: Document
    acts: list[Any]
    digest: str

    @classmethod
    def of(cls, file: Path) -> YamlActs:
        """Read the file."""
        data = read_bytes(file, MAXIMUM_BYTES, ActError)
        document = read_yaml(file, ActError, data)
        tree = document.tree
        if not isinstance(tree, dict) or tree.keys() != {"acts"} or not isinstance(tree["acts"], list):
            raise ActError(
                Problem(
                    "act-file-shape",
                    "The file is not a list of acts.",
                    "Begin it with “acts:” and write each act below as one item of a list.",
                    document.place(()),
                )
            )
        return cls(document, tree["acts"], hashlib.sha256(data).hexdigest())

    def batches(self, reader: Reader, read_chunks: ReadChunks) -> Iterator[Batch]:
        """All acts as one batch."""
        yield _batch((number, reader.read(act, partial(self.place, number))) for number, act in enumerate(self.acts))

    def place(self, number: int, path: Path_) -> Place:
        """The line and column of the field, or of what holds it."""
        return self.document.place(("acts", number, *path))


@dataclass
class LineActs:
    """A JSON Lines file, streamed: chunks of whole lines are parsed side by side and come back in order."""

    file: Path
    digest: str = ""

    @classmethod
    def of(cls, file: Path) -> LineActs:
        """Look at the file's size; nothing is read yet."""
        with opened(file, ActError) as stream:
            size = stream.seek(0, SEEK_END)
        if size > MAXIMUM_BULK_BYTES:
            raise ActError(too_large(file, MAXIMUM_BULK_BYTES))
        return cls(file)

    def batches(self, reader: Reader, read_chunks: ReadChunks) -> Iterator[Batch]:
        """The acts of one chunk after the other."""
        yield from read_chunks(self._chunks())

    def _chunks(self) -> Iterator[Chunk]:
        digest, first = hashlib.sha256(), 1
        with opened(self.file, ActError) as stream:
            while lines := stream.read(_CHUNK):
                lines += stream.readline(MAXIMUM_LINE + 1)
                digest.update(lines)
                yield Chunk(self.file, first, lines.removeprefix(_BOM) if first == 1 else lines)
                first += lines.count(b"\n")
        self.digest = digest.hexdigest()

    def place(self, number: int, path: Path_) -> Place:
        """The line of the act."""
        return Place(self.file, number)


def read_chunk(reader: Reader, chunk: Chunk) -> Batch:
    """Read a chunk's lines, in whichever process; empty lines are passed over."""
    if (ballots := reader.read_lines(chunk.lines.removesuffix(b"\n"))) is not None:
        rows = ballots.rows
        numbers = range(chunk.first, chunk.first + len(rows))
        return Batch(rows, numbers, (), earliest_ballots(rows), fold(ballots.light(0)))
    return _batch(
        (number, _read(line, partial(_at_line, chunk.file, number), reader))
        for number, line in enumerate(chunk.lines.split(b"\n"), start=chunk.first)
        if line and not line.isspace()
    )


def _at_line(file: Path, number: int, _: Path_) -> Place:
    return Place(file, number)


def _read(line: bytes, locate: Locate, reader: Reader) -> Row | tuple[Problem, ...]:
    if len(line) > MAXIMUM_LINE:
        return (
            Problem(
                "act-line-too-long",
                "The line is longer than {limit} bytes.",
                "Write one act a line.",
                locate(()),
                {"limit": f"{MAXIMUM_LINE:,}"},
            ),
        )
    return reader.read_line(line.removesuffix(b"\r"), locate)


def _batch(read: Iterator[tuple[int, Row | tuple[Problem, ...]]]) -> Batch:
    rows: list[Row] = []
    numbers: list[int] = []
    problems: list[Problem] = []
    for number, found in read:
        if isinstance(found, Row):
            rows.append(found)
            numbers.append(number)
        else:
            problems += found
    taken = Rows.of(rows)
    return Batch(taken, numbers, tuple(problems), earliest_ballots(taken), folded_rows(taken))


_KINDS: Mapping[str, Callable[[Path], ActFile]] = {".yaml": YamlActs.of, ".jsonl": LineActs.of}
