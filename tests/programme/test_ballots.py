"""Ballots folded where they are read, or by the window: the outcome is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.generate_programme import generate
from dokja.intake import take_in
from dokja.programme import ballots, open_programme
from dokja.programme.publishing import publish
from dokja.record import open_record
from dokja.record.transparency import placing
from dokja.record.transparency.proofs import includes


def test_windows_and_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(tmp_path, 2_000)
    programme = open_programme(tmp_path)
    with open_record(programme.record_at) as record:
        fresh = take_in(programme.act_files, programme.history, frozenset(programme.sources), record)
        whole = publish(programme, record, (), fresh=fresh, proofs=True)
        alone = publish(programme, record, (), proofs=True)
        monkeypatch.setattr(ballots, "WINDOW", 300)
        monkeypatch.setattr(placing, "WINDOW", 256)
        monkeypatch.setattr(ballots, "processors", lambda: 2)
        monkeypatch.setattr(placing, "processors", lambda: 2)
        spread = publish(programme, record, (), proofs=True)
    assert spread == alone == whole
    assert all(includes(each.leaf, each.index, each.size, each.path, each.root) for each in spread.places.values())
    assert {each.root.hex() for each in spread.places.values()} == {spread.root}
