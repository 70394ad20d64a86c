"""Whatever is changed in a small bundle is found, and both verifiers find the same."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from dokja.record.transparency import check_bundle
from tests.record.transparency.at_hand import checkpoint, note, policy, tree_of
from tests.vectors.build import TEAM, Files, bag, bodies, log, proof, record, signed, statement
from verifier import dokja_verify as second

HELD = record(2)
TREE = tree_of(HELD)
SIGNED_EARLIER = {f"data/log/checkpoints/{size}": note(checkpoint(TREE, size)) for size in (1, 3)}
WHOLE = bag({**log(HELD), **SIGNED_EARLIER, "data/proofs/2.tlog-proof": bytes(proof(HELD, 2))})


def put(folder: Path, files: Files) -> Path:
    for path, data in files.items():
        file = folder / PurePosixPath(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def both(folder: Path) -> list[str]:
    """What both verifiers say, which is the same."""
    first = [each.code for each in check_bundle(folder, policy()).refusals]
    assert first == [each.code for each in second.verify(str(folder), policy())]
    return first


def test_the_bundle_is_valid(tmp_path: Path) -> None:
    assert both(put(tmp_path, WHOLE)) == []


@pytest.mark.parametrize("path", sorted(WHOLE))
def test_every_byte_matters(path: str, tmp_path: Path) -> None:
    put(tmp_path, WHOLE)
    file, data = tmp_path / PurePosixPath(path), WHOLE[path]
    for place in range(len(data)):
        file.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        assert both(tmp_path), place
    for shorter in range(0, len(data), 16):
        file.write_bytes(data[:shorter])
        assert both(tmp_path), shorter
    file.write_bytes(data + b"\n")
    assert both(tmp_path)


@pytest.mark.parametrize("path", sorted(path for path in WHOLE if path.startswith("data/log/")))
def test_every_byte_of_the_log_matters_where_the_bag_is_made_anew(path: str, tmp_path: Path) -> None:
    data = WHOLE[path]
    payload = {each: held for each, held in WHOLE.items() if each.startswith("data/")}
    for place in range(0, len(data), 6):
        changed = data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
        said = both(put(tmp_path, bag({**payload, path: changed})))
        # A signature line that names no known key any more is passed over: one witness of the log's fewer is found
        # where a quorum is asked for, and not in an earlier checkpoint.
        assert said or (b"witness.example" in data[: place + 100] and "checkpoints/" in path), place
        assert not {"BAG_DIGEST", "BAG_MANIFEST"}.intersection(said)


def histories() -> dict[str, list[bytes]]:
    backdated = bodies([signed({**statement(1), "when": "2020-01-01T00:00:00Z"}, TEAM)])
    return {
        "dropped": [*HELD[:2], HELD[3]],
        "doubled": [*HELD, HELD[3]],
        "swapped": [*HELD[:2], HELD[3], HELD[2]],
        "back-dated": [*HELD[:3], *backdated],
        "cut": HELD[:3],
        "nothing": [],
    }


@pytest.mark.parametrize("name", histories())
def test_another_history_does_not_fit_the_signed_checkpoint(name: str, tmp_path: Path) -> None:
    files = bag(log(histories()[name], head=note(checkpoint(TREE))))
    assert both(put(tmp_path, files))[0].startswith("TREE_")


@pytest.mark.parametrize("name", ["dropped", "swapped", "back-dated", "cut", "nothing"])
def test_another_history_signed_by_the_log_itself_is_a_fork(name: str, tmp_path: Path) -> None:
    earlier = {"data/log/checkpoints/4": note(checkpoint(TREE))}
    assert both(put(tmp_path, bag({**log(histories()[name]), **earlier}))) == ["FORK"]
