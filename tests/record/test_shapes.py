"""Lines of ballots read by the shape of the line before: never otherwise than the long way reads them."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import islice, permutations
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from dokja.record.acts import ACT
from dokja.record.bulk import all_light, front_of, light, plain_line
from dokja.record.canonical import canonical
from dokja.record.shapes import MOST_SHAPES, Plain, PlainLines

MARKED = {
    "type": "ballot",
    "who": "rater-1",
    "when": "2027-03-01T00:00:00Z",
    "clause": "score-1",
    "source": "announcement",
    "stage": "stage-1",
    "panel": "experts",
    "rater": "rater-1",
    "team": "team-a",
    "measure": "expert",
    "marks": {"plan": "8.5", "depth": "10"},
}
VOTED = {name: value for name, value in MARKED.items() if name not in ("measure", "marks", "source")} | {
    "gate": "independence",
    "meets": True,
}
SIGNED = MARKED | {"signature": {"key": "office+0", "value": "AA=="}}
NUMBERED = VOTED | {"sequence": 12}

TEXTS = st.sampled_from(
    [
        "rater-2",
        "a" * 80,
        "a" * 81,
        "a.b-c.0",
        "a--b",
        "A",
        "",
        "é",
        "팀",
        'x","rater":"y',
        "x\\",
        "x\n",
        "2027-03-01T00:00:00Z",
        "2027-03-01T24:00:00Z",
        "2028-02-30T00:00:00Z",
        "2027-03-01T09:00:00+09:00",
        "2027-03-01 00:00:00Z",
    ]
)
MARKS = st.dictionaries(
    st.sampled_from(["plan", "depth", "z", "a.b", "B", "", 'q"']),
    st.sampled_from(["0", "8.5", "10", "010", "1e2", "-1", "", "1_0", "１"]),
    max_size=3,
)
SIGNATURES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("value", "key", "by"), st.sampled_from(["a+0/=", "~!", "", "a b", "é", "\\", '"', "a" * 201])
    ),
)
VALUES = (
    TEXTS | MARKS | SIGNATURES | st.booleans() | st.none() | st.sampled_from([0, 1, 9, -1, 10**9 - 1, 10**9, 1.0])
)


def compact(tree: dict[str, Any], names: list[str]) -> bytes:
    return json.dumps({name: tree[name] for name in names}, separators=(",", ":"), ensure_ascii=False).encode()


def the_long_way(line: bytes) -> Plain | None:
    plain = plain_line(line)
    return None if plain is None else (plain[1], plain[0].get("source"))


@given(data=st.data(), first=st.sampled_from([MARKED, VOTED, SIGNED, NUMBERED]))
def test_a_line_says_what_it_says_the_long_way(data: st.DataObject, first: dict[str, Any]) -> None:
    names = data.draw(st.permutations(sorted(first)))
    lines = PlainLines()
    learned = compact(first, names)
    assert lines.read(learned) == the_long_way(learned) is not None
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(first)), VALUES, max_size=3))
    line = compact(first | changed, names)
    assert lines.read(line) == the_long_way(line)


@given(data=st.data(), first=st.sampled_from([MARKED, VOTED, SIGNED, NUMBERED]))
def test_lines_together_say_what_each_says_the_long_way(data: st.DataObject, first: dict[str, Any]) -> None:
    names = data.draw(st.permutations(sorted(first)))
    ids = st.sampled_from(["a", "team-b", "x.y", "a" * 80])
    times = st.sampled_from(["2027-03-01T00:00:00Z", "2027-03-01T23:59:59Z", "2027-03-02T09:00:00+09:00"])
    good = st.fixed_dictionaries({"team": ids, "rater": ids, "when": times, "who": ids})
    lines = [compact(first | changed, names) for changed in data.draw(st.lists(good, min_size=1, max_size=6))]
    together = PlainLines().read_all(b"\n".join(lines))
    alone = [the_long_way(line) for line in lines]
    assert together is not None
    assert list(together.rows) == [plain and plain[0] for plain in alone]
    assert together.said() == {(row.stage or "", source, front_of(row.body)) for row, source in filter(None, alone)}
    assert list(together.light(7)) == [light(index, row.body) for index, row in enumerate(together.rows, start=7)]

    bad = data.draw(st.dictionaries(st.sampled_from(sorted(first)), VALUES, max_size=3))
    lines.insert(data.draw(st.integers(0, len(lines))), compact(first | bad, names))
    together = PlainLines().read_all(b"\n".join(lines))
    assert together is None or list(together.rows) == [plain and plain[0] for plain in map(the_long_way, lines)]


def test_lines_of_two_shapes_are_not_read_together() -> None:
    lines = [compact(tree, list(tree)) for tree in (MARKED, VOTED)]
    assert PlainLines().read_all(b"\n".join(lines)) is None
    assert PlainLines().read_all(b"") is None
    assert PlainLines().read_all(lines[0] + b"\n") is None


@given(changes=st.lists(st.dictionaries(st.sampled_from(["note", "who", "team", "source"]), VALUES), max_size=5))
def test_bodies_taken_apart_together_say_what_each_says(changes: list[dict[str, Any]]) -> None:
    """The bytes of any ballots, those with a note or an id of their own among them."""
    rows = []
    for index, changed in enumerate(changes):
        try:
            rows.append((index, canonical(ACT.validate_python(SIGNED | {"sequence": 7} | changed))))
        except ValidationError:
            continue
    assert list(all_light(rows)) == [light(index, body) for index, body in rows]
    for (_, body), ballot in zip(rows, all_light(rows), strict=True):
        tree = json.loads(body)
        assert (ballot.team, ballot.rater, ballot.when) == (tree["team"], tree["rater"], tree["when"])
        assert ballot.total == sum(map(Decimal, tree["marks"].values()))


@given(
    place=st.integers(0, 400),
    put=st.sampled_from([*b'{}",:\\ \n', 0, 0x30, 0x31, 0x41, 0x61, 0x80]),
    put_in=st.booleans(),
    first=st.sampled_from([MARKED, SIGNED | {"sequence": 12}]),
)
def test_a_line_with_a_byte_changed_says_what_it_says_the_long_way(
    place: int, put: int, put_in: bool, first: dict[str, Any]
) -> None:
    lines = PlainLines()
    line = compact(first, list(first))
    assert lines.read(line) is not None
    place %= len(line)
    bent = line[:place] + bytes([put]) + line[place + (not put_in) :]
    assert lines.read(bent) == the_long_way(bent)


@given(twin=st.sampled_from(['"plan":"8.5"', '"plan":"9"']), spaced=st.booleans())
@example(twin='"depth":"10"', spaced=False)
def test_marks_that_hide_one_another_or_are_spaced_are_not_passed(twin: str, spaced: bool) -> None:
    lines = PlainLines()
    line = compact(MARKED, list(MARKED))
    assert lines.read(line) is not None
    inside = twin + ("," if not spaced else ", ")
    bent = line.replace(b'"marks":{', b'"marks":{' + inside.encode())
    assert lines.read(bent) is None is the_long_way(bent)


def test_ballots_of_two_shapes_by_turns() -> None:
    lines = PlainLines()
    for tree in (MARKED, VOTED, SIGNED, NUMBERED, MARKED, VOTED) * 2:
        line = compact(tree, list(tree))
        assert lines.read(line) == the_long_way(line) is not None


def test_a_running_number_that_is_a_text_is_none() -> None:
    lines = PlainLines()
    assert lines.read(compact(NUMBERED, list(NUMBERED))) is not None
    text = NUMBERED | {"sequence": "rater-2"}
    assert lines.read(compact(text, list(text))) is None


def test_a_file_that_changes_its_order_with_every_line_is_not_learned_for_ever() -> None:
    lines = PlainLines()
    for names in islice(permutations(MARKED), 200):
        line = compact(MARKED, list(names))
        assert lines.read(line) == the_long_way(line) is not None
        assert len(lines.shapes) <= MOST_SHAPES
