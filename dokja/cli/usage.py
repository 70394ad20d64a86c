"""What a person can get wrong on the command line, as problems of dokja's own family."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import typer

from dokja.errors import NOWHERE, DokjaError, Place, Problem
from dokja.language import mark


class UsageError(DokjaError):
    """The command line asks for something that does not exist."""


def unknown(code: str, what: str, name: str, known: Iterable[str], place: Place = NOWHERE) -> Problem:
    """A name that does not exist, with the names that look like it, or else with all that there are."""
    names = tuple(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    mend = "Did you mean {close}?" if close else "There is: {known}."
    return Problem(code, what, mend, place, {"name": name, "close": _listed(close), "known": _listed(names)})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "–"


@dataclass(frozen=True)
class _Kind:
    code: str
    what: str
    mend: str = mark("See: {command} --help")


_KINDS: Mapping[str, _Kind] = {
    "MissingParameter": _Kind("usage-missing", mark("{name} is missing.")),
    "NoSuchOption": _Kind("usage-option", mark("There is no option {name}.")),
    "BadParameter": _Kind("usage-value", mark("{name} cannot have this value."), mark("Write {form}.")),
    "BadOptionUsage": _Kind("usage-value-missing", mark("{name} needs a value.")),
}
"""typer's own errors, by the name of their class."""

_OTHER = _Kind("usage-other", mark("The command line cannot be read: {reason}"))


def problem_of(error: typer.TyperException) -> Problem:
    """An error that typer found in the command line, as a problem."""
    kind = _KINDS.get(type(error).__name__, _OTHER)
    context, param = getattr(error, "ctx", None), getattr(error, "param", None)
    form = str(getattr(param, "metavar", None) or "")
    name = getattr(error, "option_name", None) or (param.opts[0] if param and param.opts[0][0] == "-" else form)
    values = {
        "name": str(name),
        "form": form,
        "reason": error.format_message(),
        "command": context.command_path if context else "dokja",
    }
    return Problem(kind.code, kind.what, kind.mend, NOWHERE, values)
