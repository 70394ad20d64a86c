"""Help pages in the language of the face.

typer knows the commands and their options; its own help pages speak English and count Korean letters as half their
width, so the page is set here, from what typer knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from dokja.cli.face import FOLD, Face
from dokja.cli.usage import UsageError, unknown
from dokja.language import Voice, mark

if TYPE_CHECKING:
    from rich.console import RenderableType
    from typer._click import Command, Context, HelpFormatter

HELP_OPTION = mark("Show this page.")
COMPLETION_OPTIONS = {
    "install_completion": mark("Install completion of commands for this shell."),
    "show_completion": mark("Print the completion script of this shell."),
}


class Verb(TyperCommand):
    """A command whose help page speaks the face's language."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the page."""
        formatter.write(_page(self, ctx))


class Verbs(TyperGroup):
    """A group of commands whose help page speaks the face's language."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the page."""
        formatter.write(_page(self, ctx))

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """The verb that is asked for; one that does not exist is answered with those that do."""
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise UsageError(unknown("usage-verb", mark("There is no verb “{name}”."), args[0], self.commands))
        return super().resolve_command(ctx, args)


def translate(command: Command, voice: Voice) -> None:
    """Say the help of a command, its options and all commands under it in the voice's language."""
    if command.help:
        command.help = voice(command.help)
    for param in command.params:
        if isinstance(param, TyperArgument | TyperOption):
            said = COMPLETION_OPTIONS.get(param.name or "", param.help)
            param.help = voice(said) if said else None
    if isinstance(command, TyperGroup):
        for each in command.commands.values():
            translate(each, voice)


def _page(command: Command, ctx: Context) -> str:
    face: Face = ctx.find_root().obj
    return face.said(Group(*_parts(command, ctx, face.voice)))


def _parts(command: Command, ctx: Context, voice: Voice) -> list[RenderableType]:
    params = command.get_params(ctx)
    arguments = [param for param in params if isinstance(param, TyperArgument)]
    pieces = [ctx.command_path, "[OPTIONS]", *map(_said, arguments)]
    verbs = command.commands if isinstance(command, TyperGroup) else {}
    if verbs:
        pieces.append("VERB")
    parts: list[RenderableType] = [
        Text(f"{voice('Usage')}  ", style="bold").append(" ".join(pieces), style="not bold"),
        Padding(Text(command.help or ""), (1, 2)),
    ]
    sections = (
        (voice("Arguments"), [(each.metavar or "", each.help or "") for each in arguments]),
        (voice("Verbs"), [(name, _first_sentence(each.help or "")) for name, each in verbs.items()]),
        (voice("Options"), [_option(each, voice) for each in params if isinstance(each, TyperOption)]),
    )
    for title, rows in sections:
        if rows:
            parts += [Text(title, style="bold"), _rows(rows), Text("")]
    return parts[:-1]


def _said(argument: TyperArgument) -> str:
    """An argument in the usage line, in brackets where it may be left out."""
    name = argument.metavar or ""
    return name if argument.required else f"[{name}]"


def _rows(rows: list[tuple[str, str]]) -> Padding:
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow=FOLD)
    for name, said in rows:
        table.add_row(name, said)
    return Padding(table, (0, 0, 0, 2))


def _first_sentence(text: str) -> str:
    return text.partition("\n\n")[0]


def _option(param: TyperOption, voice: Voice) -> tuple[str, str]:
    names = ", ".join(param.opts)
    said = voice(HELP_OPTION) if param.name == "help" else param.help or ""
    return (f"{names} {param.metavar}" if param.metavar else names), said
