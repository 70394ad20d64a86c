"""A columnar file: named arrays and one JSON object about them, in the safetensors format, written at once or not.

The writer knows every shape beforehand, so the arrays stream through it one at a time, hashed on their way. A file
is written beside its place, brought to the disk, and only then given its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Protocol, Self

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from dokja.language import mark
from dokja.lineage.checkpoint.formats import decode
from dokja.lineage.checkpoint.header import BITS, LENGTH_BYTES, Entry, header_length, read_header
from dokja.lineage.checkpoint.source import LocalSource
from dokja.lineage.library.refusals import refused

ABOUT: Final = "about"
"""The column that holds the JSON object."""

LARGEST_ABOUT: Final = 256 << 20
FIRST_LOOK: Final = 32
ALIGNED: Final = 8
PIECE: Final = 1 << 20
"""So much is hashed at once: it stays in a core's cache."""

PART: Final = ".part"
"""How files end that are not yet whole."""

KINDS: Final[Mapping[str, Any]] = MappingProxyType(
    {"U8": "u1", "U32": "<u4", "I64": "<i8", "U64": "<u8", "F16": "<f2", "F32": "<f4", "BF16": ml_dtypes.bfloat16}
)
"""NumPy's types of the columns that are written."""


@dataclass(frozen=True)
class Column:
    """A column to be written."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return prod(self.shape) * BITS[self.dtype] // 8


class Writes(Protocol):
    """What takes bytes."""

    def __call__(self, data: bytes | memoryview, /) -> object:
        """Take these bytes."""


def json_bytes(value: object) -> bytes:
    """The one way in which an object is written; a reader holds a file to it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def header_bytes(columns: Sequence[Column]) -> bytes:
    """The length and the header of a file of these columns, in this order."""
    table, reached = {}, 0
    for column in columns:
        offsets = [reached, reached + column.nbytes]
        table[column.name] = {"dtype": column.dtype, "shape": list(column.shape), "data_offsets": offsets}
        reached = offsets[1]
    text = json.dumps(table, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % ALIGNED)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def stored(column: Column, values: NDArray[Any]) -> memoryview:
    """The bytes of a column."""
    if values.shape != column.shape:
        raise ValueError(f"{column.name} has the shape {values.shape}, not {column.shape}")
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(values.astype(KINDS[column.dtype], copy=False))
    return numbers.reshape(-1).view(np.uint8).data


@contextmanager
def written(folder: Path) -> Iterator[tuple[Writes, Callable[[Path], None]]]:
    """Write a file into a folder: gives what takes its bytes, and what gives the whole file its name.

    Without a name the file is gone in the end.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=PART, dir=folder)
    except OSError as error:
        raise refused("library-unwritable", folder, reason=error.strerror) from error
    beside = Path(name)

    def settle(place: Path) -> None:
        file.flush()
        os.fchmod(file.fileno(), 0o644)
        os.fsync(file.fileno())
        beside.replace(place)
        _bring_to_disk(folder)

    try:
        with os.fdopen(handle, "wb") as file:
            yield file.write, settle
    except OSError as error:
        raise refused("library-unwritable", folder, reason=error.strerror) from error
    finally:
        beside.unlink(missing_ok=True)


def _bring_to_disk(folder: Path) -> None:
    """A new name is on the disk when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Columns:
    """A columnar file that is read; use it in a `with`. Its header is checked like that of any checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._source = LocalSource(path)
        try:
            size, where = self._source.size, str(path)
            length = header_length(self._source.read(0, min(FIRST_LOOK, size)).tobytes(), size, where)
            text = self._source.read(LENGTH_BYTES, LENGTH_BYTES + length).tobytes()
            header = read_header(text, size, where)
        except BaseException:
            self._source.close()
            raise
        self.entries: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in header.entries})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._source.close()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._source.size

    def digest(self, end: int | None = None) -> str:
        """SHA-256 of the file, or of its bytes before `end`."""
        found = hashlib.sha256()
        for piece in self._source.pieces(0, self._source.size if end is None else end, PIECE):
            found.update(piece.data)
        return found.hexdigest()

    def about(self) -> object:
        """The JSON object, which must be written in the one way that `json_bytes` has."""
        entry = self.entries.get(ABOUT)
        if entry is None or entry.dtype != "U8" or len(entry.shape) != 1 or entry.nbytes > LARGEST_ABOUT:
            raise refused("library-misfit", self.path, reason=mark("it does not say what it is"))
        text = self._source.read(entry.begin, entry.end).tobytes()
        try:
            value: object = json.loads(text)
            if json_bytes(value) == text:
                return value
        except (ValueError, RecursionError):
            pass
        raise refused("library-misfit", self.path, reason=mark("what it says of itself is not canonical JSON"))

    def expect(self, columns: Sequence[Column]) -> None:
        """Refuse the file unless it holds these columns and no others, beside what it says of itself."""
        held = {name: (entry.dtype, entry.shape) for name, entry in self.entries.items() if name != ABOUT}
        if held != {column.name: (column.dtype, column.shape) for column in columns}:
            raise refused("library-misfit", self.path, reason=mark("its columns are not those that it claims"))

    def read(self, name: str) -> NDArray[Any]:
        """A column as it is stored."""
        entry = self.entries[name]
        values: NDArray[Any] = self._source.read(entry.begin, entry.end).view(KINDS[entry.dtype])
        return values.reshape(entry.shape)

    def floats(self, name: str) -> NDArray[np.float32]:
        """A column of numbers as float32."""
        entry = self.entries[name]
        return decode(entry.dtype, self._source.read(entry.begin, entry.end)).reshape(entry.shape)

    def rows(self, name: str, first: int, last: int) -> NDArray[np.float32]:
        """Neighbouring rows of a column as float32."""
        entry = self.entries[name]
        width = entry.nbytes // entry.shape[0] if entry.shape[0] else 0
        data = self._source.read(entry.begin + first * width, entry.begin + last * width)
        return decode(entry.dtype, data).reshape(last - first, *entry.shape[1:])

    def check(self) -> None:
        """Refuse the file if it changed since it was opened."""
        self._source.check()
