"""The page's drawings as static SVG: marks, lines and texts at places in pixels, painted by Altair and vl-convert.

No layout depends on how wide a font is, so that the same figures give the same bytes on every machine. Colours are
custom properties of the style sheet; what a colour says, a shape or a fill says too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, TypeVar

import altair as alt
from markupsafe import Markup
from vl_convert import vegalite_to_svg

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
    """The scene as SVG with its title and description, which the ids made from `identifier` tie to it."""
    svg: str = vegalite_to_svg(_chart(scene).to_dict(validate=False), vl_version=_grammar())
    opening = Markup(
        '<svg class="chart" role="img" aria-labelledby="{0}-title {0}-desc" viewBox="0 0 {1} {2}" width="{1}" '
        'height="{2}"><title id="{0}-title">{3}</title><desc id="{0}-desc">{4}</desc>'
    ).format(identifier, scene.width, scene.height, title, description)
    return opening + Markup(_GROUPS.sub("<g>", _OPENING.sub("", svg)))  # noqa: S704 - vl-convert escapes its texts


_OPENING = re.compile(r"^<svg[^>]*>")

_GROUPS = re.compile(r'<g class="[^"<>]*" role="graphics-[a-z]+" aria-roledescription="[^"<>]*">')
"""Groups that call themselves graphics; the drawing as a whole has its name, they have none."""


def _grammar() -> str:
    major, minor, *_ = alt.SCHEMA_VERSION.removeprefix("v").split(".")
    return f"{major}.{minor}"


def _chart(scene: Scene) -> alt.LayerChart:
    return alt.LayerChart(
        layer=[
            *_layers(scene.lines, lambda each: (each.colour, each.dashed), _lines),
            *_layers(scene.marks, lambda each: (each.shape, each.filled), _marks),
            *_layers(scene.texts, lambda each: (each.align, each.colour, each.size), _texts),
        ],
        width=scene.width,
        height=scene.height,
        autosize=alt.AutoSizeParams(type="none"),
        padding=0,
        background="transparent",
        config=alt.Config(aria=False, font="sans-serif", view=alt.ViewConfig(stroke=None)),
    )


def _layers(
    items: Sequence[Item], style: Callable[[Item], tuple[Any, ...]], layer: Callable[[Sequence[Item]], alt.Chart]
) -> Iterable[alt.Chart]:
    """A layer for each run of items of one style."""
    return [layer(list(run)) for _, run in groupby(items, style)]


def _lines(lines: Sequence[Line]) -> alt.Chart:
    ends = {"x2": alt.SecondaryFieldDef(field="x2"), "y2": alt.SecondaryFieldDef(field="y2")}
    rows = [{"x": _px(each.x), "y": _px(each.y), "x2": _px(each.x2), "y2": _px(each.y2)} for each in lines]
    rule = alt.MarkDef(
        type="rule", color=lines[0].colour, strokeWidth=1, strokeDash=[4, 4] if lines[0].dashed else []
    )
    return _layer(rows, rule, {"x": _at("x"), "y": _at("y"), **ends})


def _marks(marks: Sequence[Mark]) -> alt.Chart:
    first = marks[0]
    rows = [{"x": _px(each.x), "y": _px(each.y), "size": _px(each.size)} for each in marks]
    fill = MARK if first.filled else PAPER
    point = alt.MarkDef(
        type="point", shape=first.shape, filled=True, fill=fill, opacity=1, stroke=MARK, strokeWidth=1.25
    )
    size = alt.FieldOrDatumDefWithConditionMarkPropFieldDefnumber(
        field="size", type="quantitative", scale=None, legend=None
    )
    return _layer(rows, point, {"x": _at("x"), "y": _at("y"), "size": size})


def _texts(texts: Sequence[Text]) -> alt.Chart:
    first = texts[0]
    rows = [{"x": _px(each.x), "y": _px(each.y), "text": each.text} for each in texts]
    said = alt.FieldOrDatumDefWithConditionStringFieldDefText(field="text", type="nominal")
    text = alt.MarkDef(type="text", align=first.align, baseline="alphabetic", fontSize=first.size, color=first.colour)
    return _layer(rows, text, {"x": _at("x"), "y": _at("y"), "text": said})


def _layer(rows: Sequence[Mapping[str, object]], mark: alt.MarkDef, encoding: Mapping[str, Any]) -> alt.Chart:
    data = alt.InlineData(values=[dict(row) for row in rows])
    return alt.Chart(data, mark=mark, encoding=alt.FacetedEncoding(**encoding))


def _at(field_name: str) -> alt.PositionFieldDef:
    """A place that is taken as it stands, in pixels."""
    return alt.PositionFieldDef(field=field_name, type="quantitative", scale=None, axis=None)


def _px(number: float) -> float:
    return round(number, 1)
