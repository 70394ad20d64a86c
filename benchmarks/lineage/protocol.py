"""The protocol by which the audit is judged: how often strangers are accused, and what of every kinship is found.

    python -m benchmarks.lineage.protocol --zoo build/zoo --weights ../shared/weights

The zoo is grown first (`python -m benchmarks.training.zoo build/zoo`). Every pair is audited by itself, so that no
correction for other references protects it. Results go to benchmarks/lineage/results/protocol.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta, kstest

from benchmarks.lineage.models import KEY, Labelled, labelled, opened, unrelated, worn
from benchmarks.training.zoo import COMPONENTS, SPECIMENS, Component, related
from dokja.lineage import Audit, audit

RESULTS = Path(__file__).parent / "results"

NULLS = tuple(name for name in SPECIMENS if "." not in name)
PARENTS = tuple(f"stranger-{number:02}" for number in range(4))
PLAIN = ("none", "int8", "fp8", "int4", "more-words", "fused", "renamed", "transposed", "sorted-by-norm")
DISGUISES = (*PLAIN, "permuted", "scaled", "rotated", "scrambled")
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


def strangers(zoo: Path, turn: int, turns: int) -> list[Pair]:
    """Every pair of independent zoo models, each by itself; one share of them for each process."""
    found: list[Pair] = []
    with opened(*(zoo / name for name in NULLS)) as models:
        for one, other in list(combinations(models, 2))[turn::turns]:
            twins = [SPECIMENS[each.name].data for each in (one, other)]
            kind = "same data and order, other seed" if twins[0] == twins[1] else "other seed, other data"
            found += _pairs(audit(one, [other], key=KEY), kind, "none")
    return found


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
        for disguise in (DISGUISES if name.split(".", 1)[1] in ALL_DISGUISES else FEW)
        if not (disguise in ("fused", "transposed") and SPECIMENS[name].text.experts)
    ]
    # Strangers in disguise, and strangers both sorted by norm, must stay silent.
    tasks += [(PARENTS[1], PARENTS[0], disguise) for disguise in DISGUISES]
    found: list[Pair] = []
    for name, parent, disguise in tasks[turn::turns]:
        other = disguise if disguise == "sorted-by-norm" else "none"
        with worn(zoo, name, disguise) as mine, worn(zoo, parent, other) as his, opened(mine, his) as (left, right):
            said = audit(left, [right], key=KEY)
        kind = SPECIMENS[name].kind if "." in name else "stranger"
        found += _pairs(said, kind, disguise)
    return found


def siblings(zoo: Path) -> list[Pair]:
    """Children of one parent against each other: a common ancestor."""
    found: list[Pair] = []
    for parent in PARENTS:
        with opened(zoo / f"{parent}.sibling-1", zoo / f"{parent}.sibling-2") as (one, other):
            found += _pairs(audit(one, [other], key=KEY), "common ancestor", "none")
    return found


def begun(zoo: Path) -> list[Pair]:
    """The challenge of the same seed: with the checkpoint of step 0."""
    found: list[Pair] = []
    for parent in PARENTS:
        for kind in ("same-seed", "continued", "tuned", "far", "low-rank"):
            with opened(zoo / f"{parent}.{kind}", zoo / parent, zoo / f"{parent}.step-0") as (mine, his, start):
                found += _pairs(audit(mine, [his], key=KEY, step0=start), f"{kind}, step 0 known", "none")
    return found


def merges(zoo: Path) -> list[Pair]:
    """Every merge against its parents together."""
    found: list[Pair] = []
    for name, specimen in SPECIMENS.items():
        if specimen.kind == "merged":
            with opened(zoo / name, *(zoo / parent for parent in specimen.parents)) as (mine, *parents):
                found += _pairs(audit(mine, parents, key=KEY), name.split(".", 1)[1], "none")
    return found


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
    """Of deepened, shallow and upcycled specimens: the share of layers (experts) whose origin is found."""
    counts: dict[str, Counter[str]] = {}
    for pair in pairs:
        specimen = SPECIMENS.get(pair.submission)
        if specimen is None or pair.word not in ACCUSING or pair.kind not in MAPPED:
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


def main() -> None:
    """Run the protocol and write its results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--zoo", type=Path, default=Path("build/zoo"))
    parser.add_argument("--weights", type=Path, default=Path("../shared/weights"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    started, turns = time.perf_counter(), asked.processes
    with ProcessPoolExecutor(turns) as pool:
        shared = {
            "kin": [pool.submit(kin, asked.zoo, turn, turns) for turn in range(turns)],
            "siblings": [pool.submit(siblings, asked.zoo)],
            "begun": [pool.submit(begun, asked.zoo)],
            "merges": [pool.submit(merges, asked.zoo)],
            "real": [pool.submit(real, asked.weights)],
            "real strangers": [
                pool.submit(partial(real_strangers, asked.weights, turn, turns)) for turn in range(turns)
            ],
            "strangers": [pool.submit(strangers, asked.zoo, turn, turns) for turn in range(turns)],
        }
        found = {name: [pair for each in jobs for pair in each.result()] for name, jobs in shared.items()}
    known = [*found["kin"], *found["siblings"], *found["begun"]]
    hidden = [pair for pair in known if pair.truth == "no-evidence"]
    results = {
        "command": f"python -m benchmarks.lineage.protocol {shlex.join(sys.argv[1:])}".strip(),
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - started),
        "key": KEY,
        "null": {
            "zoo, trained independently": null_figures(found["strangers"]),
            "of these, same data and order": null_figures(
                [pair for pair in found["strangers"] if pair.kind.startswith("same data")]
            ),
            "real, different repositories": null_figures(found["real strangers"]),
            "look-alikes (distilled, other component grafted, disguised strangers)": null_figures(hidden),
            "all together": null_figures([*found["strangers"], *found["real strangers"], *hidden]),
        },
        "words": words_table([pair for pair in known if pair.truth != "no-evidence"]),
        "same seed": seed_figures(known),
        "maps": map_figures(found["kin"]),
        "merges": share_figures(found["merges"]),
        "step0": _step0(found["begun"]),
        "labelled": [
            {"pair": pair.kind, "label": pair.truth, "component": pair.component, "word": pair.word}
            | {"log10_p": pair.log10_p}
            for pair in found["real"]
        ],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "protocol.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / "protocol.md").write_text(as_markdown(results), encoding="utf-8")


def _step0(pairs: Sequence[Pair]) -> dict[str, list[float]]:
    """The partial correlations given the initialisation, by kind: least and largest."""
    found: dict[str, list[float]] = {}
    for pair in pairs:
        if pair.step0 is not None:
            found.setdefault(pair.kind, []).append(pair.step0)
    return {kind: [round(min(values), 3), round(max(values), 3)] for kind, values in found.items()}


def as_markdown(results: Mapping[str, Any]) -> str:
    """The results as a page."""
    lines = [
        "# The protocol: what the audit says of strangers and of kin",
        "",
        f"`{results['command']}`, {results['date']}, {results['seconds']} s, key {results['key']}.",
        "",
        "## Strangers",
        "",
        "A component-pair is one component of one model against another model that it does not come from, audited by",
        "itself. Pairs share models, so they are not independent trials: the bounds are those of Clopper and Pearson",
        "as if they were. *accused*: any word that says dependence.",
        "",
        *_table(
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
            ),
        ),
        "",
        *[f"- accused: {who}" for each in results["null"].values() for who in each["who"]],
        "A zero here is not blind throughout. The rule for channels that are carried along the stream, and the",
        "fewest neurons of T3, were set after earlier runs on this zoo had shown wrong words (on grafted embeddings,",
        "and on a narrowed model beside a stranger); the same holds of the threshold for step 0. One key was tried.",
        "Of the real pairs most cannot be assessed, since their shapes differ.",
        "",
        "## The same seed: never to be called derived for certain",
        "",
        *[
            f"- {kind}: " + ", ".join(f"{word} {count}" for word, count in words.items())
            for kind, words in results["same seed"].items()
        ],
        "",
        "Before the threshold was raised from 0.1 to 0.9, step 0 known made all 12 of them `derived` (partial",
        "correlations below): this zoo refutes 0.1, and was not held out when 0.9 was chosen.",
        "",
        "### p-values under H0 (all strangers together)",
        "",
        "Every p-value is a bound, so it may lie below the diagonal but not above it: *above* is the one-sided",
        "Kolmogorov–Smirnov distance, with its p-value (small would mean: too bold). Small p-values of `matched` are",
        "those of grafted embeddings, whose decoder took its channels' labels from them: there H0 does not hold.",
        "",
        *_table(
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
        ),
        "",
        "## Kin: kind · component · truth, and the words in every disguise",
        "",
    ]
    for kind, row in results["words"].items():
        said = "; ".join(
            f"{disguise}: " + ", ".join(f"{word} {count}" for word, count in words.items())
            for disguise, words in row.items()
        )
        lines.append(f"- **{kind}**: {said}")
    lines += ["", "## Layer and expert maps", "", "Of all disguises in which dependence was found.", ""]
    lines += _table(
        ("kind", "right", "asked"), ((kind, each["right"], each["asked"]) for kind, each in results["maps"].items())
    )
    lines += ["", "## Merges", "", "Findings are of one component against one parent.", ""]
    lines += ["These merges are exact sums without training after, so the fit is exact where it is told;", ""]
    lines += ["errors are of those told as merged only.", ""]
    lines += _table(
        ("merge", "findings", "dependent", "told as merged", "largest error of a share"),
        (
            (kind, each["findings"], each["dependent"], each["merged"], f"{each['largest_error']:.3f}")
            for kind, each in results["merges"].items()
        ),
    )
    lines += ["", "## The same seed, step 0 known: partial correlation, least and largest", ""]
    lines += _table(("kind", "least", "largest"), ((kind, *both) for kind, both in results["step0"].items()))
    lines += ["", "## Real checkpoints with labels", ""]
    lines += _table(
        ("pair", "label", "component", "word", "log10 p"),
        (
            (*(each[key] for key in ("pair", "label", "component", "word")), f"{each['log10_p'] or 0:.1f}")
            for each in results["labelled"]
        ),
    )
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
    ]


if __name__ == "__main__":
    main()
