"""Traces as trees: of a number, down to acts and sources; of a team's place and fate; of a gate; of a decision."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from markupsafe import Markup
from rich.text import Text
from rich.tree import Tree

from dokja.adjudicate import Explanation, GateResult, Score, StageOutcome
from dokja.language import mark
from dokja.report.edition import Edition
from dokja.report.figure_words import support_said
from dokja.report.quantities import interval_text, number_text
from dokja.report.stage_page import GateCell, gate_cell
from dokja.report.stage_summary import headline
from dokja.report.team_page import team_in_stage
from dokja.report.verdict_rows import verdict_rows
from dokja.report.words import MEASURE_RULES, STANDINGS
from dokja.rulebook import Gate

SHOWN_ACTS = 5
"""How many of the acts under a number are told; marks come by the dozen."""


def trace(stage: StageOutcome, explanation: Explanation, edition: Edition) -> Tree:
    """The tree of an explanation."""
    title = Text(f"{edition.stage_title(stage.stage)} · {edition.called(explanation.score.team)}", style="bold")
    tree = Tree(title, guide_style="dim")
    _grow(tree, stage, explanation, edition)
    return tree


def fate(stage: StageOutcome, team: str, edition: Edition) -> Tree:
    """Why a team stands where it stands: its place, its gates, each reading of the rules, the decision."""
    shown = team_in_stage(stage, team, edition)
    tree = Tree(Text(f"{edition.stage_title(stage.stage)} · {edition.called(team)}", style="bold"), guide_style="dim")
    if shown.place:
        values = {"place": shown.place, "teams": shown.teams, "seats": shown.seats}
        branch = tree.add(
            _plain(edition.say(mark("place on points: {place} of {teams} teams, {seats} seats"), values))
        )
        for message, others in _placed(stage, team):
            branch.add(_plain(edition.say(message, {"teams": edition.team_list(others)})))
    for gate, cell in shown.gates:
        _gate(tree, gate, cell, edition)
    for reading in shown.readings:
        tree.add(_plain(Markup("{}: {} ({})").format(reading.order, reading.goes_on.said, reading.why)))
    if shown.verdict is not None:
        values = {"decided": shown.verdict.decided, "verdict": shown.verdict.verdict.said}
        branch = tree.add(_plain(edition.say(mark("decided: {decided}. Held against the rules: {verdict}."), values)))
        if stage.decision is not None:
            branch.add(_plain(edition.act_and_source(stage.decision)))
        for each in (*shown.verdict.reasons, *shown.verdict.clauses):
            branch.add(_plain(each))
    return tree


def at_gate(stage: StageOutcome, result: GateResult, edition: Edition) -> Tree:
    """How a team stands at a gate, and the acts that say so."""
    title = Text(f"{edition.stage_title(stage.stage)} · {edition.called(result.team)}", style="bold")
    tree = Tree(title, guide_style="dim")
    branch = _gate(tree, edition.gate(result.gate).shown, gate_cell(result, edition), edition)
    rule = edition.publication.history.at(stage.at).enacted.get(result.gate)
    for asked in rule.clause.thresholds if rule is not None and isinstance(rule.clause, Gate) else ():
        score = stage.scores.get((result.team, asked.measure))
        values = {
            "measure": edition.measure(stage.stage, asked.measure),
            "number": edition.quantity(score).text if score is not None else "–",
            "points": number_text(Fraction(asked.at_least)),
        }
        branch.add(_plain(edition.say(mark("{measure}: {number}, at least {points} asked"), values)))
    branch.add(_plain(edition.clause(result.gate, stage.at).shown))
    return tree


def decision(stage: StageOutcome, edition: Edition) -> Tree:
    """Every part of a stage's decision, what follows from the rules, and why."""
    tree = Tree(Text(edition.stage_title(stage.stage), style="bold"), guide_style="dim")
    tree.add(_plain(headline(stage, edition)))
    for row in verdict_rows(stage, edition):
        values = {"subject": row.subject, "decided": row.decided, "verdict": row.verdict.said}
        branch = tree.add(
            _plain(edition.say(mark("{subject}: {decided}. Held against the rules: {verdict}."), values))
        )
        for each in (*row.follows, *row.reasons, *row.clauses):
            branch.add(_plain(each))
    return tree


def _gate(tree: Tree, gate: Markup, cell: GateCell, edition: Edition) -> Tree:
    values = {"gate": gate.striptags(), "result": cell.result.said}
    branch = tree.add(_plain(edition.say(mark("gate “{gate}”: {result}"), values)))
    for act in cell.acts:
        branch.add(_plain(act))
    return branch


def _placed(stage: StageOutcome, team: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Who is ahead of a team for certain, who behind, and of whom neither is shown."""
    ahead = tuple(other for other in stage.teams if (other, team) in stage.certainly_above)
    behind = tuple(other for other in stage.teams if (team, other) in stage.certainly_above)
    neither = tuple(other for other in stage.teams if other not in (team, *ahead, *behind))
    told = (
        (mark("ahead for certain: {teams}"), ahead),
        (mark("behind for certain: {teams}"), behind),
        (mark("not settled: {teams}"), neither),
    )
    return (each for each in told if each[1])


def _grow(tree: Tree, stage: StageOutcome, explanation: Explanation, edition: Edition) -> None:
    score = explanation.score
    branch = tree.add(_number(stage, score, edition))
    _bounds(branch, stage, score, edition)
    for line in _acts(score, edition):
        branch.add(line)
    for each in explanation.inputs:
        _grow(branch, stage, each, edition)


def _number(stage: StageOutcome, score: Score, edition: Edition) -> Text:
    """The number and the rule that makes it."""
    quantity = edition.quantity(score)
    line = Text(f"{edition.measure(stage.stage, score.measure)}  ")
    line.append(quantity.text, style="dim" if quantity.standing == "unknown" else "bold cyan")
    of = edition.say(mark("of {points}"), {"points": number_text(score.points.upper)})
    rule = edition.say(MEASURE_RULES[score.rule])
    line.append(f"  {of} · {rule} · § {score.clause}", style="dim")
    return line


def _bounds(tree: Tree, stage: StageOutcome, score: Score, edition: Edition) -> None:
    """What narrows the number, where published figures do: under each end of the interval all that it rests on."""
    if score.interval == score.computed:
        return
    computed = interval_text(score.computed, edition.language)
    message = mark("{interval} by the acts alone; narrowed by published figures")
    branch = tree.add(_plain(edition.say(message, {"interval": computed})))
    ends = (
        (score.lower_from, mark("at least {end}, by")),
        (score.upper_from, mark("at most {end}, by")),
    )
    lower, upper = edition.quantity(score).lower, edition.quantity(score).upper
    for (supports, message), end in zip(ends, (lower, upper), strict=True):
        if supports:
            bound = branch.add(_plain(edition.say(message, {"end": end})))
            for said in dict.fromkeys(support_said(each, stage.stage, edition) for each in supports):
                bound.add(_plain(said))


def _acts(score: Score, edition: Edition) -> Iterator[Text]:
    """The acts that the number rests on directly, with their sources."""
    for index in score.acts[:SHOWN_ACTS]:
        act = edition.publication.acts.get(index)
        if act is None:
            yield Text(str(edition.act(index)), style="dim")
            continue
        source = edition.sources.get(act.source or "")
        line = Text(f"{edition.act(index)} · {edition.day(act.when).striptags()}")
        if source is not None:
            standing = edition.say(STANDINGS[source.standing])
            line.append(f" · {edition.text(source.title)} ({standing})", style="dim")
        yield line
    if score.act_count > SHOWN_ACTS:
        yield Text(
            edition.say(mark("and {count} more acts"), {"count": score.act_count - SHOWN_ACTS}).striptags(),
            style="dim",
        )


def _plain(said: Markup) -> Text:
    return Text(said.striptags())
