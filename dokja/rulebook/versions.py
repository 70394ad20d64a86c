"""A rulebook over time: the first document, the amendments after it, and what is in force on a given day.

A document either founds a rulebook or amends it: an amendment's clause replaces the clause with the same id or is
new, `repeals` takes clauses away. What is in force at a time is the fold of all documents that are effective by
then, in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Literal, TypeVar

from pydantic import Field
from pydantic.json_schema import WithJsonSchema

from dokja.errors import NOWHERE, Place
from dokja.rulebook.clauses import AmendmentRule, AnyClause, Clause, Goal, Score, Stage, stage_of
from dokja.rulebook.measures import AnyMeasure, walk
from dokja.values import Bilingual, Id, Model, Moment, PositiveCount

C = TypeVar("C", bound=Clause)


class Amendment(Model):
    """Why and by whose consent a rulebook is changed; `scope` names the stages it touches."""

    scope: tuple[Id, ...] = Field(min_length=1)
    reason: Bilingual
    consented: tuple[Id, ...] = ()


class RulebookDocument(Model):
    """One file of a rulebook: the founding document (no `amendment`) or a change of it."""

    dokja: Annotated[Literal["1"], WithJsonSchema({"enum": ["1", 1]})]
    rulebook: Id
    number: PositiveCount
    title: Bilingual
    announced: Moment
    effective: Moment
    source: Id | None = None
    amendment: Amendment | None = None
    clauses: tuple[AnyClause, ...] = ()
    repeals: tuple[Id, ...] = ()


@dataclass(frozen=True)
class Enacted:
    """A clause in force, with the document that brought it into its present form and its place in the file."""

    clause: AnyClause
    document: RulebookDocument
    place: Place = NOWHERE


@dataclass(frozen=True)
class Rulebook:
    """The clauses in force at one time, in the order in which they are read."""

    id: str
    enacted: Mapping[str, Enacted]
    documents: tuple[RulebookDocument, ...] = field(default=())

    def of(self, kind: type[C], stage: str | None = None) -> Iterator[C]:
        """The clauses of one kind, of one stage where one is named."""
        for enacted in self.enacted.values():
            if isinstance(enacted.clause, kind) and stage in (None, stage_of(enacted.clause)):
                yield enacted.clause

    def one(self, kind: type[C], stage: str) -> C | None:
        """The first clause of one kind of a stage, `None` where there is none (a second one is a lint finding)."""
        return next(self.of(kind, stage), None)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in order."""
        return tuple(self.of(Stage))

    def stage(self, stage: str) -> Stage | None:
        """The stage of that id."""
        return next((each for each in self.stages if each.id == stage), None)

    def measures(self, stage: str) -> tuple[AnyMeasure, ...]:
        """Every measure of a stage, parents before children; empty where no score is published."""
        score = self.one(Score, stage)
        return tuple(walk(score.measure)) if score else ()


@dataclass(frozen=True)
class History:
    """All documents of a rulebook, by number, with the place of every clause."""

    documents: tuple[RulebookDocument, ...]
    places: Mapping[tuple[int, str], Place] = field(default_factory=dict)

    def at(self, moment: datetime) -> Rulebook:
        """The rulebook in force at a moment: documents effective by then and announced by then."""
        return self._fold(
            document for document in self.documents if document.effective <= moment and document.announced <= moment
        )

    @cached_property
    def whole(self) -> Rulebook:
        """All documents folded, whenever they take effect: what the rulebook has become."""
        return self._fold(self.documents)

    def changes(self, document: RulebookDocument) -> tuple[AnyClause, ...]:
        """The clauses that a document adds, words otherwise, or takes away; goals bind nobody."""
        held = {name: enacted.clause for name, enacted in self.before(document).enacted.items()}
        touched = [clause for clause in document.clauses if held.get(clause.id) != clause]
        touched += [held[repealed] for repealed in document.repeals if repealed in held]
        return tuple(clause for clause in touched if not isinstance(clause, Goal))

    def rules_on_changing(self, document: RulebookDocument) -> tuple[AmendmentRule, ...]:
        """The clauses on amendments that a document is bound by: those in force before it, when it is announced."""
        stages = {None, *(stage_of(clause) for clause in self.changes(document))}
        before = self._fold(
            each
            for each in self.documents
            if each.number < document.number and max(each.effective, each.announced) <= document.announced
        )
        return tuple(rule for rule in before.of(AmendmentRule) if rule.stage in stages)

    def notice(self, document: RulebookDocument) -> tuple[AmendmentRule, timedelta] | None:
        """The clause that asks for the longest notice of a document, and that time; `None` where none asks for it."""
        rules = self.rules_on_changing(document) if self.changes(document) else ()
        asked = [(rule, timedelta(days=rule.notice_days)) for rule in rules if rule.notice_days is not None]
        return max(asked, key=lambda pair: pair[1], default=None)

    def before(self, document: RulebookDocument) -> Rulebook:
        """The documents of a lower number folded, whenever they take effect."""
        return self._fold(each for each in self.documents if each.number < document.number)

    def _fold(self, documents: Iterable[RulebookDocument]) -> Rulebook:
        chosen = tuple(documents)
        enacted: dict[str, Enacted] = {}
        for document in chosen:
            for repealed in document.repeals:
                enacted.pop(repealed, None)
            for clause in document.clauses:
                place = self.places.get((document.number, clause.id), NOWHERE)
                enacted[clause.id] = Enacted(clause, document, place)
        name = self.documents[0].rulebook if self.documents else ""
        return Rulebook(name, enacted, chosen)
