"""The ballots of a record as marks and votes; where there are many, every processor folds some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from dokja.adjudicate import Folded, fold, joined
from dokja.record import Record
from dokja.record.entries import Entry
from dokja.record.parallel import processors, spread
from dokja.record.storage import record_at
from dokja.record.transparency.sealing.ballots import Subject, open_ballots, sealed_ballots, sealed_marks
from dokja.record.transparency.sealing.kept import read_openings
from dokja.record.transparency.sealing.openings import Openings

WINDOW = 50_000
"""Acts whose ballots are folded in one go."""


def ballots_folded(record: Record, entries: Iterable[Entry], openings: Path) -> Folded:
    """The ballots that count, those that were sealed and opened among them.

    entries: all acts but ballots. openings: the folder of what opens sealed marks.
    """
    sealed = sealed_marks(entries)
    opened = read_openings(openings, sealed.grid) if sealed.rows else Openings()
    windows = [range(first, first + WINDOW) for first in range(0, record.size, WINDOW)]
    work = partial(_window_folded, record.url, frozenset(sealed.grid.subjects))
    with spread(work, processors() if len(windows) > 1 else 1) as fold_all:
        return joined((*fold_all(windows), fold(sealed_ballots(sealed, opened))))


def _window_folded(url: URL, sealed: Collection[Subject], window: range) -> Folded:
    with record_at(url) as record:
        return fold(open_ballots(record.ballots(window.start, window.stop), sealed))
