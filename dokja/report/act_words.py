"""Acts in words, one sentence each; what an act notes stands beside it as it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dokja.language import mark
from dokja.record import acts
from dokja.record.acts import AnyAct
from dokja.record.acts.findings import WITHOUT_EVIDENCE
from dokja.record.beacon import time_of
from dokja.report import addresses
from dokja.report.audit_table import component_said
from dokja.report.edition import Edition
from dokja.report.figure_words import figure_said
from dokja.report.names import Name, linked, name
from dokja.report.sealing_words import SEALING_SAID
from dokja.report.words import AUDIT_WORDS, DEPARTURES, DRAWN, GATE_RESULTS
from dokja.values import plain

KINDS: Mapping[str, str] = {
    "rulebook-published": mark("Rulebook published"),
    "rulebook-amended": mark("Rulebook amended"),
    "consent-given": mark("Consent given"),
    "call-opened": mark("Call opened"),
    "call-closed": mark("Call closed"),
    "application": mark("Application"),
    "admission": mark("Admission"),
    "declined": mark("Declined"),
    "grant-delivered": mark("Grant delivered"),
    "grant-returned": mark("Grant returned"),
    "submission-received": mark("Submission received"),
    "presentation-held": mark("Presentation"),
    "measurement-reported": mark("Measurement reported"),
    "ballot": mark("Ballot"),
    "draw-announced": mark("Draw announced"),
    "draw-made": mark("Draw made"),
    "recusal": mark("Recusal"),
    "finding": mark("Finding"),
    "audit-reported": mark("Weight audit"),
    "reply": mark("Reply"),
    "objection-filed": mark("Objection filed"),
    "objection-answered": mark("Objection answered"),
    "decision": mark("Decision"),
    "disclosure": mark("Figures made known"),
    "evaluation-moved": mark("Evaluation moved"),
    "withdrawal": mark("Withdrawal"),
    "statement": mark("Statement"),
    "heartbeat": mark("Sign of life"),
    "genesis": mark("Record founded"),
    "key-rotated": mark("Deciding keys changed"),
    "key-registered": mark("Key registered"),
    "marks-sealed": mark("Marks sealed"),
    "stage-sealed": mark("Sealing closed"),
    "marks-opened": mark("Openings handed over"),
    "object-pinned": mark("File pinned"),
    "object-deleted": mark("File deleted"),
}


def act_kind(act: AnyAct, edition: Edition) -> Markup:
    """What sort of act it is, in a word or two."""
    return edition.say(KINDS[act.type])


def act_said(act: AnyAct, edition: Edition) -> Markup:
    """What the act says happened; empty where only its note tells."""
    return Markup(" ").join(_SAID[type(act)](act, edition))


def act_reference(identifier: str, edition: Edition) -> Name:
    """An act by its id, as one act names another."""
    index = edition.act_indexes.get(identifier)
    return edition.act(index) if index is not None else name(identifier)


def _document(number: int, edition: Edition) -> Name:
    documents = edition.publication.history.documents
    title = next((edition.text(each.title) for each in documents if each.number == number), str(number))
    return linked(title, f"{addresses.RULEBOOK}#{addresses.document_anchor(number)}")


def _published(act: acts.RulebookPublished, edition: Edition) -> Iterator[Markup]:
    yield edition.say(mark("The rulebook is published: {title}."), {"title": _document(act.number, edition)})


def _amended(act: acts.RulebookAmended, edition: Edition) -> Iterator[Markup]:
    values = {"number": act.number, "title": _document(act.number, edition)}
    yield edition.say(mark("Document {number} of the rulebook is published: {title}."), values)
    if act.consented:
        yield edition.say(mark("Consent of {teams}."), {"teams": edition.team_list(act.consented)})


def _consent(act: acts.ConsentGiven, edition: Edition) -> Iterator[Markup]:
    values = {"team": edition.team(act.team), "number": act.number, "title": _document(act.number, edition)}
    yield edition.say(mark("{team} consents to document {number} of the rulebook: {title}."), values)


def _opened(act: acts.CallOpened, edition: Edition) -> Iterator[Markup]:
    yield edition.say(mark("The call “{call}” is opened."), {"call": edition.call(act.call)})
    if act.closes is not None:
        yield edition.say(mark("It closes on {day}."), {"day": edition.day(act.closes)})


def _closed(act: acts.CallClosed, edition: Edition) -> Iterator[Markup]:
    values = {"call": edition.call(act.call), "number": act.applications}
    yield edition.say(mark("The call “{call}” is closed; applications: {number}."), values)
    if act.reviewed is not None:
        yield edition.say(mark("Left after a first review: {number}."), {"number": act.reviewed})


def _application(act: acts.Application, edition: Edition) -> Iterator[Markup]:
    values = {"team": edition.team(act.team), "call": edition.call(act.call)}
    yield edition.say(mark("{team} applies to the call “{call}”."), values)
    if act.lead is not None:
        yield edition.say(mark("Lead: {name}."), {"name": name(edition.text(act.lead))})
    if act.members:
        members = edition.join(name(edition.text(member)) for member in act.members)
        yield edition.say(mark("Members: {names}."), {"names": members})


def _admission(act: acts.Admission, edition: Edition) -> Iterator[Markup]:
    values = {"team": edition.team(act.team), "stage": edition.stage(act.stage), "call": edition.call(act.call)}
    yield edition.say(mark("{team} is admitted to {stage} by the call “{call}”."), values)
    if act.in_favour is not None and act.panel_size is not None:
        votes = {"number": act.in_favour, "of": act.panel_size}
        yield edition.say(mark("{number} of {of} were in favour."), votes)


def _declined(act: acts.Declined, edition: Edition) -> Iterator[Markup]:
    called = edition.team(act.team or act.who)
    values = {"name": called, "call": edition.call(act.call)}
    yield edition.say(mark("{name} says that it will not enter the call “{call}”."), values)


def _grant(act: acts.Grant, edition: Edition) -> Iterator[Markup]:
    values = {
        "team": edition.team(act.team),
        "quantity": f"{act.quantity:,f}",
        "unit": name(act.unit),
        "stage": edition.stage(act.stage),
    }
    delivered, returned = (
        mark("{team} receives {quantity} {unit} for {stage}."),
        mark("{team} gives back {quantity} {unit} of {stage}."),
    )
    yield edition.say(delivered if isinstance(act, acts.GrantDelivered) else returned, values)


def _submission(act: acts.SubmissionReceived, edition: Edition) -> Iterator[Markup]:
    values = {"team": edition.team(act.team), "stage": edition.stage(act.stage)}
    yield edition.say(mark("{team} hands in for {stage}."), values)
    if act.proposes:
        proposed = edition.join(name(each) for each in act.proposes)
        yield edition.say(mark("It proposes these benchmarks: {names}."), {"names": proposed})


def _presentation(act: acts.PresentationHeld, edition: Edition) -> Iterator[Markup]:
    yield edition.say(
        mark("{team} presents in {stage}."), {"team": edition.team(act.team), "stage": edition.stage(act.stage)}
    )


def _measurement(act: acts.MeasurementReported, edition: Edition) -> Iterator[Markup]:
    results = [plain(number) for number in ((act.value,) if act.value is not None else act.runs)]
    results += [
        f"{result.benchmark} {plain(result.value)}" + (f" / {plain(result.target)}" if result.target else "")
        for result in act.benchmarks
    ]
    values = {
        "team": edition.team(act.team),
        "measure": edition.measure(act.stage, act.measure),
        "value": name(", ".join(results)),
    }
    yield edition.say(mark("{measure} of {team} is reported: {value}."), values)
    if act.definition is not None:
        yield edition.say(mark("Definition: {text}."), {"text": name(act.definition)})


SHOWN_IN_A_POOL = 20
"""How many of a pool are told by name; a pool of items can hold thousands."""


def _some(members: Sequence[str], edition: Edition) -> Name | Markup:
    shown = edition.join(name(each) for each in members[:SHOWN_IN_A_POOL])
    rest = len(members) - SHOWN_IN_A_POOL
    return shown if rest <= 0 else edition.say(mark("{names} and {number} more"), {"names": shown, "number": rest})


def _draw_announced(act: acts.DrawAnnounced, edition: Edition) -> Iterator[Markup]:
    values = {
        "purpose": edition.say(DRAWN[act.purpose]),
        "stage": edition.stage(act.stage),
        "number": act.drawn,
        "of": len(act.pool),
    }
    yield edition.say(mark("A draw for {stage} is announced ({purpose}): {number} of {of}."), values)
    said = {"round": act.round, "when": edition.day(time_of(act.round))}
    yield edition.say(mark("Round {round} of the public beacon decides; nobody knows it before {when}."), said)
    yield edition.say(mark("Pool: {names}."), {"names": _some(act.pool, edition)})


def _draw_made(act: acts.DrawMade, edition: Edition) -> Iterator[Markup]:
    values = {"act": act_reference(act.draw, edition), "names": _some(act.ranking, edition)}
    yield edition.say(mark("The draw of {act} is made. In this order: {names}."), values)


def _recusal(act: acts.Recusal, edition: Edition) -> Iterator[Markup]:
    values = {"member": name(act.member), "act": act_reference(act.draw, edition)}
    yield edition.say(mark("{member}, ranked by the draw of {act}, leaves."), values)
    yield name(edition.text(act.reason)).shown
    if act.successor is not None:
        yield edition.say(mark("{member} is next in rank and takes the seat."), {"member": name(act.successor)})


def _finding(act: acts.Finding, edition: Edition) -> Iterator[Markup]:
    values = {
        "team": edition.team(act.team),
        "gate": edition.gate(act.gate),
        "result": edition.say(GATE_RESULTS[act.result]),
    }
    yield edition.say(mark("{team} at the gate “{gate}”: {result}."), values)
    if act.component is not None:
        yield edition.say(mark("Component: {text}."), {"text": name(edition.text(act.component))})


def _audit(act: acts.AuditReported, edition: Edition) -> Iterator[Markup]:
    values = {"team": edition.team(act.team), "gate": edition.gate(act.gate), "submission": name(act.submission)}
    yield edition.say(mark("The weights of {team} ({submission}) are audited for the gate “{gate}”."), values)
    for finding in act.findings:
        if finding.word in WITHOUT_EVIDENCE:
            continue
        said = {
            "component": name(component_said(finding.component, edition)),
            "word": edition.say(AUDIT_WORDS[finding.word]),
            "reference": name(finding.reference),
        }
        yield edition.say(mark("{component}: {word} ({reference})."), said)
    if all(finding.word in WITHOUT_EVIDENCE for finding in act.findings):
        yield edition.say(mark("No component was found to depend on a reference."))


def _reply(act: acts.Reply, edition: Edition) -> Iterator[Markup]:
    values = {"team": edition.team(act.team), "act": act_reference(act.to, edition)}
    yield edition.say(mark("{team} answers {act}."), values)
    if act.admits is not None:
        admits, denies = mark("It admits what was found."), mark("It denies what was found.")
        yield edition.say(admits if act.admits else denies)


def _objection(act: acts.ObjectionFiled, edition: Edition) -> Iterator[Markup]:
    values = {"team": edition.team(act.team), "act": act_reference(act.against, edition)}
    yield edition.say(mark("{team} objects to {act}."), values)
    yield name(edition.text(act.claim)).shown


def _answered(act: acts.ObjectionAnswered, edition: Edition) -> Iterator[Markup]:
    upheld, rejected = mark("The objection of {act} is upheld."), mark("The objection of {act} is not upheld.")
    yield edition.say(upheld if act.upheld else rejected, {"act": act_reference(act.objection, edition)})


def _decision(act: acts.Decision, edition: Edition) -> Iterator[Markup]:
    stage = edition.stage(act.stage)
    if act.goes_on:
        values = {"stage": stage, "teams": edition.team_list(act.goes_on)}
        yield edition.say(mark("{stage} is decided. Going on: {teams}."), values)
    else:
        yield edition.say(mark("{stage} is decided. Nobody goes on."), {"stage": stage})
    for left in act.leaves:
        said = edition.say(DEPARTURES[f"leaves-{left.reason}"])
        yield edition.say(mark("{team}: {result}."), {"team": edition.team(left.team), "result": said})
    if act.opens_call is not None:
        yield edition.say(mark("It opens the call “{call}”."), {"call": edition.call(act.opens_call)})
    if act.rests_on:
        weighed = edition.join(act_reference(each, edition) for each in act.rests_on)
        yield edition.say(mark("It rests on {acts}."), {"acts": weighed})


def _disclosure(act: acts.Disclosure, edition: Edition) -> Iterator[Markup]:
    figures = Markup("; ").join(figure_said(figure, act.stage, edition) for figure in act.figures)
    values = {"stage": edition.stage(act.stage), "figures": figures}
    yield edition.say(mark("Figures of {stage}: {figures}."), values)


def _moved(act: acts.EvaluationMoved, edition: Edition) -> Iterator[Markup]:
    values = {
        "stage": edition.stage(act.stage),
        "old": name(edition.text(act.moved_from)),
        "new": name(edition.text(act.moved_to)),
    }
    yield edition.say(mark("The evaluation of {stage} is moved from {old} to {new}."), values)


def _withdrawal(act: acts.Withdrawal, edition: Edition) -> Iterator[Markup]:
    values = {"team": edition.team(act.team), "stage": edition.stage(act.stage)}
    yield edition.say(mark("{team} withdraws from {stage}."), values)


def _statement(act: acts.Statement, edition: Edition) -> Iterator[Markup]:
    if act.to is not None:
        yield edition.say(mark("On {act}."), {"act": act_reference(act.to, edition)})


def _heartbeat(act: acts.Heartbeat, edition: Edition) -> Iterator[Markup]:
    yield edition.say(mark("The record was kept on this day."))


def _ballot(act: acts.Ballot, edition: Edition) -> Iterator[Markup]:
    yield edition.say(mark("A ballot on {team}."), {"team": edition.team(act.team)})
    if act.measure is not None:
        marks = name(", ".join(f"{criterion} {plain(points)}" for criterion, points in act.marks.items()))
        yield edition.say(
            mark("{measure}: {marks}."), {"measure": edition.measure(act.stage, act.measure), "marks": marks}
        )
    elif act.gate is not None:
        meets, fails = mark("It meets the gate “{gate}”."), mark("It does not meet the gate “{gate}”.")
        yield edition.say(meets if act.meets else fails, {"gate": edition.gate(act.gate)})


def _founding(act: acts.Founding, edition: Edition) -> Iterator[Markup]:
    values = {
        "holders": edition.join(name(each.holder) for each in act.roots),
        "number": act.threshold,
        "of": len(act.roots),
    }
    yield edition.say(mark("Keys are decided on by {number} of {of}: {holders}."), values)


def _registered(act: acts.KeyRegistered, edition: Edition) -> Iterator[Markup]:
    values = {"holder": name(act.holder), "role": name(act.role), "key": name(act.vkey)}
    yield edition.say(mark("{holder} signs with the key {key} (role: {role})."), values)
    if act.replaces is not None:
        yield edition.say(mark("It replaces {key}."), {"key": name(act.replaces)})


_SAID: Mapping[type[AnyAct], Callable[[Any, Edition], Iterator[Markup]]] = {
    acts.RulebookPublished: _published,
    acts.RulebookAmended: _amended,
    acts.ConsentGiven: _consent,
    acts.CallOpened: _opened,
    acts.CallClosed: _closed,
    acts.Application: _application,
    acts.Admission: _admission,
    acts.Declined: _declined,
    acts.GrantDelivered: _grant,
    acts.GrantReturned: _grant,
    acts.SubmissionReceived: _submission,
    acts.PresentationHeld: _presentation,
    acts.MeasurementReported: _measurement,
    acts.Ballot: _ballot,
    acts.DrawAnnounced: _draw_announced,
    acts.DrawMade: _draw_made,
    acts.Recusal: _recusal,
    acts.Finding: _finding,
    acts.AuditReported: _audit,
    acts.Reply: _reply,
    acts.ObjectionFiled: _objection,
    acts.ObjectionAnswered: _answered,
    acts.Decision: _decision,
    acts.Disclosure: _disclosure,
    acts.EvaluationMoved: _moved,
    acts.Withdrawal: _withdrawal,
    acts.Statement: _statement,
    acts.Heartbeat: _heartbeat,
    acts.Genesis: _founding,
    acts.KeyRotated: _founding,
    acts.KeyRegistered: _registered,
    **SEALING_SAID,
}
