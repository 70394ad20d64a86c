"""A programme in a folder, its verbs at the terminal, and what they print."""

from __future__ import annotations

import shutil
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from dokja.cli import main
from tests.verify.build import ABOUT, RULES, opening


def founded(folder: Path) -> Path:
    """Rules that are published, two teams that were admitted."""
    programme = folder / "mine"
    (programme / "rulebook").mkdir(parents=True)
    (programme / "acts").mkdir()
    (programme / "programme.yaml").write_text(ABOUT, encoding="utf-8")
    shutil.copy(RULES, programme / "rulebook")
    with (programme / "acts" / "0001-opening.yaml").open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump({"acts": opening()}, stream)
    verb("run", str(programme), "--no-site")
    return programme


def verb(*words: str, code: int = 0) -> str:
    """What a verb prints; it ends with the code that is expected."""
    out = StringIO()
    with redirect_stdout(out):
        assert main(list(words)) == code, words
    return out.getvalue()
