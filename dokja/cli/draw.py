"""`dokja draw announce|make|recuse|show`: draws that nobody can bend, written as acts for a programme's record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dokja.cli.face import FOLD, Face
from dokja.cli.record import Folder, open_
from dokja.cli.usage import UsageError
from dokja.errors import Place, Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.intake.course import Course, DrawCourse
    from dokja.record.acts import AnyAct

HELP = mark(
    "Draw raters, items, an order or a lot by public randomness that does not exist yet when the draw is announced."
)
ANNOUNCE = mark("Write the act that announces a draw: the pool, how many are drawn, and the round that will decide.")
MAKE = mark("Write the act that makes an announced draw, once its round is known.")
RECUSE = mark("Write the act by which one who was drawn leaves; the next in rank follows, nothing is drawn again.")
SHOW = mark("Show the draws of a record, and who has a seat as things stand.")

LARGEST_POOL = 1_000_000

Draw = Annotated[str, typer.Argument(metavar="DRAW", help=mark("The id of the act that announces the draw."))]
Who = Annotated[str, typer.Option("--who", metavar="ID", help=mark("Who does it, by id."))]


class Purpose(Enum):
    """What is drawn."""

    items = "items"
    judges = "judges"
    order = "order"
    lot = "lot"


def announce(
    ctx: typer.Context,
    draw: Draw,
    purpose: Annotated[
        Purpose, typer.Option("--purpose", metavar="items|judges|order|lot", help=mark("What is drawn."))
    ],
    stage: Annotated[str, typer.Option("--stage", metavar="ID", help=mark("The stage that it is for."))],
    pool: Annotated[
        Path, typer.Option("--pool", metavar="FILE", help=mark("The ids that are drawn from, one a line."))
    ],
    at: Annotated[
        str,
        typer.Option(
            "--at", metavar="TIME", help=mark("When the draw is to be decided, such as 2027-06-01T14:00:00+09:00.")
        ),
    ],
    drawn: Annotated[
        int | None, typer.Option("--drawn", metavar="N", min=1, help=mark("How many are drawn; all if not named."))
    ] = None,
    panel: Annotated[
        str | None, typer.Option("--panel", metavar="ID", help=mark("The panel whose raters are drawn."))
    ] = None,
    measure: Annotated[
        str | None, typer.Option("--measure", metavar="ID", help=mark("The measure whose items are drawn."))
    ] = None,
    who: Who = "office",
) -> None:
    """Announce a draw."""
    from pydantic import TypeAdapter

    from dokja.record.acts import DrawAnnounced
    from dokja.record.beacon import CHAIN, first_round_at, time_of
    from dokja.values import Moment, utc_text

    face: Face = ctx.obj
    now = datetime.now(UTC).replace(microsecond=0)
    members = _pool(pool)
    with _given():
        number = first_round_at(TypeAdapter(Moment).validate_python(at))
        act = DrawAnnounced.model_validate(
            {
                "type": "draw-announced",
                "id": draw,
                "who": who,
                "when": now,
                "purpose": purpose.value,
                "stage": stage,
                "panel": panel,
                "measure": measure,
                "pool": members,
                "drawn": drawn or len(members),
                "chain": CHAIN,
                "round": number,
            }
        )
    if time_of(number) <= now:
        raise UsageError(
            Problem(
                "usage-draw-time",
                "Round {round} is known since {known}.",
                "Name a time to come.",
                values={"round": str(number), "known": utc_text(time_of(number))},
            )
        )
    _write(face, act)
    values: dict[str, object] = {"round": number, "known": utc_text(time_of(number))}
    face.note(mark("Round {round} decides; it is known from {known}. Publish this act before then."), values)


@contextmanager
def _given() -> Iterator[None]:
    """Tell what was given wrongly in the words of the terminal."""
    from pydantic import ValidationError

    try:
        yield
    except ValidationError as error:
        raise UsageError(*(_wrong(str(each["msg"]), each["loc"]) for each in error.errors())) from error


def _wrong(what: str, where: tuple[int | str, ...]) -> Problem:
    return Problem(
        "usage-draw",
        "{field}: {what}",
        "Correct what was given.",
        values={"field": ".".join(map(str, where)) or "–", "what": what.removeprefix("Value error, ")},
    )


def _pool(file: Path) -> list[str]:
    with file.open("rb") as stream:
        data = stream.read(LARGEST_POOL + 1)
    try:
        if len(data) > LARGEST_POOL:
            raise ValueError("too large")
        return [line.strip() for line in data.decode().splitlines() if line.strip()]
    except ValueError as error:
        raise UsageError(
            Problem(
                "usage-draw-pool",
                "The pool cannot be read.",
                "Write one id a line, in UTF-8, less than {limit} bytes in all.",
                Place(file),
                {"limit": f"{LARGEST_POOL:,}"},
            )
        ) from error


def make(
    ctx: typer.Context,
    folder: Folder,
    draw: Draw,
    signature: Annotated[
        str | None,
        typer.Option("--signature", metavar="HEX", help=mark("The round's signature, as the beacon published it.")),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="URL", help=mark("A server of the beacon to ask, such as https://api.drand.sh.")
        ),
    ] = None,
    who: Who = "office",
) -> None:
    """Make a draw."""
    from dokja.intake.drawing import made_by, signature_from

    face: Face = ctx.obj
    if (signature is None) == (url is None):
        raise UsageError(
            Problem(
                "usage-draw-signature",
                "It is not clear where the round's signature comes from.",
                "Name either --signature or --from.",
            )
        )
    course = _course(folder)
    held = signature if signature is not None else signature_from(url or "", course, draw)
    with _given():
        _write(face, made_by(course, draw, held, who, datetime.now(UTC).replace(microsecond=0)))


def recuse(
    ctx: typer.Context,
    folder: Folder,
    draw: Draw,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help=mark("The id of the one who leaves."))],
    reason_ko: Annotated[str, typer.Option("--reason-ko", metavar="TEXT", help=mark("Why, in Korean."))],
    reason_en: Annotated[str, typer.Option("--reason-en", metavar="TEXT", help=mark("Why, in English."))],
    who: Who = "office",
) -> None:
    """Let one who was drawn leave."""
    from dokja.intake.drawing import recusal_of
    from dokja.values import Bilingual

    face: Face = ctx.obj
    course, now = _course(folder), datetime.now(UTC).replace(microsecond=0)
    with _given():
        _write(face, recusal_of(course, draw, member, Bilingual(ko=reason_ko, en=reason_en), who, now))


def show(ctx: typer.Context, folder: Folder) -> None:
    """Show draws."""
    from rich.table import Table

    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    draws = _course(folder).draws
    if face.json:
        face.write(to_json([_plain(name, draw) for name, draw in draws.items()]))
        return
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="bold")
    for column in (mark("draw"), mark("stage"), mark("round"), mark("known from"), mark("drawn"), mark("left")):
        table.add_column(face.voice(column), overflow=FOLD)
    for name, draw in draws.items():
        said = _plain(name, draw)
        seats = ", ".join(draw.seated) or face.voice(mark("not made yet"))
        table.add_row(name, said["stage"], str(said["round"]), said["known"], seats, ", ".join(draw.recused) or "–")
    face.show(table)


def _plain(name: str, draw: DrawCourse) -> dict[str, Any]:
    from dokja.record.beacon import time_of
    from dokja.values import utc_text

    said = draw.announced
    return {
        "draw": name,
        "purpose": said.purpose,
        "stage": said.stage,
        "round": said.round,
        "known": utc_text(time_of(said.round)),
        "made": draw.made is not None,
        "seated": draw.seated,
        "recused": draw.recused,
    }


def _course(folder: Path) -> Course:
    from dokja.intake.course import Course
    from dokja.intake.drawing import course_of
    from dokja.intake.rules import rules_of

    programme, record = open_(folder)
    with record:
        return course_of(record, Course(rules_of(programme.history, frozenset(programme.sources))))


def _write(face: Face, act: AnyAct) -> None:
    """One act a line is what a file of acts is, with --json as without."""
    from dokja.record import canonical

    face.write(canonical(act).decode() + "\n")
