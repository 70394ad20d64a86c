"""Words read from a tokenizer's files: of every kind, spelled in every way, and of files that mean harm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dokja.lineage.pair.rows import shared_words
from dokja.lineage.sides import Source
from dokja.lineage.vocabulary import MOST_BYTES, MOST_WORDS, Vocabulary, text_of, vocabulary


def read(files: Mapping[str, Any]) -> Mapping[str, int]:
    stored = {name: each if isinstance(each, bytes) else json.dumps(each).encode() for name, each in files.items()}

    def beside(name: str, most: int) -> bytes | None:
        found = stored.get(name)
        return found if found is None or len(found) <= most else None

    return vocabulary(beside)


def tokenizer(vocab: object, **more: object) -> dict[str, Any]:
    return {"tokenizer.json": {"version": "1.0", "model": {"vocab": vocab}, **more}}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (tokenizer({"a": 0, "Ġb": 1}), {"a": 0, "Ġb": 1}),
        (tokenizer([["<unk>", 0.0], ["▁b", -3.5], ["a", -4]]), {"<unk>": 0, "▁b": 1, "a": 2}),
        (
            tokenizer(
                {"a": 0}, added_tokens=[{"id": 1, "content": "<s>", "special": True}, {"id": 0, "content": "a"}]
            ),
            {"a": 0, "<s>": 1},
        ),
        (tokenizer({"[CLS]": 0, "ing": 1, "##ing": 2}), {"[CLS]": 0, "ing": 1, "##ing": 2}),
        ({"vocab.json": {"Ġb": 0}, "added_tokens.json": {"<|im_end|>": 1}}, {"Ġb": 0, "<|im_end|>": 1}),
        ({"vocab.json": {"b": 0}}, {"b": 0}),
        ({"vocab.txt": b"[PAD]\nb\r\n##c\n"}, {"[PAD]": 0, "b": 1, "##c": 2}),
        ({"vocab.txt": b"b\n\nc"}, {"b": 0, "": 1, "c": 2}),
        ({**tokenizer({"a": 5}), "vocab.txt": b"other"}, {"a": 5}),
        ({"tokenizer.json": {"model": {}}, "vocab.txt": b"other"}, {"other": 0}),
    ],
)
def test_every_kind_of_file_is_read(files: Mapping[str, Any], words: Mapping[str, int]) -> None:
    assert read(files) == words


LETTERS = {
    **{byte: chr(byte) for byte in (*range(33, 127), *range(161, 173), *range(174, 256))},
    **{byte: chr(256 + place) for place, byte in enumerate((*range(33), *range(127, 161), 173))},
}
"""The alphabet of byte-level tokenizers, as they publish it."""


@given(st.text(min_size=1))
def test_a_text_that_is_spelled_by_its_bytes_is_read(text: str) -> None:
    spelled = "".join(LETTERS[byte] for byte in text.encode())
    assert text_of(spelled) == text


@given(st.text(min_size=1))
def test_what_is_read_is_a_text_and_stays_what_it_is(spelled: str) -> None:
    found = text_of(spelled)
    assert found.encode()
    if spelled.isascii():
        assert found == spelled


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ġthe", "▁the"), ("ìķĪëħķ", "안녕"), ("ĠíķľêµŃ", "▁한국"), ("ĠĠĠ", "▁▁▁"), ("Ċ", "\n"), ("Ã©t", "ét")],
)
def test_two_spellings_of_one_text_meet(one: str, other: str) -> None:
    assert text_of(one) == text_of(other)


def test_half_a_letter_stays_as_it_is_spelled() -> None:
    assert text_of("ìķ") == "ìķ"
    assert text_of("é") == "é"


deep = b'{"model": {"vocab": ' + b"[" * 200_000 + b"]" * 200_000 + b"}}"


@pytest.mark.parametrize(
    "files",
    [
        {"tokenizer.json": b""},
        {"tokenizer.json": b"\xff\xfe"},
        {"tokenizer.json": b"[1"},
        {"tokenizer.json": deep},
        {"tokenizer.json": [1]},
        {"tokenizer.json": {"model": {"vocab": None}}},
        {"tokenizer.json": b'{"model": {"vocab": {"a": ' + b"9" * 5000 + b"}}}"},
        {"tokenizer.json": b" " * (MOST_BYTES + 1)},
        tokenizer({"a": -1}),
        tokenizer({"a": True}),
        tokenizer({"a": 1.5}),
        tokenizer({"a": "1"}),
        tokenizer({"a": None}),
        tokenizer({"a": {"b": 1}}),
        tokenizer({}),
        tokenizer([[]]),
        tokenizer([[1, 2.0]]),
        tokenizer([None]),
        tokenizer({"a": 0}, added_tokens=[{"id": 0}]),
        tokenizer({"a": 0}, added_tokens=[{"id": 0, "content": ["a"]}]),
        tokenizer({"a": 0}, added_tokens=[1]),
        tokenizer({"a": 0}, added_tokens=7),
        {"vocab.json": [1]},
        {"vocab.json": {"a": 0}, "added_tokens.json": [1]},
        {"vocab.txt": b"\xff"},
    ],
    ids=lambda files: repr(files)[:40],
)
def test_a_file_that_is_not_what_it_should_be_gives_no_words(files: Mapping[str, Any]) -> None:
    assert read(files) == {}


def test_too_many_words_are_none() -> None:
    assert read({"vocab.txt": b"\n".join(b"%d" % number for number in range(MOST_WORDS + 1))}) == {}


@dataclass
class Told:
    """A side that says nothing but its words."""

    words: Mapping[str, int]
    key: int = 7

    def vocabulary(self) -> Vocabulary | None:
        return Vocabulary(self.words) or None


def met(*tables: Mapping[str, int]) -> set[tuple[int, ...]] | None:
    found = shared_words(*(cast("Source", Told(table)) for table in tables))
    back = shared_words(*(cast("Source", Told(table)) for table in tables[::-1]))
    assert (found is None) == (back is None)
    if found is None or back is None:
        return None
    assert all(np.array_equal(one, other) for one, other in zip(found.rows, back.rows[::-1], strict=True))
    return {tuple(map(int, each)) for each in zip(*found.rows, strict=True)}


def test_words_meet_as_they_are_spelled_or_else_by_their_text() -> None:
    assert met({"a": 0, "b": 1}, {"b": 5, "c": 0}) == {(1, 5)}
    assert met({"Ġthe": 0, "ìķĪ": 1, "x": 2}, {"▁the": 3, "안": 4, "y": 5}) == {(0, 3), (1, 4)}
    assert met({"Ġthe": 0}, {"Ġthe": 3, "▁the": 4}, {"Ġthe": 9}) == {(0, 3, 9)}
    assert met({"a": 0}, {}) is None
    assert met({"a": 0}, {"b": 0}) == set()


@given(
    st.dictionaries(
        st.sampled_from(["▁a", "Ġa", "a", "▁b", "Ġb", "ĠĠ", "▁▁", "é", "Ã©"]), st.integers(0, 9), min_size=1
    )
)
def test_no_word_that_is_added_keeps_others_from_meeting(more: dict[str, int]) -> None:
    mine, his = {f"Ġ{letter}": row for row, letter in enumerate("abcdef")}, {"Ġa": 4, "Ġb": 3, "Ġc": 9}
    added = {word: 20 + row for word, row in more.items() if word not in mine}
    found = met({**mine, **added}, his)
    assert found is not None
    assert found >= {(0, 4), (1, 3), (2, 9)}


def test_a_row_is_paired_once() -> None:
    assert met(dict.fromkeys("abcdef", 3), {letter: row for row, letter in enumerate("abcdef")}) is not None
    assert len(met(dict.fromkeys("abcdef", 3), {letter: row for row, letter in enumerate("abcdef")}) or ()) == 1
    assert met({"a": 0, "another name of a": 0, "b": 1}, {"a": 7, "b": 8}) == {(0, 7), (1, 8)}


def test_words_that_are_no_text_are_left_out() -> None:
    assert read({"tokenizer.json": rb'{"model": {"vocab": {"\ud800": 0, "a\udfffb": 1, "c": 2}}}'}) == {"c": 2}
