"""A publication in one language: what everything is called, and how a page refers to it.

Every text that comes from rulebooks and acts is escaped here or by the templates; addresses of the web become links
only where they are http or https.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache, cached_property
from zoneinfo import ZoneInfo

from babel.dates import format_date
from markupsafe import Markup

from dokja.adjudicate import Score
from dokja.language import Voice, mark
from dokja.record.about import Source
from dokja.record.acts import Application, Declined
from dokja.report import addresses
from dokja.report.names import Name, filled, linked, listed, name
from dokja.report.publication import Publication
from dokja.report.quantities import Quantity, quantity
from dokja.report.words import STANDINGS
from dokja.rulebook import AnyClause, AnyMeasure, Call, Gate, Rulebook, RulebookDocument
from dokja.values import Bilingual, LanguageCode

_DAY_PATTERNS: Mapping[LanguageCode, str] = {"ko": "y년 M월 d일", "en": "d MMMM y"}
_JOINTS: Mapping[LanguageCode, tuple[str, str]] = {"ko": (", ", ", "), "en": (", ", " and ")}


@cache
def _message(language: LanguageCode, message: str) -> Markup:
    """A message as it stands in a language."""
    return Markup(Voice(language)(message))  # noqa: S704 - messages are ours; what fills them is escaped


@cache
def _day_in_words(language: LanguageCode, day: date) -> str:
    return format_date(day, _DAY_PATTERNS[language], locale=language)


@dataclass(frozen=True)
class Edition:
    """A publication as it is told in one language."""

    publication: Publication
    language: LanguageCode

    @cached_property
    def voice(self) -> Voice:
        """Says message ids in this language."""
        return Voice(self.language)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone in which times are shown."""
        return ZoneInfo(self.publication.about.time_zone)

    @cached_property
    def rules(self) -> Rulebook:
        """The rulebook in force at the horizon, as adjudication took the score trees from it."""
        return self.publication.history.at(self.publication.outcome.horizon)

    def say(self, message: str, values: Mapping[str, object] | None = None) -> Markup:
        """A message with its placeholders filled; values are escaped, names bring their Korean particle."""
        text = _message(self.language, message)
        return filled(text, values) if values else text

    def text(self, text: Bilingual) -> str:
        """A text of the rulebook or of an act in this language."""
        return text.say(self.language)

    # Names

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Names by id: of parties as `programme.yaml` has them, of teams as the latest act that names one does."""
        names = {party.id: self.text(party.name) for party in self.publication.about.parties}
        for act in self.publication.acts.values():
            if isinstance(act, Application):
                names[act.team] = self.text(act.name)
            elif isinstance(act, Declined) and act.name is not None:
                names.setdefault(act.team or act.who, self.text(act.name))
        return names

    @cached_property
    def teams(self) -> tuple[str, ...]:
        """Every team that applied or entered a stage, in the order in which the record names them."""
        applied = (act.team for act in self.publication.acts.values() if isinstance(act, Application))
        entered = (team for stage in self.publication.outcome.stages for team in (*stage.teams, *stage.withdrawn))
        return tuple(dict.fromkeys((*applied, *entered)))

    def called(self, identifier: str) -> str:
        """What a team, firm, office or person is called: its name, or its id where no act names it."""
        return self._names.get(identifier, identifier)

    def team(self, identifier: str) -> Name:
        """A team's name, linked to its page."""
        called = self.called(identifier)
        return linked(called, addresses.team_page(identifier)) if identifier in self.teams else name(called)

    def team_list(self, identifiers: Iterable[str]) -> Name:
        """Several teams' names in a sentence."""
        return self.join(self.team(each) for each in identifiers)

    def join(self, names: Iterable[Name]) -> Name:
        """Several names in a sentence."""
        return listed(tuple(names), *_JOINTS[self.language])

    @cached_property
    def _measures(self) -> Mapping[tuple[str, str], AnyMeasure]:
        return {
            (stage.id, measure.id): measure
            for stage in self.rules.stages
            for measure in self.rules.measures(stage.id)
        }

    def measure(self, stage: str, identifier: str) -> Name:
        """A measure's title."""
        measure = self._measures.get((stage, identifier))
        return name(self.text(measure.title) if measure else identifier)

    def stage(self, identifier: str) -> Name:
        """A stage's title, linked to its page."""
        return linked(self.stage_title(identifier), addresses.stage_page(identifier))

    def stage_title(self, identifier: str) -> str:
        """A stage's title."""
        stage = self.rules.stage(identifier)
        return self.text(stage.title) if stage else identifier

    def gate(self, identifier: str) -> Name:
        """A gate's title, linked to its clause."""
        clause = self._clauses.get(identifier)
        title = self.text(clause.title) if isinstance(clause, Gate) else identifier
        return self.clause_named(identifier, self.publication.outcome.horizon, title)

    def call(self, identifier: str) -> Name:
        """A call's title, by the latest clause on it."""
        clause = next(
            (each for each in self._clauses.values() if isinstance(each, Call) and each.call == identifier), None
        )
        return name(self.text(clause.title) if clause else identifier)

    @cached_property
    def _clauses(self) -> Mapping[str, AnyClause]:
        return {identifier: enacted.clause for identifier, enacted in self.publication.history.whole.enacted.items()}

    # References

    def clause(self, identifier: str, moment: datetime) -> Name:
        """A clause, linked to the text that was in force at a moment."""
        return self.clause_named(identifier, moment, f"§{identifier}")

    def clause_named(self, identifier: str, moment: datetime, called: str) -> Name:
        """A clause under a name, linked to the text in force at a moment, or else to its first text."""
        documents = self._documents.get(identifier, ())
        by_then = [each for each in documents if each.effective <= moment and each.announced <= moment]
        document = (*by_then[-1:], *documents[:1], None)[0]
        return linked(called, addresses.clause(document.number, identifier)) if document else name(called)

    @cached_property
    def _documents(self) -> Mapping[str, tuple[RulebookDocument, ...]]:
        """The documents that have a clause, in order, by the clause's id."""
        found: dict[str, list[RulebookDocument]] = {}
        for document in self.publication.history.documents:
            for clause in document.clauses:
                found.setdefault(clause.id, []).append(document)
        return {identifier: tuple(documents) for identifier, documents in found.items()}

    def act(self, index: int) -> Name:
        """An act, linked to its place in the record; ballots are counted, not shown one by one."""
        if index in self.publication.acts:
            return linked(self.voice(mark("act {index}"), {"index": index}), addresses.act(index))
        return name(self.voice(mark("ballot {index}"), {"index": index}))

    @cached_property
    def act_indexes(self) -> Mapping[str, int]:
        """Where an act stands in the record, by its id."""
        return {act.id: index for index, act in self.publication.acts.items()}

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The sources by id."""
        return {source.id: source for source in self.publication.about.sources}

    def source(self, identifier: str | None) -> Markup:
        """A source, linked to its entry; one that is not official says what it is."""
        if identifier is None or identifier not in self.sources:
            return Markup()
        source = self.sources[identifier]
        link = linked(self.voice(mark("source {id}"), {"id": identifier}), addresses.source(identifier)).shown
        return link if source.standing == "official" else link + " " + self.badge(source)

    def badge(self, source: Source) -> Markup:
        """What a source is, in a word."""
        return Markup('<span class="badge {}">{}</span>').format(
            source.standing, self.say(STANDINGS[source.standing])
        )

    def act_and_source(self, index: int) -> Markup:
        """An act with the source it rests on."""
        act = self.publication.acts.get(index)
        source = self.source(act.source) if act else Markup()
        return self.act(index).shown + (" · " + source if source else "")

    # Times and numbers

    def day(self, moment: datetime | date) -> Markup:
        """A day in words, with the hour where one is known (a day alone stands at midnight)."""
        if not isinstance(moment, datetime):
            return Markup('<time datetime="{}">{}</time>').format(
                moment.isoformat(), _day_in_words(self.language, moment)
            )
        local = moment.astimezone(self.zone)
        hour = "" if local.time() == time() else f" {local:%H:%M}"
        return Markup('<time datetime="{}">{}{}</time>').format(
            local.isoformat(), _day_in_words(self.language, local.date()), hour
        )

    def quantity(self, score: Score) -> Quantity:
        """A score as it is shown."""
        return quantity(score, self.publication.acts, self.language)

    def leaked(self, act: int | None) -> bool:
        """Whether an act rests on a leak."""
        found = self.publication.acts.get(act) if act is not None else None
        source = self.sources.get(found.source) if found and found.source else None
        return source is not None and source.standing == "leak"
