"""Names that lead somewhere, and one clause for one question."""

from __future__ import annotations

from collections.abc import Iterator

from dokja.language import mark
from dokja.rulebook.clauses import AnyClause, Call, Contingency, Cut, Gate, Objections, PanelRule, Score, stage_of
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.subject import Subject
from dokja.rulebook.measures import Panel, walk


def unknown_reference(subject: Subject) -> Iterator[Remark]:
    """A clause that names a stage, panel, measure or call that the rulebook does not have."""
    for enacted in subject.rules.enacted.values():
        clause = enacted.clause
        stage = stage_of(clause)
        if stage is not None and subject.rules.stage(stage) is None:
            yield _unknown(subject, enacted.clause.id, "stage", stage)
            continue
        for kind, name in _named(subject, enacted.clause.id):
            yield _unknown(subject, enacted.clause.id, kind, name)
    for document in subject.history.documents:
        earlier = {clause.id for each in subject.history.documents[: document.number - 1] for clause in each.clauses}
        for identifier in document.repeals:
            if identifier not in earlier:
                yield Remark(
                    mark("Document {number} repeals “{name}”, which no earlier document has."),
                    mark("Correct the id."),
                    {"number": str(document.number), "name": identifier},
                )
        stages = {
            clause.id for each in subject.history.documents for clause in each.clauses if clause.kind == "stage"
        }
        for named in document.amendment.scope if document.amendment else ():
            if named not in stages:
                yield Remark(
                    mark(
                        "The scope of document {number} names the stage “{name}”, which the rulebook does not have."
                    ),
                    mark("Correct the id."),
                    {"number": str(document.number), "name": named},
                )
    if not subject.stages:
        yield Remark(mark("The rulebook has no stage."), mark("Add a stage: who enters, how many go on, when."))


def _named(subject: Subject, identifier: str) -> Iterator[tuple[str, str]]:
    """What a clause names and the rulebook does not have."""
    clause = subject.rules.enacted[identifier].clause
    stage = stage_of(clause)
    panels = {rule.panel for rule in subject.rules.of(PanelRule) if rule.stage == stage}
    match clause:
        case Gate():
            yield from _of_gate(subject, clause, panels)
        case Call(panel=str(panel)) if panel not in panels:
            yield "panel", panel
        case Contingency(call=str(call)) if not subject.calls(call):
            yield "call", call
        case Cut():
            measures = {measure.id for measure in subject.rules.measures(clause.stage)}
            for rule in clause.ties:
                if rule.step == "measure" and rule.measure not in measures:
                    yield "measure", rule.measure or "–"
        case Score():
            for measure in walk(clause.measure):
                if isinstance(measure, Panel) and measure.panel not in panels:
                    yield "panel", measure.panel
        case _:
            pass


def _of_gate(subject: Subject, gate: Gate, panels: set[str]) -> Iterator[tuple[str, str]]:
    if gate.panel is not None and gate.panel not in panels:
        yield "panel", gate.panel
    measures = {measure.id for measure in subject.rules.measures(gate.stage)}
    yield from (("item", each.measure) for each in gate.thresholds if each.measure not in measures)


def _unknown(subject: Subject, clause: str, kind: str, name: str) -> Remark:
    messages = {
        "stage": mark("“{clause}” names the stage “{name}”, which the rulebook does not have."),
        "panel": mark("“{clause}” names the panel “{name}”, for which {stage} has no rule."),
        "call": mark("“{clause}” opens the call “{name}”, which the rulebook does not have."),
        "item": mark("“{clause}” asks for points of “{name}”, which is no measure of {stage}."),
        "measure": mark("“{clause}” breaks ties by “{name}”, which is no measure of {stage}."),
    }
    return subject.remark(
        subject.rules.enacted[clause].clause,
        messages[kind],
        mark("Correct the name, or add what it names."),
        {"name": name},
    )


def two_of_a_kind(subject: Subject) -> Iterator[Remark]:
    """Two clauses that both answer a question that has one answer."""
    first: dict[tuple[str, ...], str] = {}
    for enacted in subject.rules.enacted.values():
        question = _question(enacted.clause)
        if question is None:
            continue
        earlier = first.setdefault(question, enacted.clause.id)
        if earlier != enacted.clause.id:
            yield subject.remark(
                enacted.clause,
                mark("“{clause}” and “{first}” rule on the same thing."),
                mark("Keep one of them."),
                {"first": earlier},
            )


def _question(clause: AnyClause) -> tuple[str, ...] | None:
    match clause:
        case Score() | Cut() | Objections():
            return (clause.kind, clause.stage)
        case PanelRule():
            return (clause.kind, clause.stage, clause.panel)
        case Call():
            return (clause.kind, clause.call)
        case _:
            return None


def idle_panel(subject: Subject) -> Iterator[Remark]:
    """A panel that nothing asks for a mark or a vote."""
    for rule in subject.rules.of(PanelRule):
        asked = {
            *(gate.panel for gate in subject.all(Gate, rule.stage)),
            *(call.panel for call in subject.rules.of(Call) if call.stage == rule.stage),
            *(each.panel for each in subject.rules.measures(rule.stage) if isinstance(each, Panel)),
        }
        if rule.panel not in asked and subject.rules.stage(rule.stage) is not None:
            yield subject.remark(
                rule,
                mark("No measure, gate or call of {stage} asks the panel “{panel}” for anything."),
                mark("Give the panel a task, or take the clause out."),
                {"panel": rule.panel},
            )
