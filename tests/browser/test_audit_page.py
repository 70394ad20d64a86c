"""The page of an audit as a jury meets it: in a real Chromium, wide and narrow, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from dokja.lineage.page import write_page
from tests.browser.test_pages import violations
from tests.lineage.audits import COMMAND, HOSTILE, audit, every_word, finding

pytestmark = pytest.mark.browser

LANGUAGES = ("ko", "en")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("audit")
    write_page(every_word(), written, COMMAND)
    write_page(
        audit(finding("head", HOSTILE + "x" * 90, "derived"), submission=HOSTILE), written / "bad", HOSTILE * 9
    )
    return written


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=ViewportSize(width=1280, height=800))
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_quiet(language: str, scheme: str, page: Page, folder: Path) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto((folder / f"audit.{language}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert [each for each in said if not each.startswith(("file:", "data:"))] == []
    assert violations(page) == []


@pytest.mark.parametrize("path", ["audit.ko.html", "audit.en.html", "bad/audit.ko.html", "bad/audit.en.html"])
def test_it_does_not_scroll_sideways(path: str, page: Page, folder: Path) -> None:
    page.set_viewport_size(ViewportSize(width=320, height=800))
    page.goto((folder / path).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_every_cell_of_the_summary_leads_to_its_finding(page: Page, folder: Path) -> None:
    page.goto((folder / "audit.en.html").as_uri())
    cells = page.locator("a.to-finding")
    assert cells.count() == len(every_word().findings)
    for target in cells.evaluate_all("links => links.map(link => link.hash.slice(1))"):
        assert page.locator(f'[id="{target}"]').count() == 1


def test_the_languages_lead_to_each_other(page: Page, folder: Path) -> None:
    page.goto((folder / "audit.ko.html").as_uri())
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("audit.en.html")
    assert page.locator("html").get_attribute("lang") == "en"
