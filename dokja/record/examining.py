"""One window of the log examined, in whichever process: every act's row derived anew from its bytes and compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import URL, select

from dokja.errors import Place, Problem, RecordError
from dokja.language import mark
from dokja.record.canonical import Row, act_of, row_of
from dokja.record.connecting import PATIENCE_SECONDS, connect, place_of
from dokja.record.merkle import leaf_hash
from dokja.record.refusals import told
from dokja.record.shapes import PlainLines
from dokja.record.tables import ACTS

WINDOW = 20_000
"""Acts that are examined in one go."""


@dataclass(frozen=True)
class Examined:
    """What a window holds: its runs of indexes without a gap, every act's leaf hash, and what is wrong."""

    runs: tuple[range, ...]
    leaves: tuple[bytes, ...]
    problems: tuple[Problem, ...]


def examine(url: URL, window: int) -> Examined:
    """Examine the acts from index `window` × `WINDOW` on; damage that the database itself meets is a problem too."""
    place = place_of(url)
    first = window * WINDOW
    inside = (ACTS.c["index"] >= first, ACTS.c["index"] < first + WINDOW)
    engine = connect(url, PATIENCE_SECONDS)
    try:
        with told(place), engine.connect() as connection:
            rows = connection.execute(select(ACTS).where(*inside).order_by(ACTS.c["index"])).all()
    except RecordError as error:
        return Examined((), (), error.problems)
    finally:
        engine.dispose()
    leaves: list[bytes] = []
    problems: list[Problem] = []
    for (index, *stored), derived in zip(rows, _all_derived([row[6] for row in rows]), strict=True):
        if derived is None or derived != tuple(stored):
            problems.append(_fault(index, stored, derived, place))
        leaves.append(derived.leaf if derived and derived.body == stored[5] else _leaf(stored[5]))
    return Examined(_runs([row[0] for row in rows]), tuple(leaves), tuple(problems))


def _all_derived(bodies: Sequence[Any]) -> Iterable[Row | None]:
    """`_derived` of each; they are nearly always ballots of one shape, which are read together."""
    lines = PlainLines()
    if all(isinstance(body, bytes) for body in bodies):
        together = lines.read_all(b"\n".join(bodies))
        if together is not None and len(together.rows) == len(bodies):
            return together.rows
    return (_derived(body, lines) for body in bodies)


def _derived(body: Any, lines: PlainLines) -> Row | None:  # noqa: ANN401 - a damaged database hands out anything
    """The row that the bytes of an act make; `None` where they hold no act."""
    try:
        plain = lines.read(body) if isinstance(body, bytes) else None
        return plain[0] if plain else row_of(act_of(body))
    except (ValidationError, ValueError, TypeError):
        return None


def _leaf(body: Any) -> bytes:  # noqa: ANN401
    return leaf_hash(body if isinstance(body, bytes) else b"")


_FAULTS = {
    "record-flipped": (
        mark("The bytes of act {index} are not those that were hashed when it was written."),
        mark("Restore the record from a copy; somebody or something changed it."),
    ),
    "record-not-an-act": (
        mark("What stands at index {index} is no act."),
        mark("Restore the record from a copy; it was not written by this program."),
    ),
    "record-not-canonical": (
        mark("Act {index} does not stand in its canonical bytes."),
        mark("Restore the record from a copy; it was not written by this program."),
    ),
    "record-column": (
        mark("The columns beside act {index} do not say what the act says."),
        mark("Restore the record from a copy; the act itself is unchanged."),
    ),
}


def _fault(index: int, stored: list[Any], derived: Row | None, place: Place) -> Problem:
    body, leaf = stored[5], stored[6]
    if not isinstance(body, bytes) or leaf_hash(body) != leaf:
        code = "record-flipped"
    elif derived is None:
        code = "record-not-an-act"
    else:
        code = "record-column" if derived.body == body else "record-not-canonical"
    what, mend = _FAULTS[code]
    return Problem(code, what, mend, place, {"index": str(index)})


def _runs(indexes: list[int]) -> tuple[range, ...]:
    """Ascending indexes as runs without gaps."""
    starts = [at for at, index in enumerate(indexes) if at == 0 or indexes[at - 1] + 1 != index]
    ends = [*starts[1:], len(indexes)]
    return tuple(range(indexes[start], indexes[end - 1] + 1) for start, end in zip(starts, ends, strict=True) if end)
