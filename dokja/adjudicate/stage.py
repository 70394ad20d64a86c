"""One stage adjudicated: scores, standings, gates, every reading of the cut, and the decision held against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dokja.adjudicate.additions import additions
from dokja.adjudicate.contingencies import found_situations, settled_tie
from dokja.adjudicate.course import StageCourse
from dokja.adjudicate.cut import Field, compared, deciding_step, fates, minimum_reached, remaining, settle_ties
from dokja.adjudicate.evidence import Evidence
from dokja.adjudicate.figures import aggregates, check_figures, published_figures
from dokja.adjudicate.gates import gate_results, passes
from dokja.adjudicate.holdings import hold_decision
from dokja.adjudicate.interval import Interval, between
from dokja.adjudicate.lots import parted_by_lot
from dokja.adjudicate.narrowing import Narrowing, narrow
from dokja.adjudicate.outcome import GateResult, Modality, Reading, Score, StageOutcome
from dokja.adjudicate.scores import Value, evaluate, facts, highest
from dokja.adjudicate.standing import certainly_above, differences, positions
from dokja.rulebook.clauses import Contingency, Cut, Gate, PanelRule
from dokja.rulebook.clauses import Score as ScoreClause
from dokja.rulebook.measures import AnyMeasure, children, walk
from dokja.rulebook.outcomes import ORDERS, Order
from dokja.rulebook.versions import Enacted, History, Rulebook

SHOWN_ACTS = 50
"""How many of the acts that a number rests on are named; all are counted."""


def adjudicate_stage(course: StageCourse, history: History, evidence: Evidence) -> StageOutcome:
    """The outcome of one stage.

    Cut, gates and contingencies are those in force when the stage was decided. The score tree is the latest
    published one: how points were computed is a fact about the past, also where it was told late
    (`score_published` says so).
    """
    at = course.decided_at(evidence.horizon)
    rules, latest = history.at(at), history.at(evidence.horizon)
    stage = rules.stage(course.stage.id) or course.stage
    gates = tuple(rules.of(Gate, stage.id))
    empty = StageOutcome(
        stage=stage.id,
        at=at,
        teams=course.teams,
        seats=stage.seats,
        root=None,
        scores={},
        positions={},
        certainly_above=frozenset(),
        gates=(),
        readings=(),
        aggregates=(),
        checks=(),
        holdings=(),
        decision=course.decision[0] if course.decision else None,
        withdrawn=course.gone,
    )
    clause = latest.one(ScoreClause, stage.id)
    scored = (
        empty if clause is None or not course.teams else _scored(empty, latest.enacted[clause.id], evidence, latest)
    )
    scored = replace(scored, gates=gate_results(gates, course.teams, evidence, scored.scores))
    if not course.teams:
        return scored
    readings = _readings(scored, course, rules, evidence)
    held = hold_decision(*course.decision, readings, rules, course.teams) if course.decision else ()
    return replace(scored, readings=readings, holdings=held)


def _scored(blank: StageOutcome, enacted: Enacted, evidence: Evidence, rules: Rulebook) -> StageOutcome:
    """The outcome with its scores: computed from acts, narrowed by published figures."""
    clause = enacted.clause
    assert isinstance(clause, ScoreClause)  # noqa: S101 - the caller took it from the score clauses
    root, teams = clause.measure, blank.teams
    panels = {panel.panel: panel for panel in rules.of(PanelRule, blank.stage)}
    values = evaluate(root, facts(blank.stage, teams, evidence, panels))
    figures = published_figures(blank.stage, root, evidence)
    narrowing = narrow(root, teams, values, figures)
    scores = {
        (team, measure.id): _score(narrowing, clause.id, measure, team, values[measure.id][team])
        for measure in walk(root)
        for team in teams
    }
    intervals = {key: score.interval for key, score in scores.items()}
    most = differences(narrowing, {team: intervals[team, root.id] for team in teams})
    above = certainly_above(narrowing, most)
    places = positions(teams, most, above)
    late = enacted.document.effective > blank.at or enacted.document.announced > blank.at
    return replace(
        blank,
        root=root.id,
        scores=scores,
        positions=places,
        certainly_above=above,
        aggregates=aggregates(narrowing, intervals),
        checks=() if narrowing.conflict else check_figures(root, teams, values, figures),
        conflict=narrowing.conflict,
        additions=additions(blank.stage, root, teams, figures, places, evidence),
        score_published=max(enacted.document.effective, enacted.document.announced) if late else None,
    )


def _score(narrowing: Narrowing, clause: str, measure: AnyMeasure, team: str, value: Value) -> Score:
    computed = value.interval
    base = Score(
        team=team,
        measure=measure.id,
        rule=measure.rule,
        clause=clause,
        points=between(0, highest(measure)),
        computed=computed,
        interval=computed,
        inputs=tuple(child.id for child in children(measure)),
        acts=tuple(value.acts[:SHOWN_ACTS]),
        act_count=len(value.acts),
    )
    if computed.exact or not narrowing.system.constraints:
        return base
    tight = narrowing.bounds(narrowing.form((measure.id, team, 1)))
    interval = computed.meet(tight.interval) or computed
    return replace(
        base,
        interval=interval,
        lower_from=tight.lower_from if interval.lower > computed.lower else (),
        upper_from=tight.upper_from if interval.upper < computed.upper else (),
    )


def _readings(outcome: StageOutcome, course: StageCourse, rules: Rulebook, evidence: Evidence) -> tuple[Reading, ...]:
    """One reading where the rulebook in force says the order of gate and points, else one for each order."""
    cut = rules.one(Cut, outcome.stage)
    contingencies = tuple(rules.of(Contingency, outcome.stage))
    field = _field(outcome, cut, contingencies, evidence)
    after = {
        "withdrawn": len(course.withdrawn),
        "withdrawn_after": len(course.left_after),
        "upheld_after": course.upheld_after,
    }
    said = cut.order if cut else None
    return tuple(
        _reading(field, order, said is not None, after, contingencies, cut) for order in ([said] if said else ORDERS)
    )


def _reading(
    field: Field,
    order: Order,
    said: bool,
    after: Mapping[str, int],
    contingencies: Sequence[Contingency],
    cut: Cut | None,
) -> Reading:
    found = fates(field, order)
    situations = found_situations(field, order, found, after, contingencies, cut)
    if field.last_step is None and (settled := settled_tie(situations)) is not None:
        field = replace(field, last_step=settled)
        found = fates(field, order)
        situations = found_situations(field, order, found, after, contingencies, cut)
    left = remaining(field, order, found)
    filled = any(each.modality == "certain" and each.consequences == ("next-on-points",) for each in situations)
    if filled:
        found = fates(field, "gate-then-points")
        left = remaining(field, "gate-then-points", found)
    return Reading(order, said, found, situations, left)


def _field(outcome: StageOutcome, cut: Cut | None, contingencies: Sequence[Contingency], evidence: Evidence) -> Field:
    teams, root = outcome.teams, outcome.root
    intervals: dict[tuple[str, str], Interval] = {key: score.interval for key, score in outcome.scores.items()}
    ahead, level = settle_ties(teams, outcome.certainly_above, intervals, root, compared(cut))
    undecided = frozenset(result.team for result in outcome.gates if result.result == "undecided")
    totals = {team: intervals[team, root] for team in teams} if root else {}
    return Field(
        teams=teams,
        seats=outcome.seats,
        at_gate=_at_gate(teams, outcome.gates, undecided, contingencies),
        ahead=ahead,
        level=level,
        minimum=minimum_reached(teams, totals, cut if root else None),
        undecided=undecided,
        last_step=deciding_step(cut),
        by_lot=parted_by_lot(outcome.stage, level, cut, contingencies, evidence),
    )


def _at_gate(
    teams: Sequence[str],
    results: Sequence[GateResult],
    undecided: frozenset[str],
    contingencies: Sequence[Contingency],
) -> dict[str, Modality]:
    """Whether each team passes; an undecided gate counts as the one clause that answers it says."""
    answers = {each.consequence for each in contingencies if each.situation == "gate-undecided"}
    counted: Mapping[frozenset[str], Modality] = {
        frozenset({"count-as-failed"}): "excluded",
        frozenset({"count-as-passed"}): "certain",
    }
    answer = counted.get(frozenset(answers))
    return {team: answer if answer and team in undecided else passes(results, team) for team in teams}
