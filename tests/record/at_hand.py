"""What the tests of the record have at hand: acts of any number, and a way past the guards."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from dokja.record import ACT, AnyAct


def statement(number: int, words: str = "a word") -> AnyAct:
    return ACT.validate_python(
        {
            "type": "statement",
            "id": f"statement-{number}",
            "who": "office",
            "when": "2027-03-01T09:00:00+09:00",
            "stage": "stage-1",
            "note": {"ko": f"말 {number}", "en": words},
        }
    )


def ballot(rater: int) -> AnyAct:
    return ACT.validate_python(
        {
            "type": "ballot",
            "who": f"rater-{rater}",
            "when": "2027-08-17T09:00:00+09:00",
            "stage": "stage-1",
            "panel": "experts",
            "rater": f"rater-{rater}",
            "team": "team-a",
            "measure": "expert",
            "marks": {"technology": "20.50", "plan": "10"},
        }
    )


def mixed(count: int) -> list[AnyAct]:
    return [ballot(number) if number % 3 else statement(number) for number in range(count)]


def past_the_guards(file: Path, *changes: tuple[str, Sequence[object]]) -> None:
    """Change a record as its owner could: the guards are taken away and put back as they were."""
    connection = sqlite3.connect(file, isolation_level=None)
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        connection.execute(f"DROP TRIGGER {name}")
    for sql, values in changes:
        connection.execute(sql, values)
    for _, sql in guards:
        connection.execute(sql)
    connection.close()
