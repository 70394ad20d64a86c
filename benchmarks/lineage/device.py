"""How fast the audit of a pair is on a device, beside NumPy on the processor, and which numbers turn on it.

    python -m benchmarks.lineage.device [--libraries torch cupy] [--pairs 256 1024] [--turns 3] [--folder /dev/shm]

The first graphics processor is asked, by each of these libraries. All take turns in one process, each on newly opened
files, so nothing is kept from one audit to the next. The first audit of each stands apart: on a device it loads the
library's kernels. Results go to benchmarks/lineage/results/device.{json,md}.
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
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.lineage.protocol import RESULTS, commit
from benchmarks.lineage.speed import generated
from dokja.lineage import Audit, audit, open_checkpoint, reference
from dokja.lineage.arrays import CPU, LIBRARIES, NUMPY, Arrays
from dokja.lineage.telling import to_json

KEY = 7

COLUMNS = {
    "MiB": "mebibytes",
    "by": "by",
    "first, s": "first",
    "then, s": "seconds",
    "processor s": "processor_seconds",
    "times NumPy's speed": "times",
    "words that differ": "other_words",
    "numbers that differ": "other_numbers",
    "largest difference": "largest",
}


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
    size, (said, fastest) = round(paths[0].stat().st_size / 2**20), (runs[CPU][0][2], _seconds(runs[CPU]))
    known = list(numbers(said))
    rows = []
    for each in runs.values():
        found = each[0][2]
        apart = [abs(a - b) for a, b in zip(known, numbers(found), strict=True) if a != b]
        rows.append(
            {
                "mebibytes": size,
                "by": "NumPy" if found.device == CPU else found.device,
                "first": round(each[0][0], 2),
                "seconds": round(_seconds(each), 2),
                "processor_seconds": round(min(spent for _, spent, _ in each[1:]), 2),
                "times": round(fastest / _seconds(each), 2),
                "other_words": sum(a.word != b.word for a, b in zip(said.findings, found.findings, strict=True)),
                "other_numbers": f"{len(apart)} of {len(known)}",
                "largest": f"{max(apart, default=0.0):.2g}",
            }
        )
    return rows


def _seconds(runs: Sequence[tuple[float, float, Audit]]) -> float:
    return min(seconds for seconds, _, _ in runs[1:])


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
    parser.add_argument("--libraries", nargs="+", default=["torch"], choices=LIBRARIES)
    parser.add_argument("--pairs", type=int, nargs="+", default=[256, 1024], metavar="MiB")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where checkpoints are generated")
    asked = parser.parse_args()
    devices = {CPU: NUMPY}
    for library in asked.libraries:
        arrays = LIBRARIES[library](0)
        if arrays is None:
            parser.error(f"{library} finds no graphics processor here")
        devices[library] = arrays
    rows: list[dict[str, Any]] = []
    command = f"python -m benchmarks.lineage.device {shlex.join(sys.argv[1:])}".strip()
    for mebibytes in asked.pairs:
        with tempfile.TemporaryDirectory(dir=asked.folder) as made:
            one, other = (generated(Path(made) / name, mebibytes, seed) for seed, name in enumerate("ab"))
            rows += measure((one, other), devices, asked.turns)
        print(*rows[-len(devices) :], sep="\n", flush=True)
        write_results(command, rows)


def write_results(command: str, rows: list[dict[str, Any]]) -> None:
    """What was measured so far, as data and as a page."""
    results = {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": rows,
    }
    (RESULTS / "device.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    lines = [
        "# The audit of a pair on a device",
        "",
        f"`{results['command']}`, commit {results['commit']}, {results['date']}, {results['machine']}.",
        "",
        "Two strangers of one shape, audited by NumPy on the processor's cores and by a graphics processor, by turns",
        "in one process, files in memory. `first` brings the library's kernels; `then` is the fastest of the audits",
        "after it. Numbers that differ are those of the audits' JSON, of six decimals; p-values are powers of ten.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(f"| {' | '.join(str(row[column]) for column in COLUMNS.values())} |" for row in rows),
    ]
    (RESULTS / "device.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
