"""Conditions as boxes of whole numbers: which parts of a space they cover, without walking through its points.

A contingency applies where each of some counts lies in a range: a box. `partition` cuts the space at the ends of the
boxes' ranges and nowhere else, so that within a part the same boxes hold at every point: to know one point is to know
the part. The number of parts depends on how many conditions are written, not on how many teams there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Range = tuple[int, int]
"""From the first to the second number, both included; empty where the first is greater."""

Box = Mapping[str, Range]
"""A range for each count, by its name; a count that is not named may be anything."""


@dataclass(frozen=True)
class Part:
    """A part of the space, and the positions of the boxes that hold all over it."""

    box: Mapping[str, Range]
    held_by: tuple[int, ...]


def partition(space: Box, boxes: Sequence[Box]) -> Iterator[Part]:
    """Disjoint parts that make up the whole space; in each of them every box holds everywhere or nowhere."""
    yield from _split(dict(space), dict(enumerate(boxes)), tuple(space))


def _split(space: dict[str, Range], boxes: Mapping[int, Box], axes: Sequence[str]) -> Iterator[Part]:
    if any(low > high for low, high in space.values()):
        return
    axis = next((each for each in axes if any(each in box for box in boxes.values())), None)
    if axis is None:
        yield Part(space, tuple(boxes))
        return
    rest = axes[axes.index(axis) + 1 :]
    for segment in _segments(space[axis], [box[axis] for box in boxes.values() if axis in box]):
        holding = {
            position: box
            for position, box in boxes.items()
            if axis not in box or (box[axis][0] <= segment[0] and segment[1] <= box[axis][1])
        }
        yield from _split({**space, axis: segment}, holding, rest)


def _segments(whole: Range, cuts: Sequence[Range]) -> Iterator[Range]:
    """The range cut before every start and after every end that lies in it."""
    low, high = whole
    starts = {low} | {start for cut in cuts for start in (cut[0], cut[1] + 1) if low < start <= high}
    ordered = sorted(starts)
    yield from zip(ordered, [*(start - 1 for start in ordered[1:]), high], strict=True)
