"""Acts that put the rulebook into force and change it, and the consent of those whom a change binds."""

from __future__ import annotations

from typing import Literal

from dokja.record.acts.act import Act
from dokja.values import Digest, Id, PositiveCount


class RulebookPublished(Act):
    """The founding rulebook is published; `digest` pins the file's bytes."""

    type: Literal["rulebook-published"]
    number: PositiveCount
    digest: Digest | None = None


class RulebookAmended(Act):
    """An amendment is published, with the teams that consented to it."""

    type: Literal["rulebook-amended"]
    number: PositiveCount
    consented: tuple[Id, ...] = ()
    digest: Digest | None = None


class ConsentGiven(Act):
    """A team consents to a document of the rulebook, whose bytes `digest` names."""

    type: Literal["consent-given"]
    team: Id
    number: PositiveCount
    digest: Digest
