"""How fast the audit is, and how little memory it needs, on generated Llama-shaped bf16 checkpoints.

    python -m benchmarks.lineage.speed [--pairs 256 1024] [--alone 2048 8192 16384]

Of every size: digests beside `sha256sum` and beside hashlib, a fingerprint (digests, pack and sketches, as a library
keeps them), inspecting; of the sizes under --pairs also the audit of two. Every figure is of a process of its own,
files in page cache as far as they fit there. What is compared runs in turns, and the fastest of each counts: on a
machine that is shared look at processor seconds. Results go to benchmarks/lineage/results/speed.{json,md}.

The floors are what no audit that looks at these units can do without: their bytes read, their products formed once at
the speed at which this machine multiplies matrices of such a size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.measured import Measured, measured
from dokja.lineage.anchoring import ANCHORS, LAYERS
from dokja.lineage.channels import CHANNELS, FEWEST_ROWS, ROWS
from dokja.lineage.sides import (
    FEWEST_LOOKED_AT,
    FEWEST_OF_A_BLOCK,
    IN_ALL,
    LOOKED_AT,
    NUMBERS_OF_A_BLOCK,
)

RESULTS = Path(__file__).parent / "results"
WIDTH, HIDDEN, KEYS, HEAD, VOCABULARY = 1024, 2816, 256, 64, 32_000

CONFIG = {
    "model_type": "llama",
    "hidden_size": WIDTH,
    "intermediate_size": HIDDEN,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "vocab_size": VOCABULARY,
}

DIGEST = "import sys; from dokja import lineage; c = lineage.open_checkpoint(sys.argv[1]); c.digests()"
FINGERPRINT = (
    "import sys, tempfile, pathlib; from dokja.lineage.library import build\n"
    "with tempfile.TemporaryDirectory() as folder:"
    " build(pathlib.Path(folder), {'one': sys.argv[1]}, key=7, units=256, workers=1)"
)
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
import hashlib, os, sys
from concurrent.futures import ThreadPoolExecutor
size, cores, times = os.path.getsize(sys.argv[1]), os.cpu_count(), int(sys.argv[2])
def part(number):
    digest, piece = hashlib.sha256(), bytearray(1 << 20)
    with open(sys.argv[1], 'rb', buffering=0) as file:
        for place in range(number, times * (size >> 20), cores):
            file.seek((place << 20) % size)
            digest.update(memoryview(piece)[:file.readinto(piece)])
list(ThreadPoolExecutor(cores).map(part, range(cores)))
"""
"""SHA-256 at its fastest, each MiB as often as is said: digests of a file and its tensors take every byte twice."""


def shapes(mebibytes: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a model of about this size: as many layers as fit."""
    layer = {
        "input_layernorm": (WIDTH,),
        "post_attention_layernorm": (WIDTH,),
        "self_attn.q_proj": (WIDTH, WIDTH),
        "self_attn.k_proj": (KEYS, WIDTH),
        "self_attn.v_proj": (KEYS, WIDTH),
        "self_attn.o_proj": (WIDTH, WIDTH),
        "mlp.gate_proj": (HIDDEN, WIDTH),
        "mlp.up_proj": (HIDDEN, WIDTH),
        "mlp.down_proj": (WIDTH, HIDDEN),
    }
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (VOCABULARY, WIDTH)}
    room = mebibytes * 2**20 // 2 - 2 * VOCABULARY * WIDTH
    each = sum(int(np.prod(shape)) for shape in layer.values())
    for number in range(max(1, room // each)):
        found |= {f"model.layers.{number}.{name}.weight": shape for name, shape in layer.items()}
    return found | {"model.norm.weight": (WIDTH,), "lm_head.weight": (VOCABULARY, WIDTH)}


def generated(folder: Path, mebibytes: int, seed: int) -> Path:
    """A checkpoint of random bf16 numbers of about 0.01, one tensor in memory at a time."""
    random, header, at = np.random.default_rng(seed), {}, 0
    for name, shape in shapes(mebibytes).items():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    said = json.dumps(header).encode()
    said += b" " * (-len(said) % 8)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    path = folder / "model.safetensors"
    with path.open("wb") as file:
        file.write(len(said).to_bytes(8, "little") + said)
        for shape in shapes(mebibytes).values():
            bits = np.frombuffer(random.bytes(2 * int(np.prod(shape))), dtype="<u2")
            file.write(((bits & 0x80FF) | 0x3C00).tobytes())  # Any sign and mantissa, one of two exponents.
    return path


def floors(mebibytes: int) -> dict[str, float]:
    """Bytes that an audit of a pair looks at, and the products of its tests: of both sides, in GB and in GFLOP."""
    layers = sum("q_proj" in name for name in shapes(mebibytes))
    units = min(LOOKED_AT, max(FEWEST_LOOKED_AT, IN_ALL // layers))
    of_a_head = max(FEWEST_OF_A_BLOCK, NUMBERS_OF_A_BLOCK // WIDTH) / HEAD
    attention = int((WIDTH + 2 * KEYS) * WIDTH * of_a_head) + WIDTH * WIDTH
    # Of the down and output projections every row must be passed by: a unit is a column.
    read = layers * (2 * units * WIDTH + HIDDEN * WIDTH + attention) + 2 * LOOKED_AT * WIDTH
    hidden = 3 * (2 * units**2 * WIDTH + 2 * 2 * (units // 2) ** 2 * WIDTH + 2 * 2 * (units // 2) ** 3)
    seen = max(FEWEST_ROWS, ROWS // layers)
    heads = [int(extent * of_a_head) for extent in (WIDTH, WIDTH, KEYS, KEYS)]
    rows = sum(min(seen, extent) for extent in (units, units, units, *heads))
    channels = rows * (2 * CHANNELS**2 + 2 * 2 * (CHANNELS // 2) ** 2)
    answers = min(layers, LAYERS) * 3 * (2 * 2 * units * WIDTH * ANCHORS + 2 * units**2 * ANCHORS)
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


def measure(mebibytes: int, turns: int, *, pair: bool) -> list[dict[str, Any]]:
    """All figures of one size."""
    python = [sys.executable, "-c"]
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(generated(Path(folder) / name, mebibytes, seed)) for seed, name in enumerate("ab"[: 1 + pair])]
        subprocess.run(["cat", *paths], stdout=subprocess.DEVNULL, check=True)
        commands = {
            "sha256sum": ["sha256sum", paths[0]],
            "hashlib, every core, once": [*python, HASHLIB, paths[0], "1"],
            "hashlib, every core, twice": [*python, HASHLIB, paths[0], "2"],
            "digests of the file and of every tensor": [*python, DIGEST, paths[0]],
            "fingerprint for a library": [*python, FINGERPRINT, paths[0]],
            "inspect": [*python, INSPECT, paths[0]],
        }
        if pair:
            commands["audit of a pair"] = [*python, AUDIT, *paths]
        return in_turns(commands, Path(paths[0]).stat().st_size, turns)


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, nargs="*", default=[256, 1024], metavar="MiB")
    parser.add_argument("--alone", type=int, nargs="*", default=[], metavar="MiB")
    parser.add_argument("--turns", type=int, default=2)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for mebibytes in (*asked.pairs, *asked.alone):
        rows += measure(mebibytes, asked.turns, pair=mebibytes in asked.pairs)
        print(*(row for row in rows if row not in rows[:-7]), sep="\n", flush=True)
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
        f"turns: {asked.turns}, of which the best counts; start of Python included, files in page cache as far as",
        "they fit.",
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(str(row.get(column, '')) for column in columns)} |" for row in rows),
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
