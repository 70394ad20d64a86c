"""`dokja key` and the verbs that publish a record: from a key to a bundle's log that the second verifier accepts."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from dokja.cli import main
from dokja.record.transparency import check_proof, read_policy
from dokja.record.transparency.note import VerifierKey, read_note
from tests.cli.conftest import Dokja
from tests.vectors.build import bag
from tests.vectors.test_tampering import put
from verifier import dokja_verify as second

OFFICE, TEAM = "record.example/office", "team.example/a"
PASSPHRASE = "correct horse battery staple"
REGISTRATION = """\
acts:
  - type: key-registered
    id: key-team-a
    who: office
    when: 2027-01-02T00:00:00Z
    holder: team-a
    role: team
    vkey: {vkey}
"""
STATEMENT = """\
acts:
  - type: statement
    id: said-{number}
    who: team-a
    when: 2027-01-0{number}T00:00:00Z
    note: {{ko: 말했다, en: It was said}}
"""


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOKJA_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def founded(tmp_path: Path, dokja: Dokja) -> Path:
    """A programme whose record is founded, with a key of the office and one of a team that is registered."""
    folder = tmp_path / "mine"
    assert main(["init", str(folder)]) == 0
    assert dokja("key", "new", OFFICE).code == dokja("key", "new", TEAM).code == 0
    assert dokja("record", "init", folder, "--root", f"office={OFFICE}").code == 0
    vkey = dokja("key", "show", TEAM).out.strip()
    add(folder, dokja, REGISTRATION.format(vkey=vkey), OFFICE)
    return folder


def add(folder: Path, dokja: Dokja, text: str, key: str) -> None:
    file = folder.parent / "new.yaml"
    file.write_text(text, encoding="utf-8")
    signed = dokja("record", "sign", folder, file, "--key", key)
    assert signed.code == 0, signed.err
    lines = folder.parent / "new.jsonl"
    lines.write_text(signed.out, encoding="utf-8")
    appended = dokja("record", "append", folder, lines)
    assert appended.code == 0, appended.err


def policy() -> bytes:
    return f"log {main_key(OFFICE)}\nquorum none\n".encode()


def main_key(name: str) -> str:
    folder = Path.home() / ".config" / "dokja" / "keys"
    return (folder / f"{name.replace('/', '-')}.vkey").read_text(encoding="utf-8").strip()


def test_a_key_is_encrypted_and_for_its_owner_alone(dokja: Dokja) -> None:
    said = dokja("key", "new", OFFICE)
    assert said.code == 0
    assert VerifierKey.read(said.out.strip()).name == OFFICE
    folder = Path.home() / ".config" / "dokja" / "keys"
    file = folder / "record.example-office.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    opened = ["openssl", "pkey", "-in", str(file), "-passin", f"pass:{PASSPHRASE}", "-noout", "-text"]
    assert "ED25519" in subprocess.run(opened, capture_output=True, text=True, check=True).stdout
    assert dokja("key", "show", OFFICE).out == said.out
    assert json.loads(dokja("key", "list", "--json").out) == [{"name": OFFICE, "vkey": said.out.strip()}]


def test_keys_are_never_written_over_nor_left_unprotected(dokja: Dokja, monkeypatch: pytest.MonkeyPatch) -> None:
    first = dokja("key", "new", OFFICE).out
    again = dokja("key", "new", OFFICE)
    assert (again.code, "key-exists" in again.err) == (2, True)
    assert dokja("key", "show", OFFICE).out == first
    assert "key-name" in dokja("key", "new", "two words").err
    assert "key-unknown" in dokja("key", "show", "nobody").err
    monkeypatch.setenv("DOKJA_PASSPHRASE", "")
    assert "key-no-passphrase" in dokja("key", "new", TEAM).err
    assert not (Path.home() / ".config" / "dokja" / "keys" / "team.example-a.key").exists()


def test_a_key_that_others_could_read_or_that_was_exchanged_is_not_used(
    founded: Path, dokja: Dokja, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path.home() / ".config" / "dokja" / "keys"
    file = folder / "record.example-office.key"
    file.chmod(0o644)
    assert "key-open-to-others" in dokja("record", "checkpoint", founded, "--key", OFFICE).err
    file.chmod(0o600)
    monkeypatch.setenv("DOKJA_PASSPHRASE", "wrong")
    assert "key-not-opened" in dokja("record", "checkpoint", founded, "--key", OFFICE).err
    monkeypatch.setenv("DOKJA_PASSPHRASE", PASSPHRASE)
    file.write_bytes((folder / "team.example-a.key").read_bytes())
    assert "key-not-opened" in dokja("record", "checkpoint", founded, "--key", OFFICE).err
    (folder / "team.example-a.vkey").write_text("x", encoding="utf-8")
    assert "key-malformed" in dokja("key", "list").err


def test_what_is_published_is_accepted_by_the_second_verifier(founded: Path, tmp_path: Path, dokja: Dokja) -> None:
    sizes = []
    for number in (3, 4, 5):
        add(founded, dokja, STATEMENT.format(number=number), TEAM)
        said = dokja("record", "checkpoint", founded, "--key", OFFICE)
        assert said.code == 0, said.err
        assert dokja("record", "checkpoint", founded, "--key", OFFICE).out == said.out
        sizes.append(int(read_note(said.out.encode()).text.split("\n")[1]))
    assert sizes == [3, 4, 5]
    target = tmp_path / "log"
    written = dokja("record", "tiles", founded, target)
    assert written.code == 0
    assert (target / "checkpoint").read_text(encoding="utf-8") == said.out
    files = {f"data/log/{path}": (target / path).read_bytes() for path in written.out.split()}
    assert {"data/log/checkpoints/3", "data/log/checkpoints/4"} < files.keys()
    proof = dokja("record", "prove", founded, "said-4")
    files["data/proofs/3.tlog-proof"] = proof.out.encode()
    digest = json.loads(dokja("record", "show", founded, "0", "--json").out)["leaf"]
    assert len(digest) == 64
    assert second.verify(str(put(tmp_path / "bundle", bag(files))), policy()) == []
    entry = second.Log(str(target), 5).bundle(0, 5)[3]
    assert check_proof(proof.out.encode(), entry, read_policy(policy())).size == 5


def test_signatures_are_asked_for(founded: Path, tmp_path: Path, dokja: Dokja) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(STATEMENT.format(number=3), encoding="utf-8")
    assert "ACT_UNSIGNED" in dokja("record", "append", founded, file).err
    lines = tmp_path / "new.jsonl"
    for_another = dokja("record", "sign", founded, file, "--key", OFFICE)
    assert (for_another.code, for_another.out) == (2, "")
    assert "record-sign-for-another" in for_another.err
    assert "“office”" in for_another.err
    dokja("key", "new", "stranger.example")
    lines.write_text(dokja("record", "sign", founded, file, "--key", "stranger.example").out, encoding="utf-8")
    by_a_stranger = dokja("record", "append", founded, lines).err
    assert "SIGNER_NOT_AUTHORISED" in by_a_stranger
    assert "“said-3”" in by_a_stranger
    right = dokja("record", "sign", founded, file, "--key", TEAM).out
    lines.write_text(right.replace("It was said", "It was denied"), encoding="utf-8")
    assert "ACT_SIGNATURE" in dokja("record", "append", founded, lines).err
    lines.write_text(right, encoding="utf-8")
    assert dokja("record", "append", founded, lines).code == 0
    assert json.loads(dokja("record", "append", founded, lines, "--json").out)["taken"] == 0
    assert json.loads(dokja("record", "check", founded, "--json").out)["size"] == 3


def test_a_record_that_was_rewritten_is_not_signed_again(founded: Path, dokja: Dokja) -> None:
    add(founded, dokja, STATEMENT.format(number=3), TEAM)
    assert dokja("record", "checkpoint", founded, "--key", OFFICE).code == 0
    log = founded / "record" / "log"
    before = (log / "checkpoint").read_bytes()
    for file in (founded / "record").glob("record.sqlite*"):
        file.unlink()
    refused = dokja("record", "init", founded, "--root", f"office={OFFICE}")
    assert (refused.code, "record-behind" in refused.err) == (2, True)
    assert (log / "checkpoint").read_bytes() == before
    shutil.rmtree(log)
    assert dokja("record", "init", founded, "--root", f"office={OFFICE}").code == 0
    refused = dokja("record", "checkpoint", founded, "--key", OFFICE)
    assert (refused.code, "record-behind" in refused.err) == (2, True), "the key remembers what it signed"
    assert not (log / "checkpoint").exists()
    assert "되돌려졌습니다" in dokja("record", "checkpoint", founded, "--key", OFFICE, "--lang", "ko").err


def test_nothing_is_taken_into_a_record_that_was_put_back(founded: Path, dokja: Dokja) -> None:
    record = founded / "record" / "record.sqlite"
    held = record.read_bytes()
    add(founded, dokja, STATEMENT.format(number=3), TEAM)
    assert dokja("record", "checkpoint", founded, "--key", OFFICE).code == 0
    for rest in (founded / "record").glob("record.sqlite*"):
        rest.unlink()
    record.write_bytes(held)
    for command in (("run", founded, "--no-site"), ("record", "append", founded, founded / "acts" / "none.jsonl")):
        refused = dokja(*command)
        assert (refused.code, "record-behind" in refused.err) == (2, True), command
    checked = dokja("record", "check", founded)
    assert (checked.code, "record-behind" in checked.out) == (1, True)


def test_what_cannot_be_published_is_told(founded: Path, tmp_path: Path, dokja: Dokja) -> None:
    assert "record-no-checkpoint" in dokja("record", "tiles", founded, tmp_path / "log").err
    assert "record-no-checkpoint" in dokja("record", "prove", founded, "genesis").err
    assert dokja("record", "checkpoint", founded, "--key", OFFICE).code == 0
    add(founded, dokja, STATEMENT.format(number=3), TEAM)
    assert "record-not-signed-yet" in dokja("record", "prove", founded, "said-3").err
    assert "record-target" in dokja("record", "tiles", founded, founded).err
    assert "NOTE_ORIGIN" in dokja("record", "checkpoint", founded, "--key", TEAM).err
    assert "record-begun" in dokja("record", "init", founded, "--root", f"office={OFFICE}").err
    assert "record-holder" in dokja("record", "init", founded, "--root", "office").err
    too_few = dokja("record", "init", founded, "--root", f"office={OFFICE}", "--threshold", "2")
    assert "record-founders" in too_few.err


@pytest.mark.parametrize(
    "verb",
    [("key",), ("key", "new"), ("record", "init"), ("record", "sign"), ("record", "append"), ("record", "checkpoint"),
     ("record", "prove"), ("record", "tiles")],
    ids=" ".join,
)  # fmt: skip
def test_help_speaks_both_languages(verb: tuple[str, ...], dokja: Dokja) -> None:
    english, korean = dokja(*verb, "--help", "--lang", "en"), dokja(*verb, "--help", "--lang", "ko")
    assert english.code == korean.code == 0
    assert english.out.isascii()
    assert not korean.out.isascii()


def codes_in(out: str) -> list[str]:
    """The codes that a verdict tells; a founded record of the tests publishes no rulebook."""
    return [line.split()[0] for line in out.splitlines() if line.split()[0].isupper()]


def test_what_was_handed_in_gets_a_receipt_that_holds_the_office_to_it(
    founded: Path, dokja: Dokja, tmp_path: Path
) -> None:
    trusted = tmp_path / "policy"
    trusted.write_bytes(policy())
    lines = []
    for number in (1, 2):
        file = tmp_path / f"said-{number}.yaml"
        file.write_text(STATEMENT.format(number=number), encoding="utf-8")
        line = tmp_path / f"said-{number}.jsonl"
        line.write_text(dokja("record", "sign", founded, file, "--key", TEAM).out, encoding="utf-8")
        lines.append(line)
    given = dokja(
        "record", "receipt", founded, lines[1], "--key", OFFICE, "--receipts", tmp_path / "r", "--hours", 8760
    )
    assert (given.code, given.out) == (0, f"{tmp_path}/r/said-2.receipt\n")
    again = dokja("record", "receipt", founded, lines[1], "--key", OFFICE, "--receipts", tmp_path / "r")
    assert again.out == given.out
    append = ("record", "append", founded, lines[0])
    assert dokja(*append, "--key", OFFICE).code == 2
    appended = dokja(*append, "--key", OFFICE, "--receipts", tmp_path / "r")
    assert appended.out.startswith(f"{tmp_path}/r/said-1.receipt\n1 acts appended")
    held = (tmp_path / "r" / "said-1.receipt").read_bytes()
    assert dokja(*append, "--key", OFFICE, "--receipts", tmp_path / "r").code == 0, "after a crash it is asked again"
    assert (tmp_path / "r" / "said-1.receipt").read_bytes() == held
    assert dokja("record", "checkpoint", founded, "--key", OFFICE).code == 0
    assert dokja("export", founded, tmp_path / "out").code == 0
    receipts = [word for name in ("said-1", "said-2") for word in ("--receipt", tmp_path / "r" / f"{name}.receipt")]
    verdict = dokja("verify", tmp_path / "out", "--policy", trusted, *receipts)
    assert codes_in(verdict.out) == ["RULEBOOK_NOT_PUBLISHED"]
    assert f"The receipt {tmp_path}/r/said-2.receipt: it is to be kept by" in " ".join(verdict.out.split())
    later = STATEMENT.format(number=9).replace("2027-01-09", "2999-01-01").replace("team-a", "office")
    add(founded, dokja, later, OFFICE)
    assert dokja("record", "checkpoint", founded, "--key", OFFICE).code == 0
    assert dokja("export", founded, tmp_path / "later").code == 0
    caught = dokja("verify", tmp_path / "later", "--policy", trusted, *receipts)
    assert set(codes_in(caught.out)) == {"RECEIPT_NOT_MERGED", "RULEBOOK_NOT_PUBLISHED", "DUTY_MISSED"}
    kept, newer = tmp_path / "out" / "data/log/checkpoint", tmp_path / "later" / "data/log/checkpoint"
    old = dokja("verify", tmp_path / "out", "--policy", trusted, "--checkpoint", newer)
    assert codes_in(old.out) == ["ROLLED_BACK", "RULEBOOK_NOT_PUBLISHED"]
    good = dokja("verify", tmp_path / "later", "--policy", trusted, "--checkpoint", kept)
    assert set(codes_in(good.out)) == {"RULEBOOK_NOT_PUBLISHED", "DUTY_MISSED"}
    said = [str(each) for each in receipts]
    assert second.main([str(tmp_path / "later"), "--policy", str(trusted), *said]) == 1


def test_a_sign_of_life_once_a_day(founded: Path, dokja: Dokja) -> None:
    said = dokja("record", "heartbeat", founded, "--key", OFFICE)
    assert said.code == 0, said.err
    assert dokja("record", "heartbeat", founded, "--key", OFFICE).out == said.out
    (act,) = json.loads(dokja("record", "list", founded, "--type", "heartbeat", "--json").out)
    assert (act["index"], act["act"]["who"]) == (2, "office")
    assert dokja("key", "new", "stranger.example/x").code == 0
    unknown = dokja("record", "heartbeat", founded, "--key", OFFICE, "--act-key", "stranger.example/x")
    assert unknown.code == 0, "today's is there already"


def test_acts_are_numbered_where_their_actor_numbers_them(founded: Path, dokja: Dokja, tmp_path: Path) -> None:
    first = STATEMENT.format(number=1) + "    sequence: 1\n"
    add(founded, dokja, first, TEAM)
    add(founded, dokja, STATEMENT.format(number=2), TEAM)
    acts = json.loads(dokja("record", "list", founded, "--type", "statement", "--json").out)
    assert [each["act"]["sequence"] for each in acts] == [1, 2]
    file, line = tmp_path / "third.yaml", tmp_path / "third.jsonl"
    file.write_text(STATEMENT.format(number=3) + "    sequence: 4\n", encoding="utf-8")
    line.write_text(dokja("record", "sign", founded, file, "--key", TEAM).out, encoding="utf-8")
    refused = dokja("record", "append", founded, line)
    assert (refused.code, "ACT_SEQUENCE" in refused.err) == (2, True)


def test_a_policy_that_is_written_wrongly_is_to_be_corrected_and_nobody_suspected(
    founded: Path, tmp_path: Path, dokja: Dokja
) -> None:
    policy = tmp_path / "policy"
    policy.write_text("log nonsense\nquorum none\n", encoding="utf-8")
    refused = dokja("record", "witness", founded, "--policy", policy)
    assert (refused.code, "QUORUM_POLICY" in refused.err) == (2, True)
    assert "Correct the file (key nonsense)" in refused.err
    (founded / "policy").write_text("quorum none\nquorum none\n", encoding="utf-8")
    refused = dokja("record", "witness", founded)
    assert (refused.code, "Correct the file" in refused.err, str(founded / "policy") in refused.err) == (
        2,
        True,
        True,
    )


def test_run_takes_no_act_into_a_founded_record_that_its_actor_did_not_sign(
    founded: Path, tmp_path: Path, dokja: Dokja
) -> None:
    """The starter's own acts are unsigned: once in, they could never be taken out again."""
    refused = dokja("run", founded, "--no-site")
    assert refused.code == 2
    assert refused.err.count("ACT_UNSIGNED") == 4
    assert "acts/0001-opening.yaml:5:5: ACT_UNSIGNED" in refused.err
    assert json.loads(dokja("record", "check", founded, "--json").out)["size"] == 2
    (founded / "acts" / "0001-opening.yaml").unlink()
    file = tmp_path / "new.yaml"
    file.write_text(STATEMENT.format(number=3), encoding="utf-8")
    right = dokja("record", "sign", founded, file, "--key", TEAM).out
    line = founded / "acts" / "0001-said.jsonl"
    line.write_text(right.replace("It was said", "It was denied"), encoding="utf-8")
    assert "0001-said.jsonl:1: ACT_SIGNATURE" in dokja("run", founded, "--no-site").err
    line.write_text(right, encoding="utf-8")
    assert json.loads(dokja("run", founded, "--no-site", "--json").out)["taken"] == 1


def test_a_team_cannot_sign_what_is_the_office_s_nor_for_another_team(
    founded: Path, tmp_path: Path, dokja: Dokja
) -> None:
    file, line = tmp_path / "new.yaml", tmp_path / "new.jsonl"
    opened = "{type: call-opened, id: mine, who: team-a, when: 2027-01-05T00:00:00Z, call: first-call}"
    other = (
        "{type: objection-filed, id: not-mine, who: team-a, when: 2027-01-05T00:00:00Z, stage: stage-1, "
        "team: team-b, against: key-team-a, claim: {ko: 가, en: a}}"
    )
    for act in (opened, other):
        file.write_text(f"acts:\n  - {act}\n", encoding="utf-8")
        line.write_text(dokja("record", "sign", founded, file, "--key", TEAM).out, encoding="utf-8")
        refused = dokja("record", "append", founded, line)
        assert (refused.code, refused.err.count("SIGNER_NOT_AUTHORISED")) == (2, 1), refused.err


def test_a_record_without_keys_takes_no_signature_for_what_it_is_not(tmp_path: Path, dokja: Dokja) -> None:
    folder = tmp_path / "mine"
    assert main(["init", str(folder)]) == 0
    assert dokja("key", "new", OFFICE).code == 0
    file = folder / "acts" / "0001-opening.yaml"
    signed = dokja("record", "sign", folder, file, "--key", OFFICE).out
    file.with_name("0002-signed.jsonl").write_text(signed, encoding="utf-8")
    file.unlink()
    refused = dokja("run", folder, "--no-site")
    assert (refused.code, refused.err.count("SIGNER_NOT_AUTHORISED")) == (2, 4)
