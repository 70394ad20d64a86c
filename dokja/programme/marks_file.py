"""A rater's own marks: a CSV file with a line for each team and a column for each criterion, or for a vote."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from dokja.errors import ActError, Place, Problem
from dokja.record.transparency.sealing.disclosure import Plain
from dokja.record.transparency.sealing.making import Said
from dokja.record.transparency.sealing.openings import ABSENCES
from dokja.strict_yaml import read_bytes
from dokja.values import DECIMAL

MOST_BYTES = 4_000_000
TEAM, VOTE = "team", "meets"
_VOTES: Mapping[str, bool] = {"true": True, "false": False}


def read_marks(file: Path, teams: Sequence[str], criteria: Sequence[str]) -> Mapping[str, Said]:
    """What a rater says of each team, by criterion, or under "" for a vote; raises `ActError`."""
    columns = [TEAM, *(criteria or [VOTE])]
    rows = list(csv.reader(_text(file).splitlines()))
    head = rows[0] if rows else []
    if sorted(head) != sorted(columns):
        _refuse(file, 1, "The columns are not {value}.", "Write these columns as the first line.", ", ".join(columns))
    marks: dict[str, Said] = {}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            _refuse(file, line, "The line has another number of columns than the first.", "Write a value in each.")
        said = dict(zip(head, row, strict=True))
        team = said.pop(TEAM)
        if team in marks or team not in teams:
            mend = "Write a line for each team that has a part in the stage, by its id."
            _refuse(file, line, "“{value}” is no team of the stage, or stands twice.", mend, team)
        marks[team] = dict(_values(file, line, said, vote=not criteria))
    if missing := [team for team in teams if team not in marks]:
        mend = "Write a line for it; where there is no mark, write recused or no-mark."
        _refuse(file, len(rows), "The team “{value}” is missing.", mend, missing[0])
    return marks


def _values(file: Path, line: int, said: Mapping[str, str], *, vote: bool) -> Iterator[tuple[str, Plain]]:
    for column, value in said.items():
        if value in ABSENCES:
            yield "" if vote else column, {"absent": value}
        elif vote and value in _VOTES:
            yield "", _VOTES[value]
        elif not vote and DECIMAL.fullmatch(value) and not value.startswith("-"):
            yield column, value
        else:
            mend = "Write a number such as 12.5, or true or false for a vote; recused or no-mark where there is none."
            _refuse(file, line, "“{value}” is neither a mark nor a vote.", mend, value)


def _text(file: Path) -> str:
    try:
        return read_bytes(file, MOST_BYTES, ActError).decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(file, 1, "The file is not UTF-8.", "Save it as UTF-8.")


def _refuse(file: Path, line: int, what: str, mend: str, value: str = "") -> NoReturn:
    raise ActError(Problem("act-marks-file", what, mend, Place(file, line), {"value": value[:200]}))
