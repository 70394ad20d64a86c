"""Charts of lanes: a name above, marks on a common scale below. Floats are only ever places in a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal
from unicodedata import east_asian_width

from markupsafe import Markup

from dokja.vega_lite import Layer, Picture, as_said, end, layer, paint, place, text

INK, MUTED, GRID, MARK, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--mark)", "var(--paper)"

LANE, HEAD, FOOT, MARGIN = 44, 4, 24, 14
"""Heights in pixels: of a lane, above the first and below the last; and the free space on either side."""

CUT = 22
"""The height in pixels that the cut takes between two lanes."""

TEXT, SMALL = 14, 12
"""Sizes of type in pixels."""

BASELINE, BAR_TOP, BAR_END = 17, 25, 34
"""Where, in a lane, its name and its marks stand."""

WIDE, NARROW = 760, 340
"""Widths in pixels of a chart that has the column to itself: on a wide screen, and on a narrow one."""

OVERLAP = 4
"""How far the lines of the scale stand out above and below the marks."""


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
    """The chart as SVG with its title and description."""
    return Chart(title, description, paint(picture(drawing), identifier, title, description))


def short(text: str, columns: int) -> str:
    """The text cut to that many columns; a Korean letter takes two."""
    taken = 0
    for position, letter in enumerate(text):
        taken += 2 if east_asian_width(letter) in "WF" else 1
        if taken > columns:
            return text[: max(position - 1, 0)] + "…"
    return text


def picture(drawing: Drawing) -> Picture:
    """The drawing's layers, lowest first."""
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
    return Picture(width, drawing.height, [each for each in layers if each["data"]["values"]])


def _rows(drawing: Drawing) -> Iterator[tuple[int, Lane]]:
    return iter(enumerate(drawing.lanes))


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float
    text: str
    colour: str = MUTED
    size: int = SMALL


def _texts(texts: Sequence[_Text], align: Literal["left", "center", "right"]) -> Layer:
    """Texts of one alignment; all of one layer have the size of the first."""
    mark = {
        "type": "text",
        "align": align,
        "baseline": "alphabetic",
        "fontSize": texts[0].size if texts else SMALL,
    }
    said = [asdict(each) for each in texts if each.text]
    return layer(said, mark, x=place("x"), y=place("y"), text=text("text"), color=as_said("colour"))


def _verticals(drawing: Drawing, numbers: Sequence[float], colour: str) -> Layer:
    """Lines along the marks of every lane; none runs through a word."""
    rows = [
        {
            "x": drawing.across(number),
            "y": drawing.top(lane) + BAR_TOP - OVERLAP,
            "y2": drawing.top(lane) + BAR_END + OVERLAP,
        }
        for lane, _ in _rows(drawing)
        for number in numbers
    ]
    mark = {"type": "rule", "color": colour, "strokeWidth": 1}
    return layer(rows, mark, x=place("x"), y=place("y"), y2=end("y2"))


_OUTLINE: Mapping[str, object] = {"stroke": MARK, "strokeWidth": 1.5}


def _fill(filled: bool) -> str:
    return MARK if filled else PAPER


def _bars(drawing: Drawing) -> Layer:
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
    mark = {"type": "rect", **_OUTLINE, "cornerRadius": 2}
    return layer(rows, mark, x=place("x"), y=place("y"), x2=end("x2"), y2=end("y2"), fill=as_said("fill"))


def _points(drawing: Drawing) -> Layer:
    rows = [
        {
            "x": drawing.across(span.start),
            "y": drawing.top(span.lane) + (BAR_TOP + BAR_END) / 2,
            "fill": _fill(span.filled),
        }
        for span in drawing.spans
        if span.start == span.end
    ]
    mark = {"type": "point", "filled": True, "opacity": 1, **_OUTLINE, "size": 110}
    return layer(rows, mark, x=place("x"), y=place("y"), fill=as_said("fill"))


def _cut(drawing: Drawing) -> Sequence[Layer]:
    """A dashed line after the last seat, its label above it."""
    if drawing.cut is None:
        return ()
    after, label = drawing.cut
    line = drawing.top(after) - 3
    row = {"x": MARGIN, "x2": drawing.width - MARGIN, "y": line}
    rule = {"type": "rule", "color": INK, "strokeDash": [5, 4], "strokeWidth": 1.2}
    return (
        layer([row], rule, x=place("x"), x2=end("x2"), y=place("y")),
        _texts([_Text(MARGIN, line - 5, label, INK)], "left"),
    )
