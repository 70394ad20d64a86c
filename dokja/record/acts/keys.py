"""Acts that say who may sign (`dokja.record.transparency.registry`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dokja.record.acts.act import Act, Signature
from dokja.values import Id, Model, PositiveCount, Text


class RootKey(Model):
    """A key that decides on keys, and who holds it; `vkey` spells it (C2SP signed-note)."""

    holder: Id
    vkey: Text


class Founding(Act):
    """Which keys decide on keys from now on, `threshold` of them together; `approvals` are their signatures."""

    roots: tuple[RootKey, ...] = Field(min_length=1)
    threshold: PositiveCount
    approvals: tuple[Signature, ...] = ()


class Genesis(Founding):
    """The first act of a record whose acts are signed."""

    type: Literal["genesis"]


class KeyRotated(Founding):
    """The keys that decide on keys change, approved by enough of the old ones and of the new ones."""

    type: Literal["key-rotated"]


class KeyRegistered(Act):
    """A holder gets a key to sign with; `replaces` names the key that it takes the place of."""

    type: Literal["key-registered"]
    holder: Id
    role: Id
    vkey: Text
    replaces: Text | None = None
