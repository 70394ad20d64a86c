"""Signatures at the door: a record that was founded with keys takes no act that its actor did not sign.

What may never be taken out again is held to the keys before it comes in, whichever way it comes
(`dokja.record.transparency.registry` follows the keys).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dokja.intake.breach import Breach
from dokja.intake.voices import Offices
from dokja.language import mark
from dokja.record import Record, act_of
from dokja.record.canonical import Rows
from dokja.record.transparency.plain_entries import read_entry
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.registry import Registry
from dokja.record.transparency.signing import registry_of

_OF_KEYS = frozenset(("genesis", "key-registered", "key-rotated"))
_SIGNED = b'"signature":{'
"""How a signed act differs in its bytes from all others: within a text the quotes would be escaped."""

_MENDS: Mapping[str, str] = {
    "ACT_UNSIGNED": mark("Sign it with its actor's key (dokja record sign), and put what that prints in its place."),
}
_OTHERWISE = mark("Nothing was written. It is about the act “{key}” ({detail}).")


@dataclass
class Signatures:
    """The keys of a record, followed act by act as acts come in; read when they are first asked for.

    offices: who the office is, by the acts that the record holds.
    """

    record: Record
    offices: Offices = field(default_factory=Offices)
    _registry: Registry | None = field(default=None, init=False)

    def breaches(self, first: int, rows: Rows) -> Iterator[tuple[int, Breach]]:
        """Which of some rows, the first of which comes to stand at this index, are signed wrongly, and why."""
        registry = self._keys()
        if not registry.roots and _OF_KEYS.isdisjoint(rows.column("type")) and not _any_signed(rows):
            return
        for position, row in enumerate(rows):
            try:
                tree = read_entry(row.body)
                registry.follow(first + position, tree)
            except RefusedError as error:
                mend = _MENDS.get(error.code, _OTHERWISE)
                yield (
                    position,
                    Breach(error.code, error.meaning, mend, {"key": row.key, "detail": error.detail or "–"}),
                )
                continue
            if row.type in _OF_KEYS:
                self.offices.fold(act_of(row.body))
            elif (breach := self.offices.breach(row.type, tree["who"], tree.get)) is not None:
                yield position, breach

    def _keys(self) -> Registry:
        if self._registry is None:
            self._registry = registry_of(self.record) if self.record.holds_type("genesis") else Registry()
        return self._registry


def _any_signed(rows: Rows) -> bool:
    return _SIGNED in b"".join(rows.column("body"))
