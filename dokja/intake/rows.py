"""The acts of one file as rows, held against the rulebook, without taking them in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dokja.errors import ActError
from dokja.intake.act_files import chunk_reading, open_acts
from dokja.intake.reading import Reader
from dokja.intake.rules import rules_of
from dokja.record.canonical import Row
from dokja.rulebook import History


def rows_in(file: Path, history: History, sources: frozenset[str]) -> Iterator[Row]:
    """The acts of a file, in order; raises `ActError` with the problems of the first batch that has any."""
    reader = Reader(rules_of(history, sources))
    acts = open_acts(file)
    with chunk_reading([file], reader) as read_chunks:
        for batch in acts.batches(reader, read_chunks):
            if batch.problems:
                raise ActError(*batch.problems)
            yield from batch.rows
