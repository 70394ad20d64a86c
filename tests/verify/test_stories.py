"""The article's stories as they lie in `examples/article`, at the terminal and to both verifiers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dokja.cli import main
from tests.verify.article import GENESIS, STORIES, STORIES_FILE, packed
from tests.verify.build import POLICY
from verifier import dokja_verify as second

FOLDER = Path(__file__).parents[2] / "examples" / "article"
LISTED: list[dict[str, Any]] = json.loads((FOLDER / STORIES_FILE).read_text(encoding="utf-8"))


def test_every_story_is_there_with_what_it_must_get() -> None:
    expected = {name: (story.title, story.code, story.act, GENESIS) for name, story in STORIES.items()}
    assert {each["story"]: (each["title"], each["code"], each["act"], each["genesis"]) for each in LISTED} == expected
    assert (FOLDER / "policy").read_bytes() == POLICY
    for name, story in STORIES.items():
        answer = story.code or "valid"
        assert f"| [{name}]({name}) | {story.title} | `{answer}` |" in (FOLDER / "README.md").read_text("utf-8")


@pytest.mark.parametrize("story", LISTED, ids=lambda story: str(story["story"]))
def test_a_story_as_it_lies_there(story: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    bundle = FOLDER / story["story"]
    held = ["verify", str(bundle), "--policy", str(FOLDER / "policy"), "--genesis", story["genesis"], "--json"]
    code = main(held)
    said = json.loads(capsys.readouterr().out)
    told = [(each["code"], each["act"]) for each in said["problems"]]
    assert told == ([(story["code"], story["act"])] if story["code"] else [])
    assert code == (1 if story["code"] else 0)
    assert second.verify(str(bundle), POLICY, story["genesis"]) == []


@pytest.mark.parametrize("name", STORIES)
def test_a_story_made_anew_is_the_one_that_lies_there(name: str, tmp_path: Path) -> None:
    bundle = packed(name, tmp_path)
    made, held = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (bundle, FOLDER / name)
    )
    assert made == held, "write them anew with: python -m tests.verify.article examples/article"
