"""What the linter says: a finding has a stable code, a clause, a place, what is open and how to close it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dokja.errors import NOWHERE, Place, Problem


@dataclass(frozen=True)
class Remark:
    """What a rule finds, before it is given the rule's code.

    what, mend: English message ids; values: what fills their placeholders. clause, stage: what it is about, `None`
    where it is about the whole rulebook. place: where to mend it.
    """

    what: str
    mend: str
    values: Mapping[str, str] = field(default_factory=dict)
    clause: str | None = None
    stage: str | None = None
    place: Place = NOWHERE


@dataclass(frozen=True)
class Finding:
    """One gap in a rulebook."""

    code: str
    name: str
    what: str
    mend: str
    values: Mapping[str, str]
    clause: str | None
    stage: str | None
    place: Place

    @property
    def problem(self) -> Problem:
        """The finding as a problem, as faces print them."""
        return Problem(self.code, self.what, self.mend, self.place, self.values)
