"""The package and the second verifier say the same of every vector, soon and in little memory."""

from __future__ import annotations

import base64
import json
import tracemalloc
from pathlib import Path, PurePosixPath
from time import perf_counter
from typing import Any

import pytest

from dokja.record.transparency import CODES, Kept, RefusedError, check_bundle, check_proof, published, read_policy
from dokja.record.transparency.plain_entries import read_entry
from tests.vectors import make
from verifier import dokja_verify as second

FILES = sorted(make.FOLDER.glob("*.json"))
SECONDS = 5.0
BYTES = 64 * 2**20

Json = dict[str, Any]


def decoded(text: str) -> bytes:
    return base64.b64decode(text)


def files_of(vector: Json) -> dict[str, bytes]:
    held = {"policy": vector["policy"], **vector["files"]}
    return {path: decoded(data) + b"x" * vector["padding"].get(path, 0) for path, data in held.items()}


def kept_of(vector: Json) -> tuple[list[bytes], list[bytes]]:
    """Receipts and checkpoints that others kept."""
    receipts, checkpoints = ([decoded(each) for each in vector.get(name, [])] for name in ("receipts", "checkpoints"))
    return receipts, checkpoints


def unpack(vector: Json, folder: Path) -> Path:
    for path, data in vector["files"].items():
        file = folder / PurePosixPath(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(decoded(data))
    for path, target in vector["links"].items():
        (folder / path).symlink_to(target)
    return folder


def by_package(vector: Json, folder: Path) -> list[str]:
    files = files_of(vector)
    policy = files["policy"]
    if vector["kind"] == "bundle":
        receipts, checkpoints = ({str(n): each for n, each in enumerate(held)} for held in kept_of(vector))
        kept = Kept(receipts, checkpoints)
        return [each.code for each in check_bundle(folder, policy, vector["genesis"], kept).refusals]
    try:
        match vector["kind"]:
            case "note":
                read_policy(policy).check(files["note"])
            case "proof":
                check_proof(files["proof"], files["entry"], read_policy(policy))
                read_entry(files["entry"])
            case "entry":
                read_entry(files["entry"])
    except RefusedError as error:
        return [error.code]
    return []


def by_second(vector: Json, folder: Path) -> list[str]:
    files = files_of(vector)
    policy = files["policy"]
    match vector["kind"]:
        case "note":
            wrong = second.verify_note(files["note"], policy)
        case "proof":
            wrong = second.verify_proof(files["proof"], files["entry"], policy)
        case "entry":
            wrong = second.verify_entry(files["entry"])
        case _:
            wrong = second.verify(str(folder), policy, vector["genesis"], *kept_of(vector))
    return [each.code for each in wrong]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_both_verifiers_say_what_is_expected(file: Path, tmp_path: Path) -> None:
    vector: Json = json.loads(file.read_text(encoding="utf-8"))
    folder = unpack(vector, tmp_path / "bundle") if vector["kind"] == "bundle" else tmp_path
    for verifier in (by_package, by_second):
        tracemalloc.start()
        start = perf_counter()
        said = verifier(vector, folder)
        taken, (_, most) = perf_counter() - start, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert said == vector["expected"], verifier.__name__
        assert taken < SECONDS, verifier.__name__
        assert most < BYTES, verifier.__name__


@pytest.mark.parametrize("name", ["keys-act-changed", "keys-signed-for-another", "keys-rotated-and-replaced"])
def test_signatures_verified_in_several_processes_are_told_alike(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector: Json = json.loads((make.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    monkeypatch.setattr(published, "_ALONE", 0)
    monkeypatch.setattr(published, "_BATCH", 1)
    monkeypatch.setattr(published, "processors", lambda: 2)
    assert by_package(vector, unpack(vector, tmp_path / "bundle")) == vector["expected"]


def test_the_files_are_those_that_are_made() -> None:
    made = make.vectors()
    assert {file.stem for file in FILES} == made.keys()
    for file in FILES:
        assert json.loads(file.read_text(encoding="utf-8")) == made[file.stem].tree(), file.stem


def test_there_are_enough_hostile_files_and_codes() -> None:
    vectors = make.vectors()
    assert sum(bool(vector.expected) for vector in vectors.values()) >= 150
    said = {code for vector in vectors.values() for code in vector.expected}
    # A bundle holds no consistency proof: witnesses are sent them.
    assert said == CODES.keys() - {"TREE_CONSISTENCY"}
