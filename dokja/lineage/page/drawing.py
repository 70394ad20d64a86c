"""The page's drawings: marks, lines and texts at places in pixels. What a colour says, a shape or a fill says too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, TypeVar

from markupsafe import Markup

from dokja import vega_lite
from dokja.vega_lite import Layer, Picture, as_said, end, place

INK, MUTED, GRID, MARK, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--mark)", "var(--surface)"

WIDTH = 340
"""Pixels; every drawing is as wide as a narrow screen, and stands beside others on a wide one."""

TEXT, SMALL = 14, 12

Shape = Literal["circle", "diamond", "square", "triangle-up"]
Align = Literal["left", "center", "right"]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of an area in square pixels, filled or hollow."""

    x: float
    y: float
    shape: Shape = "circle"
    size: float = 40
    filled: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x: float
    y: float
    x2: float
    y2: float
    colour: str = GRID
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A text that stands on a baseline."""

    x: float
    y: float
    text: str
    align: Align = "left"
    colour: str = MUTED
    size: int = SMALL


@dataclass(frozen=True)
class Scene:
    """All that a drawing shows; lines lie below marks, texts above both."""

    height: int
    marks: Sequence[Mark] = ()
    lines: Sequence[Line] = ()
    texts: Sequence[Text] = ()
    width: int = field(default=WIDTH)


def paint(scene: Scene, identifier: str, title: str, description: str) -> Markup:
    """The scene as SVG with its title and description."""
    return vega_lite.paint(picture(scene), identifier, title, description)


def picture(scene: Scene) -> Picture:
    """The scene's layers, lowest first."""
    layers = [
        *_layers(scene.lines, lambda each: (each.colour, each.dashed), _lines),
        *_layers(scene.marks, lambda each: (each.shape, each.filled), _marks),
        *_layers(scene.texts, lambda each: (each.align, each.colour, each.size), _texts),
    ]
    return Picture(scene.width, scene.height, layers)


def _layers(
    items: Sequence[Item], style: Callable[[Item], tuple[Any, ...]], layer: Callable[[Sequence[Item]], Layer]
) -> Iterable[Layer]:
    """A layer for each run of items of one style."""
    return [layer(list(run)) for _, run in groupby(items, style)]


def _lines(lines: Sequence[Line]) -> Layer:
    rows = [{"x": _px(each.x), "y": _px(each.y), "x2": _px(each.x2), "y2": _px(each.y2)} for each in lines]
    first = lines[0]
    rule = {"type": "rule", "color": first.colour, "strokeWidth": 1, "strokeDash": [4, 4] if first.dashed else []}
    return vega_lite.layer(rows, rule, x=place("x"), y=place("y"), x2=end("x2"), y2=end("y2"))


def _marks(marks: Sequence[Mark]) -> Layer:
    rows = [{"x": _px(each.x), "y": _px(each.y), "size": _px(each.size)} for each in marks]
    point = {
        "type": "point",
        "shape": marks[0].shape,
        "filled": True,
        "fill": MARK if marks[0].filled else PAPER,
        "opacity": 1,
        "stroke": MARK,
        "strokeWidth": 1.25,
    }
    return vega_lite.layer(rows, point, x=place("x"), y=place("y"), size=as_said("size", "quantitative"))


def _texts(texts: Sequence[Text]) -> Layer:
    first = texts[0]
    rows = [{"x": _px(each.x), "y": _px(each.y), "text": each.text} for each in texts]
    mark = {
        "type": "text",
        "align": first.align,
        "baseline": "alphabetic",
        "fontSize": first.size,
        "color": first.colour,
    }
    return vega_lite.layer(rows, mark, x=place("x"), y=place("y"), text=vega_lite.text("text"))


def _px(number: float) -> float:
    return round(number, 1)
