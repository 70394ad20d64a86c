"""A checkpoint as its logical tensors: what is in it, and its numbers as float32, a window or a few rows at a time.

Opening reads headers only. Numbers come in tiles of bounded size whatever the size of the file; of a matrix packed
along its input (GPTQ, AWQ) the packed bytes are held, which are an eighth of the floats.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.checkpoint.digesting import digest_of, digested
from dokja.lineage.checkpoint.formats import DECODERS, WHOLE, Floats, decode
from dokja.lineage.checkpoint.header import (
    BITS,
    LENGTH_BYTES,
    MOST_TENSORS,
    Entry,
    Header,
    header_length,
    read_header,
    strict_object,
)
from dokja.lineage.checkpoint.layout import Layout, find
from dokja.lineage.checkpoint.packed import MisfitError, Packed, Rows, recognised
from dokja.lineage.checkpoint.refusals import refused
from dokja.lineage.checkpoint.source import Bytes, Source, open_source, small_file
from dokja.lineage.cores import cores

WINDOW: Final = 32 << 20
LARGEST_CONFIG: Final = 4 << 20
LARGEST_TOKENIZER: Final = 256 << 20
FIRST_LOOK: Final = 32
SPAN: Final = 1 << 19
"""The most bytes of a tensor that are read at once for the sake of some of its rows: they stay in a core's cache."""
MOST_AXES: Final = 2
"""Of what is read in passing: a matrix, or a vector."""
STRIP: Final = 1 << 20
"""The most bytes that are read at once for the sake of some columns: they stay in a core's cache."""
TOKENIZERS: Final = (
    "tokenizer.json",
    "tokenizer.model",
    "tiktoken.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "added_tokens.json",
)
"""Files that make a tokenizer; those that are there are digested together."""


@dataclass(frozen=True)
class TensorInfo:
    """A tensor: its name, the type it is stored in, its shape, its bytes as stored, and the shard that holds it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    shard: str

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True)
class Digests:
    """SHA-256 of each shard's header (all that comes before the tensors) and of each stored tensor, in hex.

    Every byte of a shard is in one of them.
    """

    headers: Mapping[str, str]
    tensors: Mapping[str, str]


@dataclass(frozen=True)
class Checkpoint:
    """An open checkpoint; use it in a `with`.

    tensors: the logical tensors (a packed layer is one matrix, [out, in]). stored: tensors as the files have them.
    config: what config.json says, which is no more than a hint. unread: stored tensors of a type that is not decoded.
    """

    where: str
    tensors: Mapping[str, TensorInfo]
    stored: Mapping[str, TensorInfo]
    config: Mapping[str, Any]
    tokenizer: str | None
    unread: tuple[str, ...]
    _entries: Mapping[str, Entry] = field(repr=False)
    _packed: Mapping[str, Packed] = field(repr=False)
    _sources: Mapping[str, Source] = field(repr=False)
    _layout: Layout = field(repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the files back."""
        for source in self._sources.values():
            source.close()

    @property
    def parameters(self) -> int:
        """How many numbers the logical tensors hold."""
        return sum(info.elements for info in self.tensors.values())

    def beside(self, name: str, most: int) -> bytes | None:
        """A small file of the same folder; `None` where there is none, or one of more bytes than this."""
        text = small_file(self._layout.beside(name), most)
        return text if text is not None and len(text) <= most else None

    def read(self, name: str) -> Floats:
        """A whole tensor in its shape."""
        info = self.tensors[name]
        found = np.empty(_flat(info.shape), dtype=np.float32)
        for first, tile in self.windows(name):
            found[first : first + len(tile)] = tile
        return found.reshape(info.shape)

    def rows(self, name: str, indexes: NDArray[np.integer], *, narrow: bool = False) -> Floats:
        """Chosen rows of the first axis, everything else flattened; no other row of a plain tensor is read.

        narrow: numbers that are stored as bfloat16 are handed out so.
        """
        rows = np.asarray(indexes, dtype=np.int64)
        count, width = _flat(self.tensors[name].shape)
        if rows.ndim != 1 or (len(rows) and not 0 <= rows.min() <= rows.max() < count):
            raise IndexError(f"{name} has {count} rows")
        if name in self._packed:
            return self._rows(name, rows).reshape(len(rows), width)
        entry = self._entries[name]
        return decode(entry.dtype, self._bytes(entry, rows), narrow=narrow).reshape(len(rows), width)

    def columns(
        self, name: str, indexes: NDArray[np.integer], first: int, last: int, *, narrow: bool = False
    ) -> Floats:
        """Chosen columns of a matrix, as rows, each from row `first` to before row `last`.

        The rows go by in windows; of a plain tensor no number of another column is decoded. narrow: as for `rows`.
        """
        count, width = self.tensors[name].shape
        if not 0 <= first <= last <= count or (len(indexes) and not 0 <= indexes.min() <= indexes.max() < width):
            raise IndexError(f"{name} is {count} by {width}")
        dtype = "F32" if name in self._packed else self._entries[name].dtype
        whole = name not in self._packed and BITS[dtype] % 8 == 0
        kind = f"<u{BITS[dtype] // 8}" if whole else "<f4"
        step = max(1, (STRIP if whole else SPAN) * 8 // max(8, width * BITS[dtype]))
        found = np.empty((len(indexes), last - first), dtype=kind)
        for start in range(first, last, step):
            rows = np.arange(start, min(last, start + step), dtype=np.int64)
            tile = self._bytes(self._entries[name], rows).view(kind) if whole else self._rows(name, rows)
            tile = tile.reshape(len(rows), width)
            found[:, start - first : start - first + len(rows)] = np.take(tile, indexes, axis=1).T
        if not whole:
            return found
        return decode(dtype, found.view(np.uint8).reshape(-1), narrow=narrow).reshape(found.shape)

    def windows(self, name: str, size: int = WINDOW) -> Iterator[tuple[int, Floats]]:
        """The tensor in tiles of about so many bytes of float32: the first row of each, and its rows, flattened."""
        count, width = _flat(self.tensors[name].shape)
        if not count or not width:
            return
        step = max(1, size // (4 * width))
        for first in range(0, count, step):
            rows = np.arange(first, min(count, first + step), dtype=np.int64)
            yield first, self._rows(name, rows).reshape(len(rows), width)

    def digests(self, threads: int | None = None) -> Digests:
        """SHA-256 of the headers and of the stored tensors, in one reading of the files, by so many threads.

        Where no number is said, all cores are used.
        """
        tensors = {
            name: (self._sources[self.stored[name].shard], entry.begin, entry.end)
            for name, entry in self._entries.items()
        }
        found = Digests(self.header_digests(), digested(tensors, cores() if threads is None else threads))
        self.check()
        return found

    def header_digests(self) -> Mapping[str, str]:
        """SHA-256 of all that comes before the tensors, by shard."""
        starts = {shard: source.size for shard, source in self._sources.items()}
        for name, entry in self._entries.items():
            shard = self.stored[name].shard
            starts[shard] = min(starts[shard], entry.begin)
        return digested({shard: (self._sources[shard], 0, start) for shard, start in starts.items()}, 1)

    def plain(self, name: str) -> bool:
        """Whether a stored tensor is a logical one as it is: a matrix or a vector of whole bytes, no row too long."""
        entry = self._entries.get(name)
        if entry is None or name in self._packed or name not in self.tensors:
            return False
        if not 1 <= len(entry.shape) <= MOST_AXES:
            return False
        return BITS[entry.dtype] % 8 == 0 and 0 < entry.nbytes <= STRIP * entry.shape[0]

    def pass_by(self, name: str, see: Sequence[Callable[[int, Bytes], None]]) -> str:
        """SHA-256 of a stored tensor, in the one reading of it in which all rows of a plain one are seen.

        see: is told the first of some neighbouring rows, and shown their bytes, [rows, bytes of a row].
        """
        entry = self._entries[name]
        if not see:
            return digest_of(self._sources[self.stored[name].shard], entry)
        width = entry.nbytes // entry.shape[0]

        def shown(place: int, data: Bytes) -> None:
            for each in see:
                each(place // width, data.reshape(-1, width))

        return digest_of(self._sources[self.stored[name].shard], entry, shown, width)

    def digest(self, name: str) -> str | None:
        """SHA-256 of the bytes of one stored tensor; `None` of one that is put together from several."""
        entry = self._entries.get(name)
        return None if entry is None else digest_of(self._sources[self.stored[name].shard], entry)

    def check(self) -> None:
        """Refuse the checkpoint if one of its files changed since it was opened."""
        for source in self._sources.values():
            source.check()

    # -- what recipes of packed tensors read from

    def floats(self, name: str, rows: Rows | None = None) -> Floats:
        """A stored tensor, or chosen rows of its first axis, as float32."""
        entry = self._entries[name]
        return decode(entry.dtype, self._bytes(entry, rows)).reshape(_chosen(entry.shape, rows))

    def words(self, name: str, rows: Rows | None = None) -> NDArray[Any]:
        """A stored tensor of whole numbers as it is."""
        entry = self._entries[name]
        return self._bytes(entry, rows).view(WHOLE[entry.dtype]).reshape(_chosen(entry.shape, rows))

    def _rows(self, name: str, rows: Rows) -> Floats:
        packed = self._packed.get(name)
        if packed is None:
            return self.floats(name, rows)
        # Leading axes of a stacked packed tensor stay whole; its rows are those of the first axis all the same.
        try:
            return packed.decode(self, packed, rows)
        except MisfitError as misfit:
            raise refused("checkpoint-packed", self.where, tensor=name, reason=misfit) from None

    def _bytes(self, entry: Entry, rows: Rows | None) -> Bytes:
        source = self._sources[self.stored[entry.name].shard]
        if rows is None or not entry.shape:
            return source.read(entry.begin, entry.end)
        bits = BITS[entry.dtype] * prod(entry.shape[1:])
        if bits % 8:
            return _picked(source.read(entry.begin, entry.end), entry, rows)
        return _gathered(source, entry.begin, bits // 8, rows)


def open_checkpoint(where: str | Path) -> Checkpoint:
    """Open a .safetensors file, a folder or a snapshot of a cache that holds some, or an fsspec URL of one of these.

    Every header is checked before anything else is believed. Raises CheckpointError with a stable code.
    """
    layout = find(where)
    config = _config(layout)
    sources: dict[str, Source] = {}
    try:
        headers = {}
        for shard, path in layout.shards.items():
            sources[shard] = open_source(path)
            headers[shard] = _header(sources[shard])
        return _assembled(layout, config, sources, headers)
    except BaseException:
        for source in sources.values():
            source.close()
        raise


def _header(source: Source) -> Header:
    head = source.read(0, min(FIRST_LOOK, source.size)).tobytes()
    length = header_length(head, source.size, source.where)
    return read_header(source.read(LENGTH_BYTES, LENGTH_BYTES + length).tobytes(), source.size, source.where)


def _assembled(
    layout: Layout, config: Mapping[str, Any], sources: Mapping[str, Source], headers: Mapping[str, Header]
) -> Checkpoint:
    entries, home = _joined(layout, headers)
    try:
        packed, used = recognised(entries, config)
    except MisfitError as misfit:
        tensor, reason = misfit.args
        raise refused("checkpoint-packed", layout.where, tensor=tensor, reason=reason) from None
    stored = {
        name: TensorInfo(name, entry.dtype, entry.shape, entry.nbytes, home[name]) for name, entry in entries.items()
    }
    unread = tuple(name for name, entry in entries.items() if entry.dtype not in DECODERS)
    tensors = {name: info for name, info in stored.items() if name not in used and name not in unread}
    tensors |= {name: _logical(one, stored) for name, one in packed.items()}
    return Checkpoint(
        where=layout.where,
        tensors=MappingProxyType(dict(sorted(tensors.items(), key=lambda item: natural(item[0])))),
        stored=MappingProxyType(stored),
        config=MappingProxyType(dict(config)),
        tokenizer=_tokenizer(layout),
        unread=unread,
        _entries=MappingProxyType(entries),
        _packed=MappingProxyType(dict(packed)),
        _sources=MappingProxyType(dict(sources)),
        _layout=layout,
    )


def _logical(packed: Packed, stored: Mapping[str, TensorInfo]) -> TensorInfo:
    parts = [stored[name] for name in packed.parts.values()]
    return TensorInfo(packed.name, packed.kind, packed.shape, sum(part.nbytes for part in parts), parts[0].shard)


def natural(name: str) -> tuple[tuple[int | str, ...], str]:
    """A key that sorts names as people do: layer 2 before layer 10."""
    steps = re.split(r"([0-9]+)", name)
    return tuple(int(step[:18]) if place % 2 else step for place, step in enumerate(steps)), name


def _joined(layout: Layout, headers: Mapping[str, Header]) -> tuple[dict[str, Entry], dict[str, str]]:
    """The tensors of all shards, each in the one shard where the index has it."""
    entries: dict[str, Entry] = {}
    home: dict[str, str] = {}
    for shard, header in headers.items():
        for entry in header.entries:
            if entry.name in home:
                raise refused(
                    "checkpoint-twice", layout.where, tensor=entry.name, shard=home[entry.name], other=shard
                )
            if layout.index is not None and layout.index.get(entry.name) != shard:
                raise refused("checkpoint-index-tensor", layout.where, shard=shard, tensor=entry.name)
            entries[entry.name], home[entry.name] = entry, shard
        if len(entries) > MOST_TENSORS:
            raise refused("checkpoint-too-many", layout.where, limit=MOST_TENSORS)
    for name, shard in (layout.index or {}).items():
        if name not in home:
            raise refused("checkpoint-index-tensor", layout.where, shard=shard, tensor=name)
    return entries, home


def _config(layout: Layout) -> Mapping[str, Any]:
    where = layout.beside("config.json")
    text = small_file(where, LARGEST_CONFIG)
    if text is None:
        return {}
    if len(text) > LARGEST_CONFIG:
        raise refused("checkpoint-config", where, reason=f"it is larger than {LARGEST_CONFIG >> 20} MiB")
    return strict_object(text.strip(), "checkpoint-config", where)


def _tokenizer(layout: Layout) -> str | None:
    """One digest of the files that make the tokenizer; `None` where there are none."""
    digest, found = hashlib.sha256(), False
    for name in TOKENIZERS:
        text = small_file(layout.beside(name), LARGEST_TOKENIZER)
        if text is not None:
            digest.update(name.encode() + b"\0" + hashlib.sha256(text).digest())
            found = True
    return digest.hexdigest() if found else None


def _flat(shape: Sequence[int]) -> tuple[int, int]:
    """Rows of the first axis, and everything else; a single number is one row of one."""
    return (shape[0], prod(shape[1:])) if shape else (1, 1)


def _chosen(shape: tuple[int, ...], rows: Rows | None) -> tuple[int, ...]:
    return shape if rows is None or not shape else (len(rows), *shape[1:])


def _picked(data: Bytes, entry: Entry, rows: Rows) -> Bytes:
    """Rows of four-bit numbers that do not end on a byte: an odd width is met in no model, and read whole."""
    halves = np.stack([data & 0xF, data >> 4], axis=1).reshape(entry.shape[0], -1)[rows].reshape(-1)
    halves = np.pad(halves, (0, len(halves) % 2))
    return np.asarray(halves[0::2] | (halves[1::2] << 4), dtype=np.uint8)


def _gathered(source: Source, begin: int, width: int, rows: Rows) -> Bytes:
    """The bytes of these rows in their order; rows that lie near each other come in one read, of bounded size."""
    if not width or not len(rows):
        return np.empty(0, dtype=np.uint8)
    steps = np.diff(rows)
    if (steps == 1).all():
        return source.read(begin + int(rows[0]) * width, begin + (int(rows[-1]) + 1) * width)
    if (steps > 0).all():
        return _read_sorted(source, begin, width, rows).reshape(-1)
    wanted, inverse = np.unique(rows, return_inverse=True)
    return _read_sorted(source, begin, width, wanted)[inverse].reshape(-1)


def _read_sorted(source: Source, begin: int, width: int, wanted: Rows) -> Bytes:
    found = np.empty((len(wanted), width), dtype=np.uint8)
    most = max(1, SPAN // width)
    far = np.flatnonzero((np.diff(wanted) - 1) * width > source.gap) + 1
    start = 0
    for end in (*far.tolist(), len(wanted)):
        while start < end:
            first = int(wanted[start])
            stop = min(end, int(wanted.searchsorted(first + most)))
            last = int(wanted[stop - 1]) + 1
            block = source.read(begin + first * width, begin + last * width).reshape(-1, width)
            np.take(block, wanted[start:stop] - first, axis=0, out=found[start:stop])
            start = stop
    return found
