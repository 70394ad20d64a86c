r"""Other tools beside the audit: the same pairs, one after the other, on the same machine.

    python -m benchmarks.lineage.peers --tool NAME::COMMAND::EXPRESSION [--tool …] --zoo build/zoo

A tool is a name, a command with `{a}` and `{b}` where the checkpoints go, and a regular expression for what is read
of what it prints: `other::other-tool {a} {b} --plain::score: .*`. A command must end with 0, so `dokja audit`, which
says with 1 that something was found, stands in a shell that allows it; what it found is read by
`(?s)What was found\n(.*?)\n\n`. Nothing of any tool is in this repository.
Both checkpoints are folders as Hugging Face keeps them (config.json, model.safetensors, tokenizer.json). Seconds,
processor seconds and peak memory are of the whole command, its start included. Results, after every pair, go to
benchmarks/lineage/results/peers.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lineage.models import worn
from benchmarks.lineage.speed import generated, shape_of, shapes
from benchmarks.measured import measured
from benchmarks.training.checkpoint import read

RESULTS = Path(__file__).parent / "results"
LIMIT = 600
"""Seconds after which a tool is stopped."""


@dataclass(frozen=True)
class Tool:
    """A command with `{a}` and `{b}`, and what is read of what it prints."""

    name: str
    command: str
    reads: str


@dataclass(frozen=True)
class Case:
    """Two models of the zoo, the first in a dress, and what is true of them."""

    says: str
    truth: str
    one: str
    dress: str
    other: str


@dataclass(frozen=True)
class Outcome:
    """What a tool said of a pair, and what it took; `failed` where it did not end well."""

    tool: str
    case: str
    truth: str
    said: str
    seconds: float | None
    processor_seconds: float | None
    peak_mib: float | None
    failed: bool


PARENT = "stranger-00"
CASES = (
    Case("independent, other data", "independent", "stranger-01", "none", PARENT),
    Case("independent, same data and order", "independent", "crowd-twin-00", "none", "crowd-00"),
    Case("tuned, a fifth of the steps", "derived", f"{PARENT}.tuned", "none", PARENT),
    Case("continued, twice the steps", "derived", f"{PARENT}.continued", "none", PARENT),
    Case("same seed, other data", "same seed", f"{PARENT}.same-seed", "none", PARENT),
    Case("continued, permuted", "derived", f"{PARENT}.continued", "permuted", PARENT),
    Case("continued, rotated", "derived", f"{PARENT}.continued", "rotated", PARENT),
    Case("continued, permuted, scaled, rotated", "derived", f"{PARENT}.continued", "scrambled", PARENT),
    Case("only the embeddings taken", "embeddings only", f"{PARENT}.with-its-embeddings", "none", PARENT),
    Case("deepened", "derived", f"{PARENT}.deepened", "none", PARENT),
    Case("half the hidden units", "derived", f"{PARENT}.narrowed", "none", PARENT),
)


def tried(tool: Tool, case: str, truth: str, a: Path, b: Path) -> Outcome:
    """Run a tool on a pair."""
    command = ["timeout", str(LIMIT), *shlex.split(tool.command.format(a=a, b=b))]
    try:
        took = measured(command)
    except subprocess.CalledProcessError as error:
        last = [line for line in str(error.output).splitlines() if line.strip()][-1:] or [""]
        return Outcome(tool.name, case, truth, f"{error.returncode}: {last[0][:200]}", None, None, None, failed=True)
    found = [" ".join(match.split()) for match in re.findall(tool.reads, took.said)]
    said = "; ".join(found) or "(nothing of the kind)"
    return Outcome(
        tool.name,
        case,
        truth,
        said,
        round(took.seconds, 1),
        round(took.processor_seconds, 1),
        round(took.peak_mib),
        failed=False,
    )


TOKENIZER: Mapping[str, Any] = {
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
}
"""What tokenizer.json has beside its words, and some tools insist on."""


@contextmanager
def published(folder: Path) -> Iterator[Path]:
    """A copy of a checkpoint with every file as public ones have it."""
    with tempfile.TemporaryDirectory() as made:
        copy = Path(made) / folder.name
        shutil.copytree(folder, copy)
        said = json.loads((copy / "tokenizer.json").read_text(encoding="utf-8"))
        (copy / "tokenizer.json").write_text(json.dumps({**said, **TOKENIZER}), encoding="utf-8")
        about = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": said["model"]["unk_token"]}
        (copy / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
        yield copy


@contextmanager
def large(mebibytes: int) -> Iterator[tuple[Path, Path]]:
    """Two Llama-shaped checkpoints of random bf16 numbers, of about this size each, as folders."""
    with tempfile.TemporaryDirectory() as made:
        folders = [Path(made) / name for name in ("one", "other")]
        for seed, folder in enumerate(folders):
            generated(folder, mebibytes, seed)
            (folder / "config.json").write_text(json.dumps(_config(mebibytes)), encoding="utf-8")
            vocabulary = {f"w{number}": number for number in range(shape_of(mebibytes).words)}
            model = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "w0"}
            (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": model}), encoding="utf-8")
        with published(folders[0]) as one, published(folders[1]) as other:
            yield one, other


def _config(mebibytes: int) -> dict[str, Any]:
    layers = 1 + max(int(name.split(".")[2]) for name in shapes(mebibytes) if name.startswith("model.layers."))
    return {
        "architectures": ["LlamaForCausalLM"],
        **shape_of(mebibytes).config,
        "num_hidden_layers": layers,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }


def gains_alike(zoo: Path, case: Case) -> float | None:
    """The cosine of all norm gains of a pair as it was trained; `None` where the layers differ."""
    sides = [read(zoo / name) for name in (case.one, case.other)]
    gains = [np.concatenate([side[name] for name in sorted(side) if side[name].ndim == 1]) for side in sides]
    if gains[0].shape != gains[1].shape:
        return None
    return float(gains[0] @ gains[1] / np.linalg.norm(gains[0]) / np.linalg.norm(gains[1]))


def main() -> None:
    """Run every tool on every pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--zoo", type=Path, default=Path("build/held-out"))
    parser.add_argument(
        "--tool", action="append", default=[], help="NAME::COMMAND with {a} and {b}::REGULAR EXPRESSION"
    )
    parser.add_argument("--mebibytes", type=int, nargs="*", default=[256])
    parser.add_argument("--cases", nargs="*", help="which pairs, by what the table calls them; all by default")
    parser.add_argument("--into", default="peers", help="name of the results")
    asked = parser.parse_args()
    tools = [Tool(*each.split("::", 2)) for each in asked.tool]
    outcomes: list[Outcome] = []
    gains: dict[str, float | None] = {}
    for case in CASES:
        if asked.cases is not None and case.says not in asked.cases:
            continue
        if not all((asked.zoo / name / "model.safetensors").exists() for name in (case.one, case.other)):
            continue
        gains[case.says] = gains_alike(asked.zoo, case)
        with (
            worn(asked.zoo, case.one, case.dress) as mine,
            published(mine) as one,
            published(asked.zoo / case.other) as other,
        ):
            outcomes += [_shown(tried(tool, case.says, case.truth, one, other)) for tool in tools]
        _kept(asked.into, tools, gains, outcomes)
    for mebibytes in asked.mebibytes:
        with ExitStack() as stack:
            one, other = stack.enter_context(large(mebibytes))
            outcomes += [
                _shown(tried(tool, f"random numbers, {mebibytes} MiB each", "independent", one, other))
                for tool in tools
            ]
        _kept(asked.into, tools, gains, outcomes)


def _kept(into: str, tools: Sequence[Tool], gains: Mapping[str, float | None], outcomes: Sequence[Outcome]) -> None:
    RESULTS.mkdir(exist_ok=True)
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "tools": [asdict(tool) for tool in tools],
        "norm gains": dict(gains),
        "outcomes": [asdict(each) for each in outcomes],
    }
    (RESULTS / f"{into}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / f"{into}.md").write_text(as_markdown(results, outcomes), encoding="utf-8")


def _shown(outcome: Outcome) -> Outcome:
    print(outcome, file=sys.stderr, flush=True)
    return outcome


def as_markdown(results: dict[str, Any], outcomes: Sequence[Outcome]) -> str:
    """The results as a page."""
    lines = [
        "# Beside other tools: verdicts, time, memory",
        "",
        f"`python -m benchmarks.lineage.peers`, {results['date']}; one run, one machine, each command by itself.",
        "Time is the whole command's, its start included; *processor* counts every core. *gains*: cosine of norms.",
        "",
        "| tool | command | read |",
        "|---|---|---|",
        *(f"| {each['name']} | `{each['command']}` | `{_cell(each['reads'])}` |" for each in results["tools"]),
        "",
        "| pair | truth | gains | tool | said | s | processor s | peak MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in outcomes:
        cosine = results["norm gains"].get(each.case)
        took = [
            "–" if value is None else f"{value:g}" for value in (each.seconds, each.processor_seconds, each.peak_mib)
        ]
        alike = "–" if cosine is None else f"{cosine:.3f}"
        said = f"failed, {_cell(each.said)}" if each.failed else _cell(each.said)
        lines.append(f"| {each.case} | {each.truth} | {alike} | {each.tool} | {said} | {' | '.join(took)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
