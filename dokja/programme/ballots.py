"""The ballots of a record as marks and votes; where there are many, every processor folds some of them.

Those that were taken in just now were folded where they were read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from dokja.intake import Intake
from dokja.record import Record
from dokja.record.entries import Entry
from dokja.record.folding import Folded, fold, joined
from dokja.record.parallel import processors, spread
from dokja.record.storage import record_at
from dokja.record.transparency.sealing.ballots import sealed_ballots, sealed_marks
from dokja.record.transparency.sealing.kept import read_openings
from dokja.record.transparency.sealing.openings import Openings

WINDOW = 50_000
"""Acts whose ballots are folded in one go."""


def ballots_folded(
    record: Record, size: int, entries: Iterable[Entry], openings: Path, fresh: Intake | None = None
) -> Folded:
    """The ballots that count among the first `size` acts, those that were sealed and opened among them.

    entries: all acts but ballots. openings: the folder of what opens sealed marks. fresh: the last of these acts.
    """
    sealed = sealed_marks(entries)
    opened = read_openings(openings, sealed.grid) if sealed.rows else Openings()
    before = fresh.start if fresh else size
    windows = [range(first, min(first + WINDOW, before)) for first in range(0, before, WINDOW)]
    with spread(partial(_window_folded, record.url), processors() if len(windows) > 1 else 1) as fold_all:
        openly = joined((*fold_all(windows), fresh.folded if fresh else Folded()))
    return joined((openly.without(sealed.grid.subjects), fold(sealed_ballots(sealed, opened))))


def _window_folded(url: URL, window: range) -> Folded:
    with record_at(url) as record:
        return fold(record.ballots(window.start, window.stop))
