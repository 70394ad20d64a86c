"""Charts as static SVG: lanes with a name above and marks on a common scale, drawn by Altair and vl-convert.

All places are computed here, and no layout depends on how wide a font is, so that the same figures give the same
bytes on every machine. Text stays text. Colours are custom properties of the page's style sheet, so that a chart
follows the page into dark mode and onto paper. Floats are only ever places in a picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal
from unicodedata import east_asian_width

import altair as alt
from markupsafe import Markup
from vl_convert import vegalite_to_svg

INK, MUTED, GRID, MARK, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--mark)", "var(--paper)"

LANE, HEAD, FOOT, MARGIN = 44, 4, 24, 14
"""Heights in pixels: of a lane, above the first and below the last; and the free space on either side."""

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
        return HEAD + LANE * len(self.lanes) + FOOT

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
    body = Markup(re.sub(r"^<svg[^>]*>", "", svg))  # noqa: S704 - vl-convert escapes the texts it is given
    return Chart(title, description, opening + body)


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


def _top(lane: int) -> int:
    return HEAD + LANE * lane


def _chart(drawing: Drawing) -> alt.LayerChart:
    width, foot = drawing.width, drawing.height - 7
    names = [_Text(MARGIN, _top(row) + BASELINE, lane.name, INK, TEXT) for row, lane in enumerate(drawing.lanes)]
    notes = [_Text(width - MARGIN, _top(row) + BASELINE, lane.note) for row, lane in enumerate(drawing.lanes)]
    labels = [_Text(drawing.across(tick.at), foot, tick.label) for tick in drawing.ticks]
    signs = [_Text(drawing.across(sign.at), _top(sign.lane) + BAR_END - 1, sign.text, INK) for sign in drawing.signs]
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
    chart = alt.layer(*layers).properties(
        width=width,
        height=drawing.height,
        autosize=alt.AutoSizeParams(type="none"),
        padding=0,
        background="transparent",
    )
    return chart.configure(aria=False, font="sans-serif").configure_view(stroke=None)


def _data(rows: Sequence[Mapping[str, float | str]]) -> alt.InlineData:
    return alt.InlineData(values=[dict(row) for row in rows])


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:Q", scale=None, axis=None)


def _y(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", scale=None, axis=None)


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float
    text: str
    colour: str = MUTED
    size: int = SMALL


def _texts(texts: Sequence[_Text], align: Literal["left", "center", "right"]) -> alt.Chart:
    colour, size = alt.Color("colour:N", scale=None), alt.Size("size:Q", scale=None)
    marks = alt.Chart(_data([asdict(text) for text in texts])).mark_text(align=align, baseline="alphabetic")
    return marks.encode(x=_x("x"), y=_y("y"), text="text:N", color=colour, size=size)


def _verticals(drawing: Drawing, numbers: Sequence[float], colour: str) -> alt.Chart:
    bottom = HEAD + LANE * len(drawing.lanes)
    rows = [{"x": drawing.across(number), "y": HEAD, "y2": bottom} for number in numbers]
    return alt.Chart(_data(rows)).mark_rule(color=colour, strokeWidth=1).encode(x=_x("x"), y=_y("y"), y2="y2")


def _fill(filled: bool) -> str:
    return MARK if filled else PAPER


def _bars(drawing: Drawing) -> alt.Chart:
    rows = [
        {
            "x": drawing.across(span.start),
            "x2": drawing.across(span.end),
            "y": _top(span.lane) + BAR_TOP,
            "y2": _top(span.lane) + BAR_END,
            "fill": _fill(span.filled),
        }
        for span in drawing.spans
        if span.start != span.end
    ]
    marks = alt.Chart(_data(rows)).mark_rect(stroke=MARK, strokeWidth=1.5, cornerRadius=2)
    return marks.encode(x=_x("x"), x2="x2", y=_y("y"), y2="y2", fill=alt.Fill("fill:N", scale=None))


def _points(drawing: Drawing) -> alt.Chart:
    rows = [
        {
            "x": drawing.across(span.start),
            "y": _top(span.lane) + (BAR_TOP + BAR_END) / 2,
            "fill": _fill(span.filled),
        }
        for span in drawing.spans
        if span.start == span.end
    ]
    marks = alt.Chart(_data(rows)).mark_point(filled=True, opacity=1, stroke=MARK, strokeWidth=1.5, size=110)
    return marks.encode(x=_x("x"), y=_y("y"), fill=alt.Fill("fill:N", scale=None))


def _cut(drawing: Drawing) -> Sequence[alt.Chart]:
    """A dashed line after the last seat, its label in the middle of it."""
    if drawing.cut is None:
        return ()
    after, label = drawing.cut
    row = {"x": MARGIN, "x2": drawing.width - MARGIN, "y": _top(after) + 2}
    rule = alt.Chart(_data([row])).mark_rule(color=INK, strokeDash=[5, 4], strokeWidth=1.2)
    word = _Text(drawing.width / 2, _top(after) - 2, label, INK)
    return rule.encode(x=_x("x"), x2="x2", y=_y("y")), _texts([word], "center")
