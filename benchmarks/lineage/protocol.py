"""The protocol by which the audit is judged: how often strangers are accused, and what of every kinship is found.

    python -m benchmarks.lineage.protocol --zoo build/held-out --weights ../shared/weights

The zoo is grown first (`python -m benchmarks.training.zoo build/held-out --draw 2`), or as much of it as there is
time for: what is not there is not asked. No threshold was ever set on that draw. Every pair is audited by itself, so
that no correction for other references protects it. Results go to benchmarks/lineage/results/protocol.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from scipy.stats import beta, kstest

from benchmarks.lineage.models import KEY, Labelled, labelled, opened, unrelated, worn
from benchmarks.training.checkpoint import WEIGHTS, kept, read, write
from benchmarks.training.zoo import COMPONENTS, SPECIMENS, TINY, Component, related
from dokja.lineage import Audit, Reference, audit
from dokja.lineage.judging import ACCUSES_AT
from dokja.lineage.library import build, open_library, sketches
from dokja.lineage.library.sketching import SUMS

RESULTS = Path(__file__).parent / "results"

NULLS = tuple(name for name in SPECIMENS if "." not in name)
PARENTS = (*(f"stranger-{number:02}" for number in range(4)), "headed-00", "sparse-00", "sparse-01", "single-00")
PLAIN = ("none", "int8", "fp8", "int4", "more-words", "fused", "renamed", "transposed", "sorted-by-norm")
WORDS = ("other-rows", "fewer-rows", "false-words")
DISGUISES = (*PLAIN, *WORDS, "permuted", "scaled", "rotated", "scrambled")
ALL_DISGUISES = ("continued", "low-rank", "deepened", "narrowed", "upcycled-2")
"""Kinds that are tried in every disguise; of the others, some."""

FEW = ("none", "int4", "scrambled")
ACCUSING = ("identical", "derived", "common-initialisation", "pruned", "deepened", "upcycled", "merged")


@dataclass(frozen=True)
class Pair:
    """What an audit said of one component of one pair, and what is true of it."""

    submission: str
    reference: str
    kind: str
    disguise: str
    component: str
    word: str
    truth: str
    log10_p: float | None
    tests: Mapping[str, float]
    agreed: float | None
    layers: tuple[int | None, ...] = ()
    shares: Mapping[str, float] | None = None
    step0: float | None = None


def _pairs(said: Audit, kind: str, disguise: str, truth: str | None = None) -> list[Pair]:
    """What was said of every component that could be asked; `truth` where it does not stand in the zoo's table."""
    return [
        Pair(
            submission=said.submission,
            reference=found.reference,
            kind=kind,
            disguise=disguise,
            component=found.component,
            word=found.word,
            truth=truth or _truth(said.submission, found.reference, found.component),
            log10_p=found.log10_p,
            tests={test.name: test.log10_p for test in found.tests if test.groups},
            agreed=None if found.anchored is None else found.anchored.share,
            layers=tuple(row.from_layer for row in found.layer_map),
            shares=dict(found.shares) or None,
            step0=found.step0,
        )
        for found in said.findings
        if found.word != "not-assessed"
    ]


def _truth(one: str, other: str, component: str) -> str:
    if one not in SPECIMENS or other not in SPECIMENS:
        return "no-evidence"
    part: Component = next((known for known in COMPONENTS if known == component), "text-decoder")
    return related(one, other, part)


def grown(zoo: Path, *names: str) -> bool:
    """Whether these specimens are there."""
    return all((zoo / name / WEIGHTS).exists() for name in names)


def strangers(zoo: Path, turn: int, turns: int) -> list[Pair]:
    """Every pair of independent zoo models of one shape, each by itself; one share of them for each process."""
    found: list[Pair] = []
    with opened(*(zoo / name for name in NULLS if grown(zoo, name))) as models:
        pairs = [
            pair for pair in combinations(models, 2) if SPECIMENS[pair[0].name].text == SPECIMENS[pair[1].name].text
        ]
        for one, other in pairs[turn::turns]:
            twins = [SPECIMENS[each.name].data for each in (one, other)]
            kind = "same data and order, other seed" if twins[0] == twins[1] else "other seed, other data"
            found += _pairs(audit(one, [other], key=KEY), kind, "none")
    return found


def depths(zoo: Path, turn: int, turns: int) -> list[Pair]:
    """What was made of one parent by leaving layers out or doubling them, against strangers of other depths."""
    made = [name for name, specimen in SPECIMENS.items() if specimen.layers and grown(zoo, name)]
    found: list[Pair] = []
    pairs = [
        pair
        for one in made
        for other in (*NULLS, *made)
        if grown(zoo, other) and _unlike(one, other)
        for pair in ((one, other), (other, one))
    ]
    for names in list(dict.fromkeys(pairs))[turn::turns]:
        with opened(*(zoo / name for name in names)) as (one, other):
            found += _pairs(audit(one, [other], key=KEY), "strangers of other depths", "none")
    return found


def _unlike(one: str, other: str) -> bool:
    """Of another depth and else of one shape, and of other parents."""
    shapes = [SPECIMENS[name].text for name in (one, other)]
    return (
        shapes[0].layers != shapes[1].layers
        and shapes[0] == replace(shapes[1], layers=shapes[0].layers)
        and related(one, other, "text-decoder") == "no-evidence"
    )


def nameless(zoo: Path, turn: int, turns: int) -> list[Pair]:
    """Independent zoo models whose names say nothing: shapes say what an axis is, and squares are asked."""
    names = [name for name in NULLS if name.startswith("crowd") and grown(zoo, name)][:NAMELESS_MODELS]
    found: list[Pair] = []
    with ExitStack() as stack:
        models = stack.enter_context(opened(*(stack.enter_context(worn(zoo, name, "renamed")) for name in names)))
        for one, other in list(combinations(models, 2))[turn::turns]:
            found += _pairs(audit(one, [other], key=KEY), "nameless", "renamed", "no-evidence")
    return found


NAMELESS_MODELS = 40


def moved(zoo: Path, turn: int, turns: int) -> list[Pair]:
    """Independent zoo models, the words of one of which stand in other rows, are fewer, or are not its own."""
    names = [name for name in NULLS if name.startswith("crowd") and grown(zoo, name)][:MOVED_MODELS]
    found: list[Pair] = []
    for place, one in enumerate(names):
        dress = WORDS[place % len(WORDS)]
        with worn(zoo, one, dress) as path, opened(path, *(zoo / name for name in names[place + 1 :])) as models:
            for other in models[1:][turn::turns]:
                found += _pairs(audit(models[0], [other], key=KEY), "words in other rows", dress, "no-evidence")
    return found


MOVED_MODELS = 40


def real_strangers(weights: Path, turn: int, turns: int) -> list[Pair]:
    """Real checkpoints of different repositories."""
    found: list[Pair] = []
    for one, other in list(unrelated(weights))[turn::turns]:
        with opened(one, other) as (left, right):
            said = audit(left, [right], key=KEY)
        found += _pairs(said, "real, different repositories", "none", "no-evidence")
    return found


def kin(zoo: Path, turn: int, turns: int) -> list[Pair]:
    """Every specimen that was made of a parent against that parent, in its disguises; also disguised strangers."""
    tasks = [
        (name, parent, disguise)
        for parent in PARENTS
        for name in SPECIMENS
        if name.startswith(f"{parent}.") and not name.endswith("step-0") and SPECIMENS[name].kind != "merged"
        if grown(zoo, name, parent)
        for disguise in (DISGUISES if name.split(".", 1)[1] in ALL_DISGUISES else FEW)
        if not (disguise in ("fused", "transposed") and SPECIMENS[name].text.experts)
    ]
    # Strangers in disguise, and strangers both sorted by norm, must stay silent.
    tasks += [(PARENTS[1], PARENTS[0], disguise) for disguise in DISGUISES if grown(zoo, *PARENTS[:2])]
    found: list[Pair] = []
    for name, parent, disguise in tasks[turn::turns]:
        other = disguise if disguise == "sorted-by-norm" else "none"
        with worn(zoo, name, disguise) as mine, worn(zoo, parent, other) as his, opened(mine, his) as (left, right):
            said = audit(left, [right], key=KEY)
        kind = SPECIMENS[name].kind if "." in name else "stranger"
        found += _pairs(said, kind, disguise)
    return found


SHELVED = 64
"""How many units of an axis a library keeps, of the 160 neurons of a layer."""


def shelved(zoo: Path, turn: int, turns: int) -> list[Pair]:
    """Against a library: strangers that are scrambled, kin as they stand and scrambled, each pair by itself."""
    names = [name for name in NULLS if SPECIMENS[name].text == TINY and grown(zoo, name)]
    tasks = [(one, other, "scrambled") for one, other in combinations(names, 2)]
    tasks += [
        (name, parent, disguise)
        for name, specimen in SPECIMENS.items()
        for parent in PARENTS
        if name.startswith(f"{parent}.") and specimen.steps and specimen.kind != "merged" and parent in names
        if grown(zoo, name)
        for disguise in FEW
    ]
    found: list[Pair] = []
    with tempfile.TemporaryDirectory() as made:
        build(Path(made), {name: zoo / name for name in names}, key=KEY, units=SHELVED, workers=1)
        library = open_library(made)
        for name, other, disguise in tasks[turn::turns]:
            with worn(zoo, name, disguise) as mine, opened(mine) as (left,), library.pack(other) as pack:
                said = audit(left, [Reference(other, pack)], key=KEY)
            kind = SPECIMENS[name].kind if "." in name else SHELVED_STRANGERS
            found += _pairs(said, kind if kind == SHELVED_STRANGERS else f"{kind}, from a library", disguise)
    return found


SHELVED_STRANGERS = "scrambled strangers, from a library"


def siblings(zoo: Path) -> list[Pair]:
    """Children of one parent against each other: a common ancestor."""
    found: list[Pair] = []
    for parent in PARENTS:
        if grown(zoo, *(names := (f"{parent}.sibling-1", f"{parent}.sibling-2"))):
            with opened(*(zoo / name for name in names)) as (one, other):
                found += _pairs(audit(one, [other], key=KEY), "common ancestor", "none")
    return found


def begun(zoo: Path) -> list[Pair]:
    """The challenge of the same seed: with the checkpoint of step 0."""
    found: list[Pair] = []
    for parent in PARENTS:
        for kind in ("same-seed", "continued", "tuned", "far", "low-rank"):
            names = (f"{parent}.{kind}", parent, f"{parent}.step-0")
            if not grown(zoo, *names):
                continue
            with opened(*(zoo / name for name in names)) as (mine, his, start):
                found += _pairs(audit(mine, [his], key=KEY, step0=start), f"{kind}, step 0 known", "none")
    return found


def merges(zoo: Path) -> list[Pair]:
    """Every merge against its parents together."""
    found: list[Pair] = []
    for name, specimen in SPECIMENS.items():
        if specimen.kind == "merged" and grown(zoo, name, *specimen.parents):
            with opened(zoo / name, *(zoo / parent for parent in specimen.parents)) as (mine, *parents):
                found += _pairs(audit(mine, parents, key=KEY), name.split(".", 1)[1], "none")
    return found


CORRELATIONS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8)
BLENDED = 8
"""How many pairs of strangers are blended for each correlation."""


def powers(zoo: Path) -> dict[str, dict[str, list[float]]]:
    """Of the parent's weights ρ, of an unrelated model's √(1 − ρ²), tensor by tensor at equal scale: what is seen.

    By correlation: the share of pairs of which each component was told as dependent, and in which each test of the
    text decoder reached the accusing p-value.
    """
    names = [name for name in NULLS if SPECIMENS[name].text == SPECIMENS[PARENTS[0]].text and grown(zoo, name)]
    pairs = list(zip(names[1:], names, strict=False))[:BLENDED]
    table: dict[str, dict[str, list[float]]] = {}
    for one, other in pairs:
        mine, his = read(zoo / one), read(zoo / other)
        for correlation in CORRELATIONS:
            blend = {
                name: correlation * his[name] / (his[name].std() or 1.0)
                + np.sqrt(1 - correlation**2) * value / (value.std() or 1.0)
                for name, value in mine.items()
            }
            with tempfile.TemporaryDirectory() as made:
                write(Path(made) / one, kept(blend), SPECIMENS[one].shape)
                with opened(Path(made) / one, zoo / other) as (left, right):
                    said = audit(left, [right], key=KEY)
            row = table.setdefault(f"{correlation:g}", {})
            for each in said.findings:
                row.setdefault(each.component, []).append(float(each.dependent))
                if each.component == "text-decoder":
                    for test in each.tests:
                        if test.groups:
                            row.setdefault(f"`{test.name}`", []).append(float(test.log10_p <= ACCUSES_AT))
    return table


LIBRARY = 10_000
RECALLED = 20


def recall(zoo: Path) -> dict[str, dict[str, int]]:
    """Of every kind of kin: how often the parent is among the 20 closest of 10,000 references, by sketches alone.

    The references are the strangers of the zoo, and directions drawn at random, as strangers' sketches are.
    """
    random = np.random.default_rng(KEY)
    names = [name for name in NULLS if grown(zoo, name)]
    table: dict[str, dict[str, int]] = {}
    with opened(*(zoo / name for name in names)) as models:
        known = {
            name: sketches(model.reader)["text-decoder"].values for name, model in zip(names, models, strict=True)
        }
    others = random.standard_normal((LIBRARY - len(known), SUMS)).astype(np.float32)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    rows = np.concatenate([np.stack(list(known.values())), others])
    for name, specimen in SPECIMENS.items():
        if not specimen.parents or "text-decoder" not in specimen.inherits or not grown(zoo, name, *specimen.parents):
            continue
        with opened(zoo / name) as (mine,):
            sketch = sketches(mine.reader)["text-decoder"].values
        nearest = set(np.argsort(-(rows @ sketch), kind="stable")[:RECALLED].tolist())
        places = [list(known).index(parent) for parent in specimen.parents if parent in known]
        tally = table.setdefault(name.split(".", 1)[1], {"found": 0, "asked": 0})
        tally["found"] += sum(place in nearest for place in places)
        tally["asked"] += len(places)
    return table


def confusion(pairs: Sequence[Pair]) -> dict[str, dict[str, int]]:
    """Of every component: truly dependent or not, and told as such or not (what is disguised only by its storage)."""
    table: dict[str, Counter[str]] = {}
    for pair in pairs:
        if pair.disguise in STORED and pair.component in COMPONENTS:
            true = "dependent" if pair.truth != "no-evidence" else "independent"
            said = "told" if pair.word in ACCUSING else "silent"
            table.setdefault(pair.component, Counter())[f"{true}, {said}"] += 1
    return {component: dict(counts) for component, counts in table.items()}


STORED = ("none", "int8", "fp8", "int4", "fused")
"""Disguises that change how numbers are stored and no label."""


def agreements(pairs: Sequence[Pair]) -> dict[str, dict[str, Any]]:
    """T3: the share of compared neurons of the text decoder that agree, by kind and disguise: least and largest."""
    table: dict[str, list[float]] = {}
    for pair in pairs:
        if pair.component in ("text-decoder", "experts") and pair.agreed is not None:
            table.setdefault(f"{pair.kind}, {pair.disguise}", []).append(pair.agreed)
    return {
        kind: {"pairs": len(shares), "least": round(min(shares), 3), "largest": round(max(shares), 3)}
        for kind, shares in table.items()
    }


def real(weights: Path) -> list[Pair]:
    """The labelled pairs of real checkpoints."""
    found: list[Pair] = []
    for pair in labelled(weights):
        found += real_pair(pair)
    return found


def real_pair(pair: Labelled) -> list[Pair]:
    """One labelled pair."""
    with opened(pair.left, pair.right) as (one, other):
        said = audit(other, [one], key=KEY)
    return _pairs(said, f"{pair.name} {pair.relation}", "none", pair.label)


def upper(failures: int, trials: int, confidence: float = 0.95) -> float:
    """The Clopper–Pearson bound: the largest rate that so few failures leave possible."""
    return 1.0 if failures >= trials else float(beta.ppf(confidence, failures + 1, trials - failures))


def null_figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Accusations of strangers, and whether p-values are anywhere smaller than chance would have them."""
    accused = [pair for pair in pairs if pair.word in ACCUSING]
    return {
        "pairs": len(pairs),
        "model_pairs": len({(pair.submission, pair.reference) for pair in pairs}),
        "accused": len(accused),
        "accused_at_most": upper(len(accused), len(pairs)),
        "rearranged": sum(pair.word == "rearranged" for pair in pairs),
        "rearranged_at_most": upper(sum(pair.word == "rearranged" for pair in pairs), len(pairs)),
        "words": dict(Counter(pair.word for pair in pairs)),
        "smallest_adjusted_log10_p": min((pair.log10_p for pair in pairs if pair.log10_p is not None), default=None),
        "who": [f"{pair.submission} / {pair.reference} / {pair.component}: {pair.word}" for pair in accused][:20],
        "tests": {
            name: _uniformity([pair.tests[name] for pair in pairs if name in pair.tests])
            for name in sorted({name for pair in pairs for name in pair.tests})
        },
    }


def _uniformity(logs: Sequence[float]) -> dict[str, float]:
    """One-sided Kolmogorov–Smirnov: how far the p-values lie above the diagonal, where a test would be too bold."""
    values = np.minimum(1.0, 10.0 ** np.asarray(logs))
    result = kstest(values, "uniform", alternative="greater")
    return {
        "tests": len(values),
        "above_uniform": round(float(result.statistic), 5),
        "ks_p": round(float(result.pvalue), 4),
        "below_0.05": round(float((values <= 0.05).mean()), 5),
        "below_0.01": round(float((values <= 0.01).mean()), 5),
        "below_0.001": round(float((values <= 0.001).mean()), 5),
        "smallest_log10_p": round(float(min(logs)), 2),
    }


def words_table(pairs: Sequence[Pair]) -> dict[str, dict[str, dict[str, int]]]:
    """Words by kind (and component), by disguise."""
    table: dict[str, dict[str, Counter[str]]] = {}
    for pair in pairs:
        row = table.setdefault(f"{pair.kind} · {pair.component} · {pair.truth}", {})
        row.setdefault(pair.disguise, Counter())[pair.word] += 1
    return {kind: {disguise: dict(words) for disguise, words in row.items()} for kind, row in sorted(table.items())}


def seed_figures(pairs: Sequence[Pair]) -> dict[str, dict[str, int]]:
    """Models of one seed that never saw each other: how many are called derived for certain, which they never may."""
    table: dict[str, Counter[str]] = {}
    for pair in pairs:
        if pair.truth == "common-initialisation":
            table.setdefault("step 0 known" if pair.step0 is not None else "step 0 not known", Counter())[
                "falsely derived" if pair.word in CERTAIN else pair.word
            ] += 1
    return {kind: dict(words) for kind, words in table.items()}


CERTAIN = tuple(word for word in ACCUSING if word != "common-initialisation")


def map_figures(pairs: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """Of deepened, shallow and upcycled specimens told as such: how many layers (experts) have the right origin."""
    counts: dict[str, Counter[str]] = {}
    for pair in pairs:
        specimen = SPECIMENS.get(pair.submission)
        if specimen is None or pair.word not in ("deepened", "upcycled") or pair.kind not in MAPPED:
            continue
        if pair.component != ("experts" if specimen.text.experts else "text-decoder"):
            continue
        wanted = specimen.layers or tuple(
            layer for layer in range(specimen.text.layers) for _ in range(specimen.text.experts)
        )
        tally = counts.setdefault(pair.kind, Counter())
        tally["right"] += sum(a == b for a, b in zip(wanted, pair.layers, strict=False))
        tally["asked"] += len(wanted)
    return {kind: {"right": tally["right"], "asked": tally["asked"]} for kind, tally in counts.items()}


MAPPED = ("deepened", "shallow", "upcycled-2", "upcycled-4")


def share_figures(pairs: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """Of merges: the largest error of a share, and how many were told as merged."""
    figures: dict[str, dict[str, float]] = {}
    for pair in pairs:
        specimen = SPECIMENS[pair.submission]
        row = figures.setdefault(pair.kind, {"findings": 0, "merged": 0, "dependent": 0, "largest_error": 0.0})
        row["findings"] += 1
        row["dependent"] += pair.word in ACCUSING
        if pair.shares:
            row["merged"] += 1
            true = dict(zip(specimen.parents, specimen.shares, strict=True))
            row["largest_error"] = max(
                row["largest_error"], *(abs(pair.shares.get(name, 0.0) - share) for name, share in true.items())
            )
    return figures


STAGES = (
    *("strangers", "depths", "nameless", "other rows", "real", "real strangers"),
    *("siblings", "begun", "merges", "kin", "library", "powers", "recall"),
)


def main() -> None:
    """Run the protocol and write its results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--zoo", type=Path, default=Path("build/zoo"))
    parser.add_argument("--weights", type=Path, default=Path("../shared/weights"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES, help="which parts to run")
    parser.add_argument("--into", default="protocol", help="name of the results")
    asked = parser.parse_args()
    started, turns = time.perf_counter(), asked.processes
    # Each process is one core's work: threads within it would only get in each other's way.
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with ProcessPoolExecutor(turns, mp_context=get_context("spawn")) as pool:
        jobs = {
            "strangers": [partial(strangers, asked.zoo, turn, turns) for turn in range(turns)],
            "depths": [partial(depths, asked.zoo, turn, turns) for turn in range(turns)],
            "nameless": [partial(nameless, asked.zoo, turn, turns) for turn in range(turns)],
            "other rows": [partial(moved, asked.zoo, turn, turns) for turn in range(turns)],
            "real": [partial(real, asked.weights)],
            "real strangers": [partial(real_strangers, asked.weights, turn, turns) for turn in range(turns)],
            "library": [partial(shelved, asked.zoo, turn, turns) for turn in range(turns)],
            "siblings": [partial(siblings, asked.zoo)],
            "begun": [partial(begun, asked.zoo)],
            "merges": [partial(merges, asked.zoo)],
            "kin": [partial(kin, asked.zoo, turn, turns) for turn in range(turns)],
        }
        shared = {
            name: [pool.submit(each) for each in parts] if name in asked.stages else []
            for name, parts in jobs.items()
        }
        aside = {
            name: pool.submit(work, asked.zoo)
            for name, work in (("powers", powers), ("recall", recall))
            if name in asked.stages
        }
        found = {name: [pair for each in parts for pair in each.result()] for name, parts in shared.items()}
        power, recalled = (aside[name].result() if name in aside else {} for name in ("powers", "recall"))
    unrelated_shelved = [pair for pair in found["library"] if pair.kind == SHELVED_STRANGERS]
    shelved_kin = [pair for pair in found["library"] if pair.kind != SHELVED_STRANGERS]
    known = [*found["kin"], *found["siblings"], *found["begun"], *shelved_kin]
    hidden = [pair for pair in known if pair.truth == "no-evidence"]
    results = {
        "command": f"python -m benchmarks.lineage.protocol {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "seconds": round(time.perf_counter() - started),
        "key": KEY,
        "null": {
            "zoo, trained independently": null_figures(found["strangers"]),
            "of these, same data and order": null_figures(
                [pair for pair in found["strangers"] if pair.kind.startswith("same data")]
            ),
            "zoo, strangers of other depths": null_figures(found["depths"]),
            SHELVED_STRANGERS: null_figures(unrelated_shelved),
            "zoo, trained independently, names and config taken away": null_figures(found["nameless"]),
            "zoo, trained independently, words in other rows": null_figures(found["other rows"]),
            "real, different repositories": null_figures(found["real strangers"]),
            "look-alikes (distilled, other component grafted, disguised strangers)": null_figures(hidden),
            "all together": null_figures(
                [
                    *(*found["strangers"], *found["depths"], *found["nameless"], *found["real strangers"]),
                    *(*found["other rows"], *hidden, *unrelated_shelved),
                ]
            ),
        },
        "words": words_table([pair for pair in known if pair.truth != "no-evidence"]),
        "same seed": seed_figures(known),
        "maps": map_figures(found["kin"]),
        "merges": share_figures(found["merges"]),
        "confusion": confusion([*known, *found["strangers"], *found["depths"]]),
        "agreement": agreements([*known, *found["strangers"], *found["depths"], *unrelated_shelved]),
        "power": power,
        "recall": recalled,
        "step0": _step0(found["begun"]),
        "labelled": [
            {"pair": pair.kind, "label": pair.truth, "component": pair.component, "word": pair.word}
            | {"log10_p": pair.log10_p}
            for pair in found["real"]
        ],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{asked.into}.json").write_text(
        json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (RESULTS / f"{asked.into}.md").write_text(as_markdown(results), encoding="utf-8")


def commit() -> str:
    """The commit that was measured; a star where the work tree had changes."""
    asked = (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    said, changed = (
        subprocess.run(["git", *each], capture_output=True, text=True, check=True).stdout for each in asked
    )
    return said.strip() + ("*" if changed.strip() else "")


def _step0(pairs: Sequence[Pair]) -> dict[str, list[float]]:
    """The partial correlations given the initialisation, by kind: least and largest."""
    found: dict[str, list[float]] = {}
    for pair in pairs:
        if pair.step0 is not None:
            found.setdefault(pair.kind, []).append(pair.step0)
    return {kind: [round(min(values), 3), round(max(values), 3)] for kind, values in found.items()}


def as_markdown(results: Mapping[str, Any]) -> str:
    """The results as a page; of what was not run nothing stands there."""
    lines = [
        "# The protocol: what the audit says of strangers and of kin",
        "",
        f"`{results['command']}`, commit {results['commit']}, {results['date']}, {results['seconds']} s, "
        f"key {results['key']}.",
    ]
    accused = [who for kind, each in results["null"].items() if kind != "all together" for who in each["who"]]
    wrong = [each for each in results["labelled"] if _as_hoped(each["label"], each["word"]) == WRONG]
    wrong_names = [f"{each['pair']} / {each['component']}: {each['word']}" for each in wrong]
    if accused or wrong:
        lines += ["", "**Accused, and should not be:**", "", *(f"- {who}" for who in [*accused, *wrong_names])]
    for title, intro, head, rows in (*_null_sections(results), *_kin_sections(results)):
        if listed := list(rows):
            lines += ["", f"## {title}", "", *([*intro, ""] if intro else []), *table(head, listed)]
    return "\n".join(lines) + "\n"


WRONG = "**wrongly accused**"


def _as_hoped(label: str, word: str) -> str:
    """What the word is worth beside what the authors of a pair say of it."""
    told = word in ACCUSING
    if label == "derived":
        return "no: unseen" if not told else "yes" if word in CERTAIN else "in part: not told from one seed"
    if label == "same-init":
        return "no: unseen" if not told else WRONG if word in CERTAIN else "yes"
    return WRONG if told else "yes"


Section: TypeAlias = tuple[str, Sequence[str], Sequence[str], Iterable[Sequence[object]]]


def _null_sections(results: Mapping[str, Any]) -> Iterator[Section]:
    """Strangers, models of one seed, real pairs."""
    yield (
        "Strangers",
        (
            "A component-pair is one component of one model against another model that it does not come from,",
            "audited by itself. Pairs share models, so they are not independent trials: the bounds are those of",
            "Clopper and Pearson as if they were. *accused*: any word that says dependence. Labels can only be",
            "compared where axes are of one length; pairs of which nothing can be asked do not count.",
        ),
        ("models", "model pairs", "component-pairs", "accused", "95 % bound", "`rearranged`", "smallest log10 p"),
        (
            (
                kind,
                each["model_pairs"],
                f"{each['pairs']:,}",
                each["accused"],
                f"{each['accused_at_most']:.2e}",
                each["rearranged"],
                f"{each['smallest_adjusted_log10_p'] or 0:.2f}",
            )
            for kind, each in results["null"].items()
            if each["pairs"]
        ),
    )
    yield (
        "p-values under H0 (all strangers together)",
        (
            "Every p-value is a bound, so it may lie below the diagonal but not above it: *above* is the one-sided",
            "Kolmogorov–Smirnov distance, with its p-value (small would mean: too bold). Small p-values of `matched`",
            "and `labels` are those of grafted embeddings and heads, whose other components took their channels'",
            "labels from them: H0 does not hold there.",
        ),
        ("test", "p-values", "above", "KS p", "≤ 0.05", "≤ 0.01", "≤ 0.001", "smallest log10 p"),
        (
            (
                f"`{name}`",
                f"{each['tests']:,}",
                *(each[key] for key in ("above_uniform", "ks_p", "below_0.05", "below_0.01", "below_0.001")),
                each["smallest_log10_p"],
            )
            for name, each in results["null"]["all together"]["tests"].items()
        ),
    )
    yield (
        "Real checkpoints with labels",
        ("*in part*: dependence is told, but not that it is descent. `identical` needs no p-value.",),
        ("pair", "label", "component", "word", "log10 p", "as hoped"),
        (
            (
                *(each[key] for key in ("pair", "label", "component", "word")),
                "–" if each["log10_p"] is None else f"{each['log10_p']:.1f}",
                _as_hoped(each["label"], each["word"]),
            )
            for each in results["labelled"]
        ),
    )
    yield (
        "The same seed: never to be called derived for certain",
        (),
        ("step 0", "words"),
        ((kind, _counted(words)) for kind, words in results["same seed"].items()),
    )
    yield (
        "The same seed, step 0 known: partial correlation",
        (),
        ("kind", "least", "largest"),
        ((kind, *both) for kind, both in results["step0"].items()),
    )


def _kin_sections(results: Mapping[str, Any]) -> Iterator[Section]:
    """Words of kin, confusion, merges, maps, power by correlation, agreement of neurons, recall of the screen."""
    cells = ("dependent, told", "dependent, silent", "independent, told", "independent, silent")
    columns = sorted({name for row in results["power"].values() for name in row})
    yield (
        "Kin: the words in every disguise",
        (),
        ("kind · component · truth", "words"),
        (
            (kind, "; ".join(f"{disguise}: {_counted(words)}" for disguise, words in row.items()))
            for kind, row in results["words"].items()
        ),
    )
    yield (
        "Components: truth and telling",
        (f"Disguises {', '.join(STORED)}; strangers included.",),
        ("component", *cells),
        ((component, *(counts.get(cell, 0) for cell in cells)) for component, counts in results["confusion"].items()),
    )
    yield (
        "Merges",
        (
            "Findings are of one component against one parent. `-tuned` were trained on after the sum; the others",
            "are exact sums, whose fit is exact where it is told. Errors are of those told as merged only.",
        ),
        ("merge", "findings", "dependent", "told as merged", "largest error of a share"),
        (
            (
                kind,
                each["findings"],
                each["dependent"],
                each["merged"],
                f"{each['largest_error']:.3f}" if each["merged"] else "–",
            )
            for kind, each in results["merges"].items()
        ),
    )
    yield (
        "Layer and expert maps",
        ("Of all findings with the word `deepened` or `upcycled`.",),
        ("kind", "right", "asked"),
        ((kind, each["right"], each["asked"]) for kind, each in results["maps"].items()),
    )
    yield (
        "Power by correlation",
        (
            f"ρ of a parent and √(1 − ρ²) of a stranger in every tensor, {BLENDED} pairs at most. Components: told",
            "as dependent. Tests: p at most 1e-6 for the text decoder, before Holm.",
        ),
        ("ρ", *columns),
        (
            (rho, *(f"{np.mean(row[name]):.2f}" if name in row else "–" for name in columns))
            for rho, row in results["power"].items()
        ),
    )
    yield (
        "T3: share of neurons that agree",
        ("Of those that at least two kinds of weights name.",),
        ("pair", "pairs", "least", "largest"),
        ((kind, each["pairs"], each["least"], each["largest"]) for kind, each in results["agreement"].items()),
    )
    yield (
        f"Recall@{RECALLED} of the screen among {LIBRARY:,} references",
        ("By the elements' sketches of the text decoder; what it cannot see it says (`would_miss`).",),
        ("kin", "found", "asked"),
        ((kind, each["found"], each["asked"]) for kind, each in results["recall"].items()),
    )


def _counted(words: Mapping[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in words.items())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table in Markdown, line by line."""
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
    ]


if __name__ == "__main__":
    main()
