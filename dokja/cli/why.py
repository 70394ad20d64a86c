"""`dokja why`: where a number comes from, down to acts, clauses and sources; why a team stands where it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.usage import UsageError, unknown
from dokja.errors import Problem
from dokja.language import mark

if TYPE_CHECKING:
    from rich.tree import Tree

    from dokja.adjudicate import Explanation, Outcome, StageOutcome
    from dokja.report import Publication
    from dokja.report.edition import Edition

HELP = mark(
    "Show where a number comes from: the numbers it is computed from and the published figures that bound it, down "
    "to acts, clauses and sources. Of a team alone: its place, its gates, and what the rules lead to for it. Of a "
    "stage alone: every part of its decision."
)

Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="SOURCE",
        help=mark("Leave out the acts of a source, or of all sources of a standing: leaks, press. May be repeated."),
    ),
]


def why(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=mark("A programme's folder."))],
    stage: Annotated[str, typer.Argument(metavar="STAGE", help=mark("A stage's id, such as stage-2."))],
    number: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEAM[.MEASURE]]",
            help=mark("A team's id, alone or with that of a measure or a gate, such as motif.total."),
        ),
    ] = None,
    without: Without = None,
) -> None:
    """Explain one number, a team's fate, or a decision."""
    from dokja.programme import open_programme, run
    from dokja.report.edition import Edition
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme = open_programme(folder)
    with face.working(mark("Working out the outcome")):
        publication = run(programme, leave_out=without or (), site=False, alternatives=False).publication
    if publication is None:
        raise RuntimeError("a run without a site works the outcome out")
    found = _stage(publication.outcome, stage)
    answer = _answer(publication, found, number)
    if face.json:
        face.write(to_json({"stage": found.stage, **answer.told}))
    else:
        face.show(answer.tree(Edition(publication, face.voice.language)))


@dataclass(frozen=True)
class Answer:
    """What is told of what was asked: as data, and as a tree in an edition's language."""

    told: Mapping[str, object]
    tree: Callable[[Edition], Tree]


def _answer(publication: Publication, stage: StageOutcome, number: str | None) -> Answer:
    """Of a stage alone its decision, of a team its fate, of a gate its result, else of a number its trace."""
    from dokja.cli import trace

    if number is None:
        told: dict[str, object] = {"decision": stage.decision, "holdings": stage.holdings}
        return Answer(told, lambda edition: trace.decision(stage, edition))
    if number in stage.teams:
        return Answer(_fate(stage, number), lambda edition: trace.fate(stage, number, edition))
    gate = next((each for each in stage.gates if f"{each.team}.{each.gate}" == number), None)
    if gate is not None:
        told = {"gate": gate, "acts": _acts(publication, gate.acts)}
        return Answer(told, lambda edition: trace.at_gate(stage, gate, edition))
    explanation = _explanation(stage, number)
    told = {"explanation": explanation, "acts": _acts(publication, explanation.acts)}
    return Answer(told, lambda edition: trace.trace(stage, explanation, edition))


def _fate(stage: StageOutcome, team: str) -> dict[str, object]:
    return {
        "team": team,
        "position": stage.positions.get(team),
        "certainly_above": [list(pair) for pair in sorted(stage.certainly_above) if team in pair],
        "gates": [result for result in stage.gates if result.team == team],
        "fates": {reading.order: reading.fates[team] for reading in stage.readings},
        "holdings": [held for held in stage.holdings if (held.part, held.subject) == ("team", team)],
    }


def _acts(publication: Publication, indexes: Iterable[int]) -> list[dict[str, object]]:
    return [{"index": index, "act": publication.acts.get(index)} for index in indexes]


def _stage(outcome: Outcome, name: str) -> StageOutcome:
    found = outcome.stage(name)
    if found is None:
        known = [each.stage for each in outcome.stages]
        raise UsageError(unknown("why-no-stage", mark("There is no stage “{name}”."), name, known))
    return found


def _explanation(stage: StageOutcome, number: str) -> Explanation:
    """The explanation of `TEAM.MEASURE`; ids may hold dots, so every dot may be the one that parts them."""
    from dokja.adjudicate import why as explain

    parts = number.split(".")
    for at in range(1, len(parts)):
        explanation = explain(stage, ".".join(parts[:at]), ".".join(parts[at:]))
        if explanation is not None:
            return explanation
    raise UsageError(_no_number(stage, number))


def _no_number(stage: StageOutcome, number: str) -> Problem:
    team, _, measure = number.partition(".")
    teams = _known(stage, 0)
    if not teams:
        return Problem(
            "why-no-points",
            "No points of “{stage}” can be told: no score was published, or no team has entered.",
            "See: dokja rulebook show",
            values={"stage": stage.stage},
        )
    if team not in teams:
        return unknown("why-no-team", mark("There is no team “{name}” in this stage."), team, teams)
    gates = (each.gate for each in stage.gates)
    known = dict.fromkeys((*_known(stage, 1), *gates))
    return unknown("why-no-measure", mark("There is no measure or gate “{name}” in this stage."), measure, known)


def _known(stage: StageOutcome, part: int) -> Collection[str]:
    """The teams (part 0) or measures (part 1) of a stage's numbers, each once."""
    return dict.fromkeys(key[part] for key in stage.scores)
