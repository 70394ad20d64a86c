"""Files that no reader should believe: how each is made, and the code it is refused with (`None`: it is read)."""

from __future__ import annotations

import json
import os
import pickle
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.lineage.saved import entry, file_bytes, save, with_header

Make = Callable[[Path], Path]

GOOD = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "b.weight": np.ones((3, 2), np.float32)}
MIB = 1 << 20
TIB = 1 << 40


def raw(data: bytes) -> Make:
    def make(folder: Path) -> Path:
        path = folder / "model.safetensors"
        path.write_bytes(data)
        return path

    return make


def header(table: object, body: bytes = b"\0") -> Make:
    return raw(with_header(json.dumps(table).encode(), body))


def one(name: str = "a", body: bytes = b"\0", **values: object) -> Make:
    return header({name: entry(**values)}, body)


def sharded(
    weight_map: object, shards: Mapping[str, Mapping[str, NDArray[np.float32]]], index: str | None = None
) -> Make:
    def make(folder: Path) -> Path:
        for shard, tensors in shards.items():
            save(folder / shard, tensors)
        text = index if index is not None else json.dumps({"weight_map": weight_map})
        (folder / "model.safetensors.index.json").write_text(text)
        return folder

    return make


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "model.safetensors")
    return folder / "model.safetensors"


def folder_in_a_folder(folder: Path) -> Path:
    (folder / "model.safetensors").mkdir()
    return folder


def pipe_in_a_folder(folder: Path) -> Path:
    return pipe(folder).parent


def plug(folder: Path) -> Path:
    path = folder / "model.safetensors"
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(folder)
        server.bind("model.safetensors")
    return path


def link_out(folder: Path) -> Path:
    outside = folder / "outside"
    inside = folder / "inside"
    outside.mkdir()
    inside.mkdir()
    save(outside / "secret.safetensors", GOOD)
    (inside / "model.safetensors").symlink_to("../outside/secret.safetensors")
    return inside


def linked_index(folder: Path) -> Path:
    inside = link_out(folder)
    (inside / "model.safetensors").unlink()
    (folder / "outside" / "index.json").write_text("{}")
    (inside / "model.safetensors.index.json").symlink_to("../outside/index.json")
    return inside


def broken_link(folder: Path) -> Path:
    (folder / "model.safetensors").symlink_to("nowhere.safetensors")
    return folder


def sparse(folder: Path) -> Path:
    """1 TiB of nothing, which its header calls a tensor."""
    path = folder / "model.safetensors"
    text = json.dumps({"a": {"dtype": "U8", "shape": [TIB], "data_offsets": [0, TIB]}}).encode()
    path.write_bytes(with_header(text))
    os.truncate(path, 8 + len(text) + TIB)
    return path


def sparse_zeros(folder: Path) -> Path:
    path = folder / "model.safetensors"
    path.touch()
    os.truncate(path, TIB)
    return path


def with_config(text: str) -> Make:
    def make(folder: Path) -> Path:
        (folder / "config.json").write_text(text)
        return save(folder / "model.safetensors", GOOD)

    return make


def long_config(folder: Path) -> Path:
    return with_config('{"a": "' + "x" * (5 * MIB) + '"}')(folder)


def pickled(folder: Path) -> Path:
    return raw(pickle.dumps({"weight": list(range(100))}, protocol=2))(folder)


def many(count: int) -> bytes:
    """A header of so many empty tensors."""
    item = '"t{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    return ("{" + ",".join(item.format(number) for number in range(count)) + "}").encode()


def header_of_101_mb(folder: Path) -> Path:
    path = folder / "model.safetensors"
    path.write_bytes((101_000_000).to_bytes(8, "little") + b"{}")
    os.truncate(path, 101_000_008)
    return path


def scattered_million(folder: Path) -> Path:
    return raw(with_header(many(10**6)))(folder)


def hidden_million(folder: Path) -> Path:
    """The same, with escapes in what a careless count would look for."""
    return raw(with_header(many(10**6).replace(b"dtype", b"\\u0064type")))(folder)


def endless_shape(folder: Path) -> Path:
    text = b'{"a":{"dtype":"U8","shape":[' + b"1," * (20 * 10**6) + b'1],"data_offsets":[0,1]}}'
    return raw(with_header(text, b"\0"))(folder)


def long_number(folder: Path) -> Path:
    text = b'{"a":{"dtype":"U8","shape":[' + b"9" * 10**6 + b'],"data_offsets":[0,1]}}'
    return raw(with_header(text, b"\0"))(folder)


SHARD = {"x": np.ones((2, 2), np.float32)}
OTHER = {"y": np.ones((2, 2), np.float32)}
TWICE = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
TWICE_INSIDE = b'{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
TWO = {"a": entry(offsets=[0, 1]), "b": entry(offsets=[1, 2])}

HOSTILE: Mapping[str, tuple[str | None, Make]] = {
    "nothing at all": ("checkpoint-absent", lambda folder: folder / "model.safetensors"),
    "an empty file": ("checkpoint-short", raw(b"")),
    "seven bytes": ("checkpoint-short", raw(b"\1" * 7)),
    "header length 2^63": ("checkpoint-header-long", raw((1 << 63).to_bytes(8, "little") + b"{}")),
    "header length 2^64 - 1": ("checkpoint-header-long", raw(b"\xff" * 8 + b"{}")),
    "header longer than the file": ("checkpoint-short", raw((1000).to_bytes(8, "little") + b"{}")),
    "header of 101 MB": ("checkpoint-header-long", header_of_101_mb),
    "header of no bytes": ("checkpoint-header-start", raw(bytes(16))),
    "a list": ("checkpoint-header-start", raw(with_header(b"[]"))),
    "a leading space": ("checkpoint-header-start", raw(with_header(b" {}"))),
    "a byte order mark": ("checkpoint-header-start", raw(with_header(b"\xef\xbb\xbf{}"))),
    "a line end after the header": ("checkpoint-header-json", raw(with_header(b"{}\n"))),
    "two objects": ("checkpoint-header-json", raw(with_header(b"{}{}"))),
    "not JSON": ("checkpoint-header-json", raw(with_header(b"{'a': 1}"))),
    "not UTF-8": ("checkpoint-header-json", raw(with_header(b'{"\xff": 1}'))),
    "a NaN": ("checkpoint-header-json", raw(with_header(b'{"a": NaN}'))),
    "nested a million deep": ("checkpoint-too-many", raw(with_header(b'{"a":' * 10**6 + b"}" * 10**6))),
    "nested deep in lists": ("checkpoint-header-json", raw(with_header(b'{"a":' + b"[" * 10**6 + b"}"))),
    "names twice": ("checkpoint-duplicate-name", raw(with_header(TWICE, b"\0"))),
    "a field twice": ("checkpoint-duplicate-name", raw(with_header(TWICE_INSIDE, b"\0"))),
    "metadata of numbers": ("checkpoint-header-json", header({"__metadata__": {"a": 1}}, b"")),
    "metadata as a list": ("checkpoint-header-json", header({"__metadata__": []}, b"")),
    "10^6 empty tensors": ("checkpoint-too-many", scattered_million),
    "10^6 empty tensors in disguise": ("checkpoint-too-many", hidden_million),
    "20 million extents": ("checkpoint-too-many", endless_shape),
    "a number of a million digits": ("checkpoint-header-json", long_number),
    "an entry that is a number": ("checkpoint-entry", header({"a": 3})),
    "an entry without a shape": ("checkpoint-entry", header({"a": {"dtype": "U8", "data_offsets": [0, 1]}})),
    "an entry with more": ("checkpoint-entry", header({"a": entry() | {"strides": [1]}})),
    "a name that leads out": ("checkpoint-name", one("../../x")),
    "a name that leads out the other way": ("checkpoint-name", one("..\\x")),
    "an absolute name": ("checkpoint-name", one("/etc/passwd")),
    "no name": ("checkpoint-name", one("")),
    "NUL in a name": ("checkpoint-name", one("a\0b")),
    "a name that turns about": ("checkpoint-name", one("a\u202eb")),
    "a name with a line end": ("checkpoint-name", one("a\nb")),
    "half a surrogate": ("checkpoint-name", one("\ud800")),
    "a name without end": ("checkpoint-name", one("a" * 5000)),
    "an unknown type": ("checkpoint-dtype", one(dtype="F128")),
    "a type that is a list": ("checkpoint-dtype", one(dtype=["U8"])),
    "a negative extent": ("checkpoint-shape", one(shape=[-1, -1])),
    "a broken extent": ("checkpoint-shape", one(shape=[1.0])),
    "an extent that is true": ("checkpoint-shape", one(shape=[True])),
    "a shape that is a text": ("checkpoint-shape", one(shape="1")),
    "a product that overflows": ("checkpoint-shape", one(shape=[1 << 32, 1 << 32])),
    "0 x 2^62": ("checkpoint-shape", one(shape=[0, 1 << 62], offsets=[0, 0], body=b"")),
    "100 axes": ("checkpoint-shape", one(shape=[1] * 100)),
    "negative offsets": ("checkpoint-offsets", one(offsets=[-1, 0])),
    "broken offsets": ("checkpoint-offsets", one(offsets=[0.0, 1.0])),
    "offsets backwards": ("checkpoint-offsets", one(offsets=[1, 0])),
    "offsets behind the end": ("checkpoint-offsets", one(offsets=[0, 2], shape=[2])),
    "offsets of 2^64": ("checkpoint-offsets", one(offsets=[1 << 64, (1 << 64) + 1])),
    "three offsets": ("checkpoint-offsets", one(offsets=[0, 1, 1])),
    "too few bytes": ("checkpoint-size", one(dtype="F32")),
    "half a byte": ("checkpoint-size", one(dtype="F4", shape=[3], offsets=[0, 2], body=b"\0\0")),
    "a hole in front": ("checkpoint-hole", one(offsets=[1, 2], body=b"\0\0")),
    "a hole between": ("checkpoint-hole", header(TWO | {"b": entry(offsets=[2, 3])}, b"\0\0\0")),
    "an overlap": ("checkpoint-overlap", header(TWO | {"b": entry(offsets=[0, 1])}, b"\0")),
    "bytes behind the end": ("checkpoint-trailing", one(body=b"\0\0\0")),
    "a body without tensors": ("checkpoint-trailing", header({}, b"\0")),
    "cut short": ("checkpoint-offsets", raw(file_bytes(GOOD)[:-5])),
    "a pickle": ("checkpoint-format", pickled),
    "a zip": ("checkpoint-format", raw(b"PK\3\4" + bytes(60))),
    "GGUF": ("checkpoint-format", raw(b"GGUF\3\0\0\0" + bytes(60))),
    "HDF5": ("checkpoint-format", raw(b"\x89HDF\r\n\x1a\n" + bytes(60))),
    "a pointer to a large file": (
        "checkpoint-format",
        raw(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
    ),
    "a pipe": ("checkpoint-kind", pipe),
    "a pipe in a folder": ("checkpoint-kind", pipe_in_a_folder),
    "a folder in a folder": ("checkpoint-kind", folder_in_a_folder),
    "a socket": ("checkpoint-kind", plug),
    "a device": ("checkpoint-kind", lambda _: Path("/dev/zero")),
    "an empty folder": ("checkpoint-no-weights", lambda folder: folder),
    "a link that leads out": ("checkpoint-link", link_out),
    "an index that leads out": ("checkpoint-link", linked_index),
    "a link to nothing": ("checkpoint-shard-missing", broken_link),
    "a sparse file of 1 TiB": ("checkpoint-sparse", sparse),
    "a sparse file of zeros": ("checkpoint-sparse", sparse_zeros),
    "a shard that is missing": (
        "checkpoint-shard-missing",
        sharded({"x": "1.safetensors", "y": "2.safetensors"}, {"1.safetensors": SHARD}),
    ),
    "a shard elsewhere": ("checkpoint-index-outside", sharded({"x": "../1.safetensors"}, {})),
    "a shard at an absolute path": ("checkpoint-index-outside", sharded({"x": "/etc/passwd"}, {})),
    "a tensor in two shards": (
        "checkpoint-twice",
        sharded(
            {"x": "1.safetensors"} | {"y": "2.safetensors"}, {"1.safetensors": SHARD, "2.safetensors": SHARD | OTHER}
        ),
    ),
    "an index that knows more": (
        "checkpoint-index-tensor",
        sharded({"x": "1.safetensors", "y": "1.safetensors"}, {"1.safetensors": SHARD}),
    ),
    "an index that knows less": (
        "checkpoint-index-tensor",
        sharded({"x": "1.safetensors"}, {"1.safetensors": SHARD | OTHER}),
    ),
    "an index that is a list": ("checkpoint-index", sharded([], {}, "[]")),
    "an index of numbers": ("checkpoint-index", sharded({"x": 1}, {})),
    "an index without a map": ("checkpoint-index", sharded({}, {}, "{}")),
    "an index that names a tensor twice": (
        "checkpoint-index",
        sharded({}, {}, '{"weight_map": {"x": "1", "x": "2"}}'),
    ),
    "a config that is a list": ("checkpoint-config", with_config("[]")),
    "a config nested too deeply": ("checkpoint-config", with_config('{"a":' * 10**5 + "}")),
    "a config of 5 MiB": ("checkpoint-config", long_config),
    "all NaN": (None, lambda folder: save(folder / "m.safetensors", {"a": np.full((9, 9), np.nan, np.float32)})),
    "all zero": (None, lambda folder: save(folder / "m.safetensors", {"a": np.zeros((9, 9), np.float32)})),
    "constants": (None, lambda folder: save(folder / "m.safetensors", {"a": np.full((9, 9), 3.0, np.float32)})),
    "infinite": (None, lambda folder: save(folder / "m.safetensors", {"a": np.full((9, 9), np.inf, np.float64)})),
    "nothing in it": (None, raw(with_header(b"{}"))),
    "an empty tensor and one number": (
        None,
        lambda folder: save(
            folder / "m.safetensors", {"a": np.zeros((0, 5), np.float32), "b": np.array(1, np.float32)}
        ),
    ),
    "a padded header": (None, raw(with_header(b"{}" + b" " * 6))),
    "a config that lies": (
        None,
        with_config('{"hidden_size": 7, "num_attention_heads": -3, "model_type": ["llama"]}'),
    ),
}
