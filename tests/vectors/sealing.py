"""Vectors of sealed marks: rows, roots and openings, right and wrong in one thing at a time."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import rfc8785

from tests.record.transparency.at_hand import tree_of
from tests.vectors.build import KEYED, TEAM, WHEN, Files, Json, Vector, bag, bodies, log, signed

Named = Iterator[tuple[str, Vector]]
TEAMS, CRITERIA = ["team-a", "team-b"], ["technology", "plan"]


def url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def salt(number: int) -> str:
    return url(sha256(b"salt %d" % number).digest())


def disclosed(array: list[Any]) -> bytes:
    return url(rfc8785.dumps(array)).encode()


def opening(number: int, name: str, value: object) -> bytes:
    return disclosed([salt(number), name, value])


def digest(line: bytes) -> str:
    return url(sha256(line).digest())


def marks(rater: str, start: int) -> list[bytes]:
    names = [f"stage-1/experts/expert/{rater}/{team}/{criterion}" for team in TEAMS for criterion in CRITERIA]
    values: list[Any] = ["12.5", "0", {"absent": "recused"}, "3.10"]
    return [
        opening(start + place, name, value) for place, (name, value) in enumerate(zip(names, values, strict=True))
    ]


def votes(rater: str, start: int) -> list[bytes]:
    names = [f"stage-1/experts/independence-1/{rater}/{team}" for team in TEAMS]
    return [opening(start, names[0], True), opening(start + 1, names[1], {"absent": "no-mark"})]


def sealed(by: str, lines: Sequence[bytes], gate: bool = False, /, **more: object) -> Json:
    subject = {"gate": "independence-1"} if gate else {"criteria": CRITERIA, "measure": "expert"}
    act = {
        "cells": [digest(line) for line in lines],
        "id": f"sealed-{by}{'-gate' if gate else ''}",
        "panel": "experts",
        "rater": by,
        "stage": "stage-1",
        "teams": TEAMS,
        "type": "marks-sealed",
        "when": WHEN,
        "who": "team-a",
        **subject,
    }
    return {name: value for name, value in {**act, **more}.items() if value is not None}


def closed(*rows: Sequence[bytes], **more: object) -> Json:
    digests = [sha256(line).digest() for row in rows for line in row]
    act = {"cells": len(digests), "id": "closed", "root": url(tree_of(digests).root()), "stage": "stage-1"}
    return {**act, "type": "stage-sealed", "when": WHEN, "who": "team-a", **more}


def opened(*acts: str, **more: object) -> Json:
    act = {
        "id": "opened",
        "sealed": [*acts],
        "stage": "stage-1",
        "type": "marks-opened",
        "when": WHEN,
        "who": "team-a",
    }
    return {**act, **more}


ONE, TWO, VOTES = marks("rater-1", 0), marks("rater-2", 10), votes("rater-1", 20)
GRID = (sealed("rater-2", TWO), sealed("rater-1", ONE), sealed("rater-1", VOTES, True))
"""Sealed in another order than the grid's."""
CLOSED = closed(ONE, TWO, VOTES)
OPENED = opened("sealed-rater-2", "sealed-rater-1", "sealed-rater-1-gate")
WHOLE = (*GRID, CLOSED, OPENED)
LINES = [*ONE, *TWO, *VOTES]


def bundle(acts: Sequence[Json], lines: Sequence[bytes] | bytes | None = None, *expected: str) -> Vector:
    files: Files = log(bodies([*KEYED, *(signed(act, TEAM) for act in acts)]))
    if lines is not None:
        files["data/openings"] = lines if isinstance(lines, bytes) else b"".join(line + b"\n" for line in lines)
    return Vector("bundle", expected, bag(files))


def grids() -> Named:
    yield "sealed-nothing-opened", bundle(WHOLE)
    yield "sealed-all-opened", bundle(WHOLE, LINES)
    yield "sealed-some-opened-in-any-order", bundle(WHOLE, [VOTES[1], TWO[3], ONE[0]])
    yield "sealed-not-closed", bundle(GRID)
    yield "sealed-second-stage", bundle((*WHOLE, sealed("rater-1", marks("rater-1", 50), id="more", stage="stage-2")))
    row, later = GRID[1], marks("rater-1", 70)
    shapes: dict[str, Json] = {
        "no-rater": {"rater": None},
        "rater-in-upper-case": {"rater": "Rater-1"},
        "rater-with-slash": {"rater": "a/b"},
        "rater-in-cyrillic": {"rater": "r\u0430ter"},
        "id-of-81": {"rater": "r" * 81},
        "measure-and-gate": {"gate": "independence-1"},
        "neither": {"measure": None},
        "teams-unsorted": {"teams": TEAMS[::-1]},
        "team-twice": {"teams": ["team-a", "team-a"]},
        "no-teams": {"teams": [], "cells": []},
        "teams-text": {"teams": "team-a"},
        "criterion-twice": {"criteria": ["plan", "plan"]},
        "no-criteria": {"criteria": None},
        "cells-missing": {"cells": None},
        "cell-short": {"cells": [*row["cells"][:3], row["cells"][3][:-1]]},
        "cell-padded": {"cells": [*row["cells"][:3], row["cells"][3] + "="]},
        "cell-loose-bits": {"cells": [*row["cells"][:3], row["cells"][3][:-1] + "B"]},
        "cell-standard-base64": {"cells": [*row["cells"][:3], "+" * 42 + "A"]},
        "cell-number": {"cells": [*row["cells"][:3], 7]},
        "cell-null": {"cells": [*row["cells"][:3], None]},
    }
    for name, changed in shapes.items():
        yield f"sealed-{name}", bundle((sealed("rater-1", ONE, **changed),), None, "GRID_FORM")
    yield "sealed-gate-with-criteria", bundle((sealed("rater-1", VOTES, True, criteria=CRITERIA),), None, "GRID_FORM")
    yield "sealed-cell-missing", bundle((sealed("rater-1", ONE[:3]),), None, "GRID_INCOMPLETE")
    yield "sealed-cell-more", bundle((sealed("rater-1", [*ONE, TWO[0]]),), None, "GRID_INCOMPLETE")
    yield "sealed-no-cells", bundle((sealed("rater-1", []),), None, "GRID_INCOMPLETE")
    yield "sealed-row-twice", bundle((row, sealed("rater-1", later, id="again")), None, "GRID_TWICE")
    yield "sealed-id-twice", bundle((row, {**GRID[0], "id": row["id"]}), None, "GRID_TWICE")
    yield "sealed-digest-twice-in-row", bundle((sealed("rater-1", [*ONE[:3], ONE[0]]),), None, "GRID_TWICE")
    yield "sealed-copied-from-another", bundle((row, sealed("rater-2", [*TWO[:3], ONE[3]])), None, "GRID_TWICE")
    yield "sealed-after-root", bundle((row, closed(ONE), GRID[0]), None, "GRID_ORDER")
    yield "sealed-after-opening", bundle((row, closed(ONE), opened(row["id"]), GRID[0]), None, "GRID_ORDER")
    yield "sealed-opened-before-root", bundle((row, opened(row["id"])), None, "GRID_ORDER")
    yield "sealed-opened-no-row", bundle((*GRID, CLOSED, opened("nobody")), None, "OPENING_UNKNOWN")
    yield "sealed-opened-nothing", bundle((*GRID, CLOSED, opened()), None, "GRID_FORM")
    elsewhere = sealed("rater-1", later, id="more", stage="stage-2")
    yield (
        "sealed-opened-of-another-stage",
        bundle((elsewhere, *GRID, CLOSED, opened("more")), None, "OPENING_UNKNOWN"),
    )
    yield "sealed-closed-twice", bundle((*GRID, CLOSED, CLOSED), None, "GRID_TWICE")
    yield "sealed-closed-without-rows", bundle((closed(ONE),), None, "GRID_INCOMPLETE")
    yield "sealed-closed-with-none", bundle((closed(ONE, cells=0),), None, "GRID_INCOMPLETE")
    yield "sealed-count-wrong", bundle((*GRID, {**CLOSED, "cells": 9}), None, "GRID_INCOMPLETE")
    yield "sealed-count-true", bundle((*GRID, {**CLOSED, "cells": True}), None, "GRID_FORM")
    yield "sealed-count-text", bundle((*GRID, {**CLOSED, "cells": "10"}), None, "GRID_FORM")
    yield "sealed-root-in-hexadecimal", bundle((*GRID, {**CLOSED, "root": "00" * 32}), None, "GRID_FORM")
    yield "sealed-root-wrong", bundle((*GRID, {**CLOSED, "root": digest(b"")}), None, "GRID_ROOT")
    yield "sealed-root-in-order-of-acts", bundle((*GRID, closed(TWO, ONE, VOTES)), None, "GRID_ROOT")
    yield "sealed-root-of-another-row", bundle((*GRID, closed(ONE, later, VOTES)), None, "GRID_ROOT")


def openings() -> Named:
    name = "stage-1/experts/expert/rater-1/team-a/technology"

    def of(lines: Sequence[bytes] | bytes, expected: str) -> Vector:
        return bundle(WHOLE, lines, expected)

    def sealed_as(line: bytes, expected: str, gate: bool = False) -> Vector:
        """A rater sealed just this; so nothing but its form can be wrong."""
        row = [line, *(VOTES if gate else ONE)[1:]]
        acts = (sealed("rater-1", row, gate), closed(row), opened(f"sealed-rater-1{'-gate' if gate else ''}"))
        return bundle(acts, [line], *((expected,) if expected else ()))

    for word, line, expected in (
        ("of-no-cell", opening(90, "stage-1/experts/expert/rater-9/team-a/technology", "1"), "OPENING_UNKNOWN"),
        ("of-no-team", opening(90, "stage-1/experts/expert/rater-1/team-z/technology", "1"), "OPENING_UNKNOWN"),
        ("of-a-vote-with-criterion", opening(90, "stage-1/experts/independence-1/rater-1/team-a/plan", True),
         "OPENING_UNKNOWN"),
        ("of-a-mark-without-criterion", opening(90, "stage-1/experts/expert/rater-1/team-a", "1"), "OPENING_UNKNOWN"),
        ("name-empty", opening(90, "", "1"), "OPENING_UNKNOWN"),
        ("other-mark", opening(0, name, "13"), "OPENING_WRONG"),
        ("other-zeros", opening(0, name, "12.50"), "OPENING_WRONG"),
        ("other-salt", opening(90, name, "12.5"), "OPENING_WRONG"),
    ):  # fmt: skip
        yield f"opening-{word}", of([line], expected)
    other = opening(0, "stage-1/experts/expert/rater-1/team-b/technology", "12.5")
    yield "opening-of-another-cell", sealed_as(other, "OPENING_WRONG")
    yield "opening-twice", of([ONE[0], ONE[1], ONE[0]], "OPENING_TWICE")
    reused = [opening(3, name.replace("technology", "plan"), "0") if at == 1 else line for at, line in enumerate(ONE)]
    acts = (sealed("rater-1", reused), closed(reused), opened("sealed-rater-1"))
    yield "opening-salt-used-before", bundle(acts, reused, "OPENING_SALT")
    for word, salt_ in {
        "none": "",
        "short": salt(0)[:-2],
        "of-128-bits": url(bytes(16)),
        "long": url(bytes(33)),
    }.items():
        yield f"opening-salt-{word}", sealed_as(disclosed([salt_, name, "1"]), "OPENING_SALT")
    yield "opening-salt-padded", sealed_as(disclosed([salt(0) + "=", name, "1"]), "OPENING_SALT")
    yield "opening-salt-loose-bits", sealed_as(disclosed([salt(0)[:-1] + "B", name, "1"]), "OPENING_SALT")
    yield "opening-salt-standard-base64", sealed_as(disclosed(["+" * 42 + "A", name, "1"]), "OPENING_SALT")
    for word, value in {
        "negative": "-1",
        "leading-zero": "01",
        "no-digit-after-point": "1.",
        "exponent": "1e3",
        "full-width": "１",
        "nineteen-digits": "1" * 19,
        "empty": "",
        "vote-for-a-mark": True,
        "null": None,
        "array": ["1"],
        "unknown-absence": {"absent": "ill"},
        "absence-and-more": {"absent": "recused", "mark": "1"},
        "absence-of-no-text": {"absent": True},
    }.items():
        yield f"opening-value-{word}", sealed_as(opening(0, name, value), "OPENING_FORM")
    vote = "stage-1/experts/independence-1/rater-1/team-a"
    yield "opening-value-mark-for-a-vote", sealed_as(opening(0, vote, "1"), "OPENING_FORM", gate=True)
    yield "opening-value-text-true", sealed_as(opening(0, vote, "true"), "OPENING_FORM", gate=True)
    yield "opening-value-false", sealed_as(opening(0, vote, False), "", gate=True)
    yield "opening-value-most-digits", sealed_as(opening(0, name, "9" * 18 + "." + "9" * 18), "")
    for word, data in {
        "with-blanks": f'["{salt(0)}", "{name}", "1"]'.encode(),
        "escaped": f'["{salt(0)}","{name}","\\u0031"]'.encode(),
        "bare-number": f'["{salt(0)}","{name}",1]'.encode(),
        "huge-number": f'["{salt(0)}","{name}",{"9" * 1200}]'.encode(),
        "not-a-number": f'["{salt(0)}","{name}",NaN]'.encode(),
        "of-two": f'["{salt(0)}","1"]'.encode(),
        "of-four": f'["{salt(0)}","{name}","1","2"]'.encode(),
        "object": f'{{"{name}":"1"}}'.encode(),
        "salt-number": f'[1,"{name}","1"]'.encode(),
        "name-null": f'["{salt(0)}",null,"1"]'.encode(),
        "key-twice": f'["{salt(0)}","{name}",{{"absent":"ill","absent":"recused"}}]'.encode(),
        "deep": b"[" * 1400,
        "lone-surrogate": f'["{salt(0)}","{name}","\\ud800"]'.encode(),
        "not-utf-8": b'["\xff","x","1"]',
        "reserved-name": rfc8785.dumps([salt(0), "_sd", "1"]),
        "dots-as-name": rfc8785.dumps([salt(0), "...", "1"]),
        "nothing": b"[]",
    }.items():
        yield f"opening-json-{word}", sealed_as(url(data).encode(), "OPENING_FORM")
    yield "opening-padded", sealed_as(ONE[0] + b"=" * (-len(ONE[0]) % 4 or 4), "OPENING_FORM")
    yield "opening-standard-base64", sealed_as(b"+" + ONE[0][1:], "OPENING_FORM")
    loose = disclosed([salt(0), name, "12"])
    assert len(loose) % 4 == 2
    yield "opening-loose-bits", sealed_as(loose[:-1] + bytes([loose[-1] + 1]), "OPENING_FORM")
    yield "opening-of-one-character-too-many", sealed_as(ONE[0] + b"A" * (1 - len(ONE[0]) % 4), "OPENING_FORM")
    yield "opening-blank-in-front", of([b" " + ONE[0]], "OPENING_FORM")
    yield "opening-carriage-return", of(ONE[0] + b"\r\n", "OPENING_FORM")
    yield "opening-too-long", sealed_as(opening(0, "x" * 2000, "1"), "OPENING_FORM")
    yield "opening-file-empty", of(b"", "OPENING_FORM")
    yield "opening-file-of-one-line-end", of(b"\n", "OPENING_FORM")
    yield "opening-file-empty-line", of([ONE[0], b"", ONE[1]], "OPENING_FORM")
    yield "opening-file-no-last-line-end", of(ONE[0], "OPENING_FORM")
    yield "opening-file-not-ascii", of("가\n".encode(), "OPENING_FORM")
    yield "opening-where-nothing-is-sealed", bundle((), [ONE[0]], "OPENING_UNKNOWN")
