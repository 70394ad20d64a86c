"""The tree as static files (C2SP tlog-tiles): tiles of 256 hashes, and bundles with the entries themselves."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from dokja.record.merkle import HASH_BYTES
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.refusals import RefusedError

WIDTH = 256
HEIGHT = 8
LONGEST_ENTRY = 2**16 - 1
LARGEST_BUNDLE = WIDTH * (2 + LONGEST_ENTRY)
_GROUP = 1000
_HALF_WRITTEN = re.compile(r"\.(?:checkpoint|[0-9]+)\.[0-9]+", re.ASCII)
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class Tile:
    """A tile of hashes, or at level -1 a bundle of entries; `width` is how many of its 256 places are filled."""

    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """Where it lies under the log's folder."""
        digits = f"{self.index % _GROUP:03d}"
        above = self.index // _GROUP
        while above:
            digits = f"x{above % _GROUP:03d}/{digits}"
            above //= _GROUP
        level = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{level}/{digits}" + ("" if self.width == WIDTH else f".p/{self.width}")


ENTRIES = -1


def tile_at(path: str) -> Tile | None:
    """The tile that a path names; `None` where it is not the one spelling of a tile's path."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    index = int(found["index"].replace("x", "").replace("/", ""))
    level = ENTRIES if found["level"] == "entries" else int(found["level"])
    tile = Tile(level, index, int(found["width"] or WIDTH))
    return tile if tile.path == path else None


def tiles_of_level(level: int, size: int) -> Iterator[Tile]:
    """The tiles that a level has in a log of so many entries."""
    hashes = size >> HEIGHT * max(level, 0)
    for index in range(hashes >> HEIGHT):
        yield Tile(level, index, WIDTH)
    if hashes % WIDTH:
        yield Tile(level, hashes >> HEIGHT, hashes % WIDTH)


def levels_of(size: int) -> range:
    """The levels of tiles in a log of so many entries."""
    return range(-(-size.bit_length() // HEIGHT))


def has_tile(tile: Tile, size: int) -> bool:
    """Whether a log of so many entries has this tile."""
    hashes = size >> HEIGHT * max(tile.level, 0)
    return tile.width == min(WIDTH, hashes - tile.index * WIDTH)


def tile_bytes(tree: Tree, tile: Tile) -> bytes:
    """A tile's hashes, end to end."""
    start = tile.index * WIDTH * HASH_BYTES
    return tree.levels[HEIGHT * tile.level][start : start + tile.width * HASH_BYTES]


def bundle_bytes(entries: Iterable[bytes]) -> bytes:
    """Entries, each after its length in two bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_in(bundle: bytes, tile: Tile) -> list[bytes]:
    """The entries of a bundle."""
    entries, at = [], 0
    for _ in range(tile.width):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if start > len(bundle) or at > len(bundle):
            raise RefusedError("TREE_ENTRIES", tile.path)
        entries.append(bundle[start:at])
    if at != len(bundle):
        raise RefusedError("TREE_ENTRIES", tile.path)
    return entries


def write_tiles(folder: Path, tree: Tree, entries: Iterable[bytes]) -> Iterator[str]:
    """Write the tiles and bundles of a tree that are not there yet; the paths of those written.

    A full tile never changes. Partial tiles of smaller trees stay, as those who hold an older checkpoint need them.
    """
    size, rest = tree.size, iter(entries)
    for tile in tiles_of_level(ENTRIES, size):
        held = list(islice(rest, tile.width))
        for place, entry in enumerate(held):
            if len(entry) > LONGEST_ENTRY:
                raise RefusedError("TREE_ENTRIES", f"more than {LONGEST_ENTRY} bytes", tile.index * WIDTH + place)
        yield from _write_new(folder, tile, bundle_bytes(held))
    for level in levels_of(size):
        for tile in tiles_of_level(level, size):
            yield from _write_new(folder, tile, tile_bytes(tree, tile))


def _write_new(folder: Path, tile: Tile, data: bytes) -> Iterator[str]:
    file = folder / PurePosixPath(tile.path)
    if not file.is_file() or file.read_bytes() != data:
        write_whole(file, data)
        yield tile.path


@contextmanager
def alone(log: Path) -> Iterator[None]:
    """Let no other process write to a published log meanwhile; what one left half written is swept away."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with (log.parent / f"{log.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in log.rglob(".*"):
            if _HALF_WRITTEN.fullmatch(left.name):
                left.unlink()
        yield


def write_whole(file: Path, data: bytes) -> None:
    """Write a file so that it is there wholly or not at all, and has reached the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
