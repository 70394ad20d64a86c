"""Names inside sentences: escaped, kept apart from the writing direction around them, with the right Korean particle.

A Korean message writes `{team:은/는}`: see `dokja.particles`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

from markupsafe import Markup, escape

from dokja.particles import particle

_REMEMBERED = 16_384
"""Names kept as they are shown; pages say few names, each of them often."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it is read, and as it is shown (a link, perhaps)."""

    plain: str
    shown: Markup

    def __str__(self) -> str:
        return self.plain

    def __html__(self) -> Markup:
        return self.shown

    def __html_format__(self, pair: str) -> Markup:
        return self.shown + particle(self.plain, pair) if pair else self.shown

    def __format__(self, pair: str) -> str:
        return self.plain + particle(self.plain, pair) if pair else self.plain


@lru_cache(_REMEMBERED)
def name(text: str) -> Name:
    """A name from any text, however hostile."""
    return Name(text, Markup("<bdi>{}</bdi>").format(text))


def linked(text: str | Name, href: str) -> Name:
    """The name as a link; `href` is one of our own addresses or was let through by `addresses.outside`."""
    return _linked(str(text), href)


@lru_cache(_REMEMBERED)
def _linked(plain: str, href: str) -> Name:
    return Name(plain, Markup('<a href="{}"><bdi>{}</bdi></a>').format(href, plain))


def listed(names: tuple[Name, ...], joint: str, last_joint: str) -> Name:
    """Names joined to one: "A, B and C"."""
    if len(names) < 2:
        return names[0] if names else name("")
    *front, last = names
    plain = joint.join(str(each) for each in front) + last_joint + str(last)
    shown = escape(joint).join(each.shown for each in front) + last_joint + last.shown
    return Name(plain, shown)


def filled(text: Markup, values: Mapping[str, object]) -> Markup:
    """A text with its `{named}` placeholders filled, as `Markup.format` fills them; it is taken apart only once."""
    said = [literal if field is None else _shown(values[field], pair) for literal, field, pair in _parts(text)]
    return Markup("".join(said))  # noqa: S704 - the text is markup, and what fills it is escaped


def _shown(value: object, pair: str) -> Markup:
    if isinstance(value, Name):
        return value.__html_format__(pair)
    return escape(format(value, pair) if pair else value)


@lru_cache(_REMEMBERED)
def _parts(text: str) -> tuple[tuple[str, str | None, str], ...]:
    """The literal parts of a text, and its placeholders, each with the particle that follows."""
    found = list[tuple[str, str | None, str]]()
    for literal, field, pair, _ in Formatter().parse(text):
        found.append((literal, None, ""))
        if field is not None:
            found.append(("", field, pair or ""))
    return tuple(found)
