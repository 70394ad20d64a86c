"""The pages of single acts, with their proofs, in a real Chromium: both languages, wide and narrow, light, dark."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dokja.programme import open_programme
from dokja.programme.publishing import publish
from dokja.record import ACT, open_record
from dokja.report import write_site
from tests.browser.conftest import Opened
from tests.browser.test_pages import violations
from tests.verify.build import FOUNDED, Small, act, decision

pytestmark = pytest.mark.browser

LONG = "x" * 400
SIGNED = FOUNDED + 7
"""Acts under the checkpoint: keys, opening, decision; the one after it has no proof yet."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a programme with keys, most of whose acts are under a checkpoint."""
    folder = tmp_path_factory.mktemp("acts")
    small = Small(folder / "mine")
    small.add(decision())
    small.bundle(keys=True)
    programme = open_programme(small.folder)
    said = act("statement", "said", "2027-09-01T09:00:00", note={"ko": LONG, "en": LONG})
    with open_record(programme.record_at) as record:
        record.append([ACT.validate_python(said)])
        write_site(publish(programme, record, (), proofs=True), folder / "site", {"outcome.json": "{}\n"})
    return folder / "site"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_of_an_act_is_accessible(language: str, pages: Path, opened: Callable[[str, int], Opened]) -> None:
    page, watched = opened(f"{language}/record.html", 1280)
    kinds = set[str]()
    for index in range(SIGNED + 1):
        page.goto((pages / language / f"act-{index}.html").as_uri())
        page.set_viewport_size({"width": 320, "height": 800})
        wide, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= seen == 320, index
        kind = json.loads((pages / "acts" / f"{index}.json").read_bytes())["type"]
        if kind not in kinds:
            assert violations(page) == [], (index, "narrow")
            page.set_viewport_size({"width": 1280, "height": 800})
            page.emulate_media(color_scheme="dark")
            assert violations(page) == [], (index, "dark")
            page.emulate_media(color_scheme="light")
            assert violations(page) == [], (index, "wide")
        kinds.add(kind)
    assert not (pages / language / f"act-{SIGNED + 1}.html").exists()
    assert kinds > {"genesis", "key-registered", "application", "decision", "statement"}
    assert watched == []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_act_is_reached_from_the_record_and_saved_with_its_proof(
    language: str, pages: Path, opened: Callable[[str, int], Opened]
) -> None:
    page, _ = opened(f"{language}/record.html", 1280)
    page.locator(f'a[href="act-{SIGNED - 1}.html"]').first.click()
    assert page.url.endswith(f"/{language}/act-{SIGNED - 1}.html")
    saved = {
        each.rsplit("/", 1)[1] for each in page.evaluate("[...document.links].map(a => a.href)") if "/acts/" in each
    }
    assert saved == {f"{SIGNED - 1}.json", f"{SIGNED - 1}.tlog-proof"}
    assert all((pages / "acts" / name).is_file() for name in saved)
