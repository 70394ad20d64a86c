"""`dokja marks seal|close|open`: marks that a rater seals, the root over all of them, and what opens them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.key import Keys, opened
from dokja.cli.moments import moment_of
from dokja.cli.record import Folder
from dokja.cli.record import open_ as open_both
from dokja.cli.usage import UsageError
from dokja.errors import Place, Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.programme import Programme
    from dokja.record.acts import AnyAct
    from dokja.record.acts.sealing import AbsentRater

HELP = mark("Seal raters' marks before anybody sees another's, and open them after all are sealed.")
SEAL = mark(
    "Seal a rater's marks: prints the act for the record as .jsonl, and writes what opens it to a file that the "
    "rater keeps until it is asked for."
)
CLOSE = mark("Print the act that closes the sealing of a stage, with the root over all sealed cells.")
OPEN = mark(
    "Check the files of openings that raters handed over, keep them in the programme's folder, and print the act "
    "that says so."
)

Stage = Annotated[str, typer.Option("--stage", metavar="ID", help=mark("The stage."))]
Key = Annotated[
    str | None, typer.Option("--key", metavar="NAME", help=mark("The key to sign with, where acts are signed."))
]
When = Annotated[str | None, typer.Option("--when", metavar="TIME", help=mark("When it is done; now if not named."))]
Who = Annotated[str, typer.Option("--who", metavar="ID", help=mark("Who does it."))]


def seal(
    ctx: typer.Context,
    folder: Folder,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="MARKS", help=mark("A .csv with a line for each team: team and the criteria, or team and meets.")
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=mark("Where to write what opens the marks."))],
    stage: Stage,
    panel: Annotated[str, typer.Option("--panel", metavar="ID", help=mark("The panel."))],
    rater: Annotated[
        str, typer.Option("--rater", metavar="ID", help=mark("The rater, by an id that is not personal."))
    ],
    measure: Annotated[
        str | None, typer.Option("--measure", metavar="ID", help=mark("The measure that is marked."))
    ] = None,
    gate: Annotated[str | None, typer.Option("--gate", metavar="ID", help=mark("The gate that is voted on."))] = None,
    when: When = None,
    key: Key = None,
    keys: Keys = None,
) -> None:
    """Seal marks."""
    from dokja.programme.sealing import Task, write_openings
    from dokja.programme.sealing import seal as seal_file

    face: Face = ctx.obj
    if (measure is None) == (gate is None):
        raise UsageError(
            Problem(
                "usage-subject",
                "Neither a measure nor a gate is named, or both are.",
                "Name one of --measure and --gate.",
                Place(),
            )
        )
    programme, record = open_both(folder)
    with record:
        task = Task(stage, panel, rater, measure, gate)
        sealed = seal_file(file, task, now_or(when, programme), programme, record)
    act = signed_with(face, sealed.act, key, keys)
    write_openings(sealed.openings, out)
    print_act(face, act)
    face.note(mark("{count} openings in {file}: show them to nobody before the office asks for them."), {
        "count": len(sealed.openings), "file": out,
    })  # fmt: skip


def close(
    ctx: typer.Context,
    folder: Folder,
    stage: Stage,
    who: Who = "office",
    absent: Annotated[
        list[str] | None,
        typer.Option(
            "--absent",
            metavar="PANEL/SUBJECT/RATER=WHY",
            help=mark("A rater that sealed nothing, recused or no-mark; may be repeated."),
        ),
    ] = None,
    when: When = None,
    key: Key = None,
    keys: Keys = None,
) -> None:
    """Close a stage's sealing."""
    from dokja.programme.sealing import course_of
    from dokja.record.transparency.sealing.making import seal_stage

    face: Face = ctx.obj
    programme, record = open_both(folder)
    with record:
        grid = course_of(programme, record).grid
    if not grid.of(stage):
        raise UsageError(
            Problem(
                "usage-nothing-sealed",
                "No marks of the stage “{stage}” are sealed.",
                "Append the raters' acts first, with: dokja record append",
                Place(folder),
                {"stage": stage},
            )
        )
    named, moment = f"sealing-closed-{stage}", now_or(when, programme)
    act = seal_stage(named, who, moment, stage, grid, [_absent(each) for each in absent or ()])
    print_act(face, signed_with(face, act, key, keys))


def open_(
    ctx: typer.Context,
    folder: Folder,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=mark("Files of openings, from raters."))],
    stage: Stage,
    who: Who = "office",
    when: When = None,
    key: Key = None,
    keys: Keys = None,
) -> None:
    """Take openings in."""
    from dokja.programme.sealing import course_of, take_openings

    face: Face = ctx.obj
    programme, record = open_both(folder)
    with record:
        course = course_of(programme, record)
    moment = now_or(when, programme)
    named = f"openings-{stage}-{len(course.grid.opened)}"
    act = take_openings(files, stage, named, who, moment, programme, course)
    print_act(face, signed_with(face, act, key, keys))


def now_or(written: str | None, programme: Programme) -> datetime:
    """The time that is named, or now."""
    return moment_of(written, programme) if written else datetime.now(UTC)


def _absent(written: str) -> AbsentRater:
    from pydantic import ValidationError

    from dokja.record.acts.sealing import AbsentRater

    named, _, reason = written.partition("=")
    parts = named.split("/")
    try:
        panel, subject, rater = parts
        return AbsentRater.model_validate({"panel": panel, "subject": subject, "rater": rater, "reason": reason})
    except (ValueError, ValidationError) as error:
        raise UsageError(
            Problem(
                "usage-absent",
                "“{written}” names no absent rater.",
                "Write it such as experts/expert/rater-7=recused; the other reason is no-mark.",
                Place(),
                {"written": written},
            )
        ) from error


def signed_with(face: Face, act: AnyAct, key: str | None, keys: Path | None) -> AnyAct:
    """The act, signed where a key is named."""
    from dokja.record.transparency.signing import signed

    if key is None:
        return act
    (signer,) = opened(face, keys, key)
    return signed(act, signer)


def print_act(face: Face, act: AnyAct) -> None:
    """One line, as a file of acts has it, with --json too."""
    from dokja.record import canonical

    face.write(f"{canonical(act).decode()}\n")
