"""Our own check of a safetensors header, before any number of the file is believed.

The format (https://github.com/huggingface/safetensors#format): eight bytes, the length N of the header as an unsigned
little-endian number; N bytes of JSON, beginning with `{`, perhaps padded with spaces; then the numbers, without
holes. The library takes headers that its page forbids (names twice, a leading space); this check takes the page at
its word, and puts a bound on everything that costs time or memory.
"""

from __future__ import annotations

import json
import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dokja.language import mark
from dokja.lineage.checkpoint.refusals import Code, refused

LENGTH_BYTES: Final = 8
LONGEST_HEADER: Final = 100_000_000
MOST_TENSORS: Final = 200_000
MOST_COMMAS: Final = 24 * MOST_TENSORS
"""A tensor's entry has a comma for each number of its shape and a few more; far more make lists that fill memory."""
HIGHEST_RANK: Final = 16
MOST_ELEMENTS: Final = 1 << 50
LONGEST_NAME: Final = 1024

BITS: Final[Mapping[str, int]] = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "U16": 16,
    "I16": 16,
    "U32": 32,
    "I32": 32,
    "U64": 64,
    "I64": 64,
    "F64": 64,
    "F32": 32,
    "F16": 16,
    "BF16": 16,
    "F8_E4M3": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2": 8,
    "F8_E5M2FNUZ": 8,
    "F8_E8M0": 8,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F4": 4,
    "C64": 64,
}
"""Bits of a number of each type that the format knows."""

INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that no name may hold: controls, direction marks, lone surrogates, line separators."""

MAGIC: Final[Sequence[tuple[bytes, str]]] = (
    (b"\x80\x02", mark("a Python pickle")),
    (b"\x80\x03", mark("a Python pickle")),
    (b"\x80\x04", mark("a Python pickle")),
    (b"\x80\x05", mark("a Python pickle")),
    (b"PK\x03\x04", mark("a zip archive, such as PyTorch saves with pickles inside")),
    (b"GGUF", mark("a GGUF file")),
    (b"\x89HDF\r\n\x1a\n", mark("an HDF5 file")),
    (b"\x93NUMPY", mark("a NumPy file")),
    (b"\x1f\x8b", mark("a gzip archive")),
    (b"version https://git-lfs", mark("a Git LFS pointer")),
)
"""How files begin that are met under the name of a checkpoint."""

PRINTED: Final = frozenset(string.printable.encode())
"""Bytes of plain text: no length of a header has eight of them, for it would be of an exabyte and more."""

ENTRY: Final = frozenset({"dtype", "shape", "data_offsets"})


@dataclass(frozen=True)
class Entry:
    """One tensor as the header has it; `begin` and `end` count from the start of the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return self.end - self.begin


@dataclass(frozen=True)
class Header:
    """A header that was checked: the entries in the order of their bytes, and the free texts of `__metadata__`."""

    entries: tuple[Entry, ...]
    metadata: Mapping[str, str]
    length: int


class _TwiceError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def header_length(head: bytes, file_size: int, where: str) -> int:
    """The length of the header, from the first bytes of the file (at least 32, or all there are)."""
    for magic, kind in MAGIC:
        # A pickle's first bytes are also the length of a header of 640 to 1,408 bytes with zeros behind.
        if head.startswith(magic) and not _may_be_length(head):
            raise refused("checkpoint-format", where, kind=kind)
    if len(head) < LENGTH_BYTES:
        raise refused("checkpoint-short", where)
    if all(byte in PRINTED for byte in head[:LENGTH_BYTES]):
        raise refused("checkpoint-format", where, kind=mark("a text"))
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    if length > LONGEST_HEADER:
        raise refused("checkpoint-header-long", where, size=length, limit=LONGEST_HEADER)
    if LENGTH_BYTES + length > file_size:
        raise refused("checkpoint-short", where)
    return length


def _may_be_length(head: bytes) -> bool:
    return head[3:LENGTH_BYTES] == bytes(5) and head[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{"


def read_header(text: bytes, file_size: int, where: str) -> Header:
    """Check the header's bytes (without the eight of its length) against the format and against the file's size."""
    table = _parsed(text, where)
    metadata = table.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise refused("checkpoint-header-json", where, reason=mark("__metadata__ is not an object of texts"))
    if len(table) > MOST_TENSORS:
        raise refused("checkpoint-too-many", where, limit=MOST_TENSORS)
    start = LENGTH_BYTES + len(text)
    entries = sorted(
        (_entry(name, value, start, file_size, where) for name, value in table.items()),
        key=lambda entry: (entry.begin, entry.end, entry.name),
    )
    _check_layout(entries, start, file_size, where)
    return Header(tuple(entries), metadata, len(text))


def _parsed(text: bytes, where: str) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise refused("checkpoint-header-start", where)
    # Counted before anything is built: each tensor has a brace of its own.
    if text.count(b"{") > MOST_TENSORS + 2 or text.count(b",") > MOST_COMMAS:
        raise refused("checkpoint-too-many", where, limit=MOST_TENSORS)
    return strict_object(text.rstrip(b" "), "checkpoint-header-json", where)


def strict_object(text: bytes, code: Code, where: str) -> dict[str, Any]:
    """The JSON object that these bytes are: UTF-8, no name twice, no NaN, nothing after it."""
    try:
        decoded = text.decode("utf-8")
        if not decoded.endswith("}"):
            raise refused(code, where, reason=mark("it is not one object"))
        found = json.loads(decoded, object_pairs_hook=_once, parse_constant=_no_constant)
    except _TwiceError as twice:
        if code == "checkpoint-header-json":
            raise refused("checkpoint-duplicate-name", where, tensor=twice.name) from None
        raise refused(code, where, reason=f"it names {twice.name[:80]!r} twice") from None
    except UnicodeDecodeError:
        raise refused(code, where, reason=mark("it is not UTF-8")) from None
    except RecursionError:
        raise refused(code, where, reason=mark("it is nested too deeply")) from None
    except json.JSONDecodeError as error:
        raise refused(code, where, reason=f"{error.msg}, character {error.pos}") from None
    except ValueError as error:
        raise refused(code, where, reason=str(error)) from None
    if not isinstance(found, dict):
        raise refused(code, where, reason=mark("it is not one object"))
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _TwiceError(name)
            seen.add(name)
    return found


def _no_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _entry(name: str, value: object, start: int, file_size: int, where: str) -> Entry:
    if not is_plain_name(name):
        raise refused("checkpoint-name", where, tensor=name)
    if not isinstance(value, dict) or value.keys() != ENTRY:
        raise refused("checkpoint-entry", where, tensor=name)
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise refused("checkpoint-dtype", where, tensor=name, dtype=dtype)
    elements = _elements(shape)
    if elements is None:
        raise refused("checkpoint-shape", where, tensor=name, rank=HIGHEST_RANK)
    if not _is_range(offsets, file_size - start):
        raise refused("checkpoint-offsets", where, tensor=name)
    begin, end = offsets
    needed, rest = divmod(elements * BITS[dtype], 8)
    if rest or end - begin != needed:
        raise refused("checkpoint-size", where, tensor=name, size=end - begin, needed=needed)
    return Entry(name, dtype, tuple(shape), start + begin, start + end)


def is_plain_name(name: str) -> bool:
    """Whether a tensor may bear this name: it can be printed, and used as a path it stays where it is."""
    if not 0 < len(name) <= LONGEST_NAME:
        return False
    if not (name.isascii() and name.isprintable()) and any(unicodedata.category(sign) in INVISIBLE for sign in name):
        return False
    steps = name.replace("\\", "/").split("/")
    return steps[0] != "" and ".." not in steps


def _elements(shape: object) -> int | None:
    """How many numbers a shape holds; `None` where it is none. An empty axis must not hide an endless one."""
    if not isinstance(shape, list) or len(shape) > HIGHEST_RANK:
        return None
    product, nonzero = 1, 1
    for extent in shape:
        if type(extent) is not int or not 0 <= extent <= MOST_ELEMENTS:
            return None
        product *= extent
        nonzero *= extent or 1
        if nonzero > MOST_ELEMENTS:
            return None
    return product


def _is_range(offsets: object, available: int) -> bool:
    if not isinstance(offsets, list) or len(offsets) != 2 or any(type(offset) is not int for offset in offsets):
        return False
    begin, end = offsets
    return bool(0 <= begin <= end <= available)


def _check_layout(entries: Sequence[Entry], start: int, file_size: int, where: str) -> None:
    reached = start
    for entry in entries:
        if entry.begin < reached:
            raise refused("checkpoint-overlap", where, tensor=entry.name)
        if entry.begin > reached:
            raise refused("checkpoint-hole", where, tensor=entry.name, count=entry.begin - reached)
        reached = entry.end
    if reached != file_size:
        raise refused("checkpoint-trailing", where, count=file_size - reached)
