"""How fast the audit is, and how little memory it needs, on generated Llama-shaped bf16 checkpoints.

    python -m benchmarks.lineage.speed [--mebibytes 256 1024]

Digests beside `sha256sum` and beside hashlib on every core; inspecting; auditing a pair of each size. Every figure is
of a process of its own, files in page cache. Results go to benchmarks/lineage/results/speed.{json,md}.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured import measured

RESULTS = Path(__file__).parent / "results"
WIDTH, HIDDEN, KEYS, VOCABULARY = 1024, 2816, 256, 32_000

DIGEST = "import sys; from dokja import lineage; c = lineage.open_checkpoint(sys.argv[1]); c.digests()"
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
size, cores = os.path.getsize(sys.argv[1]), os.cpu_count()
def part(number):
    digest, left = hashlib.sha256(), size // cores
    with open(sys.argv[1], 'rb') as file:
        file.seek(number * left)
        while left > 0:
            piece = file.read(min(left, 1 << 22))
            digest.update(piece)
            left -= len(piece)
list(ThreadPoolExecutor(cores).map(part, range(cores)))
"""


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


def generated(path: Path, mebibytes: int, seed: int) -> None:
    """A checkpoint of random bf16 numbers, one tensor in memory at a time."""
    random, header, at = np.random.default_rng(seed), {}, 0
    for name, shape in shapes(mebibytes).items():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    said = json.dumps(header).encode()
    said += b" " * (-len(said) % 8)
    with path.open("wb") as file:
        file.write(len(said).to_bytes(8, "little") + said)
        for shape in shapes(mebibytes).values():
            values = random.standard_normal(int(np.prod(shape)), dtype=np.float32)
            file.write((values.view(np.uint32) >> 16).astype("<u2").tobytes())


def timed(command: list[str], size: int = 0) -> dict[str, float]:
    """The faster of two runs: seconds, processor seconds, peak MiB, and GB/s where a size is given."""
    run = min((measured(command) for _ in range(2)), key=lambda each: each.seconds)
    found = {
        "seconds": round(run.seconds, 2),
        "processor_seconds": round(run.processor_seconds, 2),
        "peak_mib": round(run.peak_mib),
    }
    return found | ({"gb_per_second": round(size / run.seconds / 1e9, 2)} if size else {})


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mebibytes", type=int, nargs="+", default=[256, 1024])
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for mebibytes in asked.mebibytes:
        with tempfile.TemporaryDirectory() as folder:
            one, other = (Path(folder) / f"{name}.safetensors" for name in ("one", "other"))
            for seed, path in enumerate((one, other)):
                generated(path, mebibytes, seed)
            size = one.stat().st_size
            python = [sys.executable, "-c"]
            subprocess.run(["cat", str(one), str(other)], stdout=subprocess.DEVNULL, check=True)
            rows += [
                {"what": what, "mebibytes": round(size / 2**20), **timed(command, rate)}
                for what, command, rate in (
                    ("sha256sum", ["sha256sum", str(one)], size),
                    ("hashlib, every core", [*python, HASHLIB, str(one)], size),
                    ("digests of the file and of every tensor", [*python, DIGEST, str(one)], size),
                    ("inspect", [*python, INSPECT, str(one)], 0),
                    ("audit of a pair", [*python, AUDIT, str(one), str(other)], 0),
                )
            ]
            print(*rows[-5:], sep="\n", flush=True)
    results = {
        "command": f"python -m benchmarks.lineage.speed {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end",
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "speed.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    columns = ("what", "mebibytes", "seconds", "processor_seconds", "peak_mib", "gb_per_second")
    lines = [
        "# Speed and memory of the audit",
        "",
        f"`{results['command']}`, {results['date']}, {results['machine']}; the faster of two runs, start of Python",
        "included, files in page cache.",
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(str(row.get(column, '')) for column in columns)} |" for row in rows),
    ]
    (RESULTS / "speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
