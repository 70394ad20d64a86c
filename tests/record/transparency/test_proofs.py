"""Proofs over logs of any size: right ones hold, any other does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dokja.record.merkle import Frontier, Grown, leaf_hash
from dokja.record.transparency.proofs import Tree, continues, includes
from dokja.record.transparency.tiles import Tile, has_tile, levels_of, tile_at, tiles_of_level

LEAVES = [leaf_hash(b"%d" % number) for number in range(600)]
TREE = Tree.of(b"".join(LEAVES))
SIZES = st.integers(1, 600)


@given(SIZES)
def test_the_root_is_that_of_the_record(size: int) -> None:
    frontier = Frontier(0, [])
    frontier.extend(LEAVES[:size])
    assert TREE.root(size) == frontier.root()


@given(st.integers(0, 600), st.integers(0, 10).map(lambda height: 1 << height))
def test_trees_of_parts_join_to_the_tree_of_all(size: int, each: int) -> None:
    parts = [Tree.of(b"".join(LEAVES[first : min(first + each, size)])) for first in range(0, size, each)]
    assert Tree.joined(parts) == Tree.of(b"".join(LEAVES[:size]))


@given(st.lists(st.integers(0, 150), max_size=4), st.integers(0, 300))
def test_a_tree_grows_as_the_log_does(batches: list[int], start: int) -> None:
    frontier = Frontier(0, [])
    frontier.extend(LEAVES[:start])
    grown = Grown(start)
    for batch in batches:
        grown.add(frontier.extend(LEAVES[: 600 - 1][frontier.size : frontier.size + batch]))
    assert Tree.of(b"".join(LEAVES[:start])).grown(grown.levels) == Tree.of(b"".join(LEAVES[: frontier.size]))


@given(SIZES, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    index, wrong = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    path, root = TREE.inclusion(index, size), TREE.root(size)
    assert includes(LEAVES[index], index, size, path, root)
    assert not includes(LEAVES[index], index, size, (*path, root), root)
    assert not includes(LEAVES[index], index, size, path[:-1], root) or not path
    assert not includes(LEAVES[wrong], index, size, path, root) or wrong == index
    assert not includes(root, index, size, path, root) or size == 1
    for place in range(len(path)):
        assert not includes(LEAVES[index], index, size, (*path[:place], bytes(32), *path[place + 1 :]), root)


@given(SIZES, st.data())
def test_consistency(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    path, before, after = TREE.consistency(old, size), TREE.root(old), TREE.root(size)
    assert continues(old, size, path, before, after)
    assert not continues(old, size, path, bytes(32), after)
    assert not continues(old, size, path, before, bytes(32))
    assert not continues(old, size, (*path, after), before, after)
    for place in range(len(path)):
        assert not continues(old, size, (*path[:place], bytes(32), *path[place + 1 :]), before, after)


@given(st.integers(0, 2**40), st.integers(-1, 6), st.integers(1, 256))
def test_a_tiles_path_is_its_one_name(index: int, level: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert tile_at(tile.path) == tile


def test_the_specifications_examples_of_tiles() -> None:
    assert Tile(0, 1234067, 256).path == "tile/0/x001/x234/067"
    widths = [[tile.width for tile in tiles_of_level(level, 70_000)] for level in levels_of(70_000)]
    assert widths == [[256] * 273 + [112], [256, 17], [1]]
    assert [[tile.width for tile in tiles_of_level(level, 256)] for level in levels_of(256)] == [[256], [1]]
    assert not has_tile(Tile(2, 0, 2), 70_000)
    for path in (
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/00/000",
        "tile/0/x000/000",
        "tile/0/0",
        "tile/0/000.p/01",
    ):
        assert tile_at(path) is None
