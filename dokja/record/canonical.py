"""An act as bytes, and back: RFC 8785 (JSON Canonicalization Scheme), so that one act has one spelling.

Absence has one spelling too: a field that is unset, or that holds what it would hold if it were left out, does not
stand in the bytes. Times are in UTC, decimals and texts stand as they were written, counts are JSON integers, yes and
no are JSON booleans. Reading the bytes and writing them again gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import rfc8785

from dokja.record.acts import ACT, AnyAct
from dokja.record.merkle import leaf_hash

LARGEST_ACT = 2**16 - 1
"""Bytes of an act: in a published log its length stands before it in two bytes (C2SP tlog-tiles)."""


class Row(NamedTuple):
    """What a record keeps of an act: its canonical bytes, and what is looked up, all of it drawn from the bytes.

    `leaf` is the leaf hash of `body`; `stage` and `team` are `None` where the act names none.
    """

    key: str
    type: str
    when: str
    stage: str | None
    team: str | None
    body: bytes
    leaf: bytes


@dataclass(frozen=True)
class Rows:
    """Rows that follow each other, kept as columns: that is how they go to other processes and to a database."""

    columns: tuple[Sequence[Any], ...] = ((),) * len(Row._fields)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """The rows as columns."""
        columns = tuple(zip(*rows, strict=True))
        return cls(columns) if columns else cls()

    def column(self, name: str) -> Sequence[Any]:
        """One field of every row."""
        return self.columns[Row._fields.index(name)]

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Row]:
        return map(Row._make, zip(*self.columns, strict=True))


def tree_of(act: AnyAct) -> dict[str, Any]:
    """The act as plain JSON values."""
    tree: dict[str, Any] = ACT.dump_python(act, mode="json", exclude_none=True, exclude_defaults=True)
    return tree


def written(tree: Mapping[str, Any]) -> bytes:
    """Plain JSON values without fractions, and with integers that any reader holds exactly, as RFC 8785 writes them.

    Python's own writer makes the same text many times faster: it escapes the same, and its order of keys, by code
    points, differs from that of UTF-16 only beyond U+FFFF.
    """
    text = _encode(tree)
    return text.encode() if text.isascii() or max(text) <= "\uffff" else rfc8785.dumps(dict(tree))


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode


def canonical(act: AnyAct) -> bytes:
    """The act's canonical bytes."""
    return written(tree_of(act))


def act_of(body: bytes) -> AnyAct:
    """The act that the bytes hold; raises pydantic's `ValidationError` where they hold none."""
    return ACT.validate_json(body)


def row_of(act: AnyAct) -> Row:
    """The act as a record keeps it."""
    tree = tree_of(act)
    body = written(tree)
    return Row(act.key, act.type, tree["when"], tree.get("stage"), tree.get("team"), body, leaf_hash(body))
