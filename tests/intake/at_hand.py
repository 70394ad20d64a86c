"""What the tests of taking in have at hand: a small rulebook, its opening acts, and a record that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dokja.intake import Intake, take_in
from dokja.record import Record
from dokja.rulebook import History, read_rulebook

HERE = Path(__file__).parent
OPENING = HERE / "programme" / "0001-opening.yaml"
OPENING_ACTS = 7
SOURCES = frozenset({"announcement"})


@cache
def rulebook() -> History:
    return read_rulebook([HERE / "programme" / "0001-rules.yaml"])


def taken(record: Record, *files: Path) -> Intake:
    return take_in(files, rulebook(), SOURCES, record)


def ballot(rater: int, team: str = "team-a", technology: str = "20", plan: str = "10") -> str:
    """A ballot as one line."""
    return (
        f'{{"type":"ballot","who":"rater-{rater}","when":"2027-08-17T09:00:00+09:00","stage":"stage-1",'
        f'"panel":"experts","rater":"rater-{rater}","team":"{team}","measure":"expert",'
        f'"marks":{{"technology":"{technology}","plan":"{plan}"}}}}\n'
    )


def ballots(file: Path, lines: Sequence[str]) -> Path:
    file.write_text("".join(lines), encoding="utf-8")
    return file
