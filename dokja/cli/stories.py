"""What the demo tells of signed records: two small bundles, checked as anyone can, without whoever packed them.

They are invented, and so are their keys: nothing is signed in the name of a real office or firm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dokja.cli.face import FOLD
from dokja.language import Voice, mark

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dokja.verify import Verdict

FOLDER = "article"

STORIES = {
    "extra-call-without-clause": mark("An extra call is opened, and no clause knows it."),
    "extra-call-with-clause": mark("The same call, by a clause that was there before."),
}
ANSWERS = {
    "valid": mark("valid"),
    "invalid": mark("invalid"),
    "incomplete": mark("incomplete"),
}


def verified(folder: Path) -> dict[str, Verdict]:
    """The verdict on each story."""
    from dokja.verify import verify

    policy = (folder / "policy").read_bytes()
    listed = json.loads((folder / "stories.json").read_text(encoding="utf-8"))
    genesis = {each["story"]: each["genesis"] for each in listed}
    return {name: verify(folder / name, policy, genesis[name]) for name in STORIES}


def told(verdicts: dict[str, Verdict], voice: Voice) -> Iterator[RenderableType]:
    """What was packed, what the check says of it, and what it could not look at."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    yield Padding(Text(voice(mark("Signed records that outsiders check")), style="bold"), (0, 0, 0, 0))
    packed = mark(
        "Two invented programmes, packed by dokja export; every act is signed by who did it. Checked here from the "
        "files alone: every signature and hash, every act by the rules of its time, and what was decided."
    )
    yield Padding(Text(voice(packed)), (0, 0, 0, 2))
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(2):
        table.add_column(overflow=FOLD)
    left = dict[str, None]()
    for name, verdict in verdicts.items():
        left |= dict.fromkeys(voice(each.what, each.values) for each in verdict.unchecked)
        table.add_row(voice(STORIES[name]), "\n".join((voice(ANSWERS[verdict.answer]), *_problems(verdict, voice))))
    yield Padding(table, (0, 0, 0, 2))
    yield Padding(Text(voice(mark("What was not checked, and why:")), style="dim"), (0, 0, 0, 2))
    for said in left:
        yield Padding(Text(f"- {said}", style="dim"), (0, 0, 0, 2))


def command(folder: Path) -> str:
    """What to type to check the first story."""
    return f"dokja verify {folder / next(iter(STORIES))} --policy {folder / 'policy'}"


def _problems(verdict: Verdict, voice: Voice) -> Iterator[str]:
    for each in verdict.problems:
        where = "" if each.act is None else voice(mark("act {index}: "), {"index": each.act})
        yield f"{where}{each.code} {voice(each.meaning)}"
