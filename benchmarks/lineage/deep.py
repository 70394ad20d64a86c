"""What the audit sees of deep models, of which it looks at fewer units, and whether its `power` claims too much.

    python -m benchmarks.lineage.deep

Decoders drawn at random, of 8, 24 and 48 layers: of one the share ρ, of a stranger √(1 − ρ²), in every matrix. They
are not trained: rows of independent Gaussian numbers are what `power` assumes. Results go to
benchmarks/lineage/results/power-deep.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.lineage.models import KEY, opened
from benchmarks.lineage.protocol import RESULTS, commit
from benchmarks.training.checkpoint import Floats, kept, write
from benchmarks.training.network import Shape, Text, draw
from dokja.lineage import Finding, audit
from dokja.lineage.judging import ACCUSES_AT

DEPTHS = (8, 24, 48)
WIDE = Text(width=128, hidden=512, heads=8, key_heads=8)
CORRELATIONS = (0.0, 0.003, 0.005, 0.007, 0.01, 0.02, 0.1, 0.5)
PAIRS = 4


@dataclass(frozen=True)
class Seen:
    """One pair: how deep, how much of the parent, whether it was told, which tests reached the accusing p-value, and
    the correlation that would have been seen with probability 0.99, where that was claimed."""

    depth: int
    correlation: float
    told: bool
    tests: Mapping[str, bool]
    claimed: float | None


def pairs(depth: int, number: int) -> list[Seen]:
    """Two strangers of one depth, and every blend of them against the second."""
    shape = Shape(text=replace(WIDE, layers=depth))
    mine, his = (draw(shape, np.random.default_rng((KEY, depth, number, side))) for side in (0, 1))
    found = []
    with tempfile.TemporaryDirectory() as made:
        write(Path(made) / "parent", kept(his), shape)
        for correlation in CORRELATIONS:
            write(Path(made) / "child", kept(dict(_blended(mine, his, correlation))), shape)
            with opened(Path(made) / "child", Path(made) / "parent") as (left, right):
                findings = audit(left, [right], key=KEY).findings
            found.append(
                _seen(depth, correlation, next(each for each in findings if each.component == "text-decoder"))
            )
    return found


def _blended(
    mine: Mapping[str, Floats], his: Mapping[str, Floats], correlation: float
) -> Iterator[tuple[str, Floats]]:
    for name, value in mine.items():
        yield name, (value if value.ndim < 2 else correlation * his[name] + (1 - correlation**2) ** 0.5 * value)


def _seen(depth: int, correlation: float, finding: Finding) -> Seen:
    return Seen(
        depth=depth,
        correlation=correlation,
        told=finding.dependent,
        tests={test.name: test.log10_p <= ACCUSES_AT for test in finding.tests if test.groups},
        claimed=None if finding.power is None else finding.power.correlation,
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked, started = parser.parse_args(), time.perf_counter()
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(pairs, depth, number) for depth in DEPTHS for number in range(PAIRS)]
        seen = [each for job in jobs for each in job.result()]
    rows = [_row([each for each in seen if (each.depth, each.correlation) == at]) for at in _places()]
    results = {
        "command": "python -m benchmarks.lineage.deep",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "seconds": round(time.perf_counter() - started),
        "key": KEY,
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "power-deep.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "power-deep.md").write_text("\n".join(_page(results, rows)) + "\n", encoding="utf-8")


def _places() -> list[tuple[int, float]]:
    return [(depth, correlation) for depth in DEPTHS for correlation in CORRELATIONS]


def _row(seen: list[Seen]) -> dict[str, object]:
    """The shares of the pairs of one depth and correlation; the largest claim."""
    claims = [each.claimed for each in seen if each.claimed is not None]
    return {
        "layers": seen[0].depth,
        "correlation": seen[0].correlation,
        "told": float(np.mean([each.told for each in seen])),
        "claimed": max(claims) if claims and not seen[0].correlation else None,
        "tests": {name: float(np.mean([each.tests[name] for each in seen])) for name in seen[0].tests},
    }


def _page(results: Mapping[str, object], rows: list[dict[str, object]]) -> Iterator[str]:
    names = sorted({name for row in rows if isinstance(row["tests"], dict) for name in row["tests"]})
    yield "# The power of the audit of deep models"
    yield ""
    made = f"commit {results['commit']}, {results['date']}, {results['seconds']} s, key {KEY}"
    yield f"`{results['command']}`, {made}."
    yield ""
    yield f"Decoders of width {WIDE.width} with {WIDE.hidden} neurons and {WIDE.heads} heads in each layer,"
    yield f"{PAIRS} pairs. Told: the share of pairs of which the text decoder is told as dependent. Claimed: the"
    yield "correlation that the audit of the strangers says it would have seen with probability 0.99. Tests: p at"
    yield "most 1e-6, before Holm."
    yield ""
    yield f"| layers | ρ | told | claimed | {' | '.join(f'`{name}`' for name in names)} |"
    yield "|---" * (4 + len(names)) + "|"
    for row in rows:
        claimed = f"{row['claimed']:.3f}" if row["claimed"] is not None else ""
        tests = row["tests"] if isinstance(row["tests"], dict) else {}
        shares = " | ".join(f"{tests[name]:.2f}" for name in names)
        yield f"| {row['layers']} | {row['correlation']:g} | {row['told']:.2f} | {claimed} | {shares} |"


if __name__ == "__main__":
    main()
