"""From a command line to an exit code: 0 fine, 1 findings or falls short, 2 could not run, 130 interrupted."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from itertools import pairwise

import typer

from dokja.cli import INTERRUPTED
from dokja.cli.app import make_app
from dokja.cli.face import Face, ReaderGoneError
from dokja.cli.usage import problem_of
from dokja.errors import DokjaError, Place, Problem
from dokja.language import LANGUAGES, Voice, preferred
from dokja.memory import collect_rarely
from dokja.values import LanguageCode

COULD_NOT_RUN = 2
PIPE_CLOSED = 141
"""128 and the number of the signal, as shells count it."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what goes wrong on purpose is told in a line each, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no Korean letters shows "?"
    if arguments is None:
        collect_rarely()
    words = sys.argv[1:] if arguments is None else list(arguments)
    face = Face(Voice(_language(words)), json="--json" in _before_dashes(words))
    try:
        code = _run(face, words)
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGoneError):
        # The reader has gone; what is left in the buffer has nowhere to go when Python closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _run(face: Face, words: Sequence[str]) -> int:
    app = make_app(face.voice)
    try:
        code: int | None = app.main(words, prog_name="dokja", standalone_mode=False, obj=face)
    except DokjaError as error:
        problems = error.problems
    except typer.TyperException as error:
        problems = (problem_of(error),)
    except BrokenPipeError:
        raise
    except OSError as error:
        problems = (_of_the_system(error),)
    else:
        return code or 0
    for problem in problems:
        face.notes.print(face.voice.problem(problem), soft_wrap=True)
    return COULD_NOT_RUN


def _of_the_system(error: OSError) -> Problem:
    return Problem(
        "system-refuses",
        "The system refuses: {reason}.",
        "Check the path, its permissions and the space that is left.",
        Place(),
        {"reason": f"{error.strerror or type(error).__name__} ({error.filename or '–'})"},
    )


def _before_dashes(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("--")] if "--" in words else words


def _language(words: Sequence[str]) -> LanguageCode:
    """The language that `--lang` asks for, wherever it stands, or else the environment.

    It is wanted before the command line is read, because the help is written in it; a language that does not exist is
    refused when the command line is read.
    """
    said = _before_dashes(words)
    asked = [word.removeprefix("--lang=") for word in said if word.startswith("--lang=")]
    asked += [value for word, value in pairwise(said) if word == "--lang"]
    return next((language for language in LANGUAGES if language in asked), preferred())
