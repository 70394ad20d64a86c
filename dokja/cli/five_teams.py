"""The part of the demo that audits weights: five small entrants, each against six references, and what follows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dokja.language import mark
from dokja.memory import collect_rarely

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dokja.lineage import Audit, Reference
    from dokja.report.edition import Edition

FOLDER, ENTRANTS = "five-teams", "entrants"

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Matrices this small are multiplied quicker by one thread than by several that wait for each other."""


@dataclass(frozen=True)
class Audits:
    """Audits under way in other processes, by team."""

    by_team: dict[str, Future[Audit]]

    def results(self) -> dict[str, Audit]:
        """Wait for them."""
        return {team: future.result() for team, future in self.by_team.items()}


@contextmanager
def audits_begun(folder: Path) -> Iterator[Audits]:
    """Audit every entrant of the example; the key is the one that the acts name.

    One core is left to this process, which loads and runs programmes meanwhile. Each process of audits reads the
    references.
    """
    from dokja.lineage.library.spreading import processes, uninterrupted

    teams = sorted(entrant.name for entrant in (folder / ENTRANTS).iterdir())
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        with processes(max(1, (os.cpu_count() or 1) - 1), collect_rarely) as pool:
            with uninterrupted():
                begun = {team: pool.submit(_audit, folder, team) for team in teams}
            yield Audits(begun)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _audit(folder: Path, team: str) -> Audit:
    from dokja.lineage import audit

    key, references = _key(folder), sorted((folder / "references").iterdir())
    return audit(_opened(folder / ENTRANTS / team, key), [_opened(each, key) for each in references], key=key)


@cache
def _key(folder: Path) -> int:
    """The key that the example's audits were drawn by."""
    from dokja.errors import ActError
    from dokja.strict_yaml import read_yaml

    for file in sorted((folder / "acts").glob("*.yaml")):
        tree = read_yaml(file, ActError).tree
        for act in tree.get("acts", []) if isinstance(tree, dict) else []:
            if "sample_key" in act:
                return int(act["sample_key"])
    return 0


@cache
def _opened(where: Path, key: int) -> Reference:
    """A checkpoint, opened once in each process."""
    from dokja.lineage import open_checkpoint, reference

    return reference(where.name, open_checkpoint(str(where)), key)


def told(audits: dict[str, Audit], edition: Edition) -> Iterator[RenderableType]:
    """What was found of each team, how it stands at the gate, and what was decided."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from dokja.report.words import GATE_RESULTS

    stage = edition.publication.outcome.stages[0]
    yield Padding(Text(edition.text(edition.publication.about.title), style="bold"), (1, 0, 0, 0))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in (mark("team"), mark("the audit of its weights"), mark("at the gate"), mark("decided")):
        table.add_column(edition.voice(heading), overflow="fold")
    results = {result.team: result.result for result in stage.gates}
    goes_on = {holding.subject: holding.decided for holding in stage.holdings if holding.part == "team"}
    for team, audit in audits.items():
        table.add_row(
            edition.called(team),
            "\n".join(_found(audit, edition)),
            edition.say(GATE_RESULTS[results[team]]).striptags(),
            edition.voice(mark("goes on") if goes_on.get(team) == "goes-on" else mark("leaves")),
        )
    yield Padding(table, (0, 0, 0, 2))
    said = mark(
        "Each of {components} components was held against {references} references; nothing was accused by an "
        "adjusted p-value above one in a million."
    )
    values = {
        "components": max(len(audit.coverage) for audit in audits.values()),
        "references": max(len(audit.references) for audit in audits.values()),
    }
    yield Padding(Text(edition.say(said, values).striptags(), style="dim"), (0, 0, 1, 2))


def _found(audit: Audit, edition: Edition) -> list[str]:
    from dokja.lineage.words import COMPONENTS, WORDS

    told = [
        f"{edition.voice(COMPONENTS[finding.component])}: {edition.voice(WORDS[finding.word].label)} "
        f"({finding.reference})"
        for finding in audit.findings
        if finding.dependent or finding.word == "rearranged"
    ]
    return told or [edition.voice(mark("no evidence against any component"))]
