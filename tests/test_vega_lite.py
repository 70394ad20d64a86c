"""What is drawn is Vega-Lite: Altair's copy of the grammar's schema judges every chart of the bundled programme."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import pytest
import vl_convert
from jsonschema import ValidationError

from dokja import vega_lite
from dokja.lineage.page.drawing import Line, Mark, Scene, Text
from dokja.lineage.page.drawing import picture as scene_picture
from dokja.report import Publication
from dokja.report.site import site
from dokja.vega_lite import Picture, layer, paint, place
from tests.report.published import published

HOSTILE = "</text><script>alert(1)</script>&lt;\"' 팀 {x}"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return published("dokpamo", tmp_path_factory.mktemp("real"))


def judged(specification: dict[str, Any]) -> None:
    alt.LayerChart.from_dict(specification, validate=True)


def said(text: str, size: int = 12) -> Picture:
    mark = {"type": "text", "align": "left", "baseline": "alphabetic", "fontSize": size}
    row = {"x": 10, "y": 20, "text": text}
    return Picture(100, 50, [layer([row], mark, x=place("x"), y=place("y"), text=vega_lite.text("text"))])


def test_the_grammar_is_the_one_that_judges() -> None:
    assert alt.SCHEMA_VERSION.startswith(f"v{vega_lite.GRAMMAR}.")
    wrong = said("x").specification
    wrong["layer"][0]["mark"]["align"] = "middle"
    with pytest.raises(ValidationError):
        judged(wrong)


def test_every_chart_of_the_pages_is_of_the_grammar(real: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def recorded(specification: dict[str, Any], vl_version: str) -> str:
        seen.append(specification)
        return str(vl_convert.vegalite_to_svg(specification, vl_version=vl_version))

    monkeypatch.setattr(vega_lite, "vegalite_to_svg", recorded)
    site(real)
    assert len(seen) >= 2 * (2 + 2 * 4)
    for specification in seen:
        judged(specification)


def test_every_kind_of_mark_of_an_audit_is_of_the_grammar() -> None:
    marks = [
        Mark(1, 2, "circle"),
        Mark(3, 4, "diamond", filled=False),
        Mark(5, 6, "square"),
        Mark(7, 8, "triangle-up"),
    ]
    lines = [Line(0, 0, 9, 9), Line(0, 9, 9, 0, dashed=True)]
    judged(scene_picture(Scene(40, marks, lines, [Text(1, 1, "말"), Text(2, 2, "word", "right")])).specification)


def test_texts_are_escaped_and_take_the_font_of_the_page() -> None:
    svg = str(paint(said(HOSTILE), "chart", HOSTILE, HOSTILE))
    assert "<script" not in svg
    assert set(re.findall(r'font-family="([^"]*)"', svg)) == {"inherit"}


def test_no_place_depends_on_the_words() -> None:
    """No font is measured: a text as long as another, in letters that no font has, stands at the same place."""
    places = {
        re.sub(r"<(text|title|desc)([^>]*)>[^<]*<", r"<\1\2><", str(paint(said(word), "c", "t", "d")))
        for word in ("iiii", "WWWW", "가나다라")
    }
    assert len(places) == 1
