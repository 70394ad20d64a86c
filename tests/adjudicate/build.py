"""Small rulebooks, acts and evidence for tests, built through the real schemas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from dokja.adjudicate import Evidence, gather
from dokja.record.acts import ACT, AnyAct, Ballot
from dokja.record.entries import BallotRow, Entry
from dokja.record.folding import fold
from dokja.rulebook import History
from dokja.rulebook.reading import DOCUMENT

FOUNDED = "2025-01-01T00:00:00+09:00"
DECIDED = "2025-06-30T00:00:00+09:00"
BOTH = {"ko": "글", "en": "text"}


def clause(kind: str, id_: str, **fields: object) -> dict[str, object]:
    """A clause as a document holds it."""
    return {"kind": kind, "id": id_, "text": BOTH, **fields}


def stage(seats: int, entrants: int = 9, id_: str = "stage-1") -> dict[str, object]:
    return clause("stage", id_, title=BOTH, entrants=str(entrants), seats=str(seats))


def leaf(id_: str, points: str, **fields: object) -> dict[str, object]:
    return {"id": id_, "title": BOTH, "points": points, "rule": "reported", **fields}


def node(id_: str, points: str, rule: str, **fields: object) -> dict[str, object]:
    return {"id": id_, "title": BOTH, "points": points, "rule": rule, **fields}


def score(measure: dict[str, Any], stage_: str = "stage-1") -> dict[str, object]:
    return clause("score", f"{stage_}.score", stage=stage_, measure=measure)


def document(
    number: int, *clauses: dict[str, object], effective: str = FOUNDED, **fields: object
) -> dict[str, object]:
    return {
        "dokja": "1",
        "rulebook": "test",
        "number": str(number),
        "title": BOTH,
        "announced": effective,
        "effective": effective,
        "clauses": list(clauses),
        **fields,
    }


def history(*documents: dict[str, object]) -> History:
    return History(tuple(DOCUMENT.validate_python(each) for each in documents))


def act(type_: str, position: int, when: str = DECIDED, **fields: object) -> AnyAct:
    return ACT.validate_python({"type": type_, "id": f"act-{position}", "who": "office", "when": when, **fields})


def admissions(teams: Sequence[str], stage_: str = "stage-1") -> list[dict[str, Any]]:
    return [
        {"type_": "admission", "call": "call", "stage": stage_, "team": team, "when": "2025-02-01T00:00:00+09:00"}
        for team in teams
    ]


def evidence(acts: Sequence[dict[str, Any]], leave_out: Sequence[str] = (), horizon: str | None = None) -> Evidence:
    """Evidence from acts given as fields; ballots are folded as the record would give them."""
    made = [
        act(fields["type_"], at, **{k: v for k, v in fields.items() if k != "type_"})
        for at, fields in enumerate(acts)
    ]
    entries = [Entry(at, each) for at, each in enumerate(made)]
    rows = [_row(entry.index, entry.act) for entry in entries if isinstance(entry.act, Ballot)]
    until = datetime.fromisoformat(horizon) if horizon else max(each.when for each in made)
    return gather(entries, fold(rows, until), leave_out)


def _row(position: int, ballot: Ballot) -> BallotRow:
    total = sum(ballot.marks.values(), Decimal(0)) if ballot.marks else None
    subject = ballot.measure or ballot.gate or ""
    when = ballot.model_dump(mode="json")["when"]
    return BallotRow(
        position, when, ballot.stage, ballot.panel, subject, ballot.rater, ballot.team, total, ballot.meets
    )
