"""What every act says, whatever its type."""

from __future__ import annotations

from dokja.values import Bilingual, Id, Model, Moment, PositiveCount, Text


class Signature(Model):
    """A signature over an act without its signatures. key: name and id of the key; value: Ed25519, in base64."""

    key: Text
    value: Text


class Act(Model):
    """What every act says. `id` names it; `who` is an office, team, rater or outside party by id.

    `signature` is its actor's, where the record was founded with keys (`dokja.record.transparency`). `sequence` is
    its running number among the acts of `who` in its stage, so that none of them can be left out unseen.
    """

    id: Id
    who: Id
    when: Moment
    clause: Id | None = None
    source: Id | None = None
    note: Bilingual | None = None
    sequence: PositiveCount | None = None
    signature: Signature | None = None

    @property
    def key(self) -> str:
        """What makes this act one of a kind in its record."""
        return self.id
