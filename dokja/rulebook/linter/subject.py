"""What the rules look at: a rulebook as it has become, with the history by which it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from dokja.errors import NOWHERE
from dokja.rulebook.clauses import AnyClause, Call, Clause, Stage, stage_of
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.versions import Enacted, History, Rulebook

C = TypeVar("C", bound=Clause)


@dataclass(frozen=True)
class Subject:
    """A history, and all its documents folded."""

    history: History

    @cached_property
    def rules(self) -> Rulebook:
        """What the rulebook has become."""
        return self.history.whole

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in order."""
        return self.rules.stages

    def all(self, kind: type[C], stage: str) -> tuple[C, ...]:
        """The clauses of one kind of a stage."""
        return tuple(self.rules.of(kind, stage))

    def calls(self, call: str | None) -> tuple[Call, ...]:
        """The clauses on a call."""
        return tuple(clause for clause in self.rules.of(Call) if clause.call == call)

    def remark(self, clause: Clause, what: str, mend: str, values: Mapping[str, str] | None = None) -> Remark:
        """A remark on a clause as it stands now."""
        enacted = self.rules.enacted.get(clause.id)
        return _remark(enacted, what, mend, values)

    def remark_in(self, enacted: Enacted, what: str, mend: str, values: Mapping[str, str] | None = None) -> Remark:
        """A remark on a clause as one document has it."""
        return _remark(enacted, what, mend, values)


def _remark(enacted: Enacted | None, what: str, mend: str, values: Mapping[str, str] | None) -> Remark:
    if enacted is None:
        return Remark(what, mend, values or {})
    clause: AnyClause = enacted.clause
    named = {"clause": clause.id, "stage": stage_of(clause) or "", **(values or {})}
    return Remark(what, mend, named, clause.id, stage_of(clause), enacted.place or NOWHERE)
