"""Charts as static SVG: lanes with a name above and marks on a common scale, drawn by Altair and vl-convert.

All places are computed here, and no layout depends on how wide a font is, so that the same figures give the same
bytes on every machine. Text stays text. Colours are custom properties of the page's style sheet, so that a chart
follows the page into dark mode and onto paper. Floats are only ever places in a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from unicodedata import east_asian_width

import altair as alt
from markupsafe import Markup
from vl_convert import vegalite_to_svg

INK, MUTED, GRID, MARK, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--mark)", "var(--paper)"

LANE, HEAD, FOOT, MARGIN = 44, 4, 24, 14
"""Heights in pixels: of a lane, above the first and below the last; and the free space on either side."""

CUT = 22
"""The height in pixels that the cut takes between two lanes."""

TEXT, SMALL = 14, 12
"""Sizes of type in pixels."""

BASELINE, BAR_TOP, BAR_END = 17, 25, 34
"""Where, in a lane, its name and its marks stand."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of a chart: what stands above it on the left and on the right."""

    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A mark on a lane from one number to another, hollow or filled; a point where both are one."""

    lane: int
    start: float
    end: float
    filled: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across all lanes with its label below."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A word on a lane, at a number."""

    lane: int
    at: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """A chart as data on a scale from `start` to `end`.

    lines: numbers that matter on all lanes. cut: after how many lanes a line is drawn, with its label.
    """

    width: int
    start: float
    end: float
    lanes: Sequence[Lane]
    spans: Sequence[Span]
    ticks: Sequence[Tick]
    signs: Sequence[Sign] = ()
    lines: Sequence[float] = ()
    cut: tuple[int, str] | None = None

    @property
    def height(self) -> int:
        """The height in pixels."""
        return self.top(len(self.lanes)) + FOOT

    def top(self, lane: int) -> int:
        """Where a lane begins, in pixels from above; the cut takes room between two lanes."""
        parted = self.cut is not None and lane >= self.cut[0]
        return HEAD + LANE * lane + (CUT if parted else 0)

    def across(self, number: float) -> float:
        """Where a number of the scale stands, in pixels from the left."""
        share = (number - self.start) / (self.end - self.start)
        return round(MARGIN + share * (self.width - 2 * MARGIN), 1)


@dataclass(frozen=True)
class Chart:
    """A drawn chart with what it says in words; the table that holds its numbers stands beside it."""

    title: str
    description: str
    svg: Markup


def draw(drawing: Drawing, identifier: str, title: str, description: str) -> Chart:
    """The chart as SVG with its title and description, which the ids made from `identifier` tie to it."""
    svg: str = vegalite_to_svg(_chart(drawing).to_dict(validate=False), vl_version=_grammar())
    opening = Markup(
        '<svg class="chart" role="img" aria-labelledby="{0}-title {0}-desc" viewBox="0 0 {1} {2}" width="{1}" '
        'height="{2}"><title id="{0}-title">{3}</title><desc id="{0}-desc">{4}</desc>'
    ).format(identifier, drawing.width, drawing.height, title, description)
    body = Markup(_GROUPS.sub("<g>", _OPENING.sub("", svg)))  # noqa: S704 - vl-convert escapes the texts it is given
    return Chart(title, description, opening + body)


_OPENING = re.compile(r"^<svg[^>]*>")

_GROUPS = re.compile(r'<g class="[^"<>]*" role="graphics-[a-z]+" aria-roledescription="[^"<>]*">')
"""Groups that call themselves graphics; the chart as a whole has its name, they have none."""


def short(text: str, columns: int) -> str:
    """The text cut to that many columns; a Korean letter takes two."""
    taken = 0
    for position, letter in enumerate(text):
        taken += 2 if east_asian_width(letter) in "WF" else 1
        if taken > columns:
            return text[: max(position - 1, 0)] + "…"
    return text


def _grammar() -> str:
    major, minor, *_ = alt.SCHEMA_VERSION.removeprefix("v").split(".")
    return f"{major}.{minor}"


def _chart(drawing: Drawing) -> alt.LayerChart:
    width, foot = drawing.width, drawing.height - 7
    names = [_Text(MARGIN, drawing.top(row) + BASELINE, lane.name, INK, TEXT) for row, lane in _rows(drawing)]
    notes = [_Text(width - MARGIN, drawing.top(row) + BASELINE, lane.note) for row, lane in _rows(drawing)]
    labels = [_Text(drawing.across(tick.at), foot, tick.label) for tick in drawing.ticks]
    signs = [
        _Text(drawing.across(sign.at), drawing.top(sign.lane) + BAR_END - 1, sign.text, INK) for sign in drawing.signs
    ]
    layers = (
        _verticals(drawing, [tick.at for tick in drawing.ticks], GRID),
        _verticals(drawing, drawing.lines, MUTED),
        _bars(drawing),
        _points(drawing),
        _texts(labels, "center"),
        _texts(names, "left"),
        _texts(notes, "right"),
        _texts(signs, "center"),
        *_cut(drawing),
    )
    return alt.LayerChart(
        layer=[layer for layer in layers if layer is not None],
        width=width,
        height=drawing.height,
        autosize=alt.AutoSizeParams(type="none"),
        padding=0,
        background="transparent",
        config=alt.Config(aria=False, font="sans-serif", view=alt.ViewConfig(stroke=None)),
    )


def _rows(drawing: Drawing) -> Iterator[tuple[int, Lane]]:
    return iter(enumerate(drawing.lanes))


def _layer(rows: Sequence[Mapping[str, object]], mark: alt.MarkDef, encoding: Mapping[str, Any]) -> alt.Chart | None:
    """Marks at the places in `rows`; none without rows. Built from the grammar's own classes: alike, but quicker."""
    if not rows:
        return None
    data = alt.InlineData(values=[dict(row) for row in rows])
    return alt.Chart(data, mark=mark, encoding=alt.FacetedEncoding(**encoding))


def _at(field: str) -> alt.PositionFieldDef:
    """A place that is taken as it stands, in pixels."""
    return alt.PositionFieldDef(field=field, type="quantitative", scale=None, axis=None)


def _as_said(field: str) -> alt.MarkPropDefGradientstringnull:
    """A colour that is taken as it stands."""
    return alt.FieldOrDatumDefWithConditionMarkPropFieldDefGradientstringnull(
        field=field, type="nominal", scale=None, legend=None
    )


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float
    text: str
    colour: str = MUTED
    size: int = SMALL


def _texts(texts: Sequence[_Text], align: Literal["left", "center", "right"]) -> alt.Chart | None:
    """Texts of one alignment; all of one layer have the size of the first."""
    said = [asdict(text) for text in texts if text.text]
    size = texts[0].size if texts else SMALL
    return _layer(
        said,
        alt.MarkDef(type="text", align=align, baseline="alphabetic", fontSize=size),
        {
            "x": _at("x"),
            "y": _at("y"),
            "text": alt.FieldOrDatumDefWithConditionStringFieldDefText(field="text", type="nominal"),
            "color": _as_said("colour"),
        },
    )


def _verticals(drawing: Drawing, numbers: Sequence[float], colour: str) -> alt.Chart | None:
    bottom = drawing.top(len(drawing.lanes))
    rows = [{"x": drawing.across(number), "y": HEAD, "y2": bottom} for number in numbers]
    mark = alt.MarkDef(type="rule", color=colour, strokeWidth=1)
    return _layer(rows, mark, {"x": _at("x"), "y": _at("y"), "y2": alt.SecondaryFieldDef(field="y2")})


def _fill(filled: bool) -> str:
    return MARK if filled else PAPER


def _bars(drawing: Drawing) -> alt.Chart | None:
    rows = [
        {
            "x": drawing.across(span.start),
            "x2": drawing.across(span.end),
            "y": drawing.top(span.lane) + BAR_TOP,
            "y2": drawing.top(span.lane) + BAR_END,
            "fill": _fill(span.filled),
        }
        for span in drawing.spans
        if span.start != span.end
    ]
    mark = alt.MarkDef(type="rect", stroke=MARK, strokeWidth=1.5, cornerRadius=2)
    ends = {"x2": alt.SecondaryFieldDef(field="x2"), "y2": alt.SecondaryFieldDef(field="y2")}
    return _layer(rows, mark, {"x": _at("x"), "y": _at("y"), **ends, "fill": _as_said("fill")})


def _points(drawing: Drawing) -> alt.Chart | None:
    rows = [
        {
            "x": drawing.across(span.start),
            "y": drawing.top(span.lane) + (BAR_TOP + BAR_END) / 2,
            "fill": _fill(span.filled),
        }
        for span in drawing.spans
        if span.start == span.end
    ]
    mark = alt.MarkDef(type="point", filled=True, opacity=1, stroke=MARK, strokeWidth=1.5, size=110)
    return _layer(rows, mark, {"x": _at("x"), "y": _at("y"), "fill": _as_said("fill")})


def _cut(drawing: Drawing) -> Sequence[alt.Chart | None]:
    """A dashed line after the last seat, its label above it."""
    if drawing.cut is None:
        return ()
    after, label = drawing.cut
    line = drawing.top(after) - 3
    row = {"x": MARGIN, "x2": drawing.width - MARGIN, "y": line}
    rule = alt.MarkDef(type="rule", color=INK, strokeDash=[5, 4], strokeWidth=1.2)
    across = {"x": _at("x"), "x2": alt.SecondaryFieldDef(field="x2"), "y": _at("y")}
    return _layer([row], rule, across), _texts([_Text(MARGIN, line - 5, label, INK)], "left")
