"""`dokja rulebook show|schema`: the rules in force at a time as text, and the form in which they are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.moments import moment_of
from dokja.cli.schemas import schema_text
from dokja.language import mark

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dokja.programme import Programme
    from dokja.rulebook import Enacted, Rulebook

HELP = mark("Read a rulebook: the rules in force at a time, or the form in which rules are written.")
SHOW = mark("Show the rules in force, as they are now or as they were at a time.")
SCHEMA = mark("Print the JSON Schema of a rulebook's documents, for editors and other programs.")


def show(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=mark("A programme's folder."))],
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help=mark("A day such as 2026-01-15 (its end counts), or a time with its zone.")
        ),
    ] = None,
) -> None:
    """Show the rules in force."""
    from dokja.programme import open_programme

    face: Face = ctx.obj
    programme = open_programme(folder)
    rules = programme.history.at(moment_of(at, programme)) if at else programme.history.whole
    if face.json:
        from dokja.report.machine_readable import to_json

        clauses = [
            {"document": each.document.number, "place": str(each.place), "clause": each.clause}
            for each in rules.enacted.values()
        ]
        face.write(to_json({"rulebook": rules.id, "clauses": clauses}))
        return
    _print(face, programme, rules)


def schema(ctx: typer.Context) -> None:
    """Print the JSON Schema."""
    from dokja.rulebook.reading import DOCUMENT

    face: Face = ctx.obj
    face.write(schema_text(DOCUMENT))


def _print(face: Face, programme: Programme, rules: Rulebook) -> None:
    from rich.padding import Padding
    from rich.text import Text

    language = face.voice.language
    shown: list[RenderableType] = []
    document = None
    for enacted in _by_document(rules):
        if enacted.document is not document:
            document = enacted.document
            day = document.effective.astimezone(programme.zone).date()
            heading = Text(document.title.say(language), style="bold")
            heading.append(
                "  "
                + face.voice(mark("document {number}, in force from {day}"), {"number": document.number, "day": day}),
                style="dim not bold",
            )
            shown += [heading, ""]
        line = Text(enacted.clause.id, style="cyan")
        line.append("  " + face.voice(CLAUSES[enacted.clause.kind]), style="dim")
        shown.append(Padding(line, (0, 0, 0, 2)))
        shown.append(Padding(Text(enacted.clause.text.say(language)), (0, 0, 1, 4)))
    if shown:
        face.show(*shown)
    else:
        face.note(mark("No rule was in force then."))


def _by_document(rules: Rulebook) -> list[Enacted]:
    return sorted(rules.enacted.values(), key=lambda enacted: enacted.document.number)


CLAUSES = {
    "stage": mark("stage"),
    "score": mark("score"),
    "panel": mark("panel"),
    "gate": mark("gate"),
    "cut": mark("cut"),
    "contingency": mark("contingency"),
    "call": mark("call"),
    "objections": mark("objections"),
    "amendments": mark("amendments"),
    "disclosure": mark("disclosure"),
    "draw": mark("draw"),
    "record": mark("record keeping"),
    "goal": mark("promise"),
}
