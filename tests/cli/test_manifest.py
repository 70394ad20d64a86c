"""`dokja manifest` at the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Dokja
from tests.record.test_submission import key_pair


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes(b"{}")
    return folder


def test_signed_checked_and_pinned(model: Path, tmp_path: Path, dokja: Dokja) -> None:
    private, public = key_pair(tmp_path)
    listed = dokja("manifest", "digest", model, "--files")
    line, digest = listed.out.splitlines()
    assert line == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a  config.json"
    signed = dokja("manifest", "sign", model, "--private-key", private)
    assert (signed.code, signed.out.strip()) == (0, digest)
    assert (tmp_path / "model.sig").is_file()
    assert dokja("manifest", "verify", model, "--public-key", public, "--digest", digest).out.strip() == digest
    said = json.loads(dokja("manifest", "verify", model, "--public-key", public, "--json").out)
    assert said == {"digest": digest, "files": {"config.json": line[:64]}}
    other = dokja("manifest", "verify", model, "--public-key", public, "--digest", "sha256:" + "0" * 64)
    assert (other.code, "manifest-not-pinned" in other.out, other.err) == (1, True, "")
    (model / "config.json").write_bytes(b"[]")
    changed = dokja("manifest", "verify", model, "--public-key", public, "--lang", "ko")
    assert changed.code == 1
    assert "manifest-file-differs “config.json”" in changed.out
    assert dokja("manifest", "verify", model, "--public-key", tmp_path / "absent").code == 1
    (tmp_path / "model.sig").unlink()
    assert dokja("manifest", "verify", model, "--public-key", public).code == 2
