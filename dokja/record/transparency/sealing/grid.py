"""The sealed grid: a rater's whole row of digests, and the root over all rows of a stage before any is opened.

A cell is what one rater says of one team under one criterion, or of its gate. An act seals a rater's cells for all
teams at once, teams in the order of their ids and criteria in the order of the rulebook, so that a cell's place says
which one it is and none can be left out. It reads acts as plain values, as the registry of keys does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from dokja.record.merkle import Frontier, leaf_hash
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.sealing.disclosure import bytes_of_digest, is_digest
from dokja.values import ID_PATTERN

Tree = Mapping[str, Any]
Key = tuple[str, str, str, str]
"""Stage, panel, subject (a measure or a gate), rater."""

_ID = re.compile(ID_PATTERN, re.ASCII)
_LONGEST_ID = 80
KINDS = frozenset(("marks-sealed", "stage-sealed", "marks-opened"))
"""The types of acts that a grid takes in."""

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Row:
    """One rater's cells: teams one after the other, each with all criteria; a vote on a gate has no criteria."""

    act: str
    key: Key
    teams: tuple[str, ...]
    criteria: tuple[str, ...]
    digests: bytes

    @property
    def width(self) -> int:
        """How many cells a team has."""
        return max(1, len(self.criteria))

    @property
    def cells(self) -> int:
        """How many cells there must be."""
        return len(self.teams) * self.width

    def names(self) -> Iterator[str]:
        """The names of the cells, in their order."""
        start = "/".join(self.key)
        for team in self.teams:
            if self.criteria:
                yield from (f"{start}/{team}/{criterion}" for criterion in self.criteria)
            else:
                yield f"{start}/{team}"

    def place(self, team: str, criterion: str | None) -> int | None:
        """Where a cell stands, `None` where the row has no such cell."""
        if team not in self.teams:
            return None
        start = self.teams.index(team) * self.width
        if criterion is None:
            return None if self.criteria else start
        return start + self.criteria.index(criterion) if criterion in self.criteria else None

    def digest(self, place: int) -> bytes:
        """The digest of the cell at a place."""
        return self.digests[place * _BYTES : (place + 1) * _BYTES]


@dataclass
class Grid:
    """All rows so far.

    subjects: what any row is of. closed: stages whose root is written. opened: acts whose openings were handed over.
    """

    rows: dict[Key, Row] = field(default_factory=dict)
    acts: dict[str, Row] = field(default_factory=dict)
    subjects: set[tuple[str, str, str]] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    _seen: set[bytes] = field(default_factory=set)
    _roots: dict[str, bytes] = field(default_factory=dict)

    def follow(self, index: int | None, act: Tree) -> None:
        """Judge the next act, if it is one of sealing, and take it in; raises `RefusedError`."""
        if act["type"] not in KINDS:
            return
        try:
            taken_in = self.check(act)
        except RefusedError as error:
            raise RefusedError(error.code, error.detail, index) from None
        if taken_in is not None:
            taken_in()

    def check(self, act: Tree) -> Callable[[], None] | None:
        """Judge an act as the next one; how it is taken in, `None` where there is nothing to take."""
        judge = {"marks-sealed": self._sealing, "stage-sealed": self._closing, "marks-opened": self._opening}.get(
            act["type"]
        )
        return None if judge is None else judge(act)

    def of(self, stage: str) -> list[Row]:
        """The rows of a stage in the order of the grid."""
        return [self.rows[key] for key in sorted(key for key in self.rows if key[0] == stage)]

    def cells(self, stage: str) -> int:
        """How many cells of a stage are sealed."""
        return sum(row.cells for key, row in self.rows.items() if key[0] == stage)

    def root(self, stage: str) -> bytes:
        """The root over the digests of a stage's cells (RFC 6962), in the order of the grid."""
        if stage not in self._roots:
            frontier = Frontier(0, [])
            frontier.extend([leaf_hash(row.digest(place)) for row in self.of(stage) for place in range(row.cells)])
            self._roots[stage] = frontier.root()
        return self._roots[stage]

    def _sealing(self, act: Tree) -> Callable[[], None]:
        row = read_row(act)
        stage = row.key[0]
        if stage in self.closed:
            raise RefusedError("GRID_ORDER", "sealed after the root of the stage")
        if row.key in self.rows or row.act in self.acts:
            raise RefusedError("GRID_TWICE", "/".join(row.key))
        digests = {row.digest(place) for place in range(row.cells)}
        if len(digests) < row.cells or not self._seen.isdisjoint(digests):
            raise RefusedError("GRID_TWICE", "one digest for two cells")

        def take() -> None:
            self._seen.update(digests)
            self._roots.pop(stage, None)
            self.rows[row.key] = self.acts[row.act] = row
            self.subjects.add(row.key[:3])

        return take

    def _closing(self, act: Tree) -> Callable[[], None]:
        stage, cells, root = act.get("stage"), act.get("cells"), act.get("root")
        if not is_id(stage) or not isinstance(cells, int) or isinstance(cells, bool) or not is_digest(root):
            raise RefusedError("GRID_FORM")
        if stage in self.closed:
            raise RefusedError("GRID_TWICE", stage)
        if (there := self.cells(stage)) != cells or not there:
            raise RefusedError("GRID_INCOMPLETE", f"{there} cells stand in the record, not {cells}")
        if self.root(stage) != bytes_of_digest(root):
            raise RefusedError("GRID_ROOT", stage)
        return lambda: self.closed.add(stage)

    def _opening(self, act: Tree) -> Callable[[], None]:
        stage, listed = act.get("stage"), act.get("sealed")
        if not is_id(stage) or not isinstance(listed, list) or not listed or not all(map(is_id, listed)):
            raise RefusedError("GRID_FORM")
        if stage not in self.closed:
            raise RefusedError("GRID_ORDER", "opened before the root of the stage")
        for each in listed:
            if each not in self.acts or self.acts[each].key[0] != stage:
                raise RefusedError("OPENING_UNKNOWN", each)
        return lambda: self.opened.update(listed)


def read_row(act: Tree) -> Row:
    """The row that an act seals; raises `RefusedError`."""
    measure, gate = act.get("measure"), act.get("gate")
    key = (act.get("stage"), act.get("panel"), gate if measure is None else measure, act.get("rater"))
    teams, criteria, cells = act.get("teams"), act.get("criteria", []), act.get("cells")
    if (measure is None) == (gate is None) or not all(map(is_id, (act.get("id"), *key))):
        raise RefusedError("GRID_FORM")
    if not _are_ids(teams) or not _are_ids(criteria) or not teams or list(teams) != sorted(teams):
        raise RefusedError("GRID_FORM", "teams or criteria")
    if bool(criteria) != (gate is None) or not isinstance(cells, list | tuple) or not all(map(is_digest, cells)):
        raise RefusedError("GRID_FORM", "criteria or cells")
    row = Row(act["id"], key, tuple(teams), tuple(criteria), b"".join(map(bytes_of_digest, cells)))  # type: ignore[arg-type]
    if len(cells) != row.cells:
        raise RefusedError("GRID_INCOMPLETE", f"{len(cells)} cells, not {row.cells}")
    return row


def is_id(text: object) -> TypeGuard[str]:
    """Whether a value is an id, as acts spell them."""
    return isinstance(text, str) and len(text) <= _LONGEST_ID and _ID.fullmatch(text) is not None


def _are_ids(listed: object) -> TypeGuard[list[str]]:
    return isinstance(listed, list | tuple) and all(map(is_id, listed)) and len(set(listed)) == len(listed)
