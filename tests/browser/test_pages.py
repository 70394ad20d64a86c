"""The pages as a reader meets them: in a real Chromium, wide and narrow, by keyboard, on paper, in both languages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Opened

pytestmark = pytest.mark.browser

Open = Callable[[str, int], Opened]

WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,
}

SHOWN = (
    "index.html",
    "stage-1.html",
    "stage-2.html",
    "stage-3.html",
    "team-lg.html",
    "team-motif.html",
    "team-naver.html",
    "team-nc-ai.html",
    "team-skt.html",
    "team-trillion-labs.html",
    "team-upstage.html",
    "rulebook.html",
    "record.html",
    "trace-stage-1.html",
    "trace-stage-2.html",
)

LANGUAGES = ("ko", "en")
EVERY = (*(f"{language}/{page}" for language in LANGUAGES for page in SHOWN), "index.html")


def test_the_list_of_pages_is_whole(pages: Path) -> None:
    assert {path.relative_to(pages).as_posix() for path in pages.rglob("*.html")} == set(EVERY)


@pytest.mark.parametrize("path", EVERY)
def test_a_page_is_accessible_and_quiet(path: str, opened: Open) -> None:
    page, watched = opened(path, 1280)
    assert watched == []
    assert violations(page) == []


@pytest.mark.parametrize("path", ["ko/index.html", "en/stage-1.html", "ko/rulebook.html", "en/trace-stage-2.html"])
def test_a_page_is_accessible_in_the_dark_and_narrow(path: str, opened: Open) -> None:
    page, _ = opened(path, 360)
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=WCAG).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("path", EVERY)
def test_a_narrow_page_does_not_scroll_sideways(path: str, opened: Open) -> None:
    page, _ = opened(path, 320)
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= seen == 320


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_reached_by_links_and_no_link_is_dead(language: str, opened: Open, pages: Path) -> None:
    page, _ = opened(f"{language}/index.html", 1280)
    waiting, seen = [pages / language / "index.html"], set[Path]()
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        page.goto(here.as_uri())
        for target, anchor in links(page):
            assert target.is_file(), f"{here.name} links to {target}"
            if target.suffix == ".html":
                waiting.append(target)
            if anchor and target == here:
                assert page.locator(f'[id="{anchor}"]').count() == 1
    assert {path.relative_to(pages).as_posix() for path in seen if path.suffix == ".html"} >= set(EVERY) - {
        "index.html"
    }


def links(page: Page) -> Iterator[tuple[Path, str]]:
    for href in page.evaluate("[...document.querySelectorAll('a[href]')].map(link => link.href)"):
        parts = urlsplit(href)
        if parts.scheme == "file":
            yield Path(os.path.normpath(unquote(parts.path))), unquote(parts.fragment)


@pytest.mark.parametrize("path", ["ko/stage-1.html", "en/rulebook.html"])
def test_the_first_tab_leads_past_the_head(path: str, opened: Open) -> None:
    page, _ = opened(path, 1280)
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.get_attribute("href") == "#main"
    assert skip.bounding_box() is not None
    box = skip.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_keyboard_follows_the_order_of_the_page_and_shows_where_it_is(opened: Open) -> None:
    page, _ = opened("en/stage-1.html", 1280)
    reachable = page.evaluate("document.querySelectorAll('a[href], [tabindex=\"0\"]').length")
    before = -1
    for _ in range(reachable):
        page.keyboard.press("Tab")
        place, outline = page.evaluate(
            "[[...document.querySelectorAll('a[href], [tabindex=\"0\"]')].indexOf(document.activeElement),"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert place == before + 1
        assert outline == "solid"
        before = place


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_its_language_and_leads_to_the_same_page_in_the_other(language: str, opened: Open) -> None:
    page, _ = opened(f"{language}/stage-1.html", 1280)
    other = next(each for each in LANGUAGES if each != language)
    assert page.locator("html").get_attribute("lang") == language
    page.locator(f'.languages a[lang="{other}"]').click()
    assert page.url.endswith(f"/{other}/stage-1.html")
    assert page.locator("html").get_attribute("lang") == other


def test_korean_pages_are_in_korean(opened: Open) -> None:
    page, _ = opened("ko/stage-1.html", 1280)
    headings = page.locator("h1, h2").all_inner_texts()
    assert headings
    assert all(any("가" <= letter <= "힣" for letter in heading) for heading in headings)


def test_a_number_leads_to_its_trace(opened: Open) -> None:
    page, _ = opened("en/stage-2.html", 1280)
    number = page.locator("#standings a.number").first
    shown = number.inner_text()
    number.click()
    assert "/trace-stage-2.html#" in page.url
    assert shown in page.locator(":target").inner_text()


def test_paper_has_no_navigation_and_loses_no_table(opened: Open) -> None:
    page, _ = opened("ko/stage-1.html", 700)
    page.emulate_media(media="print")
    assert not page.locator("nav.pages").is_visible()
    assert not page.locator("a.skip").is_visible()
    cut = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(box => getComputedStyle(box).overflowX === 'auto').length"
    )
    assert cut == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_page_can_be_read_without_its_style(browser: Browser, pages: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.route("**/style.css", lambda route: route.abort())
    page.goto((pages / "en" / "stage-1.html").as_uri())
    assert page.locator("main h1").inner_text() == "Stage 1"
    context.close()
