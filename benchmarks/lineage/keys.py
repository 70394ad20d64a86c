"""Do the words of an audit turn on its key? Known kin, scrambled and not, and strangers, each with many keys.

    python -m benchmarks.lineage.keys --zoo build/held-out

The key draws which units, words, layers and experts are looked at. What is not grown in the zoo is not asked. Results
go to benchmarks/lineage/results/keys.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.lineage.models import opened, worn
from benchmarks.lineage.protocol import RESULTS, commit, grown
from dokja.lineage import audit

KEYS = tuple(range(10))

PAIRS = (
    ("sparse-00.continued", "sparse-00", "none"),
    ("sparse-00.continued", "sparse-00", "scrambled"),
    ("sparse-00.continued", "sparse-00", "rotated"),
    ("sparse-01.tuned", "sparse-01", "scrambled"),
    ("sparse-00.same-seed", "sparse-00", "none"),
    ("sparse-00.same-seed", "sparse-00", "scrambled"),
    ("sparse-01", "sparse-00", "scrambled"),
    ("sparse-twin-00", "sparse-00", "none"),
    ("stranger-00.continued", "stranger-00", "none"),
    ("stranger-00.continued", "stranger-00", "scrambled"),
    ("stranger-00.shallow", "stranger-00", "none"),
    ("stranger-00.shallow", "stranger-00", "scrambled"),
    ("stranger-00.deepened", "stranger-00", "scrambled"),
    ("stranger-00.upcycled-4", "stranger-00", "scrambled"),
    ("stranger-00.same-seed", "stranger-00", "scrambled"),
    ("stranger-00.shallow", "stranger-01", "scrambled"),
    ("stranger-00.deepened", "stranger-01", "none"),
    ("stranger-01", "stranger-00", "none"),
)
"""Submission, reference, and the submission's disguise."""


def words(zoo: Path, pair: tuple[str, str, str]) -> dict[str, dict[str, int]]:
    """Of each component, how many keys give which word."""
    name, other, dress = pair
    found: dict[str, Counter[str]] = {}
    with worn(zoo, name, dress) as mine:
        for key in KEYS:
            with opened(mine, zoo / other, key=key) as (left, right):
                for each in audit(left, [right], key=key).findings:
                    found.setdefault(each.component, Counter())[each.word] += 1
    return {component: dict(counts) for component, counts in found.items()}


def main() -> None:
    """Count, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--zoo", type=Path, default=Path("build/zoo"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked, started = parser.parse_args(), time.perf_counter()
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    pairs = [pair for pair in PAIRS if grown(asked.zoo, *pair[:2])]
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        table = dict(zip(pairs, pool.map(partial(words, asked.zoo), pairs), strict=True))
    results = {
        "command": f"python -m benchmarks.lineage.keys {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "seconds": round(time.perf_counter() - started),
        "keys": KEYS,
        "words": [
            {"submission": name, "reference": other, "disguise": dress, "words": found}
            for (name, other, dress), found in table.items()
        ],
    }
    (RESULTS / "keys.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    lines = [
        "# Words by key",
        "",
        f"`{results['command']}`, commit {results['commit']}, {results['date']}, {results['seconds']} s.",
        "",
        f"How many of {len(KEYS)} keys give each word: where there is one word, it did not turn on the key.",
        "",
        "| submission | reference | disguise | component | words |",
        "|---|---|---|---|---|",
    ]
    for (name, other, dress), found in table.items():
        for component, counts in found.items():
            said = ", ".join(f"{word} {count}" for word, count in sorted(counts.items()))
            lines.append(f"| {name} | {other} | {dress} | {component} | {said} |")
    (RESULTS / "keys.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
