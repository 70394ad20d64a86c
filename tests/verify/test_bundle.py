"""The bundle itself: others' tools take it, what was touched is told, and what is missing is never called valid."""

from __future__ import annotations

import os
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from dokja.errors import RecordError
from dokja.record import open_record
from dokja.verify import CODES, verify
from dokja.verify.verdict import REPLAY_CODES
from tests.verify.build import FOUNDED, POLICY, Small, act, decision, told
from verifier import dokja_verify as second

DOCS = Path(__file__).parents[2] / "docs" / "verify.md"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    small = Small(tmp_path / "mine")
    small.add(decision())
    return small.bundle()


def rebag(folder: Path) -> None:
    """Write manifests that fit, as a forger would."""
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    payload = [path for path in files if path.startswith("data/")]
    tags = [path for path in files if not path.startswith("data/") and path != "tagmanifest-sha256.txt"]
    for name, paths in (("manifest-sha256.txt", payload), ("tagmanifest-sha256.txt", tags)):
        lines = [f"{sha256((folder / path).read_bytes()).hexdigest()}  {path}\n" for path in paths]
        (folder / name).write_text("".join(lines), encoding="ascii")


def test_others_check_the_bag(bundle: Path) -> None:
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "-c", "--quiet", "--strict", manifest], cwd=bundle, check=True)
    assert not (bundle / "fetch.txt").exists()
    assert second.verify(str(bundle), POLICY) == []


def test_the_genesis_digest_comes_from_outside(bundle: Path) -> None:
    entry = second.Log(str(bundle / "data" / "log"), 7).bundle(0, 7)[0]
    assert verify(bundle, POLICY, f"sha256:{sha256(entry).hexdigest()}").answer == "valid"
    assert told(verify(bundle, POLICY, f"sha256:{sha256(b'').hexdigest()}")) == [("GENESIS", 0)]


def test_without_a_policy_nothing_is_called_valid(bundle: Path) -> None:
    verdict = verify(bundle)
    assert (told(verdict), verdict.answer, verdict.exit_code) == ([], "incomplete", 2)
    assert [each.what for each in verdict.unchecked if each.needed] == [
        "Signatures and witnesses of the checkpoints: no policy was named."
    ]


def test_a_byte_that_was_touched_is_told(bundle: Path) -> None:
    file = bundle / "data" / "programme.yaml"
    file.write_bytes(file.read_bytes().replace(b"Programme", b"programme"))
    assert told(verify(bundle, POLICY)) == [("BAG_DIGEST", None)]
    assert told(verify(bundle)) == [("BAG_DIGEST", None)]


def test_no_file_of_a_bundle_can_be_touched(bundle: Path) -> None:
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    assert len(files) == 9
    for file in files:
        held = file.read_bytes()
        for place in (0, len(held) // 2, len(held) - 1):
            file.write_bytes(held[:place] + bytes([held[place] ^ 1]) + held[place + 1 :])
            assert verify(bundle, POLICY).answer == "invalid", (file, place)
        file.unlink()
        assert verify(bundle, POLICY).answer == "invalid", file
        file.write_bytes(held)
    assert verify(bundle, POLICY).answer == "valid"


@pytest.mark.parametrize("name", ["programme.yaml", "rulebook/0001.yaml"])
def test_a_path_that_leads_elsewhere_is_not_followed(name: str, bundle: Path, tmp_path: Path) -> None:
    file = bundle / "data" / name
    file.unlink()
    os.mkfifo(file)
    assert told(verify(bundle, POLICY)) == [("BAG_PATH", None)]
    file.unlink()
    file.symlink_to(tmp_path / "mine" / "programme.yaml")
    assert told(verify(bundle, POLICY)) == [("BAG_PATH", None)]


def test_a_rulebook_that_was_exchanged_is_not_the_published_one(bundle: Path) -> None:
    file = bundle / "data" / "rulebook" / "0001.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("minimum: 0", "minimum: 1"), encoding="utf-8")
    rebag(bundle)
    assert ("RULEBOOK_NOT_PUBLISHED", 0) in told(verify(bundle, POLICY))
    file.write_text("no rulebook", encoding="utf-8")
    rebag(bundle)
    assert told(verify(bundle, POLICY))[0] == ("CONTENT_UNREADABLE", None)


def test_a_bundle_without_its_rulebook_is_incomplete(bundle: Path) -> None:
    (bundle / "data" / "rulebook" / "0001.yaml").unlink()
    (bundle / "data" / "rulebook").rmdir()
    rebag(bundle)
    verdict = verify(bundle, POLICY)
    assert (told(verdict), verdict.answer) == ([], "incomplete")


def test_acts_of_a_record_that_is_not_whole_are_not_replayed(bundle: Path) -> None:
    (tile,) = (bundle / "data" / "log" / "tile" / "entries").rglob("7")
    tile.write_bytes(tile.read_bytes().replace(b"team-b", b"team-c"))
    rebag(bundle)
    verdict = verify(bundle, POLICY)
    assert told(verdict) == [("TREE_LEAF", 3)]
    assert any(each.needed for each in verdict.unchecked)


def test_nobody_speaks_for_a_team_with_the_key_of_the_office(tmp_path: Path) -> None:
    small = Small(tmp_path / "mine")
    small.acts = [{**each, "who": "office"} for each in small.acts]
    small.add(act("withdrawal", "gone", "2027-03-01T09:00:00", stage="stage-1", team="team-b"))
    verdict = verify(small.bundle(keys=True), POLICY)
    assert told(verdict) == [("SIGNER_NOT_AUTHORISED", FOUNDED + 6)]


def test_an_auditor_gets_the_evidence_and_the_public_does_not(tmp_path: Path) -> None:
    from dokja.verify import Audience, Source, export

    small = Small(tmp_path / "mine")
    evidence = small.folder / "evidence"
    evidence.mkdir()
    (evidence / "audit.json").write_text("{}", encoding="utf-8")
    public = small.bundle()
    assert not (public / "data" / "evidence").exists()
    source = Source(
        small.folder / "programme.yaml", sorted((small.folder / "rulebook").iterdir()),
        small.folder / "record" / "log", evidence, small.folder / "openings",
    )  # fmt: skip
    with open_record(small.folder / "record" / "record.sqlite") as record:
        assert "data/evidence/audit.json" in export(source, record, tmp_path / "auditor", Audience("auditor"))
        with pytest.raises(RecordError, match="record-target"):
            export(source, record, tmp_path / "auditor", Audience("auditor"))
        (evidence / "이름.json").write_text("{}", encoding="utf-8")
        with pytest.raises(RecordError, match="record-evidence-name"):
            export(source, record, tmp_path / "named", Audience("auditor"))
    assert verify(tmp_path / "auditor", POLICY).answer == "valid"


def test_every_code_of_the_replay_is_documented(bundle: Path) -> None:
    page = DOCS.read_text(encoding="utf-8")
    for code in REPLAY_CODES:
        assert f"| `{code}` | {CODES[code]} |" in page, code


def test_entries_read_in_several_processes_are_told_alike(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches of two entries, with a ballot that stands twice and a line that is no act."""
    from dokja.verify import reading
    from dokja.verify import replay as room
    from dokja.verify.verifying import _contents

    log = second.Log(str(bundle / "data" / "log"), 7)
    bodies = [*log.bundle(0, 7), log.bundle(0, 7)[-1], b"{}"]
    monkeypatch.setattr(reading, "_BATCH", 2)
    alone, spread = (room.replay(_contents(bundle), bodies, processes=processes) for processes in (1, 2))
    assert alone == spread
    assert [(fault.code, fault.act) for fault in alone.faults] == [("ACT_NOT_ALLOWED", 7), ("ACT_NOT_ALLOWED", 8)]
