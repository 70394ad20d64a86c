"""The page of an audit: every word in both languages, hostile names as text, the same bytes, nothing fetched."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest

from dokja.language import LANGUAGES, Voice
from dokja.lineage.page import render, write_page
from dokja.lineage.page.calibration import calibration
from dokja.lineage.telling import overlap_told, visible
from dokja.lineage.words import KIN, NO_KIN, OVERLAP, TESTS, WORDS
from dokja.values import LanguageCode
from tests.lineage.audits import COMMAND, HOSTILE, audit, every_word, finding, labels

LIVE = {"script", "iframe", "object", "embed", "form", "link", "img", "base"}


class Elements(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_stands_at_its_finding(language: LanguageCode) -> None:
    page = render(every_word(), COMMAND, language)
    articles = re.findall(r'<article class="finding ([a-z-]+)".*?</article>', page, re.DOTALL)
    assert sorted(articles) == sorted(each.word for each in every_word().findings)
    assert set(articles) == set(WORDS)
    for name, body in re.findall(r'<article class="finding ([a-z-]+)"(.*?)</article>', page, re.DOTALL):
        said = WORDS[name]
        assert escape(Voice(language)(said.label)) in body
        assert escape(Voice(language)(said.meaning), quote=False).replace("'", "&#39;") in body
        assert f'href="#shape-{name}"' in body
        assert f'id="shape-{name}"' in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_submission_against_itself_and_what_is_beside_the_weights_stand_apart(language: LanguageCode) -> None:
    voice = Voice(language)
    page = render(every_word(), COMMAND, language)
    text = " ".join(Elements(page).text.split())
    [within] = re.findall(r'aria-labelledby="within">.*?</section>', page, re.DOTALL)
    assert within.count("<figure>") == 1  # Of the component that fires, not of the silent one.
    assert "10<sup>−505</sup>" in within
    for said in (KIN.label, KIN.meaning, KIN.innocent, NO_KIN):
        assert voice(said) in text
        assert text.count(voice(said)) == 1
    for overlap in every_word().overlaps:
        assert all(line in text for line in overlap_told(overlap, voice))
    assert text.count(voice(OVERLAP)) == len(every_word().references)


def test_the_command_and_the_key_stand_on_the_page() -> None:
    page = Elements(render(every_word(), COMMAND, "en"))
    assert COMMAND in page.text
    assert "7" in page.text


def test_a_name_from_outside_is_text() -> None:
    bad = finding("text-decoder", HOSTILE, "derived", shares=((HOSTILE, 0.5),))
    effects = tuple(replace(each, family=HOSTILE) for each in bad.tests[0].families)
    bad = replace(bad, tests=(replace(bad.tests[0], families=effects),))
    page = render(audit(bad, submission=HOSTILE), HOSTILE, "en")
    assert not {tag for tag, _ in Elements(page).found} & {"script"}
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "⟨U+202E⟩" in page
    assert "{name}" in page


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "“”"),
        ("a\nb", "a⟨U+000A⟩b"),
        ("\ud800", "⟨U+D800⟩"),
        ("솔라 1.0", "솔라 1.0"),
        ("x" * 200, "x" * 159 + "…"),
    ],
)
def test_a_name_is_shown_as_it_is(name: str, shown: str) -> None:
    assert visible(name) == shown


def test_the_same_audit_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_page(every_word(), tmp_path / each, COMMAND) for each in ("one", "two"))
    assert [file.name for file in first] == ["audit.ko.html", "audit.en.html"]
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    assert sorted(file.name for file in (tmp_path / "one").iterdir()) == ["audit.en.html", "audit.ko.html"]


def test_a_file_is_one_page_without_links_to_another(tmp_path: Path) -> None:
    (file,) = write_page(every_word(), tmp_path / "page.html", COMMAND, "ko")
    page = file.read_text(encoding="utf-8")
    assert '<html lang="ko">' in page
    assert "audit.en.html" not in page


def test_the_page_asks_for_nothing() -> None:
    page = render(every_word(), COMMAND, "en")
    for tag, attributes in Elements(page).found:
        assert tag not in LIVE or attributes.get("href") == "data:,"
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert not re.search(r"url\((?!data:)|@import", page)


def test_every_drawing_has_a_name_and_a_table() -> None:
    page = render(every_word(), COMMAND, "en")
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) > 20
    for figure in figures:
        assert 'role="img" aria-labelledby=' in figure
        assert "<title id=" in figure
        assert "<table>" in figure
    identifiers = re.findall(r' id="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_a_seed_is_ruled_out_by_step_0_alone_or_by_closeness() -> None:
    def page(**facts: float) -> str:
        return render(audit(finding("head", "elm", "derived", **facts)), COMMAND, "en")  # type: ignore[arg-type]

    assert "standing fails" in page(step0=0.95)
    assert "standing fails" in page(closeness=0.95)
    assert "standing fails" not in page(step0=0.03)
    assert "standing fails" not in page(closeness=0.5)
    assert "standing open" in page(closeness=0.5)


def test_the_p_value_is_never_written_smaller_than_it_is() -> None:
    page = render(audit(replace(finding("head", "elm", "derived"), log10_p=-41.9)), COMMAND, "en")
    assert "p ≤ 10<sup>−41</sup>" in page


def test_partners_on_the_diagonal_are_counted() -> None:
    pairs = (*((label, label) for label in range(40)), (40, 3), (41, 9))
    test = replace(labels(0.9), partners=pairs, labels=64)
    page = Elements(render(audit(finding("head", "elm", "derived", tests=(test,))), COMMAND, "en"))
    assert "42 matched units of the largest axis, 40 of them with their own label" in page.text


def test_the_calibration_holds_every_test_that_matches_units() -> None:
    held = json.loads((resources.files("dokja.lineage.page") / "calibration.json").read_text(encoding="utf-8"))
    assert "python -m benchmarks.audit_calibration" in held["comment"]
    # Of few heads chance gives as many as there are layers: no one scale fits them. Answers bear no labels.
    assert set(calibration()) == (set(TESTS) - {"traces", "products"}) | {"answers"}
    for name, known in calibration().items():
        assert len(known.strangers) == 10
        assert max(known.strangers) < (0.5 if name == "answers" else 0.2), name
        assert known.child > (2 if name == "answers" else 4) * max(known.strangers), name


def test_what_rests_on_answers_is_shown_by_its_answers_and_not_by_a_p_value_of_one() -> None:
    page = render(every_word(), COMMAND, "en")
    [shown] = re.findall(r'<article class="finding rearranged".*?</article>', page, re.DOTALL)
    assert 'class="p"' not in shown
    assert "The exact tests of labels are silent" in shown
    assert "Share of compared units that answer alike" in shown
    assert "a copy whose units were permuted as well" in shown


def test_the_page_opens_with_what_was_found_of_each_component() -> None:
    page = render(every_word(), COMMAND, "en")
    [verdicts] = re.findall(r'<ul class="verdicts">.*?</ul>', page, re.DOTALL)
    assert "text decoder: deepened (against cedar), rearranged (against elm), merged (against pine 0.62)" in verdicts


def test_what_says_something_comes_first_and_the_rest_is_folded() -> None:
    page = render(every_word(), COMMAND, "en")
    for section in page.split('<section class="reference" aria-labelledby="reference-')[1:]:
        order = re.findall(r'<article class="finding ([a-z-]+)"', section)
        silent = [name in ("no-evidence", "not-assessed") for name in order]
        assert silent == sorted(silent)
    for name, body in re.findall(r'<article class="finding ([a-z-]+)"(.*?)</article>', page, re.DOTALL):
        shown, fold, _ = body.partition('<details class="counted">')
        assert bool(fold) == (name in ("no-evidence", "not-assessed"))
        assert ("<table" in shown) == (not fold)
