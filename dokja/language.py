"""Korean and English for all that a person reads: message ids are English, `locale/ko` holds the Korean.

Catalogues are Babel's `.po` files, read at run time, so that nothing compiled is kept beside its source.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from importlib import resources
from typing import TYPE_CHECKING

from dokja.errors import DokjaError, Problem
from dokja.particles import ReadAloud

if TYPE_CHECKING:
    from dokja.values import LanguageCode

LANGUAGES: tuple[LanguageCode, ...] = ("ko", "en")

SAID = frozenset({"reason", "kind"})
"""Values of a problem that may be messages themselves."""


@cache
def translations(language: LanguageCode) -> NullTranslations:
    """The catalogue of a language; English is its own message ids."""
    if language == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415  (only Korean needs it)
    from babel.messages.pofile import read_po  # noqa: PLC0415
    from babel.support import Translations  # noqa: PLC0415

    source = resources.files("dokja") / "locale" / language / "LC_MESSAGES" / "dokja.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return Translations(compiled)


@dataclass(frozen=True)
class Voice:
    """Says message ids in one language."""

    language: LanguageCode

    def __call__(self, message: str, values: Mapping[str, object] | None = None) -> str:
        """The message in this language, its `{named}` placeholders filled from `values`."""
        text: str = translations(self.language).gettext(message)
        if not values:
            return text
        if self.language == "ko":
            values = {name: ReadAloud(value) if type(value) is str else value for name, value in values.items()}
        return text.format(**values)

    def problem(self, problem: Problem) -> str:
        """A problem as one line: place, code, what is wrong, how to mend it."""
        where = f"{problem.place}: " if str(problem.place) else ""
        values = {name: self(value) if name in SAID and value else value for name, value in problem.values.items()}
        said = " ".join(self(part, values) for part in (problem.what, problem.mend))
        return f"{where}{problem.code} {said}"

    def error(self, error: DokjaError) -> str:
        """All problems of an error, one a line."""
        return "\n".join(self.problem(problem) for problem in error.problems)


def preferred(environment: Mapping[str, str] = os.environ) -> LanguageCode:
    """Korean where `DOKJA_LANG`, `LC_ALL`, `LC_MESSAGES` or `LANG` asks for it, else English."""
    names = ("DOKJA_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    asked = next((value for name in names if (value := environment.get(name))), "")
    return "ko" if asked.lower().startswith("ko") else "en"


Tell = Callable[[str, Mapping[str, object]], None]
"""Takes what is being done while it is: a message id and its values."""


def untold(message: str, values: Mapping[str, object]) -> None:
    """Nobody asks."""


def mark(message: str) -> str:
    """Marks a message id for extraction where it stands as data; the face translates it when it shows it."""
    return message
