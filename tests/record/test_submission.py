"""A submission's manifest: stock tools take it, and nothing that a name could hide gets through."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from dokja.errors import ManifestError
from dokja.record.submission import check_manifest, digest_of, hash_files, read_manifest, sign_manifest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "nested").mkdir(parents=True)
    (folder / "config.json").write_bytes(b"{}")
    (folder / "nested" / "weights 1.safetensors").write_bytes(os.urandom(9_000_000))
    (folder / "nested" / "가중치.safetensors").write_bytes(b"x" * 4_194_304)
    (folder / "nested-2").write_bytes(b"")
    return folder


def key_pair(folder: Path, name: str = "key", password: bytes | None = None) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    closed = BestAvailableEncryption(password) if password else NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closed))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def refused(work: Callable[[], object]) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        work()
    return [problem.code for problem in caught.value.problems]


def stock(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "model_signing", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_the_digest_is_that_of_what_sha256sum_prints(model: Path) -> None:
    listed = subprocess.run(
        "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum",
        shell=True, cwd=model, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert digest_of(hash_files(model)) == f"sha256:{sha256(listed).hexdigest()}"


def test_stock_model_signing_accepts_ours_and_tells_what_was_touched(model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    manifest = tmp_path / "model.sig"
    signed = sign_manifest(model, manifest, private)
    assert check_manifest(model, manifest, public) == signed == hash_files(model)
    words = ("verify", "key", "--signature", manifest, "--public_key", public, model)
    assert stock(*words).returncode == 0
    (model / "config.json").write_bytes(b"[]")
    assert stock(*words).returncode != 0
    (model / "nested-2").unlink()
    (model / "more").write_bytes(b"x")
    codes = refused(lambda: check_manifest(model, manifest, public))
    assert codes == ["manifest-file-missing", "manifest-file-extra", "manifest-file-differs"]


def test_what_the_stock_signer_passes_over_is_refused(model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    manifest = tmp_path / "model.sig"
    said = stock("sign", "key", "--signature", manifest, "--private_key", private, model)
    assert said.returncode == 0, said.stderr
    assert refused(lambda: check_manifest(model, manifest, public)) == ["manifest-ignores"]


def test_a_key_of_somebody_else_and_a_closed_one(model: Path, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path, password=b"open sesame")
    _, other = key_pair(tmp_path, "other")
    manifest = tmp_path / "model.sig"
    assert refused(lambda: sign_manifest(model, manifest, private)) == ["manifest-key"]
    assert not manifest.exists()
    sign_manifest(model, manifest, private, "open sesame")
    assert refused(lambda: check_manifest(model, manifest, other)) == ["manifest-signature"]
    assert refused(lambda: sign_manifest(model, manifest, private)) == ["manifest-target"]
    assert refused(lambda: sign_manifest(model, model / "model.sig", private)) == ["manifest-target"]


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def not_unicode(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_bytes(b"")


HIDING: dict[str, tuple[str, Callable[[Path], object]]] = {
    "link-to-file": ("manifest-link", lambda folder: (folder / "link").symlink_to("config.json")),
    "link-outside": ("manifest-link", lambda folder: (folder / "link").symlink_to("/etc/passwd")),
    "link-to-folder": ("manifest-link", lambda folder: (folder / "link").symlink_to("nested")),
    "broken-link": ("manifest-link", lambda folder: (folder / "link").symlink_to("nowhere")),
    "pipe": ("manifest-special", pipe),
    "git-folder": ("manifest-git", lambda folder: (folder / ".git").mkdir()),
    "git-attributes": ("manifest-git", lambda folder: (folder / ".gitattributes").write_bytes(b"")),
    "git-below": ("manifest-git", lambda folder: (folder / "nested" / ".GitHub").mkdir()),
    "case": ("manifest-collision", lambda folder: (folder / "Config.JSON").write_bytes(b"")),
    "composition": (
        "manifest-collision",
        lambda folder: [(folder / name).write_bytes(b"") for name in ("\uac00", "\u1100\u1161")],
    ),
    "sharp-s": ("manifest-collision", lambda folder: [(folder / name).write_bytes(b"") for name in ("ß", "SS")]),
    "line-feed": ("manifest-name", lambda folder: (folder / "a\nb").write_bytes(b"")),
    "backslash": ("manifest-name", lambda folder: (folder / "a\\b").write_bytes(b"")),
    "right-to-left": ("manifest-name", lambda folder: (folder / "a\u202eb").write_bytes(b"")),
    "zero-width": ("manifest-name", lambda folder: (folder / "a\u200bb").write_bytes(b"")),
    "not-unicode": ("manifest-name", not_unicode),
    "deep": ("manifest-name", lambda folder: (folder / "/".join("d" * 40)).mkdir(parents=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", HIDING)
def test_what_could_hide_something_is_refused(name: str, model: Path) -> None:
    code, prepare = HIDING[name]
    prepare(model)
    assert refused(lambda: hash_files(model)) == [code]


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    (tmp_path / "file").write_bytes(b"")
    assert refused(lambda: hash_files(tmp_path / "empty")) == ["manifest-empty"]
    for name in ("link", "file", "absent"):
        assert refused(lambda name=name: hash_files(tmp_path / name)) == ["manifest-no-folder"]  # type: ignore[misc]


@pytest.fixture
def bundle(model: Path, tmp_path: Path) -> dict[str, Any]:
    private, _ = key_pair(tmp_path)
    sign_manifest(model, tmp_path / "good.sig", private)
    held: dict[str, Any] = json.loads((tmp_path / "good.sig").read_text(encoding="utf-8"))
    return held


def changed(bundle: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> bytes:
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    change(statement)
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return json.dumps({**bundle, "dsseEnvelope": {**bundle["dsseEnvelope"], "payload": payload}}).encode()


def named(name: object) -> Callable[[dict[str, Any]], object]:
    return lambda statement: statement["predicate"]["resources"][0].update(name=name)


def one_more(statement: dict[str, Any]) -> None:
    listed = statement["predicate"]["resources"]
    listed.append({**listed[0], "digest": "0" * 64})


FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "up": named("../config.json"),
    "absolute": named("/etc/passwd"),
    "empty-name": named(""),
    "dot": named("./config.json"),
    "backslash": named("a\\b"),
    "number": named(1),
    "list": named(["a"]),
    "twice": one_more,
    "other-hash": lambda statement: statement["predicate"]["resources"][0].update(algorithm="blake2b"),
    "short-digest": lambda statement: statement["predicate"]["resources"][0].update(digest="00"),
    "shards": lambda statement: statement["predicate"]["serialization"].update(method="shards"),
    "older": lambda statement: statement.update(predicateType="https://model_signing/Digests/v0.1"),
    "no-resources": lambda statement: statement["predicate"].pop("resources"),
    "no-predicate": lambda statement: statement.pop("predicate"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_manifest_that_says_something_else(name: str, bundle: dict[str, Any]) -> None:
    data = changed(bundle, FORGED[name])
    assert refused(lambda: read_manifest(data, Path("x"))) == ["manifest-form"]


@pytest.mark.parametrize("field", [{"ignore_paths": ["config.json"]}, {"allow_symlinks": True}])
def test_a_manifest_that_passes_something_over(field: dict[str, object], bundle: dict[str, Any]) -> None:
    data = changed(bundle, lambda statement: statement["predicate"]["serialization"].update(field))
    assert refused(lambda: read_manifest(data, Path("x"))) == ["manifest-ignores"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff", b"[" * 60_000, b'{"a":1,"a":2}', b'{"dsseEnvelope":{"payload":"!!"}}', b"1" * 5_000],
)
def test_what_is_no_manifest(data: bytes) -> None:
    assert refused(lambda: read_manifest(data, Path("x"))) == ["manifest-form"]


def test_a_manifest_that_was_changed_is_not_signed(bundle: dict[str, Any], model: Path, tmp_path: Path) -> None:
    def other(statement: dict[str, Any]) -> None:
        statement["predicate"]["resources"][0]["digest"] = "0" * 64

    (tmp_path / "bad.sig").write_bytes(changed(bundle, other))
    codes = refused(lambda: check_manifest(model, tmp_path / "bad.sig", tmp_path / "key.pub"))
    assert codes == ["manifest-signature"]


def test_a_file_too_large_for_a_manifest_is_not_read_whole(model: Path, tmp_path: Path) -> None:
    huge = tmp_path / "huge.sig"
    with huge.open("wb") as stream:
        stream.truncate(2**40)
    _, public = key_pair(tmp_path)
    assert refused(lambda: check_manifest(model, huge, public)) == ["manifest-form"]
