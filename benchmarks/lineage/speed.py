"""How fast the audit is, and how little memory it needs, on generated Llama-shaped bf16 checkpoints.

    python -m benchmarks.lineage.speed [--pairs 256 1024] [--alone 2048 8192 16384] [--folder /dev/shm]

Of every size: digests beside `sha256sum` and beside hashlib, a fingerprint (digests and sketches) and a pack (these
and units), as a library keeps them, inspecting; of the sizes under --pairs also the audit of two, and of a copy with
half of its layers twice. Every figure is of a process of its own, files in page cache as far as they fit there: a
folder in memory saves the disk the writing, and needs room for one file of each size under --alone. The package is
compiled first, as an installed one is. What is compared runs in turns, and the fastest of each counts: on a machine
that is shared look at processor seconds. Above 8 GiB there is one turn, and `sha256sum` does not run. Results go to
benchmarks/lineage/results/speed.{json,md}.

Larger checkpoints have larger layers, those of Llama 3.2 1B and Llama 3 8B, as many of them as fit.

The floors are what no audit that looks at these units can do without: their bytes read, their products formed once at
the speed at which this machine multiplies matrices of such a size.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import dokja
from benchmarks.measured import Measured, measured
from dokja.lineage.model import FEWEST_LOOKED_AT, FEWEST_OF_A_BLOCK, IN_ALL, LOOKED_AT, NUMBERS_OF_A_BLOCK
from dokja.lineage.pair.answers import ANCHORS
from dokja.lineage.pair.candidates import LAYERS
from dokja.lineage.pair.channels import CHANNELS, FEWEST_ROWS, ROWS

RESULTS = Path(__file__).parent / "results"
LARGE = 8192
"""MiB above which a size is measured once."""

TURNED = (0x80FF80FF80FF80FF, 0x3C003C003C003C00)
"""What is kept of four random numbers in bf16, and what is set: any sign and mantissa, one of two exponents."""


@dataclass(frozen=True)
class Shape:
    """A layer: width, hidden units, heads and kv-heads, numbers of a head; and words."""

    width: int
    hidden: int
    heads: int
    groups: int
    head: int
    words: int

    @property
    def config(self) -> dict[str, object]:
        """What config.json says."""
        return {
            "model_type": "llama",
            "hidden_size": self.width,
            "intermediate_size": self.hidden,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.groups,
            "vocab_size": self.words,
        }


SHAPES = {
    0: Shape(1024, 2816, 16, 4, 64, 32_000),
    2048: Shape(2048, 8192, 32, 8, 64, 128_256),
    LARGE: Shape(4096, 14_336, 32, 8, 128, 128_256),
}
"""By the size from which on they are used."""


def shape_of(mebibytes: int) -> Shape:
    """The shape of the layers of a checkpoint of this size."""
    return SHAPES[max(size for size in SHAPES if size <= mebibytes)]


HASHING, FINGERPRINTING, PACKING = "hashlib, every core", "fingerprint for a library", "pack for a library"

DIGEST = "import sys; from dokja import lineage; c = lineage.open_checkpoint(sys.argv[1]); c.digests()"
BUILD = (
    "import sys, tempfile, pathlib; from dokja.lineage.library import build\n"
    "with tempfile.TemporaryDirectory(dir=sys.argv[2]) as folder:"
    " build(pathlib.Path(folder), {'one': sys.argv[1]}, key=7, units=256, packs=sys.argv[3] == 'pack', workers=1)"
)
PIECE = 1 << 20
"""Bytes that are generated at once."""

INSPECT = (
    "import sys; from dokja import lineage; from dokja.lineage.inspection import inspect;"
    "inspect(lineage.open_checkpoint(sys.argv[1]))"
)
AUDIT = (
    "import sys; from dokja import lineage;"
    "a, b = (lineage.reference(p, lineage.open_checkpoint(p), 7) for p in sys.argv[1:3]);"
    "print([f.word for f in lineage.audit(a, [b], key=7).findings])"
)
HASHLIB = """
import hashlib, mmap, os, sys
from concurrent.futures import ThreadPoolExecutor
size, cores = os.path.getsize(sys.argv[1]), os.cpu_count()
def part(number):
    digest, piece = hashlib.sha256(), mmap.mmap(-1, 1 << 20)
    with open(sys.argv[1], 'rb', buffering=0) as file:
        for place in range(number << 20, size, cores << 20):
            file.seek(place)
            digest.update(memoryview(piece)[:file.readinto(piece)])
list(ThreadPoolExecutor(cores).map(part, range(cores)))
"""
"""SHA-256 at its fastest: every byte once, each MiB on whatever core, into memory that begins with a page. (Where it
begins a little behind the place in its page at which the file's bytes stand in theirs, as a bytearray's does, some
processors copy five times as slowly.)"""


def shapes(mebibytes: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a model of about this size: as many layers as fit."""
    of = shape_of(mebibytes)
    queries, keys = of.heads * of.head, of.groups * of.head
    layer = {
        "input_layernorm": (of.width,),
        "post_attention_layernorm": (of.width,),
        "self_attn.q_proj": (queries, of.width),
        "self_attn.k_proj": (keys, of.width),
        "self_attn.v_proj": (keys, of.width),
        "self_attn.o_proj": (of.width, queries),
        "mlp.gate_proj": (of.hidden, of.width),
        "mlp.up_proj": (of.hidden, of.width),
        "mlp.down_proj": (of.width, of.hidden),
    }
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (of.words, of.width)}
    room = mebibytes * 2**20 // 2 - 2 * of.words * of.width
    each = sum(prod(shape) for shape in layer.values())
    for number in range(max(1, room // each)):
        found |= {f"model.layers.{number}.{name}.weight": shape for name, shape in layer.items()}
    return found | {"model.norm.weight": (of.width,), "lm_head.weight": (of.words, of.width)}


def generated(folder: Path, mebibytes: int, seed: int) -> Path:
    """A checkpoint of random bf16 numbers of about 0.01, a piece in memory at a time."""
    header, at = {}, 0
    for name, shape in shapes(mebibytes).items():
        size = 2 * prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    said = json.dumps(header).encode()
    said += b" " * (-len(said) % 8)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(shape_of(mebibytes).config))
    path, words = folder / "model.safetensors", np.random.SFC64(seed)
    kept, put = (np.uint64(each) for each in TURNED)
    with path.open("wb") as file:
        file.write(len(said).to_bytes(8, "little") + said)
        for start in range(0, at, PIECE):
            piece = words.random_raw(-(-min(PIECE, at - start) // 8))
            piece &= kept
            piece |= put
            file.write(piece.data.cast("B")[: at - start])
    return path


def deepened(folder: Path, source: Path) -> Path:
    """A copy of a generated checkpoint with the middle half of its layers twice, as depth is scaled up."""
    raw = source.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    tensors = json.loads(raw[8:start])
    count = 1 + max(int(name.split(".")[2]) for name in tensors if ".layers." in name)
    order = [*range(3 * count // 4), *range(count // 4, count)]
    origins = {name: name for name in tensors if ".layers." not in name}
    for layer, origin in enumerate(order):
        at = f"model.layers.{origin}."
        origins |= {name.replace(at, f"model.layers.{layer}."): name for name in tensors if name.startswith(at)}
    header, place, pieces = {}, 0, []
    for name, origin in origins.items():
        first, last = tensors[origin]["data_offsets"]
        header[name] = {**tensors[origin], "data_offsets": [place, place + last - first]}
        place += last - first
        pieces.append(slice(start + first, start + last))
    said = json.dumps(header).encode()
    said += b" " * (-len(said) % 8)
    folder.mkdir()
    (folder / "config.json").write_text((source.parent / "config.json").read_text())
    path, held = folder / source.name, memoryview(raw)
    with path.open("wb") as file:
        file.write(len(said).to_bytes(8, "little") + said)
        file.writelines(held[piece] for piece in pieces)
    return path


def floors(mebibytes: int) -> dict[str, float]:
    """Bytes that an audit of a pair looks at, and the products of its tests: of both sides, in GB and in GFLOP."""
    of, layers = shape_of(mebibytes), sum("q_proj" in name for name in shapes(mebibytes))
    width, keys = of.width, of.groups * of.head
    units = min(LOOKED_AT, max(FEWEST_LOOKED_AT, IN_ALL // layers))
    of_a_head = max(FEWEST_OF_A_BLOCK, NUMBERS_OF_A_BLOCK // width) / of.head
    attention = int((width + 2 * keys) * width * of_a_head) + width * width
    # Of the down and output projections every row must be passed by: a unit is a column.
    read = layers * (2 * units * width + of.hidden * width + attention) + 2 * LOOKED_AT * width
    hidden = 3 * (2 * units**2 * width + 2 * 2 * (units // 2) ** 2 * width + 2 * 2 * (units // 2) ** 3)
    seen = max(FEWEST_ROWS, ROWS // layers)
    heads = [int(extent * of_a_head) for extent in (width, width, keys, keys)]
    rows = sum(min(seen, extent) for extent in (units, units, units, *heads))
    channels = rows * (2 * CHANNELS**2 + 2 * 2 * (CHANNELS // 2) ** 2)
    answers = min(layers, LAYERS) * 3 * (2 * 2 * units * width * ANCHORS + 2 * units**2 * ANCHORS)
    return {"gb": round(2 * 2 * read / 1e9, 2), "gflop": round((layers * (hidden + channels) + answers) / 1e9)}


def multiplied() -> float:
    """GFLOP a second of one core in products of float32, at the size of the tests'."""
    left = np.random.default_rng(0).standard_normal((512, 1024), dtype=np.float32)
    with threadpool_limits(limits=1, user_api="blas"):
        best = min(_seconds(lambda: left @ left[::-1].T) for _ in range(50))
    return 2 * 512 * 512 * 1024 / best / 1e9


def _seconds(call: Callable[[], object]) -> float:
    started = time.thread_time()
    call()
    return time.thread_time() - started


def in_turns(commands: Mapping[str, list[str]], size: int, turns: int) -> list[dict[str, Any]]:
    """The fastest of each, all taking turns: seconds, processor seconds, peak MiB, and GB a second."""
    runs: dict[str, list[Measured]] = {}
    for _ in range(turns):
        for what, command in commands.items():
            runs.setdefault(what, []).append(measured(command))
    return [
        {
            "what": what,
            "mebibytes": round(size / 2**20),
            "seconds": round(min(each.seconds for each in found), 2),
            "processor_seconds": round(min(each.processor_seconds for each in found), 2),
            "peak_mib": round(max(each.peak_mib for each in found)),
            "gb_per_second": round(size / min(each.seconds for each in found) / 1e9, 2),
        }
        for what, found in runs.items()
    ]


def measure(mebibytes: int, turns: int, folder: Path | None, *, pair: bool) -> list[dict[str, Any]]:
    """All figures of one size."""
    python = [sys.executable, "-c"]
    with tempfile.TemporaryDirectory(dir=folder) as made:
        paths = [str(generated(Path(made) / name, mebibytes, seed)) for seed, name in enumerate("ab"[: 1 + pair])]
        subprocess.run(["cat", *paths], stdout=subprocess.DEVNULL, check=True)
        commands = {
            HASHING: [*python, HASHLIB, paths[0]],
            "digests of header and tensors": [*python, DIGEST, paths[0]],
            FINGERPRINTING: [*python, BUILD, paths[0], made, "fingerprint"],
            PACKING: [*python, BUILD, paths[0], made, "pack"],
            "inspect": [*python, INSPECT, paths[0]],
        }
        if pair:
            commands["audit of a pair"] = [*python, AUDIT, *paths]
            deeper = deepened(Path(made) / "deeper", Path(paths[0]))
            commands["audit of a copy with half of its layers twice"] = [*python, AUDIT, str(deeper), paths[0]]
        size = Path(paths[0]).stat().st_size
        rows = in_turns(commands, size, turns if mebibytes <= LARGE else 1)
        if mebibytes <= LARGE:
            rows = in_turns({"sha256sum": ["sha256sum", paths[0]]}, size, 1) + rows
        return rows


def beside_hashing(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How fast a fingerprint is beside SHA-256 alone on every core, size by size."""
    seconds = {(row["what"], row["mebibytes"]): row["seconds"] for row in rows}
    for what, size in seconds:
        if what == HASHING:
            share = seconds[HASHING, size] / seconds[FINGERPRINTING, size]
            yield f"- {size} MiB: the fingerprint has {share:.0%} of the speed of SHA-256 on every core"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, nargs="*", default=[256, 1024], metavar="MiB")
    parser.add_argument("--alone", type=int, nargs="*", default=[], metavar="MiB")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where checkpoints are generated")
    parser.add_argument("--turns", type=int, default=2)
    asked = parser.parse_args()
    compileall.compile_dir(str(Path(dokja.__file__).parent), quiet=1)
    rows: list[dict[str, Any]] = []
    for mebibytes in (*asked.pairs, *asked.alone):
        found = measure(mebibytes, asked.turns, asked.folder, pair=mebibytes in asked.pairs)
        print(*found, sep="\n", flush=True)
        rows += found
    speed = multiplied()
    results = {
        "command": f"python -m benchmarks.lineage.speed {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end",
        "gflop_per_second": round(speed),
        "floors": {str(mebibytes): floors(mebibytes) for mebibytes in asked.pairs},
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "speed.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    columns = ("what", "mebibytes", "seconds", "processor_seconds", "peak_mib", "gb_per_second")
    lines = [
        "# Speed and memory of the audit",
        "",
        f"`{results['command']}`, {results['date']}, {results['machine']};",
        f"turns: {asked.turns} up to {LARGE} MiB, of which the best counts; start of Python included, files in page",
        "cache as far as they fit.",
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(str(row.get(column, '')) for column in columns)} |" for row in rows),
        "",
        *beside_hashing(rows),
        "",
        f"One core multiplies {speed:.0f} GFLOP a second here. Floors of the audit of a pair:",
        "",
        *(
            f"- {mebibytes} MiB: {floor['gb']} GB to read, {floor['gflop']} GFLOP to multiply: "
            f"{floor['gflop'] / speed:.1f} processor seconds"
            for mebibytes, floor in ((each, floors(each)) for each in asked.pairs)
        ),
    ]
    (RESULTS / "speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
