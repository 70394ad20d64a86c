"""Entries read quickly are read as slowly: what RFC 8785's own writer would say decides."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from dokja.record.canonical import written
from dokja.record.transparency.plain_entries import read_entry
from dokja.record.transparency.refusals import RefusedError
from dokja.values import HIDDEN

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["\uffff", "\U00010000", "\ue000", "\x7f", "\u2028", "\x1f", "\b\f\n\r\t", '"\\/', "é", "e\u0301"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_the_standard_writes_is_read(tree: dict[str, Any]) -> None:
    body = rfc8785.dumps({**tree, "type": "statement"})
    if HIDDEN.search(body.decode()):
        with pytest.raises(RefusedError, match="ENTRY_HIDDEN_TEXT"):
            read_entry(body)
    else:
        assert read_entry(body) == {**tree, "type": "statement"}


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_a_part_of_an_entry_is_written_as_the_standard_writes_it(tree: dict[str, Any]) -> None:
    assert written(tree) == rfc8785.dumps(tree)


@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.data())
def test_no_other_spelling_is_read(tree: dict[str, Any], data: st.DataObject) -> None:
    body = rfc8785.dumps({**tree, "type": "statement"})
    at = data.draw(st.integers(0, len(body) - 1))
    other = body[:at] + data.draw(st.binary(max_size=2)) + body[at + data.draw(st.integers(0, 2)) :]
    try:
        read = read_entry(other)
    except RefusedError:
        return
    assert rfc8785.dumps(read) == other


@pytest.mark.parametrize("number", [2**53, -(2**53), 10**16, 99_999_999_999_999_999])
def test_an_integer_beyond_what_every_reader_holds_is_refused(number: int) -> None:
    with pytest.raises(RefusedError, match="ENTRY_NOT_CANONICAL"):
        read_entry(b'{"n":%d,"type":"x"}' % number)


def test_keys_beyond_the_basic_plane_are_in_the_order_of_utf_16() -> None:
    ordered = rfc8785.dumps({"type": "x", "\U00010000": 1, "\uffff": 2})
    assert ordered.index("\U00010000".encode()) < ordered.index("\uffff".encode())
    assert read_entry(ordered)["type"] == "x"
    by_code_point = b'{"type":"x","\xef\xbf\xbf":2,"\xf0\x90\x80\x80":1}'
    with pytest.raises(RefusedError, match="ENTRY_NOT_CANONICAL"):
        read_entry(by_code_point)
