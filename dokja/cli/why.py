"""`dokja why`: where a number comes from, down to acts, clauses and sources; why a team stands where it stands."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.usage import UsageError, unknown
from dokja.errors import Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.adjudicate import Explanation, Outcome, StageOutcome
    from dokja.report import Publication

HELP = mark(
    "Show where a number comes from: the numbers it is computed from and the published figures that bound it, down "
    "to acts, clauses and sources. Of a team alone: its place, its gates, and what the rules lead to for it."
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
        str,
        typer.Argument(
            metavar="TEAM[.MEASURE]", help=mark("A team's id, alone or with a measure's, such as motif.total.")
        ),
    ],
    without: Without = None,
) -> None:
    """Explain one number."""
    from dokja.programme import open_programme, run
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme = open_programme(folder)
    with face.working(mark("Working out the outcome")):
        publication = run(programme, leave_out=without or (), site=False, alternatives=False).publication
    if publication is None:
        raise RuntimeError("a run without a site works the outcome out")
    found = _stage(publication.outcome, stage)
    if number in found.teams:
        _tell_fate(face, publication, found, number)
        return
    explanation = _explanation(found, number)
    if face.json:
        acts = [{"index": index, "act": publication.acts.get(index)} for index in explanation.acts]
        face.write(to_json({"stage": stage, "explanation": explanation, "acts": acts}))
        return
    _print(face, publication, found, explanation)


def _tell_fate(face: Face, publication: Publication, stage: StageOutcome, team: str) -> None:
    from dokja.cli.trace import fate
    from dokja.report.edition import Edition
    from dokja.report.machine_readable import to_json

    if not face.json:
        face.show(fate(stage, team, Edition(publication, face.voice.language)))
        return
    told = {
        "stage": stage.stage,
        "team": team,
        "position": stage.positions.get(team),
        "certainly_above": [list(pair) for pair in sorted(stage.certainly_above) if team in pair],
        "gates": [result for result in stage.gates if result.team == team],
        "fates": {reading.order: reading.fates[team] for reading in stage.readings},
        "holdings": [held for held in stage.holdings if (held.part, held.subject) == ("team", team)],
    }
    face.write(to_json(told))


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
    return unknown("why-no-measure", mark("There is no measure “{name}” in this stage."), measure, _known(stage, 1))


def _known(stage: StageOutcome, part: int) -> Collection[str]:
    """The teams (part 0) or measures (part 1) of a stage's numbers, each once."""
    return dict.fromkeys(key[part] for key in stage.scores)


def _print(face: Face, publication: Publication, stage: StageOutcome, explanation: Explanation) -> None:
    from dokja.cli.trace import trace
    from dokja.report.edition import Edition

    face.show(trace(stage, explanation, Edition(publication, face.voice.language)))
