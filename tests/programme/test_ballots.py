"""Ballots folded where they are read, or by the window: the outcome is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.generate_programme import generate
from dokja.intake import Intake, take_in
from dokja.programme import ballots, open_programme, publishing
from dokja.programme.publishing import publish
from dokja.record import Entry, Record, open_record
from dokja.record.folding import Folded
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


@pytest.mark.parametrize("known", [True, False])
def test_what_others_append_meanwhile_is_left_to_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    generate(tmp_path, 40)
    programme = open_programme(tmp_path)
    with open_record(programme.record_at) as record, open_record(programme.record_at) as other:
        taken = take_in(programme.act_files, programme.history, frozenset(programme.sources), record)
        fresh = taken if known else None
        undisturbed = publish(programme, record, (), fresh=fresh, proofs=True)
        *_, last = record.entries()

        def meanwhile(
            record: Record, size: int, entries: tuple[Entry, ...], openings: Path, fresh: Intake | None
        ) -> Folded:
            other.append([last.act.model_copy(update={"id": "late"})])
            return ballots.ballots_folded(record, size, entries, openings, fresh)

        monkeypatch.setattr(publishing, "ballots_folded", meanwhile)
        disturbed = publish(programme, record, (), fresh=fresh, proofs=True)
        monkeypatch.undo()
        later = publish(programme, record, (), fresh=fresh, proofs=True)
    assert disturbed == undisturbed
    assert (later.size, later.acts[undisturbed.size].id) == (undisturbed.size + 1, "late")
    for place in [*disturbed.places.values(), *later.places.values()]:
        assert includes(place.leaf, place.index, place.size, place.path, place.root)
