"""Where checkpoints lie: a file, shards, a cache, a URL; and that what is read is what stands there."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import tracemalloc
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from safetensors.numpy import save as saved_by_the_library

from dokja.errors import CheckpointError
from dokja.lineage.checkpoint import CODES, Checkpoint, natural, open_checkpoint
from dokja.lineage.checkpoint.header import read_header
from tests.lineage.saved import file_bytes, save, with_header

Tensors = dict[str, NDArray[np.float32]]


def tensors(seed: int = 0) -> Tensors:
    random = np.random.default_rng(seed)
    return {
        f"layers.{layer}.{name}": random.normal(size=shape).astype(np.float32)
        for layer in range(12)
        for name, shape in (("w", (40, 30)), ("b", (40,)), ("scale", ()))
    }


def shards(folder: Path, seed: int = 0) -> Tensors:
    """Three shards with an index, a config and a tokenizer."""
    held = tensors(seed)
    folder.mkdir(parents=True, exist_ok=True)
    weight_map = {name: f"model-{place % 3}.safetensors" for place, name in enumerate(held)}
    for shard in set(weight_map.values()):
        save(folder / shard, {name: held[name] for name in held if weight_map[name] == shard})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    (folder / "config.json").write_text('{"model_type": "x", "hidden_size": 30}\n')
    (folder / "tokenizer.json").write_text("{}")
    return held


def same(checkpoint: Checkpoint, held: Tensors) -> None:
    assert set(checkpoint.tensors) == set(held)
    assert checkpoint.parameters == sum(array.size for array in held.values())
    for name, array in held.items():
        np.testing.assert_array_equal(checkpoint.read(name), array)
        assert checkpoint.read(name).shape == array.shape


def code(where: str | Path) -> str:
    with pytest.raises(CheckpointError) as refusal:
        open_checkpoint(where)
    (only,) = refusal.value.problems
    return only.code


def test_the_page_lists_every_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "checkpoints.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[`([a-z-]+)`\]", page, re.MULTILINE) == list(CODES)


# -- local


def test_a_file(tmp_path: Path) -> None:
    with open_checkpoint(save(tmp_path / "any.safetensors", tensors())) as checkpoint:
        same(checkpoint, tensors())
        assert checkpoint.config == {}
        assert checkpoint.tokenizer is None


def test_shards(tmp_path: Path) -> None:
    held = shards(tmp_path / "model")
    for where in (
        tmp_path / "model",
        tmp_path / "model" / "model.safetensors.index.json",
        f"file://{tmp_path}/model",
    ):
        with open_checkpoint(where) as checkpoint:
            same(checkpoint, held)
            assert checkpoint.config["hidden_size"] == 30
            assert checkpoint.tokenizer is not None
            assert len({info.shard for info in checkpoint.stored.values()}) == 3


def test_shards_without_an_index(tmp_path: Path) -> None:
    held = shards(tmp_path)
    (tmp_path / "model.safetensors.index.json").unlink()
    with open_checkpoint(tmp_path) as checkpoint:
        same(checkpoint, held)


def test_a_snapshot_of_a_cache(tmp_path: Path) -> None:
    """Links to the blobs of the same repository are the cache's own way; those of another are not."""
    blobs, snapshot = tmp_path / "models--a--b" / "blobs", tmp_path / "models--a--b" / "snapshots" / "0f3c"
    held = shards(blobs)
    snapshot.mkdir(parents=True)
    (tmp_path / "models--a--b" / "refs").mkdir()
    (tmp_path / "models--a--b" / "refs" / "main").write_text("0f3c")
    for blob in blobs.iterdir():
        (snapshot / blob.name).symlink_to(f"../../blobs/{blob.name}")
    for where in (snapshot, tmp_path / "models--a--b"):
        with open_checkpoint(where) as checkpoint:
            same(checkpoint, held)
    other = tmp_path / "models--c--d" / "blobs"
    shards(other)
    (snapshot / "model-1.safetensors").unlink()
    (snapshot / "model-1.safetensors").symlink_to("../../../models--c--d/blobs/model-1.safetensors")
    assert code(snapshot) == "checkpoint-link"


def test_a_cache_whose_reference_leads_out(tmp_path: Path) -> None:
    shards(tmp_path / "outside")
    (tmp_path / "cache" / "snapshots").mkdir(parents=True)
    (tmp_path / "cache" / "refs").mkdir()
    (tmp_path / "cache" / "refs" / "main").write_text("../../outside")
    assert code(tmp_path / "cache") == "checkpoint-no-weights"


def test_digests_are_those_of_the_bytes(tmp_path: Path) -> None:
    held = shards(tmp_path)
    with open_checkpoint(tmp_path) as checkpoint:
        digests = checkpoint.digests()
    for name, array in held.items():
        assert digests.tensors[name] == hashlib.sha256(array.tobytes()).hexdigest()
    for shard, digest in digests.headers.items():
        data = (tmp_path / shard).read_bytes()
        assert digest == hashlib.sha256(data[: 8 + int.from_bytes(data[:8], "little")]).hexdigest()


def test_the_tokenizer_is_told_by_its_files(tmp_path: Path) -> None:
    shards(tmp_path)
    found = []
    for text in ("{}", '{"a": 1}'):
        (tmp_path / "tokenizer.json").write_text(text)
        with open_checkpoint(tmp_path) as checkpoint:
            found.append(checkpoint.tokenizer)
    assert len(set(found)) == 2


def test_names_are_in_the_order_of_people(tmp_path: Path) -> None:
    with open_checkpoint(save(tmp_path / "model.safetensors", tensors())) as checkpoint:
        layers = [int(name.split(".")[1]) for name in checkpoint.tensors]
    assert layers == sorted(layers)
    assert sorted(["a10", "a9", "a", "10", "9"], key=natural) == ["9", "10", "a", "a9", "a10"]


@given(
    arrays.arrays(np.float32, arrays.array_shapes(min_dims=1, max_dims=4, max_side=9)), st.data(), st.integers(1, 300)
)
@settings(max_examples=60, deadline=None)
def test_windows_and_rows_are_the_tensor(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[np.float32], data: st.DataObject, size: int
) -> None:
    path = save(tmp_path_factory.mktemp("rows") / "model.safetensors", {"x": array})
    flat = array.reshape(len(array), -1)
    chosen = np.array(data.draw(st.lists(st.integers(0, len(array) - 1), max_size=12)), dtype=np.int64)
    with open_checkpoint(path) as checkpoint:
        np.testing.assert_array_equal(checkpoint.rows("x", chosen), flat[chosen])
        reached = 0
        for first, tile in checkpoint.windows("x", size):
            assert first == reached
            assert tile.nbytes <= max(size, flat.shape[1] * 4)
            np.testing.assert_array_equal(tile, flat[first : first + len(tile)])
            reached += len(tile)
        assert reached == len(array)


def test_rows_that_are_not_there(tmp_path: Path) -> None:
    with open_checkpoint(save(tmp_path / "model.safetensors", tensors())) as checkpoint:
        for wrong in ([40], [-1]):
            with pytest.raises(IndexError):
                checkpoint.rows("layers.0.w", np.array(wrong))


@pytest.mark.parametrize("megabytes", [64, 256])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, megabytes: int) -> None:
    big = np.zeros((megabytes * 1024, 256), dtype=np.float32)
    path = save(tmp_path / "model.safetensors", {"x": big})
    del big
    with open_checkpoint(path) as checkpoint:
        tracemalloc.start()
        assert sum(len(tile) for _, tile in checkpoint.windows("x", 4 << 20)) == megabytes * 1024
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20 << 20


# -- what the library writes is read, what it would not write is not


@given(
    st.dictionaries(
        st.text("abcé.0/_", min_size=1, max_size=9).filter(lambda name: name[0] != "/" and ".." not in name),
        arrays.arrays(np.int8, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)),
        max_size=6,
    )
)
@settings(max_examples=60, deadline=None)
def test_what_the_library_writes_is_read(held: dict[str, NDArray[Any]]) -> None:
    data = saved_by_the_library(held)
    length = int.from_bytes(data[:8], "little")
    header = read_header(data[8 : 8 + length], len(data), "x")
    assert {each.name: each.shape for each in header.entries} == {name: array.shape for name, array in held.items()}
    for each in header.entries:
        assert data[each.begin : each.end] == held[each.name].tobytes()


@given(st.binary(max_size=40), st.integers(0, 200), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_a_byte_out_of_place_is_refused_or_harmless(extra: bytes, place: int, value: int) -> None:
    """Whatever is done to a header: an error with a code, or tensors that lie in the file."""
    data = bytearray(file_bytes({"a": np.ones((2, 3), np.float32), "b": np.ones(4, np.float32)}))
    data[8 + place % (len(data) - 48)] = value
    length = int.from_bytes(data[:8], "little")
    for text in (bytes(data[8 : 8 + length]), extra):
        try:
            header = read_header(text, 8 + len(text) + 40, "x")
        except CheckpointError as refusal:
            assert refusal.problems[0].code.startswith("checkpoint-")
        else:
            assert sum(each.nbytes for each in header.entries) == 40


# -- elsewhere


def test_memory_url(tmp_path: Path) -> None:
    held = shards(tmp_path)
    system = fsspec.filesystem("memory")
    system.put(str(tmp_path), "/models/one", recursive=True)
    try:
        for where in ("memory://models/one", "memory://models/one/model.safetensors.index.json"):
            with open_checkpoint(where) as checkpoint:
                same(checkpoint, held)
                assert checkpoint.config["hidden_size"] == 30
                checkpoint.check()
        with open_checkpoint("memory://models/one/model-1.safetensors") as checkpoint:
            assert len(checkpoint.tensors) == 12
        assert code("memory://models/two") == "checkpoint-no-weights"
        assert code("memory://models/two/model.safetensors") == "checkpoint-absent"
        with open_checkpoint("memory://models/one/model-1.safetensors") as checkpoint:
            system.pipe("/models/one/model-1.safetensors", with_header(b"{}"))
            with pytest.raises(CheckpointError, match="checkpoint-changed"):
                checkpoint.digests()
    finally:
        system.rm("/models", recursive=True)


def test_a_protocol_that_nobody_knows() -> None:
    assert code("nobody://a/model.safetensors") == "checkpoint-remote"


class Server(SimpleHTTPRequestHandler):
    """Serves a folder with ranges, as file servers do; notes what it was asked for."""

    ranges = True
    sent: list[int]

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data, asked = path.read_bytes(), self.headers.get("Range")
        if asked is None or not self.ranges:
            self.send_response(200)
        else:
            first, last = asked.removeprefix("bytes=").split("-")
            data = data[int(first) : int(last) + 1]
            self.send_response(206)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.sent.append(len(data))

    def end_headers(self) -> None:
        if self.ranges:
            self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[True, False])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, type[Server]]]:
    pytest.importorskip("aiohttp", reason="aiohttp, of dokja[http], is not installed")
    handler: type[Server] = type("Handler", (Server,), {"ranges": request.param, "sent": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_over_http_only_what_is_asked_for_is_fetched(tmp_path: Path, served: tuple[str, type[Server]]) -> None:
    url, handler = served
    held = shards(tmp_path / "model")
    big = {"big": np.ones((4096, 1024), np.float32)}
    save(tmp_path / "big.safetensors", big)
    if not handler.ranges:
        assert code(f"{url}/big.safetensors") == "checkpoint-remote"
        assert sum(handler.sent) < 3 * 16 << 20
        return
    with open_checkpoint(f"{url}/model") as checkpoint:
        same(checkpoint, held)
        assert checkpoint.config["hidden_size"] == 30
    handler.sent.clear()
    with open_checkpoint(f"{url}/big.safetensors") as checkpoint:
        np.testing.assert_array_equal(checkpoint.rows("big", np.array([4000, 7])), big["big"][[4000, 7]])
    assert sum(handler.sent) < 100_000
    assert code(f"{url}/nothing.safetensors") == "checkpoint-absent"
    assert code(f"{url}/nothing") == "checkpoint-no-weights"
