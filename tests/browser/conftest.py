"""One Chromium for all tests of a session; where there is none they are skipped, saying so.

With DOKJA_REQUIRE_BROWSER=1 a missing Chromium is a failure, so that a check that must run cannot be passed over.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from dokja.report import write_site
from tests.report.published import published

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    if executable is None:
        said = f"no Chromium is installed (looked for: {', '.join(NAMES)})"
        if os.environ.get("DOKJA_REQUIRE_BROWSER") == "1":
            pytest.fail(said)
        pytest.skip(said)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the real programme."""
    folder = tmp_path_factory.mktemp("browser")
    write_site(published("dokpamo", folder), folder / "site", {"outcome.json": "{}\n"})
    return folder / "site"


class Watched(list[str]):
    """What a page said on its console, and what it asked the network for."""


Opened = tuple[Page, Watched]


@pytest.fixture
def opened(browser: Browser, pages: Path) -> Iterator[Callable[[str, int], Opened]]:
    """Opens a page of the site in a window of some width; it watches console and network."""
    contexts = []

    def open_page(path: str, width: int) -> Opened:
        context = browser.new_context(viewport=ViewportSize(width=width, height=800))
        contexts.append(context)
        page, watched = context.new_page(), Watched()
        page.on("console", lambda message: watched.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: watched.append(f"error: {error}"))
        page.on("requestfailed", lambda request: watched.append(f"failed: {request.url}"))
        page.on("request", lambda request: watched.extend(_outside(request.url)))
        page.goto((pages / path).as_uri())
        return page, watched

    yield open_page
    for context in contexts:
        context.close()


def _outside(url: str) -> Iterator[str]:
    if not url.startswith(("file:", "data:")):
        yield f"network: {url}"
