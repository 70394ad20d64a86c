"""A library is whole or refused: what it keeps says what the weights say, and no byte of it changes unseen."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from dokja.cli import main
from dokja.errors import CheckpointError, DokjaError, LibraryError
from dokja.lineage.auditing import audit
from dokja.lineage.checkpoint import open_checkpoint
from dokja.lineage.library import Index, Progress, Shelved, Sketch, add, build, open_library, screen, verify
from dokja.lineage.library.index import empty
from dokja.lineage.library.packs import open_pack
from dokja.lineage.library.sketching import SUMS
from dokja.lineage.library.spreading import spread
from dokja.lineage.sides import Reader, Reference, reference

WIDTH, HIDDEN, LAYERS, VOCABULARY = 32, 160, 2, 160
UNITS = 96
KEY = 5
Weights = dict[str, NDArray[np.float32]]


def grown(seed: int) -> Weights:
    """Random weights with the names of a Llama."""
    random = np.random.default_rng(seed)

    def matrix(*shape: int) -> NDArray[np.float32]:
        return random.standard_normal(shape).astype(np.float32)

    weights = {
        "model.embed_tokens.weight": matrix(VOCABULARY, WIDTH),
        "model.norm.weight": np.ones(WIDTH, dtype=np.float32),
        "lm_head.weight": matrix(VOCABULARY, WIDTH),
    }
    for layer in range(LAYERS):
        name = f"model.layers.{layer}."
        weights |= {f"{name}self_attn.{each}_proj.weight": matrix(WIDTH, WIDTH) for each in "qkvo"}
        weights |= {f"{name}mlp.{each}_proj.weight": matrix(HIDDEN, WIDTH) for each in ("gate", "up")}
        weights[f"{name}mlp.down_proj.weight"] = matrix(WIDTH, HIDDEN)
        weights |= {
            f"{name}{each}_layernorm.weight": np.ones(WIDTH, dtype=np.float32) for each in ("input", "post_attention")
        }
    return weights


def saved(folder: Path, weights: Weights) -> Path:
    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors")
    config = {"model_type": "llama", "hidden_size": WIDTH, "num_attention_heads": 4, "intermediate_size": HIDDEN}
    (folder / "config.json").write_text(json.dumps(config))
    words = {f"word-{number}": number for number in range(VOCABULARY)}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": words}}))
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three strangers, and a child of the first."""
    folder = tmp_path_factory.mktemp("models")
    for number, name in enumerate(("ash", "beech", "oak")):
        saved(folder / name, grown(number))
    noise = grown(99)
    child = {
        name: (each + 0.3 * noise[name] if each.ndim == 2 else each).astype(np.float32)
        for name, each in grown(0).items()
    }
    saved(folder / "child", child)
    return folder


@pytest.fixture(scope="module")
def built(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    build(folder, named(models, "ash", "beech"), key=KEY, units=UNITS, workers=1)
    return folder


@pytest.fixture
def library(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may harm."""
    return Path(shutil.copytree(built, tmp_path / "library"))


def named(models: Path, *names: str) -> dict[str, str | Path]:
    return {name: models / name for name in names}


def codes(error: pytest.ExceptionInfo[DokjaError]) -> set[str]:
    return {each.code for each in error.value.problems}


def test_a_pack_says_what_its_weights_say(models: Path, built: Path) -> None:
    library = open_library(built)
    assert library.names == ("ash", "beech")
    with open_checkpoint(models / "child") as child, open_checkpoint(models / "ash") as ash:
        mine = reference("child", child, KEY)
        packs = [library.reference(name) for name in library.names]
        by_packs = audit(mine, packs, key=KEY)
        by_weights = audit(mine, [reference("ash", ash, KEY), packs[1]], key=KEY)
    words = {(each.reference, each.component): each.word for each in by_packs.findings}
    assert words == {(each.reference, each.component): each.word for each in by_weights.findings}
    assert words["ash", "text-decoder"] == "derived"
    assert words["beech", "text-decoder"] == "no-evidence"


def test_a_pack_knows_its_own_weights_to_the_last_bit(models: Path, built: Path) -> None:
    with open_checkpoint(models / "ash") as ash, open_library(built).pack("ash") as pack:
        found = audit(reference("again", ash, KEY), [Reference("ash", pack)], key=KEY)
    assert {each.word for each in found.findings if each.component == "text-decoder"} == {"identical"}


def test_a_pack_keeps_the_rows_that_the_key_draws(models: Path, built: Path) -> None:
    with open_checkpoint(models / "ash") as ash, open_library(built).pack("ash") as pack:
        source = reference("ash", ash, KEY).source
        whole, kept = Reader(source).within(UNITS), Reader(pack)
        for component in source.model.components:
            for member in (*source.model.parts(component), *source.model.residual(component)):
                assert (whole.labels(member) == kept.labels(member)).all()
                assert np.allclose(whole.matrix(member), kept.matrix(member), rtol=2**-8)
        fewer = kept.within(16)
        member = next(iter(source.model.parts("text-decoder")))
        assert np.allclose(fewer.matrix(member), whole.within(16).matrix(member), rtol=2**-8)
        vocabulary = pack.vocabulary()
        assert vocabulary is not None
        rows = np.array(sorted(vocabulary.values())[:40])
        mine, his = source.words(rows), pack.words(rows)
        assert mine is not None
        assert his is not None
        assert all(np.allclose(mine[end], his[end], rtol=2**-8) for end in ("up", "down"))


def test_the_screen_finds_the_parent_and_tells_what_it_would_miss(models: Path, built: Path) -> None:
    with open_checkpoint(models / "child") as child:
        found = open_library(built).screen(reference("child", child, KEY).source)
    first = found.candidates[0]
    assert first.reference == "ash"
    assert first.same_shapes
    # Noise of 0.3 leaves a cosine of 1/√1.09.
    assert first.cosine == pytest.approx(0.958, abs=0.05)
    assert found.candidates[0].z > 20
    assert 0 < found.would_miss < 0.2


def test_the_screen_keeps_its_promise_on_many_strangers() -> None:
    random = np.random.default_rng(3)

    def unit() -> NDArray[np.float32]:
        values = random.standard_normal(SUMS)
        return np.asarray(values / np.linalg.norm(values), dtype=np.float32)

    mine = Sketch(unit(), 1)
    strangers = {f"s{number:04}": Sketch(unit(), 1) for number in range(2000)}
    found = screen(_index(strangers), {"text-decoder": mine})
    # Twenty strangers are expected; sixty would be nine standard deviations more.
    assert 2 < len(found.candidates) < 60
    near = {}
    for number in range(300):
        other = unit()
        close = found.would_miss * mine.values + np.sqrt(1 - found.would_miss**2) * other
        near[f"near-{number}"] = Sketch(np.asarray(close, dtype=np.float32), 1)
    again = screen(_index({**dict(list(strangers.items())[:1700]), **near}), {"text-decoder": mine})
    seen = sum(each.reference.startswith("near-") for each in again.candidates)
    assert seen >= 290
    fingerprints = _index({**strangers, **near}, packed=False)
    alone = screen(fingerprints, {"text-decoder": mine})
    # No audit can dismiss these: one in a hundred screens meets a stranger among them.
    assert all(each.reference.startswith("near-") for each in alone.candidates)
    assert alone.would_miss > found.would_miss
    closer = {
        name: Sketch(alone.would_miss * mine.values + np.float32(np.sqrt(1 - alone.would_miss**2)) * unit(), 1)
        for name in near
    }
    assert len(screen(_index({**strangers, **closer}, packed=False), {"text-decoder": mine}).candidates) >= 290


def test_of_every_component_the_closest_is_a_candidate_if_none_is_near() -> None:
    random = np.random.default_rng(4)
    base, mine = (np.asarray(random.standard_normal(SUMS), dtype=np.float32) for _ in range(2))
    mine -= base * (mine @ base / (base @ base)) + 0.2 * base
    # Sixty children of one model, away from which the submission lies: all of them, or none, are above a threshold.
    kin = {
        f"k{number:02}": Sketch(np.asarray((base + random.normal(0, 0.02, SUMS)) / 32, dtype=np.float32), number % 2)
        for number in range(60)
    }
    away = Sketch(np.asarray(mine / np.linalg.norm(mine), dtype=np.float32), 1)
    found = screen(_index(kin), {"text-decoder": away})
    assert len(found.candidates) == 1
    (closest,) = found.candidates
    assert closest.z < found.z
    assert closest.same_shapes
    assert not screen(_index(kin), {"text-decoder": Sketch(np.zeros(SUMS, dtype=np.float32), 1)}).candidates


def test_a_screen_that_had_nothing_to_compare_would_miss_everything() -> None:
    ones = Sketch(np.ones(SUMS, dtype=np.float32), 1)
    found = screen(_index({"ash": ones}), {"vision-encoder": ones})
    assert (found.references, found.would_miss) == ((), 1.0)


def _index(kinds: dict[str, Sketch], *, packed: bool = True) -> Index:
    shelved = {name: Shelved(name, "0" * 64, "0" * 64, 0, packed) for name in kinds}
    return empty(0, 256).with_more({shelved[name]: {"text-decoder": sketch} for name, sketch in kinds.items()})


def test_a_build_that_was_cut_short_goes_on(models: Path, tmp_path: Path) -> None:
    names = named(models, "ash", "beech", "oak")

    class Cut(Exception):  # noqa: N818
        pass

    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise Cut

    with pytest.raises(Cut):
        build(tmp_path, names, key=KEY, units=UNITS, workers=1, progress=stop)
    assert not (tmp_path / "library.safetensors").exists()
    (tmp_path / "packs" / "left.part").write_bytes(b"half")
    made: list[tuple[str, bool]] = []
    build(tmp_path, names, key=KEY, units=UNITS, workers=1, progress=lambda each: made.append((each.name, each.made)))
    assert made == [("ash", False), ("beech", False), ("oak", True)]
    assert len(list((tmp_path / "packs").iterdir())) == 3
    assert verify(tmp_path) == ()


def test_adding_one_by_one_gives_the_same_bytes_as_building_on_many_cores(models: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    build(one, named(models, "oak"), key=KEY, units=UNITS, workers=1)
    add(one, named(models, "ash", "beech"), workers=1)
    build(other, named(models, "ash", "beech", "oak"), key=KEY, units=UNITS, workers=2)
    assert _bytes(one) == _bytes(other)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
def test_a_ray_cluster_makes_the_same_bytes(models: Path, built: Path, tmp_path: Path) -> None:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        build(tmp_path, named(models, "ash", "beech"), key=KEY, units=UNITS, workers="ray")
    finally:
        ray.shutdown()
    assert _bytes(tmp_path) == _bytes(built)


def test_ctrl_c_ends_all_workers_without_a_word_of_theirs(tmp_path: Path) -> None:
    pipes = [tmp_path / "one", tmp_path / "two"]
    for pipe in pipes:
        os.mkfifo(pipe)
    said = f"list(spread(2, Path.read_bytes, [Path(each) for each in {[str(pipe) for pipe in pipes]}]))"
    code = f"from pathlib import Path; from dokja.lineage.library.spreading import spread; {said}"
    with subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, start_new_session=True, text=True
    ) as process:
        ends = [os.open(pipe, os.O_WRONLY) for pipe in pipes]  # Each is open once its worker reads.
        os.killpg(process.pid, signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        for end in ends:
            os.close(end)
    assert process.returncode == -signal.SIGINT
    assert err.count("Traceback") == 1


def test_a_worker_that_is_ended_from_outside_is_told() -> None:
    with pytest.raises(LibraryError) as refused:
        list(spread(2, os._exit, [3, 3]))
    assert codes(refused) == {"library-worker"}


def test_what_cannot_be_taken_in_leaves_the_library_as_it_was(models: Path, library: Path, tmp_path: Path) -> None:
    before = (library / "library.safetensors").read_bytes()
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"\x80\x04 no weights")
    told: list[Progress] = []
    with pytest.raises(CheckpointError) as refused:
        add(library, {**named(models, "ash", "oak"), "bad": bad}, workers=1, progress=told.append)
    assert codes(refused) == {"checkpoint-format"}
    assert {each.name: (each.made, each.refused) for each in told} == {
        "ash": (False, False),
        "oak": (True, False),
        "bad": (False, True),
    }
    with pytest.raises(LibraryError) as refused_too:
        add(library, {"ash": models / "oak"}, workers=1)
    assert codes(refused_too) == {"library-name-taken"}
    assert (library / "library.safetensors").read_bytes() == before
    add(library, named(models, "ash"), workers=1)
    assert (library / "library.safetensors").read_bytes() == before


def test_what_is_wrong_with_all_of_them_is_told_once(models: Path, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "packs").touch()  # Not even root can write into that.
    with pytest.raises(LibraryError) as refused:
        build(tmp_path / "library", named(models, "ash", "oak"), key=KEY, units=UNITS, workers=1)
    assert [each.code for each in refused.value.problems] == ["library-unwritable"]


@pytest.mark.parametrize(
    ("key", "units", "code"),
    [
        (KEY + 1, UNITS, "library-other-key"),
        (KEY, UNITS + 1, "library-other-key"),
        (KEY, 7, "library-units"),
        (KEY, 1025, "library-units"),
    ],
)
def test_a_library_has_one_key_and_one_size(models: Path, library: Path, key: int, units: int, code: str) -> None:
    with pytest.raises(LibraryError) as refused:
        build(library, named(models, "oak"), key=key, units=units, workers=1)
    assert codes(refused) == {code}


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\u202eb", "x" * 201])
def test_names_are_plain(models: Path, library: Path, name: str) -> None:
    with pytest.raises(LibraryError) as refused:
        add(library, {name: models / "oak"}, workers=1)
    assert codes(refused) == {"library-name"}


def _flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_a_flipped_byte_of_a_pack_is_found_and_named(library: Path, share: float) -> None:
    shelved = open_library(library).index.shelved[1]
    path = library / "packs" / f"{shelved.pack}.safetensors"
    _flip(path, int(share * path.stat().st_size))
    (problem,) = verify(library)
    assert (problem.code, problem.values["name"], problem.place.file) == ("library-pack-damaged", "beech", path)
    with pytest.raises(DokjaError):
        open_library(library).pack("beech")


def test_every_flipped_byte_of_the_index_is_found(library: Path) -> None:
    path = library / "library.safetensors"
    whole = path.read_bytes()
    for place in (*range(0, 1200, 7), *range(1200, len(whole), 997), len(whole) - 1):
        _flip(path, place)
        with pytest.raises(DokjaError):
            open_library(library)
        path.write_bytes(whole)
    assert verify(library) == ()


def test_a_missing_pack_is_named(library: Path) -> None:
    shelved = open_library(library).index.shelved[0]
    (library / "packs" / f"{shelved.pack}.safetensors").unlink()
    assert [each.code for each in verify(library)] == ["library-pack-missing"]


def test_a_pack_under_the_name_of_another_is_refused(library: Path) -> None:
    first, second = open_library(library).index.shelved
    shutil.copy(library / "packs" / f"{second.pack}.safetensors", library / "packs" / f"{first.pack}.safetensors")
    assert [each.code for each in verify(library)] == ["library-pack-damaged"]


Tampering = Callable[[dict[str, object]], object]


def _shape(about: dict[str, object]) -> None:
    shapes = about["shapes"]
    assert isinstance(shapes, dict)
    shapes["model.embed_tokens.weight"] = [1 << 49, WIDTH]


def _part(about: dict[str, object]) -> None:
    assignment = about["assignment"]
    assert isinstance(assignment, dict)
    assignment["parts"][0]["tensor"] = "nowhere"


def _block(about: dict[str, object]) -> None:
    assignment = about["assignment"]
    assert isinstance(assignment, dict)
    assignment["parts"][0]["rows"]["block"] = 0


def _uneven(about: dict[str, object]) -> None:
    assignment = about["assignment"]
    assert isinstance(assignment, dict)
    rows = {part["role"]: part["rows"] for part in assignment["parts"] if part["layer"] == 0}
    rows["k"] |= {"group": rows["q"]["group"], "block": 2 * rows["k"]["block"]}


def _offset(about: dict[str, object]) -> None:
    assignment = about["assignment"]
    assert isinstance(assignment, dict)
    assignment["parts"][0]["offset"] = 10**400


HOSTILE: dict[str, tuple[Tampering, str]] = {
    "another format": (lambda about: about.update(format="dokja-reference-pack/9"), "library-format"),
    "the format before": (lambda about: about.update(format="dokja-reference-pack/4"), "library-format"),
    "no format": (lambda about: about.pop("format"), "library-format"),
    "endless axis": (_shape, "library-misfit"),
    "a part of no tensor": (_part, "library-misfit"),
    "a block of nothing": (_block, "library-misfit"),
    "a group of unequal axes": (_uneven, "library-misfit"),
    "gains that count from anywhere": (_offset, "library-misfit"),
    "more units than it keeps": (lambda about: about.update(units=1024), "library-misfit"),
    "no units": (lambda about: about.update(units=0), "library-misfit"),
    "a negative key": (lambda about: about.update(key=-1), "library-misfit"),
    "a number as text": (lambda about: about.update(units=str(UNITS)), "library-misfit"),
    "more than the format has": (lambda about: about.update(extra=1), "library-misfit"),
    "words without embeddings": (lambda about: about.update(words={"far": 10**6}), "library-misfit"),
    "words at no row": (lambda about: about.update(words={"far": 1 << 70}), "library-misfit"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_pack_is_refused(library: Path, tmp_path: Path, case: str) -> None:
    tamper, code = HOSTILE[case]
    path = library / "packs" / f"{open_library(library).index.shelved[0].pack}.safetensors"
    about = _about(path)
    tamper(about)
    with pytest.raises(LibraryError) as refused:
        open_pack(_rewritten(path, _canonical(about), tmp_path))
    assert codes(refused) == {code}


def _columns(path: Path) -> dict[str, tuple[dict[str, Any], bytes]]:
    """What a columnar file holds: of each column what the header says, and its bytes."""
    data = path.read_bytes()
    size = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:size])
    return {
        name: (entry, data[size + entry["data_offsets"][0] : size + entry["data_offsets"][1]])
        for name, entry in header.items()
    }


def _about(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(_columns(path)["about"][1])
    return found


def _canonical(about: object) -> bytes:
    return json.dumps(about, sort_keys=True, separators=(",", ":")).encode()


def _rewritten(path: Path, about: bytes, folder: Path, **more: NDArray[np.generic]) -> Path:
    """The pack with another object about itself."""
    columns = _columns(path)
    columns["about"] = ({**columns["about"][0], "shape": [len(about)]}, about)
    header, place = {}, 0
    for name, (entry, held) in columns.items():
        header[name] = {**entry, "data_offsets": [place, place + len(held)]}
        place += len(held)
    text = json.dumps(header).encode()
    hostile = folder / "hostile.safetensors"
    hostile.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(held for _, held in columns.values()))
    return hostile


@pytest.mark.parametrize(
    "about",
    [b"", b"[]", b"null", b"{", b"{}", b'{"a":1,"a":1}', b"[" * 100_000, b"\xff\xfe", b'{"format": 1}', b"NaN"],
)
def test_what_is_no_object_about_a_pack_is_refused(library: Path, tmp_path: Path, about: bytes) -> None:
    path = library / "packs" / f"{open_library(library).index.shelved[0].pack}.safetensors"
    with pytest.raises(LibraryError) as refused:
        open_pack(_rewritten(path, about, tmp_path))
    assert codes(refused) <= {"library-misfit", "library-format"}


def test_a_plain_checkpoint_is_no_pack(models: Path) -> None:
    with pytest.raises(LibraryError) as refused:
        open_pack(models / "ash" / "model.safetensors")
    assert codes(refused) == {"library-misfit"}


def test_a_pack_with_a_column_too_many_is_refused(library: Path, tmp_path: Path) -> None:
    path = library / "packs" / f"{open_library(library).index.shelved[0].pack}.safetensors"
    columns = {**load_file(path), "surplus": np.zeros(3, dtype=np.uint8)}
    save_file(columns, tmp_path / "more.safetensors")
    with pytest.raises(LibraryError) as refused:
        open_pack(tmp_path / "more.safetensors")
    assert codes(refused) == {"library-misfit"}


def test_no_two_write_at_once(models: Path, library: Path) -> None:
    def meddle(_: Progress) -> None:
        with pytest.raises(LibraryError) as refused:
            add(library, named(models, "oak"), workers=1)
        assert codes(refused) == {"library-busy"}

    add(library, named(models, "oak"), workers=1, progress=meddle)
    assert open_library(library).names == ("ash", "beech", "oak")


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOKJA_LANG", "en")
    yield


@pytest.mark.usefixtures("english")
def test_the_command_builds_adds_lists_and_verifies(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "library"
    ash, oak = models / "ash", models / "oak"
    assert main(["library", "build", str(where), str(ash), "--key", "5", "--units", "96", "--workers", "1"]) == 0
    assert main(["library", "add", str(where), f"acorn={oak}", "--workers", "1"]) == 0
    capsys.readouterr()
    assert main(["library", "list", str(where), "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["references"]] == ["acorn", "ash"]
    assert main(["library", "verify", str(where)]) == 0
    assert "2 references, every byte" in capsys.readouterr().out
    pack = next((where / "packs").iterdir())
    _flip(pack, pack.stat().st_size - 1)
    assert main(["library", "verify", str(where)]) == 1
    assert "library-pack-damaged" in capsys.readouterr().out
    assert main(["library", "list", str(tmp_path)]) != 0
    assert main(["library", "build", str(where), str(ash), str(ash)]) == 2
    assert main(["library", "add", str(where), str(ash), "--workers", "many"]) == 2
