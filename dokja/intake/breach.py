"""Why an act is refused, before it is known where in which file the act stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dokja.errors import Place, Problem


@dataclass(frozen=True)
class Breach:
    """A stable code, what is wrong, how to mend it, and the field of the act that it concerns."""

    code: str
    what: str
    mend: str
    values: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str | int, ...] = ()

    def at(self, place: Place) -> Problem:
        """The breach as a problem of the place."""
        return Problem(self.code, self.what, self.mend, place, self.values)
