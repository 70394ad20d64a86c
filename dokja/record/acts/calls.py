"""Acts of a call: opened and closed, teams that apply, are admitted or stay away."""

from __future__ import annotations

from typing import Literal

from dokja.record.acts.act import Act
from dokja.values import Bilingual, Count, Id, Moment, PositiveCount


class CallOpened(Act):
    """A call for applications is opened."""

    type: Literal["call-opened"]
    call: Id
    closes: Moment | None = None


class CallClosed(Act):
    """A call is closed, with the number of applications and of those that a first review left."""

    type: Literal["call-closed"]
    call: Id
    applications: Count
    reviewed: Count | None = None


class Application(Act):
    """A team applies to a call; `name` is how people know it, `lead` and `members` who it is made of."""

    type: Literal["application"]
    call: Id
    team: Id
    name: Bilingual
    lead: Bilingual | None = None
    members: tuple[Bilingual, ...] = ()


class Admission(Act):
    """A team is admitted by a call to a stage; `in_favour` of `panel_size` voted for it where a panel decides."""

    type: Literal["admission"]
    call: Id
    stage: Id
    team: Id
    in_favour: Count | None = None
    panel_size: PositiveCount | None = None


class Declined(Act):
    """Somebody that could have applied to a call says that it will not."""

    type: Literal["declined"]
    call: Id
    team: Id | None = None
    name: Bilingual | None = None
