"""A terminal in miniature: `dokja` runs a command in this process; `small` is the starter programme, gone on with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from dokja.cli import main
from tests.cli.stage_acts import ACTS

EXAMPLES = Path(__file__).parents[2] / "examples"


class Said(NamedTuple):
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


Dokja = Callable[..., Said]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOKJA_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def dokja(capsys: pytest.CaptureFixture[str]) -> Dokja:
    def run(*words: object) -> Said:
        code = main([str(word) for word in words])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter programme with a stage that was scored and decided, run once without pages."""
    folder = tmp_path_factory.mktemp("decided") / "mine"
    assert main(["init", str(folder)]) == 0
    (folder / "acts" / "0002-stage-1.yaml").write_text(ACTS, encoding="utf-8")
    assert main(["run", str(folder), "--no-site"]) == 0
    return folder


@pytest.fixture
def small(decided: Path, tmp_path: Path) -> Path:
    """A copy of its own for a test that may change it."""
    return Path(shutil.copytree(decided, tmp_path / "mine"))
