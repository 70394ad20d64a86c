"""Names inside sentences: escaped, kept apart from the writing direction around them, with the right Korean particle.

A Korean message writes `{team:은/는}`; which of the two follows depends on how the name is read aloud (한글 맞춤법:
은, 이, 을, 과, 으로 after a final consonant).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

from markupsafe import Markup, escape

_REMEMBERED = 16_384
"""Names kept as they are shown; pages say few names, each of them often."""

FIRST_HANGUL, LAST_HANGUL, FINALS = 0xAC00, 0xD7A3, 28
RIEUL = 8
"""The number of ㄹ among the final consonants of a syllable."""

_READ_ALOUD = {
    **dict(zip("0123456789", "영일이삼사오육칠팔구", strict=True)),
    **dict(
        zip(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "이비시디이프지치이이이엘엠엔오피큐알스티유이유스이트",
            strict=True,
        )
    ),
}
"""The last syllable of a digit or of a letter's name, as Koreans read it."""


def _final(word: str) -> int | None:
    """The final consonant of the word's last sound, 0 for none, `None` where the reading is not known."""
    last = word.rstrip(")]”’\"' ")[-1:]
    syllable = _READ_ALOUD.get(last, last)
    if len(syllable) == 1 and FIRST_HANGUL <= ord(syllable) <= LAST_HANGUL:
        return (ord(syllable) - FIRST_HANGUL) % FINALS
    return None


def particle(word: str, pair: str) -> str:
    """The particle of a pair such as "은/는" that fits the word; both where the word's reading is not known."""
    after_consonant, after_vowel = pair.split("/")
    final = _final(word)
    if final is None:
        return f"{after_consonant}({after_vowel})"
    if after_consonant == "으로":
        return after_vowel if final in (0, RIEUL) else after_consonant
    return after_consonant if final else after_vowel


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
