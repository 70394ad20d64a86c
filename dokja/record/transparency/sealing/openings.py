"""What was opened of a sealed grid: each disclosure held against the one cell that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.sealing.disclosure import Disclosed, digest_of, read_disclosure
from dokja.record.transparency.sealing.grid import Grid, Row
from dokja.values import DECIMAL

LONGEST = 2_000
"""Letters of one opening; six of the longest ids and a mark fit in."""

LARGEST = 1024**3
"""Bytes of a file of openings, some five million cells."""

ABSENCES = ("recused", "no-mark")
"""Why a cell holds no mark."""


@dataclass(frozen=True)
class Absent:
    """There is no mark in a cell, and why."""

    reason: str


Value = Decimal | bool | Absent
"""What a cell holds: a mark, a vote, or that there is none."""


@dataclass
class Openings:
    """What was opened: by act, the values of its row with `None` for what is still sealed; and the disclosures."""

    values: dict[str, list[Value | None]] = field(default_factory=dict)
    written: dict[tuple[str, int], str] = field(default_factory=dict)
    salts: set[str] = field(default_factory=set)

    def take(self, written: bytes, grid: Grid) -> None:
        """Take one opening in; raises `RefusedError`."""
        said = read_disclosure(written, LONGEST)
        row, place = _cell(said.name, grid)
        value = _value(said, row)
        text = written.decode("ascii")
        if digest_of(text) != row.digest(place):
            raise RefusedError("OPENING_WRONG", said.name)
        if (row.act, place) in self.written:
            raise RefusedError("OPENING_TWICE", said.name)
        if said.salt in self.salts:
            raise RefusedError("OPENING_SALT", f"{said.name}: used before")
        self.salts.add(said.salt)
        self.written[row.act, place] = text
        self.values.setdefault(row.act, [None] * row.cells)[place] = value

    def take_all(self, data: bytes, grid: Grid) -> None:
        """Take in a file of openings, one a line; raises `RefusedError` for the first that is wrong."""
        if not data.endswith(b"\n") or len(data) > LARGEST:
            raise RefusedError("OPENING_FORM", "no line end at the end, or too long")
        for number, line in enumerate(data[:-1].split(b"\n"), start=1):
            try:
                self.take(line, grid)
            except RefusedError as error:
                raise RefusedError(error.code, f"line {number}: {error.detail}") from None

    def of(self, row: Row, team: str) -> list[Value | None]:
        """What is known of a team's cells in a row."""
        start = row.teams.index(team) * row.width
        return self.values.get(row.act, [None] * row.cells)[start : start + row.width]


def _cell(name: str, grid: Grid) -> tuple[Row, int]:
    parts = name.split("/")
    if len(parts) in (5, 6):
        stage, panel, subject, rater, team, *criterion = parts
        row = grid.rows.get((stage, panel, subject, rater))
        place = row.place(team, criterion[0] if criterion else None) if row else None
        if row is not None and place is not None:
            return row, place
    raise RefusedError("OPENING_UNKNOWN", name[:200])


def _value(said: Disclosed, row: Row) -> Value:
    value = said.value
    if isinstance(value, dict):
        if value.keys() == {"absent"} and value["absent"] in ABSENCES:
            return Absent(value["absent"])
    elif row.criteria and isinstance(value, str) and DECIMAL.fullmatch(value) and not value.startswith("-"):
        return Decimal(value)
    elif not row.criteria and isinstance(value, bool):
        return value
    raise RefusedError("OPENING_FORM", f"{said.name}: neither a mark nor a vote nor an absence")
