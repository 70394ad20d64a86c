"""Entries as bytes that anyone may have written: canonical JSON of a small kind, read in bounded time and memory."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import rfc8785

from dokja.record.canonical import written
from dokja.record.transparency.refusals import RefusedError
from dokja.values import HIDDEN

DEEPEST = 64
"""How deep objects and arrays may be nested in an entry."""

_LONGEST_NUMBER = 17
_LARGEST = 2**53 - 1
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)


def read_entry(body: bytes, index: int | None = None) -> dict[str, Any]:
    """The act that an entry's bytes hold, as plain values."""
    try:
        _bound_depth(body)
        text = body.decode("utf-8")
        tree = _read(text)
        if not isinstance(tree, dict) or not isinstance(tree.get("type"), str):
            raise ValueError("no object with a type")
        if written(tree) != body:
            raise ValueError("written otherwise than RFC 8785 writes it")
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise RefusedError("ENTRY_NOT_CANONICAL", str(error)[:200], index) from None
    if not text.isascii() and HIDDEN.search(text):
        raise RefusedError("ENTRY_HIDDEN_TEXT", index=index)
    return tree


def _bound_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    depth = 0
    for found in _BRACKETS.finditer(body):
        token = found[0]
        if token in (b"[", b"{"):
            depth += 1
            if depth > DEEPEST:
                raise ValueError(f"nested deeper than {DEEPEST}")
        elif token in (b"]", b"}"):
            depth -= 1


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("a number of more than 16 digits")
    number = int(digits)
    if abs(number) > _LARGEST:
        raise ValueError("an integer that not every reader holds exactly")
    return number


def _no_number(written: str) -> NoReturn:
    raise ValueError(f"{written[:40]} is no integer")


_read = json.JSONDecoder(parse_int=_integer, parse_float=_no_number, parse_constant=_no_number).decode
