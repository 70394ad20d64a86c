"""From a key to a witnessed decision at the terminal: witnesses over HTTP and by file, and what is not witnessed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dokja.record.transparency.note import read_note
from tests.cli.conftest import Dokja

OFFICE, A, B = "record.example/office", "witness.example/a", "witness.example/b"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOKJA_PASSPHRASE", "correct horse battery staple")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@contextmanager
def serving(policy: Path, key: str) -> Iterator[str]:
    """`dokja witness serve` in a process of its own; its address."""
    command = [
        sys.executable,
        "-c",
        "from dokja.cli import main; raise SystemExit(main())",
        "witness",
        "serve",
        "--key",
        key,
        "--policy",
        str(policy),
    ]
    process = subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert "http://127.0.0.1:" in line, line
        yield next(word for word in line.split() if word.startswith("http://"))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, process.stderr.read()
        process.stderr.close()


@pytest.fixture
def signed(small: Path, dokja: Dokja) -> Path:
    """A decided programme, with keys of an office and of two witnesses, and a policy that asks for both."""
    for name, more in ((OFFICE, ()), (A, ("--witness",)), (B, ("--witness",))):
        assert dokja("key", "new", name, *more).code == 0
    write_policy(small / "policy", dokja)
    return small


def write_policy(file: Path, dokja: Dokja, url: str = "", quorum: str = "all A B") -> None:
    office, a, b = (dokja("key", "show", name).out.strip() for name in (OFFICE, A, B))
    file.write_text(
        f"log {office}\nwitness A {a} {url}\nwitness B {b}\ngroup both {quorum}\nquorum both\n", encoding="utf-8"
    )


def test_from_unwitnessed_to_witnessed(signed: Path, dokja: Dokja, tmp_path: Path) -> None:
    policy = signed / "policy"
    with serving(policy, A) as url:
        write_policy(policy, dokja, url)
        said = dokja("record", "checkpoint", signed, "--key", OFFICE)
        assert said.code == 0, said.err
        assert "Unwitnessed: 1 of 2 have cosigned (A). It cannot carry a decision." in " ".join(said.err.split())
        assert [line.name for line in read_note(said.out.encode()).signatures] == [OFFICE, A]
        assert dokja("run", signed).code == 0
        page = (signed / "site" / "en" / "record.html").read_text(encoding="utf-8")
        assert "Unwitnessed: 1 of 2 have cosigned (A)." in page
        assert dokja("export", signed, tmp_path / "early").code == 0
        verdict = dokja("verify", tmp_path / "early", "--policy", policy)
        assert verdict.code == 1
        assert "Unwitnessed: too few have cosigned it (A)." in verdict.out
        assert "QUORUM_NOT_MET" in verdict.out
        assert "QUORUM_DECISION" in verdict.out

        assert dokja("record", "witness", signed).code == 1
        assert dokja("record", "tiles", signed, tmp_path / "tiles").code == 0
        line = dokja("witness", "cosign", tmp_path / "tiles", "--key", B, "--policy", policy)
        assert line.code == 0, line.err
        (tmp_path / "b.txt").write_text(line.out, encoding="utf-8")
        whole = dokja("record", "witness", signed, tmp_path / "b.txt")
        assert whole.code == 0, whole.err
        assert "Witnessed by 2 of 2: A, B." in whole.err
    log = signed / "record" / "log"
    assert (log / "checkpoint").read_text(encoding="utf-8") == whole.out
    (kept,) = (log / "checkpoints").iterdir()
    assert kept.read_bytes() == whole.out.encode()
    assert dokja("run", signed).code == 0
    assert "Witnessed by 2 of 2: A, B, at " in (signed / "site" / "en" / "record.html").read_text(encoding="utf-8")
    assert dokja("export", signed, tmp_path / "bundle").code == 0
    told = json.loads(dokja("verify", tmp_path / "bundle", "--policy", policy, "--json").out)
    assert (told["witnesses"], told["witnessed"]) == (["A", "B"], True)
    assert not [each for each in told["problems"] if each["code"].startswith("QUORUM")]
    assert dokja("record", "witness", signed, "--lang", "ko").err.startswith("증인 2곳 가운데 2곳이")


def test_a_witness_refuses_a_log_that_was_rolled_back_or_forked(signed: Path, dokja: Dokja, tmp_path: Path) -> None:
    policy = signed / "policy"
    other = Path(shutil.copytree(signed, tmp_path / "other"))
    assert dokja("record", "checkpoint", signed, "--key", OFFICE).code == 0
    assert dokja("export", signed, tmp_path / "bundle").code == 0
    cosign = ("witness", "cosign", "--key", B, "--policy", policy)
    assert dokja(*cosign, tmp_path / "bundle", "--add").code == 2
    assert dokja(*cosign, tmp_path / "bundle").code == 0
    assert dokja(*cosign, tmp_path / "bundle").code == 0, "the same checkpoint is cosigned again"
    more = (
        "acts:\n  - {type: statement, id: said, who: office, when: 2028-01-01T00:00:00Z, note: {ko: 말, en: word}}\n"
    )
    (signed / "acts" / "0009-said.yaml").write_text(more, encoding="utf-8")
    (other / "acts" / "0009-said.yaml").write_text(more.replace("word", "lie"), encoding="utf-8")
    for number, folder in enumerate((signed, other)):
        # A liar makes the key forget.
        for remembered in (tmp_path / "home").rglob("*.signed"):
            remembered.unlink()
        assert dokja("run", folder, "--no-site").code == 0
        assert dokja("record", "checkpoint", folder, "--key", OFFICE).code == 0
        assert dokja("record", "tiles", folder, tmp_path / f"tiles{number}").code == 0
    told = dokja(*cosign, tmp_path / "tiles0", "--add")
    assert told.code == 0
    assert (tmp_path / "tiles0" / "checkpoint").read_text(encoding="utf-8").endswith(told.out)
    assert dokja("witness", "show", "--key", B).code == 0
    forked = dokja(*cosign, tmp_path / "tiles1")
    assert (forked.code, "FORK" in forked.err) == (2, True)
    older = dokja(*cosign, tmp_path / "bundle")
    assert (older.code, "witness-has-seen-more" in older.err) == (2, True)
    shown = dokja("witness", "show", "--key", B)
    assert shown.code == 1
    assert (tmp_path / "tiles1" / "checkpoint").read_text(encoding="utf-8") in shown.out
    assert json.loads(dokja("witness", "show", "--key", B, "--json").out)["forks"][0]["origin"] == OFFICE
    (tmp_path / "tiles0" / "tile" / "0").rename(tmp_path / "gone")
    broken = dokja(*cosign, tmp_path / "tiles0")
    assert (broken.code, "TREE_TILE_MISSING" in broken.err) == (2, True)


def test_what_cannot_be_done_is_told(signed: Path, dokja: Dokja, tmp_path: Path) -> None:
    policy = signed / "policy"
    said = dokja("witness", "serve", "--key", OFFICE, "--policy", policy)
    assert (said.code, "witness-key" in said.err) == (2, True)
    said = dokja("witness", "serve", "--key", A, "--policy", policy, "--listen", "nowhere")
    assert (said.code, "witness-address" in said.err) == (2, True)
    said = dokja("witness", "cosign", tmp_path, "--key", A, "--policy", policy)
    assert (said.code, "witness-no-log" in said.err) == (2, True)
    assert dokja("record", "checkpoint", signed, "--key", OFFICE).code == 0
    (tmp_path / "line").write_text("— witness.example/a AAAAAAAAAAAAAAAA\n", encoding="utf-8")
    said = dokja("record", "witness", signed, tmp_path / "line")
    assert (said.code, "NOTE_SIGNATURE" in said.err) == (2, True)
    stranger = policy.read_text(encoding="utf-8").replace("log ", "#log ")
    policy.write_text(stranger, encoding="utf-8")
    assert dokja("record", "tiles", signed, tmp_path / "tiles").code == 0
    said = dokja("witness", "cosign", tmp_path / "tiles", "--key", A, "--policy", policy)
    assert (said.code, "witness-refuses" in said.err) == (2, True)
    policy.unlink()
    said = dokja("record", "witness", signed)
    assert (said.code, "record-no-policy" in said.err) == (2, True)
