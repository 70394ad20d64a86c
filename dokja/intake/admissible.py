"""What an act may say under the rulebook alone, whatever has happened: ids that exist, marks and values in range.

What it may say after other acts stands in `course`. Each check takes the act and yields what is wrong with it; the
table at the end says which checks a type of act goes through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dokja.intake.breach import Breach
from dokja.intake.rules import MarkRange, Rules
from dokja.record.acts import (
    Act,
    AnyAct,
    AuditReported,
    Ballot,
    ConsentGiven,
    Decision,
    Disclosure,
    DrawAnnounced,
    Finding,
    MarksSealed,
    MeasurementReported,
    RulebookAmended,
    RulebookPublished,
)
from dokja.rulebook.measures import AnyMeasure, Index, Measure, Panel, Proposed, Ratio, Reported, Runs
from dokja.values import plain, utc_text

Check = Callable[[Any, Rules], Iterator[Breach]]


def breaches(act: AnyAct, rules: Rules) -> Iterator[Breach]:
    """Everything in an act that the rulebook does not allow."""
    for check in (_named, *_CHECKS.get(type(act), ())):
        yield from check(act, rules)


def _named(act: AnyAct, rules: Rules) -> Iterator[Breach]:
    """The ids that acts of any type may carry: clause, source, stage, call."""
    yield from unknown_names(act.clause, act.source, rules)
    stage, when = getattr(act, "stage", None), utc_text(act.when)
    if stage is not None and not isinstance(act, Ballot | MarksSealed) and not _stage_known(stage, when, rules):
        yield _unknown_stage(stage)
    for name in ("call", "opens_call"):
        call = getattr(act, name, None)
        if call is not None and not any(call in state.calls for state in rules.both(when)):
            yield Breach(
                "act-unknown-call",
                "The rulebook has no call “{call}”.",
                "Write the id of one of its calls, or publish the call in the rulebook.",
                {"call": call},
                (name,),
            )


def unknown_names(clause: str | None, source: str | None, rules: Rules) -> Iterator[Breach]:
    """The clause and the source of an act, where they do not exist."""
    if clause is not None and clause not in rules.clauses:
        yield Breach(
            "act-unknown-clause",
            "No version of the rulebook has a clause “{clause}”.",
            "Write the id of a clause, or leave the field out where no clause is known.",
            {"clause": clause},
            ("clause",),
        )
    if source is not None and source not in rules.sources:
        yield Breach(
            "act-unknown-source",
            "programme.yaml lists no source “{source}”.",
            "Add the source to programme.yaml, or correct its id.",
            {"source": source},
            ("source",),
        )


def _stage_known(stage: str, when: str, rules: Rules) -> bool:
    return any(stage in state.stages for state in rules.both(when))


def _unknown_stage(stage: str) -> Breach:
    return Breach(
        "act-unknown-stage",
        "The rulebook has no stage “{stage}”.",
        "Write the id of one of its stages.",
        {"stage": stage},
        ("stage",),
    )


def _measure(stage: str, measure: str, when: str, rules: Rules) -> AnyMeasure | None:
    return next((found for state in rules.both(when) if (found := state.measures.get((stage, measure)))), None)


def _unknown_measure(stage: str, measure: str, path: tuple[str | int, ...]) -> Breach:
    return Breach(
        "act-unknown-measure",
        "The stage “{stage}” has no measure “{measure}”.",
        "Write the id of a measure of its score.",
        {"stage": stage, "measure": measure},
        path,
    )


def _unknown_gate(stage: str, gate: str, path: tuple[str | int, ...]) -> Breach:
    return Breach(
        "act-unknown-gate",
        "The stage “{stage}” has no gate “{gate}”.",
        "Write the id of one of its gates.",
        {"stage": stage, "gate": gate},
        path,
    )


def _has_gate(stage: str, gate: str, when: str, rules: Rules) -> bool:
    return any((stage, gate) in state.gates for state in rules.both(when))


@dataclass(frozen=True)
class BallotForm:
    """What a ballot of one kind may hold: each criterion with its marks, none for a vote; or why there is none.

    Ballots by the million share a few forms, so forms can be kept.
    """

    breaches: tuple[Breach, ...] = ()
    measure: str = ""
    marks: Mapping[str, MarkRange] = field(default_factory=dict)


def ballot_form(rules: Rules, when: str, stage: str, panel: str, measure: str | None, gate: str | None) -> BallotForm:
    """The form of ballots on a measure or a gate."""
    form = mark_form(rules, when, stage, panel, measure, gate)
    if not form.breaches and (stage, panel) in rules.at(when).sealed:
        return BallotForm((_to_be_sealed(panel),))
    return form


def _to_be_sealed(panel: str) -> Breach:
    return Breach(
        "act-marks-open",
        "The marks of the panel “{panel}” are to be sealed; an open ballot does not count.",
        "Seal them with: dokja marks seal",
        {"panel": panel},
        ("panel",),
    )


def mark_form(rules: Rules, when: str, stage: str, panel: str, measure: str | None, gate: str | None) -> BallotForm:
    """The form of a panel's marks on a measure or votes on a gate, be they sealed or open."""
    both = rules.both(when)
    if not _stage_known(stage, when, rules):
        return BallotForm((_unknown_stage(stage),))
    if not any((stage, panel) in state.panels for state in both):
        return BallotForm((_unknown_panel(stage, panel),))
    if gate is not None:
        return BallotForm(tuple(_vote(rules, when, stage, panel, gate)))
    name = measure or ""
    rule = _measure(stage, name, when, rules)
    if not isinstance(rule, Panel):
        return BallotForm((_unknown_measure(stage, name, ("measure",)) if rule is None else _wrong_kind(rule),))
    if rule.panel != panel:
        return BallotForm((_unknown_panel(stage, panel),))
    return BallotForm((), name, next(state.forms[stage, name] for state in both if (stage, name) in state.forms))


def _unknown_panel(stage: str, panel: str) -> Breach:
    return Breach(
        "act-unknown-panel",
        "The panel “{panel}” has no task in the stage “{stage}”.",
        "Write the id of a panel that the rulebook gives this task.",
        {"stage": stage, "panel": panel},
        ("panel",),
    )


def _vote(rules: Rules, when: str, stage: str, panel: str, gate: str) -> Iterator[Breach]:
    found = [state.gates[stage, gate] for state in rules.both(when) if (stage, gate) in state.gates]
    if not found:
        yield _unknown_gate(stage, gate, ("gate",))
    elif all(each.panel not in (None, panel) for each in found):
        yield _unknown_panel(stage, panel)


def ballot_breaches(form: BallotForm, marks: Mapping[str, Decimal]) -> Iterator[Breach]:
    """What a ballot of a form may not say."""
    if form.breaches:
        yield from form.breaches
        return
    if marks.keys() != form.marks.keys():
        yield Breach(
            "act-criteria",
            "The ballot marks {marked}; “{measure}” is marked by {criteria}.",
            "Give one mark for each criterion of the measure and no other.",
            {"marked": ", ".join(sorted(marks)), "measure": form.measure, "criteria": ", ".join(form.marks)},
            ("marks",),
        )
    yield from marks_outside(form, marks)


def marks_outside(form: BallotForm, marks: Mapping[str, Decimal]) -> Iterator[Breach]:
    """Marks above the highest or below the lowest that there is."""
    for criterion, mark in sorted(marks.items()):
        bounds = form.marks.get(criterion)
        if bounds is not None and not bounds.low <= mark <= bounds.high:
            yield _mark_outside(criterion, mark, bounds)


def _mark_outside(criterion: str, mark: Decimal, bounds: MarkRange) -> Breach:
    said = {"criterion": criterion, "mark": plain(mark), "low": plain(bounds.low), "high": plain(bounds.high)}
    if mark > bounds.high:
        return Breach(
            "act-mark-too-high",
            "The mark {mark} for “{criterion}” is above the highest mark, {high}.",
            "Write a mark from {low} to {high}.",
            said,
            ("marks", criterion),
        )
    return Breach(
        "act-mark-too-low",
        "The mark {mark} for “{criterion}” is below the lowest mark, {low}.",
        "Write a mark from {low} to {high}.",
        said,
        ("marks", criterion),
    )


def _ballot(act: Ballot, rules: Rules) -> Iterator[Breach]:
    form = ballot_form(rules, utc_text(act.when), act.stage, act.panel, act.measure, act.gate)
    return ballot_breaches(form, act.marks)


def _marks_sealed(act: MarksSealed, rules: Rules) -> Iterator[Breach]:
    form = mark_form(rules, utc_text(act.when), act.stage, act.panel, act.measure, act.gate)
    yield from form.breaches
    if not form.breaches and act.criteria != tuple(form.marks):
        yield incomplete(
            "{sealed} is sealed; “{measure}” is marked by {criteria}.",
            {"sealed": ", ".join(act.criteria), "measure": form.measure, "criteria": ", ".join(form.marks)},
            ("criteria",),
        )


def incomplete(what: str, values: Mapping[str, str], path: tuple[str | int, ...] = ()) -> Breach:
    """Cells are missing, or are none of the rulebook's."""
    mend = "Seal a cell for every team of the stage under every criterion, in the rulebook's order."
    return Breach("act-grid-incomplete", what, mend, values, path)


_TAKES = {Reported: "value", Index: "value", Runs: "runs", Proposed: "benchmarks", Ratio: "benchmarks"}
"""Which field of a measurement each kind of measure is computed from; the other kinds take no measurement."""


def _wrong_kind(rule: Measure) -> Breach:
    takes = _TAKES.get(type(rule), "marks" if isinstance(rule, Panel) else "nothing")
    return Breach(
        "act-measure-kind",
        "“{measure}” is not computed from what the act reports: it takes {takes}.",
        "Report what the rulebook computes the measure from.",
        {"measure": rule.id, "takes": takes},
        ("measure",),
    )


def _measurement(act: MeasurementReported, rules: Rules) -> Iterator[Breach]:
    rule = _measure(act.stage, act.measure, utc_text(act.when), rules)
    if rule is None:
        if _stage_known(act.stage, utc_text(act.when), rules):
            yield _unknown_measure(act.stage, act.measure, ("measure",))
        return
    takes = _TAKES.get(type(rule))
    reported = next(name for name in ("value", "runs", "benchmarks") if getattr(act, name) not in (None, ()))
    if takes != reported:
        yield _wrong_kind(rule)
        return
    highest = rule.points if isinstance(rule, Reported) else getattr(rule, "per", None)
    for path, value in _values(act):
        if highest is not None and value > highest:
            yield Breach(
                "act-value-too-high",
                "The value {value} of “{measure}” is above {highest}, the highest that the rulebook knows.",
                "Correct the value, or its unit.",
                {"value": plain(value), "measure": rule.id, "highest": plain(highest)},
                path,
            )


def _values(act: MeasurementReported) -> Iterator[tuple[tuple[str | int, ...], Decimal]]:
    if act.value is not None:
        yield ("value",), act.value
    for position, run in enumerate(act.runs):
        yield ("runs", position), run
    for position, result in enumerate(act.benchmarks):
        yield ("benchmarks", position, "value"), result.value


def _finding(act: Finding | AuditReported, rules: Rules) -> Iterator[Breach]:
    when = utc_text(act.when)
    if _stage_known(act.stage, when, rules) and not _has_gate(act.stage, act.gate, when, rules):
        yield _unknown_gate(act.stage, act.gate, ("gate",))


def _decision(act: Decision, rules: Rules) -> Iterator[Breach]:
    when = utc_text(act.when)
    for position, departure in enumerate(act.leaves):
        if departure.gate is not None and not _has_gate(act.stage, departure.gate, when, rules):
            yield _unknown_gate(act.stage, departure.gate, ("leaves", position, "gate"))
    named = Counter([*act.goes_on, *(departure.team for departure in act.leaves)])
    for team in (team for team, times in named.items() if times > 1):
        yield Breach(
            "act-team-twice",
            "The decision names the team “{team}” twice.",
            "A team goes on or leaves, once.",
            {"team": team},
            ("goes_on",),
        )


def _disclosure(act: Disclosure, rules: Rules) -> Iterator[Breach]:
    when = utc_text(act.when)
    for position, figure in enumerate(act.figures):
        if _stage_known(act.stage, when, rules) and _measure(act.stage, figure.measure, when, rules) is None:
            yield _unknown_measure(act.stage, figure.measure, ("figures", position, "measure"))


def _document(act: RulebookPublished | RulebookAmended | ConsentGiven, rules: Rules) -> Iterator[Breach]:
    founding = isinstance(act, RulebookPublished)
    if act.number not in rules.documents or founding != (act.number == 1):
        yield Breach(
            "act-unknown-document",
            "The rulebook has no such document with number {number}.",
            "Number 1 is published; each later document of the rulebook/ folder amends it.",
            {"number": str(act.number)},
            ("number",),
        )


def _drawn_for(act: DrawAnnounced, rules: Rules) -> Iterator[Breach]:
    """The panel whose judges are drawn, or the measure whose items are."""
    when = utc_text(act.when)
    if not _stage_known(act.stage, when, rules):
        return
    if act.panel is not None and all((act.stage, act.panel) not in state.panels for state in rules.both(when)):
        yield _unknown_panel(act.stage, act.panel)
    if act.measure is not None and _measure(act.stage, act.measure, when, rules) is None:
        yield _unknown_measure(act.stage, act.measure, ("measure",))


_CHECKS: Mapping[type[Act], Sequence[Check]] = {
    Ballot: (_ballot,),
    ConsentGiven: (_document,),
    Decision: (_decision,),
    Disclosure: (_disclosure,),
    DrawAnnounced: (_drawn_for,),
    AuditReported: (_finding,),
    Finding: (_finding,),
    MarksSealed: (_marks_sealed,),
    MeasurementReported: (_measurement,),
    RulebookAmended: (_document,),
    RulebookPublished: (_document,),
}
