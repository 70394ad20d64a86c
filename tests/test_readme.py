"""What the README shows is what a reader gets: the files it links, what its commands print."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dokja.cli import main

ROOT = Path(__file__).parent.parent
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RULES = re.compile("[─┄]+")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def shown(page: Path) -> Iterator[tuple[list[str], list[str]]]:
    """The commands of a page that it shows to print something, each with what stands between its ellipses."""
    for block in CONSOLE.findall(page.read_text(encoding="utf-8")):
        for each in block.removeprefix("$ ").split("\n$ "):
            command, _, printed = each.partition("\n")
            if printed.strip():
                _, *words = shlex.split(command, comments=True)
                yield words, list(filter(None, map(even, printed.split("…"))))


def even(text: str) -> str:
    """A text without what depends on how its lines are broken."""
    return " ".join(RULES.sub("", text).split())


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_commands_print_what_the_readme_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("DOKJA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    generated = shutil.ignore_patterns("record", "site")
    shutil.copytree(ROOT / "examples" / "dokpamo", tmp_path / "examples" / "dokpamo", ignore=generated)
    for other in ("five-teams", "article"):
        (tmp_path / "examples" / other).symlink_to(ROOT / "examples" / other)
    monkeypatch.chdir(tmp_path)
    commands = list(shown(ROOT / name))
    assert {"run", "record", "verify"} <= {words[0] for words, _ in commands}
    for words, parts in commands:
        main(words)
        printed = even(capsys.readouterr().out)
        assert [part for part in parts if part not in printed] == [], words
