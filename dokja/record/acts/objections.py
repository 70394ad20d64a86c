"""Claims against acts, and the answers to them."""

from __future__ import annotations

from typing import Literal

from dokja.record.acts.act import Act
from dokja.values import Bilingual, Flag, Id


class ObjectionFiled(Act):
    """A claim against an act."""

    type: Literal["objection-filed"]
    stage: Id
    team: Id
    against: Id
    claim: Bilingual


class ObjectionAnswered(Act):
    """The answer to an objection."""

    type: Literal["objection-answered"]
    objection: Id
    upheld: Flag
