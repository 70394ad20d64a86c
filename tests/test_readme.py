"""What the README shows is what a reader gets: the files it links, the root it prints, the picture it shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from dokja.intake import take_in
from dokja.programme import open_programme
from dokja.record import open_record

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_root_in_the_readme_is_the_root_of_the_example(tmp_path: Path) -> None:
    copy = tmp_path / "dokpamo"
    shutil.copytree(ROOT / "examples" / "dokpamo", copy, ignore=shutil.ignore_patterns("record", "site"))
    programme = open_programme(copy)
    with open_record(programme.record_at) as record:
        take_in(programme.act_files, programme.history, frozenset(programme.sources), record)
        size, root = record.size, record.root.hex()
    for name in ("README.md", "README.ko.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert root in text
        assert str(size) in text
