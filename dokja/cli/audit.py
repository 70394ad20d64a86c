"""`dokja audit`: whose weights are these? Findings for people, as JSON, as a page, and as an act for a gate."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from dokja.cli.face import FOLD, Face
from dokja.cli.usage import UsageError
from dokja.errors import Place, Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.lineage import Audit, Reference
    from dokja.lineage.arrays import Arrays
    from dokja.lineage.checkpoint import Checkpoint
    from dokja.lineage.findings import Screen
    from dokja.lineage.library import Library
    from dokja.programme.findings import About

HELP = mark(
    "Audit the weights of a checkpoint, component by component, against other checkpoints or a library of them: "
    "exact p-values, effects, and in words what was found and how it could be innocent. Exit code 1 if a component "
    "depends on a reference, or is for a panel to look at."
)

FOUND = 1

UNSCREENED = 50
"""A library of packs of so many references or fewer is audited whole; any other is screened first."""


def audit(
    ctx: typer.Context,
    submission: Annotated[str, typer.Argument(metavar="CKPT", help=mark("A checkpoint: a file, a folder or a URL."))],
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="CKPT", help=mark("A reference. May be repeated.")),
    ] = None,
    library: Annotated[
        Path | None, typer.Option("--library", metavar="DIR", help=mark("A library of references."))
    ] = None,
    key: Annotated[
        int | None,
        typer.Option(
            "--key",
            metavar="NUMBER",
            min=0,
            help=mark("What units are drawn by, 0 if left out: commit to it beforehand. A library has its own."),
        ),
    ] = None,
    step0: Annotated[
        str | None,
        typer.Option("--step0", metavar="CKPT", help=mark("The submission's own weights before its training.")),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            "--device",
            metavar="NAME",
            help=mark("What compares units: cpu (NumPy), or cuda, a graphics processor (needs dokja[gpu])."),
        ),
    ] = "cpu",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="DIR", help=mark("Write a page that a jury can read."))
    ] = None,
    act: Annotated[
        Path | None,
        typer.Option(
            "--act",
            metavar="FILE",
            help=mark("Write the findings as an act for a gate; needs --team, --stage, --gate, --who and --when."),
        ),
    ] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="ID", help=mark("The act's team."))] = None,
    stage: Annotated[str | None, typer.Option("--stage", metavar="ID", help=mark("The act's stage."))] = None,
    gate: Annotated[str | None, typer.Option("--gate", metavar="ID", help=mark("The act's gate."))] = None,
    who: Annotated[str | None, typer.Option("--who", metavar="ID", help=mark("Who audits."))] = None,
    when: Annotated[
        str | None,
        typer.Option("--when", metavar="TIME", help=mark("When, such as 2027-08-20T10:00:00+09:00.")),
    ] = None,
) -> int:
    """Audit a checkpoint."""
    from dokja.lineage.telling import lines, to_json

    face: Face = ctx.obj
    if not against and library is None:
        raise UsageError(
            Problem(
                "audit-no-reference",
                "There is nothing to hold the checkpoint against.",
                "Name references with --against CKPT, or a library with --library DIR.",
            )
        )
    about = _about(act, {"team": team, "stage": stage, "gate": gate, "who": who, "when": when})
    asked = _asked(submission, against or [], library, key, step0, device)
    _check_places(html, act, about, asked)
    if key is None and library is None:
        face.note(mark("No key was given: units are drawn by the key 0, which anybody could have foreseen."))
    with face.working(mark("Auditing the weights")):
        done = _audit(asked, finished=act is not None)
    told = to_json(done)
    if html is not None:
        from dokja.lineage.page import write_page

        command = _command(submission, against or [], library, done.key, step0)
        pages = write_page(done, html, command, face.voice.language)
        page = next((each for each in pages if each.name == f"audit.{face.voice.language}.html"), pages[0])
        face.note(mark("Page: {page}"), {"page": page})
    if act is not None and about is not None:
        from dokja.programme.findings import audit_act, write_act

        write_act(audit_act(done, told, about), told, act)
    if face.json:
        face.write(told)
    else:
        face.show(*(_indented(line) for line in lines(done, face.voice)))
    unfinished = done.screen is not None and bool(done.screen.unasked)
    return FOUND if unfinished or any(finding.told for finding in done.findings) else 0


@dataclass(frozen=True)
class _Asked:
    """What is audited, all of it checked but the weights."""

    submission: str
    named: Mapping[str, str]
    held: Library | None
    key: int
    step0: str | None
    arrays: Arrays


def _asked(
    submission: str, against: list[str], library: Path | None, key: int | None, step0: str | None, device: str
) -> _Asked:
    from dokja.lineage.arrays import arrays_on
    from dokja.lineage.library import open_library

    arrays = arrays_on(device)
    held = None if library is None else open_library(library)
    named = _names(against, () if held is None else held.names)
    return _Asked(submission, named, held, _key(key, None if held is None else held.key), step0, arrays)


def _check_places(html: Path | None, act: Path | None, about: About | None, asked: _Asked) -> None:
    """Raise now what would be met when page and act are written: an audit may take minutes."""
    if html is not None:
        from dokja.lineage.page import page_places
        from dokja.whole import expect_writable

        for place in page_places(html).values():
            expect_writable(place)
    if act is not None and about is not None:
        from dokja.programme.findings import check_act, evidence_of

        evidence_of(act)
        kept = () if asked.held is None else asked.held.names
        check_act(about, _name(asked.submission), (*asked.named.values(), *kept))


def _audit(asked: _Asked, *, finished: bool) -> Audit:
    from dokja.lineage import Reference as Named
    from dokja.lineage import audit as audited
    from dokja.lineage import open_checkpoint, reference

    with ExitStack() as stack:

        def opened(where: str) -> Checkpoint:
            return stack.enter_context(open_checkpoint(where))

        def referred(where: str) -> Reference:
            return reference(_name(where), opened(where), asked.key)

        mine = referred(asked.submission)
        named = {name: opened(where) for where, name in asked.named.items()}
        references = [reference(name, checkpoint, asked.key) for name, checkpoint in named.items()]
        screen = None
        if asked.held is not None:
            near, screen = _near(asked.held, mine)
            if screen is not None and screen.unasked:
                screen = _without(screen, asked.held, tuple(named.values()))
            references += [Named(name, stack.enter_context(asked.held.pack(name))) for name in near]
            if finished:
                from dokja.programme.findings import check_asked

                check_asked(screen, Place(asked.held.folder))
        begun = None if asked.step0 is None else referred(asked.step0)
        return audited(mine, references, key=asked.key, step0=begun, device=asked.arrays, screen=screen)


def _without(screen: Screen, library: Library, named: Sequence[Checkpoint]) -> Screen:
    """A screen that calls nothing unasked whose weights are named, and audited by these."""
    there = frozenset[str]().union(*(library.made_from(each) for each in named))
    return replace(screen, unasked=tuple(each for each in screen.unasked if each.reference not in there))


def _key(asked: int | None, held: int | None) -> int:
    """The key to draw units by: a library's where there is one, for its units are drawn already."""
    if held is not None and asked not in (None, held):
        raise UsageError(
            Problem(
                "audit-key",
                "The library's units were drawn by the key {held}, not by {asked}.",
                "Leave --key out, or build the library by the key that was committed to.",
                values={"held": str(held), "asked": str(asked)},
            )
        )
    return held if held is not None else asked or 0


def _near(library: Library, mine: Reference) -> tuple[list[str], Screen | None]:
    """The references to audit against: all of a small library of packs, else those that the screen finds near."""
    from dokja.lineage.findings import Screen, Unasked

    if len(library.names) <= UNSCREENED and not library.unpacked:
        return list(library.names), None
    screened = library.screen(mine.source)
    near = [name for name in screened.references if name not in library.unpacked]
    unasked = tuple(
        Unasked(each.reference, each.component, each.cosine)
        for each in screened.candidates
        if each.reference in library.unpacked
    )
    return near, Screen(len(library.names), len(near), screened.would_miss, unasked)


def _name(where: str) -> str:
    """What a checkpoint is called in findings: the last part of its place."""
    return Path(where.rstrip("/")).name or where


def _names(against: Sequence[str], kept: Sequence[str]) -> dict[str, str]:
    """What each reference is called, by its place: so much of its end as tells it from all others and from those that
    a library keeps."""
    places = list(dict.fromkeys(each.rstrip("/") or each for each in against))
    ends = [each.split("/") for each in (*places, *kept)]

    def name(place: str) -> str:
        parts = place.split("/")
        tails = (parts[start:] for start in reversed(range(len(parts))))
        alone = (tail for tail in tails if sum(each[-len(tail) :] == tail for each in ends) == 1)
        return "/".join(next(alone, [".", *parts]))

    return {place: name(place) for place in places}


def _command(submission: str, against: list[str], library: Path | None, key: int, step0: str | None) -> str:
    words = ["dokja", "audit", submission]
    for each in against:
        words += ["--against", each]
    if library is not None:
        words += ["--library", str(library)]
    if step0 is not None:
        words += ["--step0", step0]
    return shlex.join([*words, "--key", str(key)])


def _about(file: Path | None, said: dict[str, str | None]) -> About | None:
    """What an act must know beside the audit; nothing where none is asked for."""
    if file is None:
        return None
    from dokja.programme.findings import About

    missing = [f"--{name}" for name, value in said.items() if value is None]
    if missing:
        raise UsageError(
            Problem(
                "audit-act-incomplete",
                "An act needs to know more: {missing}.",
                "Say which team, stage and gate it is for, who audits and when.",
                Place(file),
                {"missing": ", ".join(missing)},
            )
        )
    return About(**{name: value for name, value in said.items() if value is not None})


def _indented(line: str) -> Padding:
    """A line that goes on below its own beginning where it is too long."""
    text = line.lstrip(" ")
    return Padding(Text(text, overflow=FOLD), (0, 0, 0, len(line) - len(text)))
