"""Ballots in bulk: the same rows as through `acts.Ballot`, without building an act for each.

Ballots come by the million and nearly all have one plain form. That form is checked here as JSON stands, written with
its keys in order by pydantic's JSON writer (which spells texts and booleans as RFC 8785 does), and read back as light
rows. Anything else (a note, an id, a count spelled as a text) is left to `canonical`; what is accepted here, and the
bytes that come of it, are the same there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal, Inexact
from functools import lru_cache
from itertools import count, starmap
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, cast

from pydantic import ConfigDict, Field, StrictBool, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from typing_extensions import TypedDict

from dokja.record.canonical import Row, Rows
from dokja.record.entries import BallotRow
from dokja.record.folding import Folded, fold
from dokja.record.merkle import leaf_hash
from dokja.values import DECIMAL_PATTERN, Id, Moment, utc_text

_Mark = Annotated[str, StringConstraints(pattern=DECIMAL_PATTERN.replace("-?", ""))]
_When = Annotated[str, StringConstraints(max_length=25)]
PlainMarks = Annotated[dict[Id, _Mark], Field(min_length=1)]
"""Marks by criterion."""

LONGEST_WORD = 200
"""Characters of a word of a signature."""

_Word = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=LONGEST_WORD)]


class PlainSignature(TypedDict):
    """A signature in words of plain ASCII, as nearly all are; its fields in the order of RFC 8785."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    key: _Word
    value: _Word


class PlainBallot(TypedDict):
    """A ballot's plain form in JSON, its fields in the order of RFC 8785; `when` is looked at apart."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    clause: NotRequired[Id]
    gate: NotRequired[Id]
    marks: NotRequired[PlainMarks]
    measure: NotRequired[Id]
    meets: NotRequired[StrictBool]
    panel: Id
    rater: Id
    sequence: NotRequired[Annotated[int, Field(strict=True, ge=1, lt=10**9)]]
    signature: NotRequired[PlainSignature]
    source: NotRequired[Id]
    stage: Id
    team: Id
    type: Literal["ballot"]
    when: _When
    who: Id


_PLAIN = TypeAdapter(PlainBallot).validator
_MARKS: TypeAdapter[dict[str, str]] = TypeAdapter(PlainMarks)
FIELDS = tuple(PlainBallot.__annotations__)
"""The fields of a plain ballot in the order of RFC 8785."""

_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
_AS_KEPT = re.compile(r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)
"""A time in UTC to the second, its day aside."""

_EXACT = Context(prec=400, traps=[Inexact])


def in_utc(written: str) -> str | None:
    """A time as records write it, `None` where it is none; millions are written so already, all different."""
    return written if _AS_KEPT.fullmatch(written) and _whole_day(written[:10]) else _read(written)


def all_in_utc(written: Sequence[str]) -> Sequence[str] | None:
    """`in_utc` of each time; `None` where any is none."""
    if all(map(_AS_KEPT.fullmatch, written)) and all(map(_whole_day, {when[:10] for when in written})):
        return written
    return _all_read(in_utc, written)


def all_marks_in_order(written: Sequence[str]) -> Sequence[str] | None:
    """`marks_in_order` of each; `None` where any is none."""
    return _all_read(marks_in_order, written)


def _all_read(read: Callable[[str], str | None], written: Sequence[str]) -> Sequence[str] | None:
    found = [said for said in map(read, written) if said is not None]
    return found if len(found) == len(written) else None


@lru_cache
def _whole_day(day: str) -> bool:
    """Whether every second of a day is a time that an act may bear."""
    return _read(f"{day}T00:00:00Z") is not None and _read(f"{day}T23:59:59Z") is not None


@lru_cache(maxsize=65_536)
def _read(written: str) -> str | None:
    try:
        return utc_text(_MOMENT.validate_python(written))
    except ValidationError:
        return None


@lru_cache(maxsize=65_536)
def marks_in_order(written: str) -> str | None:
    """The inside of an object of marks in the order of RFC 8785; `None` where it is none, or not spelled shortly."""
    try:
        marks = _MARKS.validate_json(f"{{{written}}}")
    except ValidationError:
        return None
    inside = to_json(dict(sorted(marks.items())))[1:-1].decode()
    return inside if len(inside) == len(written) else None


def plain_row(tree: object) -> Row | None:
    """The row of a ballot in its plain form; `None` for everything else, good or bad."""
    if not isinstance(tree, dict) or not _PLAIN.isinstance_python(tree):
        return None
    return _row({name: tree[name] for name in FIELDS if name in tree})


def plain_line(line: bytes) -> tuple[PlainBallot, Row] | None:
    """The ballot in its plain form that a line of JSON holds, with its row; `None` for every other line.

    The line must be as long as the bytes that come of it, but for the spelling of the time. No text, key or truth
    value has a shorter spelling than theirs, so such a line holds no key twice, no escape and no space.
    """
    try:
        ballot: PlainBallot = _PLAIN.validate_json(line)
    except ValidationError:
        return None
    written = ballot["when"]
    row = _row(cast("dict[str, Any]", ballot))
    if row is None or len(line) - len(row.body) != len(written) - len(row.when):
        return None
    return ballot, row


def _row(ordered: dict[str, Any]) -> Row | None:
    """The row of a ballot whose fields are right, each for itself, and stand in their order; it changes `ordered`."""
    marks, vote = "marks" in ordered, "meets" in ordered
    when = in_utc(ordered["when"])
    if marks == vote or marks != ("measure" in ordered) or vote != ("gate" in ordered) or when is None:
        return None
    ordered["when"] = when
    if marks:
        ordered["marks"] = dict(sorted(ordered["marks"].items()))
    if "signature" in ordered:
        ordered["signature"] = dict(sorted(ordered["signature"].items()))
    stage, team = ordered["stage"], ordered["team"]
    subject = ordered["measure" if marks else "gate"]
    key = f"ballot/{stage}/{ordered['panel']}/{subject}/{ordered['rater']}/{team}"
    body = to_json(ordered)
    return Row(key, "ballot", when, stage, team, body, leaf_hash(body))


def _total(marks: Iterable[str]) -> Decimal:
    total = Decimal(0)
    for mark in marks:
        total = _EXACT.add(total, Decimal(mark))
    return _shared(str(total))


@lru_cache(maxsize=65_536)
def _shared(total: str) -> Decimal:
    """One object for all sums that are written alike, so that it is written once where they go to another process."""
    return Decimal(total)


def light(index: int, body: bytes) -> BallotRow:
    """The ballot that canonical bytes hold, as a light row; the record checked the bytes when it took them in.

    In their order of fields, what stands before the rater says what is marked and how; few ballots differ in it.
    """
    front = front_of(body)
    tree = from_json(b"{" + body[len(front) + 1 :])
    panel, subject, total, meets = said_by(front.decode())
    return BallotRow(index, tree["when"], tree["stage"], panel, subject, tree["rater"], tree["team"], total, meets)


def all_light(rows: Sequence[tuple[int, bytes]]) -> Iterable[BallotRow]:
    """`light` of each row; they are nearly always lines of one kind, which are taken apart together."""
    text = b"\n".join(body for _, body in rows).decode()
    found = () if "\\" in text else _LIGHT.findall(text)
    if not found or len(found) != len(rows):
        return starmap(light, rows)
    fronts, raters, stages, teams, whens = zip(*found, strict=True)
    panels, subjects, totals, meets = zip(*map(said_by, fronts), strict=True)
    indexes = (index for index, _ in rows)
    return map(
        BallotRow._make, zip(indexes, whens, stages, panels, subjects, raters, teams, totals, meets, strict=True)
    )


def folded_rows(rows: Rows, first: int = 0) -> Folded:
    """The ballots among rows as marks and votes. first: the index of the first row."""
    numbered = zip(count(first), rows.column("type"), rows.column("body"), strict=False)
    return fold(all_light([(index, body) for index, kind, body in numbered if kind == "ballot"]))


_TEXT, _PASSED_OVER = '"([^"]*)"', '"[^"]*"'
_LIGHT = re.compile(
    rf'^(.*),"rater":{_TEXT}(?:,"sequence":[0-9]+)?(?:,"signature":\{{[^{{}}]*\}})?(?:,"source":{_PASSED_OVER})?'
    rf',"stage":{_TEXT},"team":{_TEXT},"type":"ballot","when":{_TEXT},"who":{_PASSED_OVER}\}}$',
    re.MULTILINE,
)
"""A ballot's canonical bytes where no text is escaped; a signature's texts hold no such names."""


def front_of(body: bytes) -> bytes:
    """What stands before the rater in a ballot's canonical bytes.

    Within a text the quotes would be escaped, and after the rater no name of a field is free: its last place is its
    own, whatever criteria are called.
    """
    return body[: body.rindex(b',"rater":')]


class _Said(NamedTuple):
    """What a ballot says of whichever team; of `entries.BallotRow`."""

    panel: str
    subject: str
    total: Decimal | None
    meets: bool | None


@lru_cache(maxsize=65_536)
def said_by(front: str) -> _Said:
    """What the fields before a ballot's rater say; `front_of`, as a text."""
    tree = from_json(f"{front}}}")
    marks: Mapping[str, str] | None = tree.get("marks")
    return _Said(
        tree["panel"],
        tree["measure"] if marks else tree["gate"],
        _total(marks.values()) if marks else None,
        tree.get("meets"),
    )
