"""Lines that repeat one shape, read by it: a program that writes ballots writes all of them alike.

The first line is read the long way (`bulk.plain_line`), and its order of fields becomes a pattern. What fits it is a
ballot in its plain form: each id, the time and the marks are what they must be the long way. Everything else, good or
bad, goes that way itself, so that no line is read otherwise than it would have been.

Lines that all have one shape are read together, column by column: then Python does not go from step to step for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from operator import itemgetter

from pydantic_core import from_json

from dokja.record.bulk import (
    FIELDS,
    LONGEST_WORD,
    all_in_utc,
    all_marks_in_order,
    in_utc,
    marks_in_order,
    plain_line,
    said_by,
)
from dokja.record.canonical import Row, Rows
from dokja.record.entries import BallotRow
from dokja.record.merkle import leaf_hash
from dokja.values import ID_PATTERN, LONGEST_ID

Plain = tuple[Row, str | None]
"""A ballot in its plain form: its row, and the source that it names."""

Said = tuple[str, str | None, bytes]
"""A ballot's stage, the source that it names, and its bytes up to the rater (`bulk.front_of`)."""


@dataclass(frozen=True)
class PlainBallots:
    """Ballots in their plain form that follow each other.

    sources: the source that each names. raters: who cast each. fronts: the bytes of each up to the rater.
    """

    rows: Rows
    sources: Sequence[str | None]
    raters: Sequence[str]
    fronts: Sequence[str]

    def said(self) -> set[Said]:
        """What they say, each different thing once."""
        distinct = set(zip(self.rows.column("stage"), self.sources, self.fronts, strict=True))
        return {(stage, source, front.encode()) for stage, source, front in distinct}

    def light(self, first: int) -> Iterator[BallotRow]:
        """As light rows (`bulk.light`); the first of them stands at index `first`."""
        whens, stages, teams = map(self.rows.column, ("when", "stage", "team"))
        panels, subjects, totals, meets = zip(*map(said_by, self.fronts), strict=True)
        columns = (whens, stages, panels, subjects, self.raters, teams, totals, meets)
        return map(BallotRow._make, zip(count(first), *columns, strict=False))


MOST_SHAPES = 4
"""A pattern costs as much as a hundred lines, so no file has more of them made; who writes ballots has one or two."""


class PlainLines:
    """Reads lines of ballots in their plain form, one after the other. shapes: first the one that fitted last."""

    def __init__(self) -> None:
        self.shapes: list[_Shape] = []

    def read(self, line: bytes) -> Plain | None:
        """The ballot that a line holds; `None` for every line that holds none in its plain form."""
        if line.isascii():
            text = line.decode()
            for place, shape in enumerate(self.shapes):
                if (found := shape.read(text)) is not None:
                    if place:
                        self.shapes.insert(0, self.shapes.pop(place))
                    return found
        if (plain := plain_line(line)) is None:
            return None
        ballot, row = plain
        if len(self.shapes) < MOST_SHAPES:
            self.shapes.insert(0, _Shape(tuple(from_json(line))))
        return row, ballot.get("source")

    def read_all(self, lines: bytes) -> PlainBallots | None:
        """The ballots that lines hold, a line feed between each two; `None` where `read` must look at every line.

        That is where they differ in shape, or any holds no ballot in its plain form.
        """
        if not lines.isascii() or self.read(lines.partition(b"\n")[0]) is None or not self.shapes:
            return None
        return self.shapes[0].read_all(lines.decode())


_A_WORD = rf'"[!#-\[\]-~]{{1,{LONGEST_WORD}}}"'
"""A word of a signature, where none of it is escaped."""

_AN_ID = f'"((?=[^"]{{1,{LONGEST_ID}}}"){ID_PATTERN.strip("^$")})"'
_WRITTEN: Mapping[str, str] = {
    "marks": r"\{([^{}\n]+)\}",
    "meets": "(true|false)",
    "sequence": "([1-9][0-9]{0,8})",
    "signature": rf'(\{{"key":{_A_WORD},"value":{_A_WORD}\}})',
    "type": '"(ballot)"',
    "when": r'"([^"\n]+)"',
}
"""How the value of a field is written, and the part of it that counts; all others are ids."""

_AROUND: Mapping[str, str] = {"marks": "{%s}"} | dict.fromkeys(("meets", "sequence", "signature"), "%s")
"""What stands around that part; around all others quotes do."""

_QUOTES = '"%s"'
_KEY = "ballot/%s/%s/%s/%s/%s"


class _Shape:
    """The fields of a ballot in the order in which a line has them; a ballot of that shape is known to be whole."""

    def __init__(self, names: tuple[str, ...]) -> None:
        written = ",".join(f'"{name}":{_WRITTEN.get(name, _AN_ID)}' for name in names)
        self._match = re.compile(rf"\{{{written}\}}", re.ASCII).fullmatch
        self._find_all = re.compile(rf"^\{{{written}\}}$", re.ASCII | re.MULTILINE).findall
        self._when = names.index("when")
        self._marks = names.index("marks") if "marks" in names else None
        self._source = names.index("source") if "source" in names else None
        subject = "measure" if "marks" in names else "gate"
        self._named = itemgetter(*map(names.index, ("stage", "panel", subject, "rater", "team")))
        sorted_names = [name for name in FIELDS if name in names]
        self._in_order = itemgetter(*map(names.index, sorted_names))
        fields = [f'"{name}":{_AROUND.get(name, _QUOTES)}' for name in sorted_names]
        front = sorted_names[: sorted_names.index("rater")]
        self._body, self._front = f"{{{','.join(fields)}}}", f"{{{','.join(fields[: len(front)])}"
        self._in_front = tuple(map(names.index, front))

    def read(self, line: str) -> Plain | None:
        """The ballot, where the line has this shape."""
        if (found := self._match(line)) is None:
            return None
        values: list[str] = list(found.groups())
        if (when := in_utc(values[self._when])) is None:
            return None
        values[self._when] = when
        if self._marks is not None:
            if (marks := marks_in_order(values[self._marks])) is None:
                return None
            values[self._marks] = marks
        stage, panel, subject, rater, team = self._named(values)
        body = (self._body % self._in_order(values)).encode()
        key = _KEY % (stage, panel, subject, rater, team)
        row = Row(key, "ballot", when, stage, team, body, leaf_hash(body))
        return row, None if self._source is None else values[self._source]

    def read_all(self, lines: str) -> PlainBallots | None:
        """The ballots, where every line has this shape."""
        found = self._find_all(lines)
        if len(found) != lines.count("\n") + 1:
            return None
        columns: list[Sequence[str]] = list(zip(*found, strict=True))
        if (whens := all_in_utc(columns[self._when])) is None:
            return None
        columns[self._when] = whens
        if self._marks is not None:
            if (marks := all_marks_in_order(columns[self._marks])) is None:
                return None
            columns[self._marks] = marks
        named = self._named(columns)
        stages, raters, teams = named[0], named[3], named[4]
        keys = tuple(map(_KEY.__mod__, zip(*named, strict=True)))
        bodies = tuple(map(str.encode, map(self._body.__mod__, zip(*self._in_order(columns), strict=True))))
        rows = Rows((keys, ("ballot",) * len(keys), whens, stages, teams, bodies, tuple(map(leaf_hash, bodies))))
        sources = [None] * len(keys) if self._source is None else columns[self._source]
        fronts = list(zip(*(columns[place] for place in self._in_front), strict=True))
        written = {front: self._front % front for front in set(fronts)}
        return PlainBallots(rows, sources, raters, [written[front] for front in fronts])
