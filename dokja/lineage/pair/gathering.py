"""The evidence of one component: its weights are gone through once, and every test is fed on the way.

What stands at one place (a layer, an expert) is taken together: read, decoded and centred once for all tests. Places
are independent, so cores share them; their findings are added up in the order of the places, so the number of cores
changes no digit. In memory are the places at work, whatever the size of the models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import ml_dtypes
import numpy as np

from dokja.lineage.cores import Crew
from dokja.lineage.model import Member, Model
from dokja.lineage.pair.channels import Channels, across_residual, matched_test, rows_of_each
from dokja.lineage.pair.evidence import Elements, Evidence, Held, smallest
from dokja.lineage.pair.pairing import GroupPair, aligned, aligned_squares
from dokja.lineage.pair.places import PlaceFound, label_test, look, order_test, traces_test, turned_test
from dokja.lineage.pair.rows import By, Paired, most_alike, of_vocabulary, ways, words_between
from dokja.lineage.pair.searching import Search
from dokja.lineage.pair.squares import SquareFound, look_at_squares, squares_test
from dokja.lineage.statistics import Cells, equal_rows, in_cells
from dokja.lineage.statistics.units import Floats, Matrix

POSITION = "position"
"""The role of a table of positions."""

FIRST_ROWS = 16
"""Rows that must agree before all bytes of two tensors are compared."""


@dataclass
class _Place:
    """What is looked at together: groups and their square matrices, matrices across the residual axis, elements, and
    groups to be copied."""

    groups: list[GroupPair] = field(default_factory=list)
    squares: list[GroupPair] = field(default_factory=list)
    across: list[tuple[Member, Member]] = field(default_factory=list)
    elements: list[tuple[Member, Member]] = field(default_factory=list)
    copies: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class _Sums:
    """Sums over the elements at the same place: parameters of equal tensors, inner product, squared lengths; of all
    matrices the parameters, and those that equal rows stand for; numbers in the cells of a quantised side; how the
    rows of vocabularies were paired."""

    equal: int = 0
    inner: float = 0.0
    mine: float = 0.0
    his: float = 0.0
    matrices: int = 0
    kept: float = 0.0
    cells: Cells = field(default_factory=Cells)
    paired: tuple[Paired, ...] = ()

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def elements(self) -> Elements:
        scale = float(np.sqrt(self.mine * self.his))
        return Elements(
            equal=self.equal,
            cosine=self.inner / scale if scale > 0 and np.isfinite(scale) else None,
            rows=self.kept / self.matrices if self.matrices else None,
            cells=self.cells if self.cells.numbers else None,
            paired=next(iter(self.paired), None),
        )


def gather(held: Held, component: str, crew: Crew) -> Evidence:
    """All tests of a component."""
    search = Search(held, component)
    across = across_residual(held, component)
    width = held.left.model.extent(across[0][0])[1] if across else 0
    rows = rows_of_each(across)
    total = Channels(width, held.key, rows)

    def work(place: _Place) -> tuple[list[PlaceFound], list[SquareFound], Channels, _Sums]:
        found = [seen for pair in place.groups if (seen := look(held, pair)) is not None]
        square = [each for pair in place.squares if (each := look_at_squares(held, pair)) is not None]
        for side, group in place.copies:
            (search.left, search.right)[side].make(group)
        channels = Channels(width, held.key, rows)
        for pair in place.across:
            channels.add(held, *pair)
        return found, square, channels, _compared(held, place.elements)

    groups: list[PlaceFound] = []
    squares: list[SquareFound] = []
    sums = _Sums()
    for found, square, channels, elements in crew.spread(work, _places(held, component, across, search)):
        groups += found
        squares += square
        total.include(channels)
        sums += elements
    whole = total.whole()
    layers, partners, mirrored = search.test(crew)
    labels = [
        label_test(
            groups,
            total.joint(traces.values()),
            {name: total.matches(each) for name, each in traces.items()},
            held.key,
        )
        for traces in total.pairings()
    ]
    tests = (
        smallest(labels),
        traces_test(groups),
        order_test(groups),
        turned_test(groups),
        squares_test(squares),
        matched_test(total, whole),
        layers,
    )
    return Evidence(tests, partners, mirrored, sums.elements)


def _places(held: Held, component: str, across: Sequence[tuple[Member, Member]], search: Search) -> Iterable[_Place]:
    """The places in the order of the submission's parts; what bears no layer stands by itself."""
    found: dict[object, _Place] = {}

    def at(layer: int | None, expert: int | None, name: object) -> _Place:
        return found.setdefault((layer, expert) if layer is not None else name, _Place())

    for pair in aligned(held.left.model, held.right.model, component):
        at(pair.left.layer, pair.left.expert, pair.left.name).groups.append(pair)
    for pair in aligned_squares(held.left.model, held.right.model, component):
        at(pair.left.layer, pair.left.expert, pair.left.name).squares.append(pair)
    for side, copies in enumerate((search.left, search.right)):
        for place, group in enumerate(copies.groups):
            at(group.layer, group.expert, group.name).copies.append((side, place))
    for a, b in across:
        at(a.part.layer, a.part.expert, a.part.tensor).across.append((a, b))
    for a, b in _counterparts(held, component):
        at(a.part.layer, a.part.expert, a.part.tensor).elements.append((a, b))
    return found.values()


def _counterparts(held: Held, component: str) -> Iterator[tuple[Member, Member]]:
    """Parts at the same place and of one shape; where names differ, those that stand in groups at the same place."""
    theirs = _placed(held.right.model, component)
    met: set[object] = set()
    for key, a in _placed(held.left.model, component).items():
        b = replace(theirs[key], by=a.by) if key in theirs else None
        if b is not None and _of_one_shape(held, a, b):
            met.add((a.part.tensor, a.part.take, a.part.index))
            yield a, b
    for pair in aligned(held.left.model, held.right.model, component):
        for a, b in pair.members:
            known = (a.part.tensor, a.part.take, a.part.index)
            if known not in met and held.left.model.extent(a) == held.right.model.extent(b):
                met.add(known)
                yield a, b


def _of_one_shape(held: Held, a: Member, b: Member) -> bool:
    """Whether all extents agree, but for the length of a vocabulary."""
    mine, his = held.left.model.extent(a), held.right.model.extent(b)
    return mine == his or (of_vocabulary(a) and of_vocabulary(b) and mine[1] == his[1])


def _placed(model: Model, component: str) -> Mapping[tuple[object, ...], Member]:
    """The component's parts by role and place; of several of one role in one layer (its norms), by their turn."""
    found: dict[tuple[object, ...], Member] = {}
    turns: Counter[tuple[object, ...]] = Counter()
    for member in model.parts(component):
        part = member.part
        place = (part.role, part.layer, part.expert, part.take, part.tensor if part.layer is None else None)
        found[*place, turns[place]] = member
        turns[place] += 1
    return found


def _compared(held: Held, pairs: Sequence[tuple[Member, Member]]) -> _Sums:
    """The elements at the same place. Bytes are compared only where the first rows that are looked at agree."""
    sums = _Sums()
    for a, b in pairs:
        found = ways((held.left, held.right), (a, b), held.words)
        if not found:
            sums += _Sums(_bytes_alike(held, a, b))
            continue
        closer = most_alike(found)
        x, y = found[closer]
        size = int(np.prod(held.left.model.extent(a), dtype=np.int64))
        whole = held.left.model.extent(a) == held.right.model.extent(b)
        equal = size if whole and _may_be_equal(*found["number"]) and _same_bytes(held, a, b) else 0
        if min(held.left.model.extent(a)) > 1:
            inner, mine, his = _products(x, y)
            if not np.isfinite((inner, mine, his)).all():
                inner, mine, his = _products(*(np.nan_to_num(side.astype(np.float64)) for side in (x, y)))
            rows = equal_rows(x, y) if a.by == "rows" else equal_rows(x.T, y.T)
            kept = size * rows.equal / rows.compared if rows.compared else 0.0
            paired = _paired(held, (a, b), closer) if of_vocabulary(a) else ()
            sums += _Sums(equal, inner, mine, his, size if rows.compared else 0, kept, _in_cells(a, x, y), paired)
        else:
            sums += _Sums(equal)
    return sums


def _paired(held: Held, members: tuple[Member, Member], closer: By) -> tuple[Paired, ...]:
    words = words_between((held.left, held.right), members, held.words)
    return (Paired(None, 0, closer) if words is None else Paired(words.count, int(words.moved.sum()), closer),)


def _bytes_alike(held: Held, a: Member, b: Member) -> int:
    """How many numbers two tensors hold that are equal to the last bit."""
    mine, his = held.left.model.extent(a), held.right.model.extent(b)
    return int(np.prod(mine, dtype=np.int64)) if mine == his and _same_bytes(held, a, b) else 0


def _in_cells(member: Member, left: Matrix, right: Matrix) -> Cells:
    """Numbers of one side in the cells of the other, which is quantised; scales run along the rows of a tensor.

    A table of positions is not asked: of waves the same few numbers come again, as in a grid.
    """
    if member.by == "columns" or member.part.role == POSITION:
        return Cells()
    found = in_cells(left, right)
    return found if found.numbers else in_cells(right, left)


def _products(left: Floats, right: Floats) -> tuple[float, float, float]:
    """The inner product, and both squared lengths."""
    with np.errstate(over="ignore", invalid="ignore"):
        inner, mine, his = (
            float(np.einsum("ij,ij->i", *each).sum(dtype=np.float64))
            for each in ((left, right), (left, left), (right, right))
        )
    return inner, mine, his


def _may_be_equal(left: Matrix, right: Matrix) -> bool:
    """Whether the first rows agree to the digits that a library's pack keeps."""
    first, other = (side[:FIRST_ROWS].astype(ml_dtypes.bfloat16) for side in (left, right))
    return bool(np.array_equal(first.view(np.uint16), other.view(np.uint16)))


def _same_bytes(held: Held, a: Member, b: Member) -> bool:
    mine = held.left.source.digest(a.part.tensor)
    return mine is not None and mine == held.right.source.digest(b.part.tensor)
