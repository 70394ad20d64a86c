"""The record as a page: every act with who, when, by which clause and on which source; the sources; the root."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from markupsafe import Markup

from dokja.record.about import Source
from dokja.record.acts import AnyAct
from dokja.report import addresses
from dokja.report.act_words import act_kind, act_said
from dokja.report.cells import Label
from dokja.report.edition import Edition
from dokja.report.publication import Signed
from dokja.report.timeline import verdict_of
from dokja.report.words import VERDICTS
from dokja.values import text_of_seconds


@dataclass(frozen=True)
class ActRow:
    """An act."""

    index: int
    anchor: str
    id: str
    day: Markup
    kind: Markup
    who: Markup
    clause: Markup | None
    source: Markup
    said: Markup
    note: str | None
    verdict: Label | None
    page: str | None


@dataclass(frozen=True)
class SourceRow:
    """A source; `href` is `None` where it has no address that may become a link."""

    anchor: str
    id: str
    title: str
    badge: Markup
    standing: str
    url: str | None
    href: str | None
    day: Markup | None
    cited: int


@dataclass(frozen=True)
class RecordPage:
    """All that the page of the record shows; `counted` ballots are in it without being shown one by one."""

    acts: tuple[ActRow, ...]
    sources: tuple[SourceRow, ...]
    size: int
    root: str
    counted: int
    signed: str | None
    unwitnessed: bool


def record_page(edition: Edition) -> RecordPage:
    """The record of an edition."""
    publication = edition.publication
    cited = Counter(act.source for act in publication.acts.values() if act.source is not None)
    return RecordPage(
        acts=tuple(act_row(index, act, edition) for index, act in sorted(publication.acts.items())),
        sources=tuple(_source(source, cited[source.id], edition) for source in publication.about.sources),
        size=publication.size,
        root=publication.root,
        counted=publication.size - len(publication.acts),
        signed=_signed(publication.signed, edition) if publication.signed else None,
        unwitnessed=publication.signed is not None and publication.signed.enough is False,
    )


def _signed(signed: Signed, edition: Edition) -> str:
    """How far the record is signed, and who witnessed it."""
    values: dict[str, object] = {
        "size": f"{signed.size:,}",
        "origin": signed.origin,
        "count": len(signed.witnesses),
        "of": signed.of,
        "names": ", ".join(signed.witnesses) or "–",
        "at": "–" if signed.at is None else text_of_seconds(signed.at),
    }
    said = [edition.say("The first {size} acts, signed by {origin}.", values)]
    if signed.enough is False:
        said.append(
            edition.say("Unwitnessed: {count} of {of} have cosigned ({names}). It cannot carry a decision.", values)
        )
    elif signed.witnesses:
        said.append(edition.say("Witnessed by {count} of {of}: {names}, at {at}.", values))
    return " ".join(said)


def act_row(index: int, act: AnyAct, edition: Edition) -> ActRow:
    """An act as pages show it."""
    verdict = verdict_of(index, edition)
    return ActRow(
        index=index,
        anchor=addresses.act_anchor(index),
        id=act.id,
        day=edition.day(act.when),
        kind=act_kind(act, edition),
        who=edition.team(act.who).shown,
        clause=edition.clause(act.clause, act.when).shown if act.clause else None,
        source=edition.source(act.source),
        said=act_said(act, edition),
        note=edition.text(act.note) if act.note else None,
        verdict=Label(verdict, edition.say(VERDICTS[verdict])) if verdict else None,
        page=addresses.act_page(index) if index in edition.publication.places else None,
    )


def _source(source: Source, cited: int, edition: Edition) -> SourceRow:
    return SourceRow(
        anchor=addresses.source_anchor(source.id),
        id=source.id,
        title=edition.text(source.title),
        badge=edition.badge(source),
        standing=source.standing,
        url=source.url,
        href=addresses.outside(source.url),
        day=edition.day(source.date) if source.date else None,
        cited=cited,
    )
