"""The terminal as a face: results on stdout, notes and progress on stderr, in one language.

Colour is for terminals only. Where stdout is none, lines are `PIPED_WIDTH` wide whatever the environment says, so
that the same result has the same bytes; rows of a list are not broken at all.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, RenderableType
from rich.text import Text

from dokja.language import Tell, Voice

PIPED_WIDTH = 100
LISTED_WIDTH = 10_000
"""Wider than any row of a list."""

WIDEST = 100
"""Lines of text longer than this are hard to read, however wide the terminal is."""

FOLD: Literal["fold"] = "fold"
"""How columns break their lines: any other way rich takes the blank after a Korean line for an overflow, and cuts."""

PATIENCE = 1.0
"""Seconds of work after which a sign of life is shown."""


class ReaderGoneError(Exception):
    """Whoever read stdout has gone. No `OSError`, because typer ends the command on those itself, as if it failed."""


@dataclass(frozen=True)
class Face:
    """How one command speaks: its language, and whether its result goes to another program."""

    voice: Voice
    json: bool = False

    @property
    def out(self) -> Console:
        """Where results go."""
        return _console(stderr=False)

    @property
    def notes(self) -> Console:
        """Where all goes that is not the result."""
        return _console(stderr=True)

    def line(self, text: str | Text, style: str = "") -> None:
        """A line of the result, left as long as it is: terminals break it, programs read it whole."""
        out = self.out
        with out.capture() as capture:
            out.print(text, style=style, soft_wrap=True)
        self.write(capture.get())

    def show(self, *shown: RenderableType, whole: bool = False) -> None:
        """Results for a person; where a program reads them, lines have no blanks at their end.

        whole: a list, a row of which is one line, left for terminals to break.
        """
        self.write(self.said(*shown, whole=whole))

    def said(self, *shown: RenderableType, whole: bool = False) -> str:
        """What `show` writes."""
        out = self.out
        if whole:
            out.width = LISTED_WIDTH
        with out.capture() as capture:
            out.print(*shown, sep="\n")
        text = capture.get()
        if out.is_terminal and not whole:
            return text
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())

    def write(self, text: str) -> None:
        """Text as it is."""
        try:
            sys.stdout.write(text)
        except BrokenPipeError as error:
            raise ReaderGoneError from error

    def note(self, message: str, values: Mapping[str, object] | None = None) -> None:
        """One line to the person at the terminal."""
        self.notes.print(self.voice(message, values), soft_wrap=True, style="dim")

    @contextmanager
    def working(self, message: str) -> Iterator[Tell]:
        """A sign of life on stderr while work takes longer than a moment; none where stderr is no terminal.

        What comes out says in its place what is being done now.
        """
        notes = self.notes
        if not notes.is_terminal:
            yield _unheard
            return
        status = notes.status(self.voice(message), spinner="dots")
        timer = threading.Timer(PATIENCE, status.start)
        timer.start()
        try:
            yield lambda message, values: status.update(self.voice(message, values))
        finally:
            timer.cancel()
            timer.join()
            status.stop()


def _unheard(message: str, values: Mapping[str, object]) -> None:
    """Nobody looks."""


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDEST) if console.is_terminal else PIPED_WIDTH
    return console
