"""The words of a model: which row of its embeddings bears which.

Words are hints to what rows mean; nothing else is taken from a tokenizer's files. They are capped before they are
parsed, and a file that is not what it should be gives no words.

Tokenizers spell one text in several ways: `Ġword` (bytes as letters, Radford et al. 2019), `▁word` (SentencePiece).
Both stand for the text ` word`, by which rows meet that were carried over from one kind of tokenizer to another.
Words that are spelled alike meet first, so that no word that is added to a vocabulary can keep others from it.
WordPiece's `##` stays: it does not say whether a space stood before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

MOST_BYTES: Final = 64 << 20
MOST_WORDS: Final = 1_000_000
MOST_ROWS: Final = 1 << 31

APART: Final = "\0"
"""Stands between words that are read together."""

Beside = Callable[[str, int], bytes | None]
"""What gives a file of this name beside the weights, if it is there and no larger than this."""

Spelled = tuple[list[Any], list[Any]]
"""Words as they are spelled, and their rows."""


class Vocabulary(dict[str, int]):
    """The row of each word, as the tokenizer spells it.

    drawn: whether these are some of the words, drawn by the key.
    """

    def __init__(self, rows: Mapping[str, int] | Iterable[tuple[str, int]] = (), *, drawn: bool = False) -> None:
        super().__init__(rows)
        self.drawn = drawn

    @cached_property
    def by_text(self) -> Mapping[str, str]:
        """A word of each text."""
        return dict(zip(texts(self), self, strict=True))


def vocabulary(beside: Beside) -> Vocabulary:
    """The row of each word, from the tokenizer's files; empty where there are none that can be read."""
    for name, read in READERS:
        text = beside(name, MOST_BYTES)
        if text is None:
            continue
        try:
            spelled, rows = read(text, beside)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            continue
        if len(spelled) <= MOST_WORDS and _sound(spelled, rows):
            found = zip(spelled, rows, strict=True)
            return Vocabulary(found if _is_text("".join(spelled)) else (each for each in found if _is_text(each[0])))
    return Vocabulary()


def priority(key: int, text: str) -> bytes:
    """Where a word of this text stands when words are drawn by a key: the same in every vocabulary that holds it."""
    return sha256(f"{key}:{text}".encode("utf-8", "surrogatepass")).digest()


def _tokenizer_json(text: bytes, _: Beside) -> Spelled:
    """Of the `tokenizers` library: a table of words, of Unigram a list of them in the order of rows; added ones."""
    told = json.loads(text)
    words, added = told["model"]["vocab"], told.get("added_tokens") or []
    known = _table(words) if isinstance(words, dict) else _in_order([piece[0] for piece in words])
    return known[0] + [each["content"] for each in added], known[1] + [each["id"] for each in added]


def _vocab_json(text: bytes, beside: Beside) -> Spelled:
    """Of GPT-2 and its like: a table of words, and one of those that were added."""
    known, added = (_table(json.loads(each)) for each in (text, beside("added_tokens.json", MOST_BYTES) or b"{}"))
    return known[0] + added[0], known[1] + added[1]


def _vocab_txt(text: bytes, _: Beside) -> Spelled:
    """Of BERT: a word a line."""
    return _in_order(text.decode().removesuffix("\n").replace("\r\n", "\n").split("\n"))


def _table(words: dict[Any, Any]) -> Spelled:
    return list(words.keys()), list(words.values())


def _in_order(words: list[Any]) -> Spelled:
    return words, list(range(len(words)))


READERS: Final = (("tokenizer.json", _tokenizer_json), ("vocab.json", _vocab_json), ("vocab.txt", _vocab_txt))
"""The first of these that can be read tells the words."""


def _sound(spelled: Sequence[object], rows: Sequence[Any]) -> bool:
    # JSON has no other whole numbers than Python's own, and its truth values are of another type.
    known = set(map(type, spelled)) == {str} and set(map(type, rows)) == {int}
    return known and 0 <= min(rows) <= max(rows) < MOST_ROWS


def _is_text(word: str) -> bool:
    """Whether all letters are whole: JSON can spell halves of one."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_of(spelled: str) -> str:
    """A word as the text that it stands for, as far as it is one; else as it is spelled."""
    return _decoded(_spaced(spelled))


def texts(spelled: Collection[str]) -> list[str]:
    """The same of many words, most of which take one step of all together."""
    together = _spaced(APART.join(spelled)).split(APART)
    spaced = together if len(together) == len(spelled) else map(_spaced, spelled)
    return [word if word.isascii() else _decoded(word) for word in spaced]


def _spaced(spelled: str) -> str:
    return spelled.replace("Ġ", " ").replace("▁", " ")


def _decoded(spaced: str) -> str:
    try:
        return spaced.translate(_BYTES).encode("latin-1").decode()
    except UnicodeError:
        return spaced


def _letters() -> dict[int, int]:
    """The byte for which each letter of a byte-level tokenizer stands: what is seen of ASCII and Latin-1 for itself,
    the next ones for the rest. What is no such letter is led beyond Latin-1."""
    seen = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    unseen = [byte for byte in range(0x100) if byte not in seen]
    none = {byte: 0x100 for byte in unseen if byte >= 0x80}
    return none | {0x100 + place: byte for place, byte in enumerate(unseen)}


_BYTES: Final = _letters()
