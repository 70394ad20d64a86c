"""The rulebook as readable text: each document with its clauses, and beside them what the linter finds open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from dokja.report import addresses
from dokja.report.clause_facts import KINDS, Fact, MeasureLine, facts, measure_lines
from dokja.report.edition import Edition
from dokja.report.names import linked
from dokja.rulebook import RULES, AnyClause, Finding, RulebookDocument, Stage, stage_of


@dataclass(frozen=True)
class FindingItem:
    """Something that the linter found, and how to mend it."""

    code: str
    what: Markup
    mend: Markup


@dataclass(frozen=True)
class FindingGroup:
    """A rule of the linter with how often it found something, and where."""

    code: str
    summary: Markup
    count: int
    clauses: tuple[Markup, ...]


@dataclass(frozen=True)
class ClauseText:
    """A clause as one document has it; `later` leads to the document that has a newer text."""

    id: str
    anchor: str
    kind: Markup
    stage: Markup | None
    text: str
    facts: tuple[Fact, ...]
    unsaid: tuple[Markup, ...]
    measures: tuple[MeasureLine, ...]
    later: Markup | None
    earlier: Markup | None
    source: Markup
    findings: tuple[FindingItem, ...]


@dataclass(frozen=True)
class DocumentText:
    """A document of the rulebook."""

    number: int
    anchor: str
    title: str
    announced: Markup
    effective: Markup
    source: Markup
    scope: tuple[Markup, ...]
    reason: str | None
    consented: Markup | None
    repeals: tuple[Markup, ...]
    clauses: tuple[ClauseText, ...]


@dataclass(frozen=True)
class RulebookPage:
    """All that the page of the rulebook shows."""

    documents: tuple[DocumentText, ...]
    groups: tuple[FindingGroup, ...]
    count: int
    general: tuple[FindingItem, ...]


Held = Mapping[tuple[int, str], list[Finding]]


def rulebook_page(edition: Edition) -> RulebookPage:
    """The rulebook of an edition."""
    findings = edition.publication.findings
    held = _by_clause(edition)
    placed = {id(each) for several in held.values() for each in several}
    return RulebookPage(
        documents=tuple(_document(each, held, edition) for each in edition.publication.history.documents),
        groups=_groups(held, edition),
        count=len(findings),
        general=_items((each for each in findings if id(each) not in placed), edition),
    )


def _by_clause(edition: Edition) -> Held:
    """Findings by the document and the clause whose text they were found in, else by the clause's newest text."""
    history = edition.publication.history
    by_place = {place: key for key, place in history.places.items()}
    newest = {clause.id: document.number for document in history.documents for clause in document.clauses}
    held: dict[tuple[int, str], list[Finding]] = {}
    for finding in edition.publication.findings:
        clause = finding.clause or finding.stage
        key = by_place.get(finding.place)
        if key is None and clause in newest:
            key = (newest[clause], clause)
        if key is not None:
            held.setdefault(key, []).append(finding)
    return held


def _items(findings: Iterable[Finding], edition: Edition) -> tuple[FindingItem, ...]:
    return tuple(
        FindingItem(each.code, edition.say(each.what, each.values), edition.say(each.mend, each.values))
        for each in findings
    )


def _groups(held: Held, edition: Edition) -> tuple[FindingGroup, ...]:
    """The rules that found something, in the order of their codes."""
    counted = Counter(finding.code for finding in edition.publication.findings)
    where = {
        code: dict.fromkeys(key for key, several in held.items() if any(each.code == code for each in several))
        for code in counted
    }
    return tuple(
        FindingGroup(
            code,
            edition.say(RULES[code].summary) if code in RULES else Markup(),
            counted[code],
            tuple(
                linked(f"§{clause}", f"#{addresses.clause_anchor(number, clause)}").shown
                for number, clause in where[code]
            ),
        )
        for code in sorted(counted)
    )


def _document(document: RulebookDocument, held: Held, edition: Edition) -> DocumentText:
    amendment = document.amendment
    return DocumentText(
        number=document.number,
        anchor=addresses.document_anchor(document.number),
        title=edition.text(document.title),
        announced=edition.day(document.announced),
        effective=edition.day(document.effective),
        source=edition.source(document.source),
        scope=tuple(edition.stage(stage).shown for stage in amendment.scope) if amendment else (),
        reason=edition.text(amendment.reason) if amendment else None,
        consented=edition.team_list(amendment.consented).shown if amendment and amendment.consented else None,
        repeals=tuple(edition.clause(clause, document.effective).shown for clause in document.repeals),
        clauses=tuple(_clause(clause, document, held, edition) for clause in document.clauses),
    )


def _clause(clause: AnyClause, document: RulebookDocument, held: Held, edition: Edition) -> ClauseText:
    stage, told = stage_of(clause), facts(clause, edition)
    return ClauseText(
        id=clause.id,
        anchor=addresses.clause_anchor(document.number, clause.id),
        kind=edition.say(KINDS[clause.kind]),
        stage=edition.stage(stage).shown if stage and not isinstance(clause, Stage) else None,
        text=edition.text(clause.text),
        facts=tuple(fact for fact in told if fact.said is not None),
        unsaid=tuple(fact.title for fact in told if fact.said is None),
        measures=measure_lines(clause, edition),
        later=_neighbour(clause.id, document, 1, edition),
        earlier=_neighbour(clause.id, document, -1, edition),
        source=edition.source(clause.source if clause.source != document.source else None),
        findings=_items(held.get((document.number, clause.id), ()), edition),
    )


def _neighbour(clause: str, document: RulebookDocument, step: int, edition: Edition) -> Markup | None:
    """The document before or after that has the same clause, by its title."""
    having = [
        each for each in edition.publication.history.documents if any(held.id == clause for held in each.clauses)
    ]
    position = having.index(document) + step
    if not 0 <= position < len(having):
        return None
    other = having[position]
    return linked(edition.text(other.title), f"#{addresses.clause_anchor(other.number, clause)}").shown
