"""Whether the rulebook came into force as the record says: published in time, and changed only by those it binds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from dokja.language import mark
from dokja.record.acts import Act, RulebookAmended, RulebookPublished
from dokja.rulebook import AnyClause, Call, RulebookDocument, stage_of
from dokja.rulebook.clauses import Goal
from dokja.values import utc_text
from dokja.verify.course import Walk
from dokja.verify.verdict import Fault, Unchecked

Check = Callable[[Walk, int, Any], Iterator[Fault]]


def _published(walk: Walk, index: int, act: RulebookPublished | RulebookAmended) -> Iterator[Fault]:
    """The act, the document and its bytes say the same, and the act does not stand in the record too late."""
    document = _document(walk, act.number)
    if document is None:
        return
    number = str(act.number)
    if act.digest is not None:
        held = f"sha256:{sha256(walk.contents.files[act.number - 1].read_bytes()).hexdigest()}"
        if held != act.digest:
            said = mark("Document {number} in the bundle is {held}; what was published is {digest}.")
            yield _not_published(index, said, {"number": number, "held": held, "digest": act.digest})
    in_force = max(document.announced, document.effective)
    if document.announced < act.when:
        said = mark("Document {number} says that it was announced at {announced}; it was published at {when}.")
        values = {"number": number, "announced": utc_text(document.announced), "when": utc_text(act.when)}
        yield _not_published(index, said, values)
    if walk.latest is not None and in_force < walk.latest:
        said = mark("Document {number} is in force from {since}; the record already held an act of {latest}.")
        values = {"number": number, "since": utc_text(in_force), "latest": utc_text(walk.latest)}
        yield _not_published(index, said, values)


def _not_published(index: int | None, said: str, values: Mapping[str, str]) -> Fault:
    return Fault("RULEBOOK_NOT_PUBLISHED", said, values, index)


def _amended(walk: Walk, index: int, act: RulebookAmended) -> Iterator[Fault]:
    """What an amendment changes of a stage or call that has begun needs the consent of every team in it."""
    document = _document(walk, act.number)
    if document is None:
        return
    if document.effective < document.announced:
        said = mark("Document {number} takes effect at {effective}, before it is announced at {announced}.")
        values = {
            "number": str(act.number),
            "effective": utc_text(document.effective),
            "announced": utc_text(document.announced),
        }
        yield Fault("RETROACTIVE_AMENDMENT", said, values, index)
    since = utc_text(max(document.announced, document.effective, act.when))
    touched: dict[tuple[str, str, frozenset[str]], list[str]] = defaultdict(list)
    for clause in _changes(walk, document):
        name, begun, teams = _ruled_on(walk, clause, since)
        if begun is not None and begun < since:
            touched[name, begun, teams].append(clause.id)
    for (name, begun, teams), clauses in touched.items():
        values = {
            "number": str(act.number),
            "clauses": ", ".join(clauses),
            "since": since,
            "of": name,
            "begun": begun,
            "teams": ", ".join(sorted(teams - {*act.consented})),
        }
        if not act.consented:
            said = mark(
                "Document {number} changes {clauses} from {since}; “{of}” began at {begun}, and nobody's consent is "
                "named."
            )
            yield Fault("RETROACTIVE_AMENDMENT", said, values, index)
        elif not teams <= {*act.consented}:
            said = mark(
                "Document {number} changes {clauses} from {since}; “{of}” began at {begun}, and {teams} did not "
                "consent."
            )
            yield Fault("CONSENT_MISSING", said, values, index)


def _document(walk: Walk, number: int) -> RulebookDocument | None:
    return next((each for each in walk.contents.history.documents if each.number == number), None)


def _changes(walk: Walk, document: RulebookDocument) -> Iterator[AnyClause]:
    """The clauses that a document adds, words otherwise, or takes away; goals bind nobody."""
    held: dict[str, AnyClause] = {}
    for earlier in walk.contents.history.documents:
        if earlier.number >= document.number:
            break
        for repealed in earlier.repeals:
            held.pop(repealed, None)
        held.update({clause.id: clause for clause in earlier.clauses})
    touched = [clause for clause in document.clauses if held.get(clause.id) != clause]
    touched += [held[repealed] for repealed in document.repeals if repealed in held]
    return (clause for clause in touched if not isinstance(clause, Goal))


def _ruled_on(walk: Walk, clause: AnyClause, when: str) -> tuple[str, str | None, frozenset[str]]:
    """The call or stage that a clause rules on, when it began, and the teams in it."""
    if isinstance(clause, Call):
        call = walk.course.call(clause.call)
        return clause.call, call.opened, frozenset(team for team, at in call.applied.items() if at <= when)
    stage = stage_of(clause) or ""
    return stage, walk.course.stage(stage).opened, walk.teams_in(stage, when)


def unpublished(walk: Walk) -> Iterator[Fault]:
    """Documents in the bundle that no act of the record publishes."""
    for document in walk.contents.history.documents:
        if document.number not in walk.published:
            said = mark("No act of the record publishes document {number}.")
            yield _not_published(None, said, {"number": str(document.number)})


def unpinned(walk: Walk, digests: Mapping[int, str | None]) -> Iterator[Unchecked]:
    """Documents whose bytes no act pins: that they are the published ones is taken on trust."""
    numbers = [str(number) for number, digest in sorted(digests.items()) if digest is None]
    if numbers:
        said = mark("The rulebook's bytes: the acts that publish documents {numbers} pin no digest.")
        yield Unchecked(said, {"numbers": ", ".join(numbers)})


document_faults: Mapping[type[Act], Sequence[Check]] = {
    RulebookPublished: (_published,),
    RulebookAmended: (_published, _amended),
}
