"""The Korean particle that fits a name.

A Korean message writes `{team:은/는}`; which of the two follows depends on how the name is read aloud (한글 맞춤법:
은, 이, 을, 과, 으로 after a final consonant).
"""

from __future__ import annotations

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


class ReadAloud(str):
    """A text that brings its particle where a message asks for one."""

    __slots__ = ()

    def __format__(self, pair: str) -> str:
        return f"{self!s}{particle(self, pair)}" if pair else str(self)
