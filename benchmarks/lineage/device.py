"""How fast the audit of a pair is on a device, beside NumPy on the processor, and which numbers turn on it.

    python -m benchmarks.lineage.device [--device cuda] [--pairs 256 1024] [--turns 3] [--folder /dev/shm]

Both take turns in one process, each on newly opened files, so nothing is kept from one audit to the next. The first
audit of each stands apart: on a device it loads the library and its kernels. Results go to
benchmarks/lineage/results/device.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.lineage.speed import RESULTS, generated
from dokja.lineage import Audit, audit, open_checkpoint, reference
from dokja.lineage.arrays import CPU, Arrays, arrays_on
from dokja.lineage.telling import to_json

KEY = 7
COLUMNS = ("what", "mebibytes", "first", "seconds", "processor_seconds", "other_words", "other_numbers", "numbers")


def audited(paths: tuple[Path, Path], arrays: Arrays) -> tuple[float, float, Audit]:
    """Seconds and processor seconds of one audit, and what it says."""
    with open_checkpoint(paths[0]) as one, open_checkpoint(paths[1]) as other:
        started, spent = time.perf_counter(), time.process_time()
        found = audit(reference("one", one, KEY), [reference("other", other, KEY)], key=KEY, device=arrays)
        return time.perf_counter() - started, time.process_time() - spent, found


def measure(paths: tuple[Path, Path], devices: dict[str, Arrays], turns: int) -> list[dict[str, Any]]:
    """The first audit of each, and the fastest of those after it; what NumPy says otherwise."""
    runs = {name: [audited(paths, arrays)] for name, arrays in devices.items()}
    for _ in range(turns):
        for name, arrays in devices.items():
            runs[name].append(audited(paths, arrays))
    by_numpy = runs[CPU][0][2]
    size = paths[0].stat().st_size / 2**20
    return [
        {
            "what": found[0][2].device,
            "mebibytes": round(size),
            "first": round(found[0][0], 2),
            "seconds": round(min(each[0] for each in found[1:]), 2),
            "processor_seconds": round(min(each[1] for each in found[1:]), 2),
            "other_words": sum(
                a.word != b.word for a, b in zip(by_numpy.findings, found[0][2].findings, strict=True)
            ),
            "other_numbers": sum(a != b for a, b in zip(numbers(by_numpy), numbers(found[0][2]), strict=True)),
            "numbers": len(list(numbers(by_numpy))),
        }
        for found in runs.values()
    ]


def numbers(found: Audit) -> Iterator[float]:
    """Every number of an audit's JSON, to its six decimals."""
    left = [json.loads(to_json(found))["findings"]]
    while left:
        each = left.pop()
        if isinstance(each, dict | list):
            left.extend(each.values() if isinstance(each, dict) else each)
        elif isinstance(each, int | float):
            yield each


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--pairs", type=int, nargs="+", default=[256, 1024], metavar="MiB")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where checkpoints are generated")
    asked = parser.parse_args()
    devices = {each: arrays_on(each) for each in (CPU, asked.device)}
    rows: list[dict[str, Any]] = []
    for mebibytes in asked.pairs:
        with tempfile.TemporaryDirectory(dir=asked.folder) as made:
            one, other = (generated(Path(made) / name, mebibytes, seed) for seed, name in enumerate("ab"))
            rows += measure((one, other), devices, asked.turns)
        print(*rows[-len(devices) :], sep="\n", flush=True)
    results = {
        "command": f"python -m benchmarks.lineage.device {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": rows,
    }
    (RESULTS / "device.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    lines = [
        "# The audit of a pair on a device",
        "",
        f"`{results['command']}`, {results['date']}, {results['machine']}.",
        "The fastest after the first counts; the start of Python is not within.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(f"| {' | '.join(str(row[column]) for column in COLUMNS)} |" for row in rows),
    ]
    (RESULTS / "device.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
