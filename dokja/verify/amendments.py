"""Whether the rulebook came into force as the record says: published in time, and changed only by those it binds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from dokja.language import mark
from dokja.record.acts import Act, RulebookAmended, RulebookPublished
from dokja.rulebook import AnyClause, Call, RulebookDocument, stage_of
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
        held = _digest(walk, act.number)
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


def amendment_faults(walk: Walk) -> Iterator[Fault]:
    """What is wrong with amendments; looked at when the walk is over, for consent may come after the announcement."""
    for index, act in walk.rulemaking.amended:
        document = _document(walk, act.number)
        if document is not None:
            yield from _timely(walk, index, document)
            yield from _consented(walk, index, act, document)


def _timely(walk: Walk, index: int, document: RulebookDocument) -> Iterator[Fault]:
    """A document takes effect after its announcement, and not before the notice is over that the rules ask for."""
    values = {
        "number": str(document.number),
        "effective": utc_text(document.effective),
        "announced": utc_text(document.announced),
    }
    if document.effective < document.announced:
        said = mark("Document {number} takes effect at {effective}, before it is announced at {announced}.")
        yield Fault("RETROACTIVE_AMENDMENT", said, values, index)
        return
    asked = walk.contents.history.notice(document)
    if asked is not None and document.effective - document.announced < asked[1]:
        said = mark(
            "Document {number} was announced at {announced} and takes effect at {effective}; by “{clause}” {days} "
            "days lie between."
        )
        values |= {"clause": asked[0].id, "days": str(asked[1].days)}
        yield Fault("NOTICE_TOO_SHORT", said, values, index)


@dataclass(frozen=True)
class _Begun:
    """What a clause rules on, where it had begun: its name, since when, and the teams in it."""

    name: str
    since: str
    teams: frozenset[str]


def _consented(walk: Walk, index: int, act: RulebookAmended, document: RulebookDocument) -> Iterator[Fault]:
    """What an amendment changes of a stage or call that has begun needs the consent of the teams in it."""
    since = utc_text(max(document.announced, document.effective, act.when))
    touched: dict[_Begun, list[str]] = defaultdict(list)
    for clause in walk.contents.history.changes(document):
        begun = _ruled_on(walk, clause, since)
        if begun is not None:
            touched[begun].append(clause.id)
    consented = _consenting(walk, act, document) if walk.rulemaking.signed else frozenset(act.consented)
    most = {rule.consent for rule in walk.contents.history.rules_on_changing(document)} == {"most-teams"}
    named = False
    for begun, clauses in touched.items():
        missing = begun.teams - consented
        values = {
            "number": str(act.number),
            "clauses": ", ".join(clauses),
            "since": since,
            "of": begun.name,
            "begun": begun.since,
            "teams": ", ".join(sorted(missing)),
        }
        if not act.consented and not consented:
            said = mark(
                "Document {number} changes {clauses} from {since}; “{of}” began at {begun}, and nobody's consent is "
                "named."
            )
            yield Fault("RETROACTIVE_AMENDMENT", said, values, index)
        elif missing and not (most and 2 * len(missing) < len(begun.teams)):
            named = True
            said = mark(
                "Document {number} changes {clauses} from {since}; “{of}” began at {begun}, and {teams} did not "
                "consent."
            )
            yield Fault("CONSENT_MISSING", said, values, index)
    unsigned = sorted({*act.consented} - consented)
    if unsigned and not named:
        said = mark("Document {number} names the consent of {teams}, who signed none to this text before its effect.")
        yield Fault("CONSENT_MISSING", said, {"number": str(act.number), "teams": ", ".join(unsigned)}, index)


def _consenting(walk: Walk, act: RulebookAmended, document: RulebookDocument) -> frozenset[str]:
    """The teams that signed their consent to a document's bytes before it took effect."""
    digest, effect = _digest(walk, act.number), max(document.announced, document.effective)
    return frozenset(
        each.team
        for each in walk.rulemaking.consents
        if (each.number, each.digest) == (act.number, digest) and each.when <= effect and each.who == each.team
    )


def _document(walk: Walk, number: int) -> RulebookDocument | None:
    return next((each for each in walk.contents.history.documents if each.number == number), None)


def _digest(walk: Walk, number: int) -> str:
    """The digest of a document's bytes, as they are in the bundle."""
    return f"sha256:{sha256(walk.contents.files[number - 1].read_bytes()).hexdigest()}"


def _ruled_on(walk: Walk, clause: AnyClause, when: str) -> _Begun | None:
    """The call or stage that a clause rules on, or the whole programme; `None` where it had not begun by then."""
    name = clause.call if isinstance(clause, Call) else stage_of(clause)
    if name is None:
        stages = [begun for stage in walk.rules.order if (begun := _stage(walk, stage, when)) is not None]
        teams = frozenset(team for begun in stages for team in begun.teams)
        return _Begun(walk.contents.about.id, min(begun.since for begun in stages), teams) if stages else None
    if not isinstance(clause, Call):
        return _stage(walk, name, when)
    opened, applied = walk.calls.get(name), walk.course.call(name).applied
    if opened is None or opened >= when:
        return None
    return _Begun(name, opened, frozenset(team for team, at in applied.items() if at <= when))


def _stage(walk: Walk, stage: str, when: str) -> _Begun | None:
    opened = walk.course.stage(stage).opened
    return _Begun(stage, opened, walk.teams_in(stage, when)) if opened is not None and opened < when else None


def unpublished(walk: Walk) -> Iterator[Fault]:
    """Documents in the bundle that no act of the record publishes."""
    for document in walk.contents.history.documents:
        if document.number not in walk.rulemaking.published:
            said = mark("No act of the record publishes document {number}.")
            yield _not_published(None, said, {"number": str(document.number)})


def unpinned(walk: Walk, digests: Mapping[int, str | None]) -> Iterator[Unchecked]:
    """Documents whose bytes no act pins: that they are the published ones is taken on trust."""
    numbers = [str(number) for number, digest in sorted(digests.items()) if digest is None]
    if numbers:
        said = mark("The rulebook's bytes: no act pins the digest of its documents ({numbers}).")
        yield Unchecked(said, {"numbers": ", ".join(numbers)})


document_faults: Mapping[type[Act], Sequence[Check]] = {
    RulebookPublished: (_published,),
    RulebookAmended: (_published,),
}
