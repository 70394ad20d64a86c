"""A fingerprint screens as a pack does and keeps no units: what is near by it is told, and is no finding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from benchmarks.training.checkpoint import kept, write
from benchmarks.training.network import Shape, Text, draw
from dokja.cli import main
from dokja.errors import ActError, DokjaError, LibraryError
from dokja.lineage.auditing import audit
from dokja.lineage.checkpoint import digesting, open_checkpoint
from dokja.lineage.checkpoint.source import Bytes, LocalSource
from dokja.lineage.findings import Screen, Unasked
from dokja.lineage.library import Progress, add, build, open_library, sketches, verify
from dokja.lineage.library.fingerprints import SKETCHES, Fingerprint, open_kept
from dokja.lineage.sides import Reader, reference
from dokja.programme.findings import About, audit_act

UNITS, KEY = 32, 3
SHAPE = Shape(text=Text(width=64, hidden=192, layers=2, heads=4, key_heads=2))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two strangers, and a child of the first."""
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("ash", "beech")):
        write(folder / name, kept(draw(SHAPE, np.random.default_rng(seed))), SHAPE)
    write(folder / "child", kept(draw(SHAPE, np.random.default_rng(0))), SHAPE)
    path = folder / "child" / "model.safetensors"
    random = np.random.default_rng(9)
    weights = {
        name: (each + 0.3 * each.std() * random.standard_normal(each.shape)).astype(each.dtype)
        for name, each in load_file(path).items()
    }
    save_file(weights, path)
    return folder


def named(models: Path, *names: str) -> dict[str, str | Path]:
    return {name: models / name for name in names}


def prints(models: Path, folder: Path, *names: str, workers: int = 1) -> Path:
    build(folder, named(models, *names), key=KEY, units=UNITS, packs=False, workers=workers)
    return folder


def test_a_fingerprint_has_the_sketches_and_the_digests_of_its_weights(models: Path, tmp_path: Path) -> None:
    library = open_library(prints(models, tmp_path / "library", "ash"))
    with open_checkpoint(models / "ash") as ash, library.kept("ash") as found:
        assert isinstance(found, Fingerprint)
        known = sketches(Reader(reference("ash", ash, KEY).source).within(UNITS))
        assert dict(found.about.digests) == dict(ash.digests().tensors)
        held = found.sketches()
    assert held.keys() == known.keys()
    for component, sketch in known.items():
        assert held[component].signature == sketch.signature
        np.testing.assert_allclose(held[component].values, sketch.values, atol=2**-10)


@pytest.mark.parametrize("piece", [1, 1000, 1 << 20])
def test_weights_are_read_once(models: Path, tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, read = models / "ash" / "model.safetensors", 0
    reading = LocalSource._read

    def counted(self: LocalSource, begin: int, found: Bytes) -> Bytes:
        nonlocal read
        read += len(found) if self.where == str(weights) else 0
        return reading(self, begin, found)

    monkeypatch.setattr(digesting, "PIECE", piece)
    monkeypatch.setattr(LocalSource, "_read", counted)
    prints(models, tmp_path / "library", "ash")
    size, header = weights.stat().st_size, int.from_bytes(weights.read_bytes()[:8], "little")
    # The header is read to be checked, and once more with all the rest.
    assert size + header <= read <= size + 2 * header


def test_what_is_near_is_told_and_stands_in_no_finding(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOKJA_LANG", "en")
    library = prints(models, tmp_path / "library", "ash", "beech")
    child = str(models / "child")
    assert main(["audit", child, "--library", str(library), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["findings"] == said["references"] == []
    assert {each["reference"] for each in said["screen"]["unasked"]} == {"ash"}
    assert {each["component"] for each in said["screen"]["unasked"]} >= {"text-decoder", "embeddings"}
    assert main(["audit", child, "--library", str(library)]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "text decoder: ash (0.9" in told
    assert "beech" not in told
    act = ["--act", str(tmp_path / "act.yaml"), "--team", "a", "--stage", "s", "--gate", "g", "--who", "office"]
    when = ["--when", "2027-08-20T10:00:00+09:00"]
    assert main(["audit", child, "--library", str(library), *act, *when]) == 2
    assert "audit-unfinished" in capsys.readouterr().err
    assert not (tmp_path / "act.yaml").exists()
    # A stranger's weights beside it change nothing; its own are audited in its place.
    assert main(["audit", child, "--library", str(library), "--against", str(models / "beech"), *act, *when]) == 2
    assert "audit-unfinished" in capsys.readouterr().err
    named = ["--against", str(models / "ash")]
    assert main(["audit", child, "--library", str(library), *named, "--json", *act, *when]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["screen"]["unasked"] == []
    assert {each["word"] for each in said["findings"]} - {"no-evidence", "not-assessed"}
    assert (tmp_path / "act.yaml").exists()


def test_a_stranger_is_near_nothing(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = prints(models, tmp_path / "library", "ash")
    assert main(["audit", str(models / "beech"), "--library", str(library), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["screen"]["unasked"] == []
    assert 0 < said["screen"]["would_miss"] < 1


def test_a_pack_takes_the_place_of_a_fingerprint_and_never_the_other_way(models: Path, tmp_path: Path) -> None:
    library = prints(models, tmp_path / "library", "ash", "beech")
    with pytest.raises(LibraryError) as refused:
        open_library(library).pack("ash")
    assert [each.code for each in refused.value.problems] == ["library-unpacked"]
    for packs in (True, False):
        add(library, named(models, "ash"), packs=packs, workers=1)
        found = open_library(library)
        assert (found.names, set(found.unpacked)) == (("ash", "beech"), {"beech"})
        assert not verify(library)
        assert len(list((library / "packs").iterdir())) == 2
    with pytest.raises(LibraryError):
        add(library, {"beech": models / "child"}, workers=1)
    whole = tmp_path / "whole"
    build(whole, named(models, "ash"), key=KEY, units=UNITS, workers=1)
    add(whole, named(models, "beech"), packs=False, workers=1)
    assert (whole / "library.safetensors").read_bytes() == (library / "library.safetensors").read_bytes()


def test_fingerprints_that_stand_are_taken_up(models: Path, tmp_path: Path) -> None:
    library = prints(models, tmp_path / "library", "ash", "beech", workers=2)
    whole = (library / "library.safetensors").read_bytes()
    (library / "library.safetensors").unlink()
    seen: list[Progress] = []
    for packs in (False, True):
        build(
            library,
            named(models, "ash", "beech"),
            key=KEY,
            units=UNITS,
            packs=packs,
            workers=1,
            progress=seen.append,
        )
        if not packs:
            assert (library / "library.safetensors").read_bytes() == whole
    assert [each.made for each in seen] == [False, False, True, True]


@pytest.fixture
def stored(models: Path, tmp_path: Path) -> Iterator[Path]:
    library = prints(models, tmp_path / "library", "ash")
    yield library / "packs" / f"{open_library(library).index.shelved[0].pack}.safetensors"


def test_every_flipped_byte_is_found(stored: Path) -> None:
    whole = stored.read_bytes()
    for place in (*range(0, 300, 7), *range(300, len(whole), 997)):
        data = bytearray(whole)
        data[place] ^= 1
        stored.write_bytes(bytes(data))
        assert [each.code for each in verify(stored.parent.parent)] == ["library-pack-damaged"]


@pytest.mark.parametrize("hostile", [np.nan, np.inf])
def test_a_sketch_that_is_none_is_refused(stored: Path, hostile: float) -> None:
    columns = load_file(stored)
    columns[SKETCHES][0, 0] = hostile
    save_file(columns, stored)
    with pytest.raises(LibraryError) as refused:
        open_kept(stored)
    assert [each.code for each in refused.value.problems] == ["library-misfit"]


def test_a_sketch_too_few_is_refused(stored: Path) -> None:
    columns = load_file(stored)
    columns[SKETCHES] = columns[SKETCHES][1:].copy()
    save_file(columns, stored)
    with pytest.raises(DokjaError):
        open_kept(stored)


def test_no_act_is_made_of_an_audit_that_left_out_what_is_near(models: Path) -> None:
    with open_checkpoint(models / "child") as child, open_checkpoint(models / "beech") as other:
        screen = Screen(2, 1, 0.2, (Unasked("ash", "text-decoder", 0.96),))
        done = audit(reference("child", child, KEY), [reference("beech", other, KEY)], key=KEY, screen=screen)
    about = About("a", "s", "g", "office", "2027-08-20T10:00:00+09:00")
    assert audit_act(replace(done, screen=None), "told", about)
    with pytest.raises(ActError) as refused:
        audit_act(done, "told", about)
    assert [each.code for each in refused.value.problems] == ["audit-unfinished"]
