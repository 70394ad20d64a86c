"""Kinships one by one, beside what was aimed at before the audit was built; and matching at full size.

    python -m benchmarks.lineage.figures --zoo build/held-out

The aims were measured on other models (three layers of 512 neurons, one draw), so shares compare, and p-values only
in kind: 480 neurons cannot give what 1,536 do. Results go to benchmarks/lineage/results/figures.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.lineage.models import KEY, opened, worn
from benchmarks.lineage.protocol import RESULTS, commit, table
from dokja.lineage import Finding, audit
from dokja.lineage.statistics import unit_rows
from dokja.lineage.statistics.labels import mutual_neighbours
from dokja.lineage.statistics.units import Matrix

PARENT = "stranger-00"


@dataclass(frozen=True)
class Aim:
    """A relation to the parent, and what was aimed at: the share of neurons that bear their own label, log10 of its
    p-value, the share of compared neurons that answer alike (T3); of relatives at least."""

    what: str
    specimen: str
    dress: str
    own: float | None = None
    log10_p: float | None = None
    alike: float | None = None


AIMS = (
    Aim("trained on for twice the steps", f"{PARENT}.continued", "none", own=1519 / 1536, log10_p=-3260),
    Aim("the same in four bits", f"{PARENT}.continued", "int4", own=1518 / 1536, log10_p=-3258),
    Aim("the same, permuted, scaled and rotated", f"{PARENT}.continued", "scrambled", alike=822 / 1136),
    Aim("a tenth of it, blended with a stranger", f"{PARENT}.blend-0.1", "none", own=41 / 1536, log10_p=-25),
    Aim("pruned to half of its width", f"{PARENT}.narrowed", "none", alike=762 / 768),
    Aim("another seed, same data and order", "twin-00", "none", own=2 / 1536, log10_p=0, alike=2 / 144),
    Aim("distilled from it", f"{PARENT}.taught-by-it", "none", own=1 / 1536, log10_p=0, alike=2 / 227),
    Aim("only its embeddings", f"{PARENT}.with-its-embeddings", "none", own=3 / 1536, log10_p=0),
    Aim("its seed, other data", f"{PARENT}.same-seed", "none", own=98 / 1536, log10_p=-95),
)


@dataclass(frozen=True)
class Row:
    """What was found of the text decoder, and the words of all components."""

    aim: Aim
    own: int
    units: int
    log10_p: float
    smallest_log10_p: float
    agreed: int
    compared: int
    words: Mapping[str, str]


def row(zoo: Path, aim: Aim) -> Row:
    """One pair."""
    with worn(zoo, aim.specimen, aim.dress) as mine, opened(mine, zoo / PARENT) as (left, right):
        found: dict[str, Finding] = {each.component: each for each in audit(left, [right], key=KEY).findings}
    decoder = found["text-decoder"]
    labels = next(test for test in decoder.tests if test.name == "labels")
    answers = decoder.anchored
    return Row(
        aim=aim,
        own=labels.fixed,
        units=labels.units,
        log10_p=round(labels.log10_p, 1),
        smallest_log10_p=round(min(test.log10_p for test in decoder.tests), 1),
        agreed=0 if answers is None else answers.agreed,
        compared=0 if answers is None else answers.compared,
        words={component: each.word for component, each in found.items()},
    )


@dataclass(frozen=True)
class Timed:
    """The matching of neighbours at full size, beside its aim."""

    what: str
    found: float
    aim: float


UNITS, WIDTH, SAMPLE = 11_008, 4_096, 1_024


def timed() -> Iterator[Timed]:
    """The matching of 11,008 units of 4,096 numbers, on one core."""
    random = np.random.default_rng(KEY)
    left = unit_rows(random.standard_normal((UNITS, WIDTH), dtype=np.float32))
    with threadpool_limits(limits=1, user_api="blas"):
        right = unit_rows(_blended(random, left.rows, 0.0))
        yield from _beyond("unrelated rows", left.rows, right.rows, 2.2)
        near = unit_rows(_blended(random, left.rows, 0.15))
        chosen = np.sort(random.choice(UNITS, SAMPLE, replace=False))
        own = float(np.mean(mutual_neighbours(left.rows[chosen], near.rows)[0] == chosen))
        yield Timed(f"share of {SAMPLE:,} units that find their own among all others, ρ = 0.15", own, 1.0)
        yield from _beyond(f"these {SAMPLE:,} with all others", left.rows[chosen], near.rows, 0.5)


def _beyond(what: str, left: Matrix, right: Matrix, aim: float) -> Iterator[Timed]:
    """Matching does the product too; what it takes beyond that is what its way of matching costs."""
    product, matched = (
        min(_seconds(call) for _ in range(3))
        for call in (lambda: left @ right.T, lambda: mutual_neighbours(left, right))
    )
    yield Timed(
        f"seconds to match {what}, beyond the {product:.2g} of their product", max(0.0, matched - product), aim
    )


def _blended(random: np.random.Generator, rows: Matrix, share: float) -> Matrix:
    """Rows of independent numbers, of which so much is those of the given rows."""
    fresh = random.standard_normal(rows.shape, dtype=np.float32)
    fresh *= np.float32(np.sqrt(1 - share**2))
    fresh += np.float32(share * np.sqrt(WIDTH)) * rows
    return fresh


def _seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def told(found: Row) -> Sequence[object]:
    """A line of the table."""
    aim = found.aim
    return (
        aim.what,
        _beside(found.own, found.units, aim.own),
        f"{found.log10_p:g}" + ("" if aim.log10_p is None else f" ({aim.log10_p:g})"),
        f"{found.smallest_log10_p:g}",
        _beside(found.agreed, found.compared, aim.alike),
        "; ".join(f"{component} {word}" for component, word in sorted(found.words.items())),
    )


def _beside(part: int, whole: int, aim: float | None) -> str:
    share = f"{part / whole:.1%}" if whole else "–"
    return f"{part} of {whole} ({share}{'' if aim is None else f'; {aim:.1%}'})"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--zoo", type=Path, default=Path("build/zoo"))
    asked = parser.parse_args()
    rows, times = [row(asked.zoo, aim) for aim in AIMS], list(timed())
    results = {
        "command": f"python -m benchmarks.lineage.figures {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "kinships": [asdict(each) for each in rows],
        "statistics": [asdict(each) for each in times],
    }
    (RESULTS / "figures.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    head = (
        "relation",
        "own labels",
        "log10 p of these",
        "smallest of all tests",
        "neurons that answer alike",
        "words",
    )
    lines = [
        "# Kinships one by one, and what was aimed at",
        "",
        f"`{results['command']}`, commit {results['commit']}, {results['date']}.",
        "",
        "Of the text decoder, against its parent. In brackets the share, and after it what was aimed at, which was",
        "measured on other models: shares compare, p-values only in kind.",
        "",
        *table(head, map(told, rows)),
        "",
        f"## {UNITS:,} units of {WIDTH:,} numbers, one core, processor seconds",
        "",
        *table(("what", "found", "aim"), ((each.what, f"{each.found:.2g}", f"{each.aim:g}") for each in times)),
    ]
    (RESULTS / "figures.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
