"""Vega-Lite specifications as plain data, painted as static SVG by vl-convert.

All places are computed by who draws, and no layout depends on how wide a font is, so that the same figures give the
same bytes on every machine. Text stays text, in the font of the page: the family is `inherit`, which no font on this
machine has, so that none is opened to measure it. Colours are custom properties of the page's style sheet, so that a
drawing follows the page into dark mode and onto paper.

The grammar: https://vega.github.io/vega-lite/docs/spec.html. `tests/test_vega_lite.py` holds all that is drawn
against its schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from vl_convert import vegalite_to_svg

GRAMMAR = "6.4"
"""The version of Vega-Lite that is spoken."""

Layer = Mapping[str, Any]
"""Marks of one kind, with their rows and what in a row says what."""


@dataclass(frozen=True)
class Picture:
    """Layers, lowest first, on a plane in pixels."""

    width: int
    height: int
    layers: Sequence[Layer]

    @property
    def specification(self) -> dict[str, Any]:
        """The picture in the words of the grammar."""
        return {
            "layer": list(self.layers),
            "width": self.width,
            "height": self.height,
            "autosize": {"type": "none"},
            "padding": 0,
            "background": "transparent",
            "config": {"aria": False, "font": "inherit", "view": {"stroke": None}},
        }


def layer(
    rows: Sequence[Mapping[str, object]], mark: Mapping[str, object], **encoding: Mapping[str, object]
) -> Layer:
    """Marks of one kind at the places that `rows` hold."""
    return {"data": {"values": [dict(row) for row in rows]}, "mark": dict(mark), "encoding": encoding}


def place(field: str) -> Mapping[str, object]:
    """A place that is taken as it stands, in pixels."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def end(field: str) -> Mapping[str, object]:
    """The other end of a mark, in pixels."""
    return {"field": field}


def as_said(field: str, kind: str = "nominal") -> Mapping[str, object]:
    """A colour or a size that is taken as it stands."""
    return {"field": field, "type": kind, "scale": None, "legend": None}


def text(field: str) -> Mapping[str, object]:
    """What a text says."""
    return {"field": field, "type": "nominal"}


def paint(picture: Picture, identifier: str, title: str, description: str) -> Markup:
    """The picture as SVG with its title and description, which the ids made from `identifier` tie to it."""
    svg: str = vegalite_to_svg(picture.specification, vl_version=GRAMMAR)
    opening = Markup(
        '<svg class="chart" role="img" aria-labelledby="{0}-title {0}-desc" viewBox="0 0 {1} {2}" width="{1}" '
        'height="{2}"><title id="{0}-title">{3}</title><desc id="{0}-desc">{4}</desc>'
    ).format(identifier, picture.width, picture.height, title, description)
    return opening + Markup(_GROUPS.sub("<g>", _OPENING.sub("", svg)))  # noqa: S704 - vl-convert escapes its texts


_OPENING = re.compile(r"^<svg[^>]*>")

_GROUPS = re.compile(r'<g class="[^"<>]*" role="graphics-[a-z]+" aria-roledescription="[^"<>]*">')
"""Groups that call themselves graphics; the picture as a whole has its name, they have none."""
