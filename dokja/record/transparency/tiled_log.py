"""A published log's files held against its checkpoint: every tile, every entry (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dokja.record.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash
from dokja.record.transparency.checkpoint import Checkpoint
from dokja.record.transparency.plain_files import files_under, read_file
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.refusals import RefusedError, refuse_first
from dokja.record.transparency.tiles import (
    ENTRIES,
    LARGEST_BUNDLE,
    WIDTH,
    entries_in,
    has_tile,
    levels_of,
    tile_at,
    tile_bytes,
    tiles_of_level,
)


def check_tree(log: Path, checkpoint: Checkpoint) -> Tree:
    """Hold all tiles and entries against the checkpoint; the tree over them."""
    size = checkpoint.size
    refuse_first("TREE_PATH", (path for path in files_under(log) if not _belongs(path, size)))
    leaves = b"".join(_leaves(log, size))
    tree = Tree.of(leaves)
    for level in levels_of(size)[1:]:
        for tile in tiles_of_level(level, size):
            if _tile(log, tile.path, tile.width) != tile_bytes(tree, tile):
                raise RefusedError("TREE_NODE", tile.path)
    if (tree.root() if size else EMPTY_ROOT) != checkpoint.root:
        raise RefusedError("TREE_ROOT")
    return tree


def _belongs(path: str, size: int) -> bool:
    tile = tile_at(path)
    return path == "checkpoint" or path.startswith("checkpoints/") or (tile is not None and has_tile(tile, size))


def _leaves(log: Path, size: int) -> Iterator[bytes]:
    """The tiles of leaf hashes, each held against the entries beside it."""
    for tile, bundle in zip(tiles_of_level(0, size), tiles_of_level(ENTRIES, size), strict=True):
        hashes = _tile(log, tile.path, tile.width)
        for place, entry in enumerate(entries_in(_present(log, bundle.path, LARGEST_BUNDLE), bundle)):
            if leaf_hash(entry) != hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]:
                raise RefusedError("TREE_LEAF", bundle.path, tile.index * WIDTH + place)
        yield hashes


def _present(log: Path, path: str, most: int) -> bytes:
    if not (log / path).is_file():
        raise RefusedError("TREE_TILE_MISSING", path)
    return read_file(log / path, most + 1)


def _tile(log: Path, path: str, width: int) -> bytes:
    hashes = _present(log, path, WIDTH * HASH_BYTES)
    if len(hashes) != width * HASH_BYTES:
        raise RefusedError("TREE_TILE_SIZE", path)
    return hashes


def entry_of(log: Path, size: int, index: int) -> bytes:
    """One entry of a published log."""
    tile = next(tile for tile in tiles_of_level(ENTRIES, size) if tile.index == index // WIDTH)
    return entries_in(_present(log, tile.path, LARGEST_BUNDLE), tile)[index % WIDTH]


def entries_of(log: Path, size: int) -> Iterator[bytes]:
    """The entries of a published log, in order."""
    for tile in tiles_of_level(ENTRIES, size):
        yield from entries_in(_present(log, tile.path, LARGEST_BUNDLE), tile)
