"""The command line as a tree of verbs, built in one language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from dokja import __version__
from dokja.cli import (
    audit,
    demo,
    draw,
    heartbeat,
    init,
    inspect,
    key,
    library,
    lint,
    manifest,
    marks,
    moving,
    objects,
    publishing,
    receipts,
    record,
    rulebook,
    run,
    showing,
    timestamp,
    verify,
    why,
    witness,
    witnessing,
)
from dokja.cli.face import Face
from dokja.cli.help import Verb, Verbs, translate
from dokja.language import Voice, mark
from dokja.values import LanguageCode

if TYPE_CHECKING:
    from typer._click import Command, Parameter

HELP = mark(
    "Runs and adjudicates a staged foundation-model programme so that anyone can check the result.\n\n"
    "A rulebook says what was promised, a record holds what happened, and the outcome follows from the two. "
    "Begin with: dokja demo"
)

VERBS = (
    (init.init, init.HELP),
    (lint.lint, lint.HELP),
    (run.run, run.HELP),
    (why.why, why.HELP),
    (inspect.inspect, inspect.HELP),
    (audit.audit, audit.HELP),
    (verify.export, verify.EXPORT),
    (verify.verify, verify.VERIFY),
    (demo.demo, demo.HELP),
)
GROUPS = (
    (
        "library",
        library.HELP,
        (
            (library.build, library.BUILD),
            (library.add, library.ADD),
            (library.list_, library.LIST),
            (library.verify, library.VERIFY),
        ),
    ),
    ("rulebook", rulebook.HELP, ((rulebook.show, rulebook.SHOW), (rulebook.schema, rulebook.SCHEMA))),
    (
        "record",
        record.HELP,
        (
            (record.list_, record.LIST),
            (showing.show, showing.SHOW),
            (showing.export, showing.EXPORT),
            (record.check, record.CHECK),
            (record.schema, record.SCHEMA),
            (publishing.init, publishing.INIT),
            (publishing.sign, publishing.SIGN),
            (publishing.append, publishing.APPEND),
            (receipts.receipt, receipts.RECEIPT),
            (publishing.checkpoint, publishing.CHECKPOINT),
            (heartbeat.heartbeat, heartbeat.HEARTBEAT),
            (witnessing.witness, witnessing.WITNESS),
            (publishing.prove, publishing.PROVE),
            (publishing.tiles, publishing.TILES),
            (objects.pin, objects.PIN),
            (objects.unpin, objects.UNPIN),
            (timestamp.timestamp, timestamp.TIMESTAMP),
            (moving.move, moving.MOVE),
        ),
    ),
    (
        "marks",
        marks.HELP,
        ((marks.seal, marks.SEAL), (marks.close, marks.CLOSE), (marks.open_, marks.OPEN)),
    ),
    (
        "witness",
        witness.HELP,
        ((witness.serve, witness.SERVE), (witness.cosign, witness.COSIGN), (witness.show, witness.SHOW)),
    ),
    (
        "draw",
        draw.HELP,
        (
            (draw.announce, draw.ANNOUNCE),
            (draw.make, draw.MAKE),
            (draw.recuse, draw.RECUSE),
            (draw.show, draw.SHOW),
        ),
    ),
    (
        "manifest",
        manifest.HELP,
        (
            (manifest.digest, manifest.DIGEST),
            (manifest.sign, manifest.SIGN),
            (manifest.verify, manifest.VERIFY),
        ),
    ),
    ("key", key.HELP, ((key.new, key.NEW), (key.list_, key.LIST), (key.show, key.SHOW))),
)

EVERYWHERE = ("json", "lang")
"""Options that every verb takes, before or after it; `main` has read them before any verb runs."""


def make_app(voice: Voice) -> TyperGroup:
    """The tree of verbs, its help in the voice's language."""
    app = _group()
    app.callback(help=HELP)(_start)
    for verb, said in VERBS:
        app.command(verb.__name__, cls=Verb, help=said)(verb)
    for name, said, verbs in GROUPS:
        group = _group()
        group.callback(help=said)(_start_group)
        for each, each_said in verbs:
            group.command(each.__name__.rstrip("_"), cls=Verb, help=each_said)(each)
        app.add_typer(group, name=name)
    root = get_command(app)
    if not isinstance(root, TyperGroup):
        raise TypeError("several verbs make a group")
    shared = [param for param in root.params if param.name in EVERYWHERE]
    for command in root.commands.values():
        _share(command, shared)
    translate(root, voice)
    return root


def _group() -> typer.Typer:
    return typer.Typer(cls=Verbs, invoke_without_command=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def _share(command: Command, params: Sequence[Parameter]) -> None:
    command.params = [*command.params, *params]
    if isinstance(command, TyperGroup):
        for each in command.commands.values():
            _share(each, params)


def _start(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help=mark("Print the version."))] = False,
    json: Annotated[bool, typer.Option("--json", expose_value=False, help=mark("Print the result as JSON."))] = False,
    lang: Annotated[
        LanguageCode | None,
        typer.Option(
            "--lang", metavar="ko|en", expose_value=False, help=mark("Korean or English for all that a person reads.")
        ),
    ] = None,
) -> None:
    if version:
        face: Face = ctx.obj
        face.write(f"dokja {__version__}\n")
        raise typer.Exit
    _start_group(ctx)


def _start_group(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        face: Face = ctx.obj
        face.write(ctx.get_help() + "\n")
