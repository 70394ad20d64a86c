"""Gates and panels that can be failed only for a stated reason, by enough voices, after an answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dokja.language import mark
from dokja.rulebook.clauses import Gate, PanelRule
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.subject import Subject
from dokja.values import plain


def no_criterion(subject: Subject) -> Iterator[Remark]:
    """A gate without the words that a team must meet."""
    for gate in subject.rules.of(Gate):
        if gate.criterion is None:
            yield subject.remark(
                gate,
                mark("The gate “{clause}” does not say what a team must meet."),
                mark("Write criterion: the wording that a finding is held against."),
            )


def no_evidence(subject: Subject) -> Iterator[Remark]:
    """A gate that does not say what its result rests on."""
    for gate in subject.rules.of(Gate):
        if gate.evidence is None:
            yield subject.remark(
                gate,
                mark("The gate “{clause}” does not say what its result rests on."),
                mark("Write evidence: judgement, ballots, audit or points."),
            )


def no_quorum(subject: Subject) -> Iterator[Remark]:
    """A gate that does not say how many voices fail a team; an audit and points have no voices to count."""
    for gate in subject.rules.of(Gate):
        if gate.quorum is None and gate.evidence not in ("audit", "points"):
            yield subject.remark(
                gate,
                mark("The gate “{clause}” does not say how many voices fail a team."),
                mark("Write quorum: how many must vote, and how many objections fail a team."),
            )


def no_reply(subject: Subject) -> Iterator[Remark]:
    """A gate whose findings a team cannot answer before the decision; points are no finding."""
    for gate in subject.rules.of(Gate):
        if gate.evidence == "points":
            continue
        if not gate.reply_days:
            yield subject.remark(
                gate,
                mark("A team has no time to answer a finding at the gate “{clause}” before the decision."),
                mark("Write reply_days: how many days a team has to answer."),
            )
            continue
        stage = subject.rules.stage(gate.stage)
        begins = stage.calendar.evaluation if stage else None
        ends = stage.calendar.decision if stage else None
        if begins is not None and ends is not None and ends - begins < timedelta(days=gate.reply_days):
            yield subject.remark(
                gate,
                mark(
                    "The gate “{clause}” leaves {reply} days for an answer, but {stage} is decided {apart} days "
                    "after the evaluation begins."
                ),
                mark("Decide later, or leave fewer days for the answer."),
                {"reply": str(gate.reply_days), "apart": str((ends - begins).days)},
            )


def impossible_quorum(subject: Subject) -> Iterator[Remark]:
    """A quorum that cannot be reached, or that few who vote can never be."""
    for gate in subject.rules.of(Gate):
        if gate.quorum is None:
            continue
        panel = next((each for each in subject.all(PanelRule, gate.stage) if each.panel == gate.panel), None)
        values = {"fail_at": str(gate.quorum.fail_at), "raters": str(gate.quorum.raters)}
        if gate.quorum.fail_at > gate.quorum.raters:
            yield subject.remark(
                gate,
                mark(
                    "At the gate “{clause}” {raters} votes are enough for a result, but {fail_at} objections are "
                    "needed to fail a team: the smallest vote cannot fail anyone."
                ),
                mark("Require as many votes as objections, or more."),
                values,
            )
        if panel is not None and gate.quorum.raters > panel.raters:
            yield subject.remark(
                gate,
                mark("The gate “{clause}” needs {raters} votes; the panel “{panel}” has {members} raters."),
                mark("Appoint more raters, or require fewer votes."),
                {**values, "panel": panel.panel, "members": str(panel.raters)},
            )


def ballots_without_panel(subject: Subject) -> Iterator[Remark]:
    """A gate that rests on ballots of nobody in particular."""
    for gate in subject.rules.of(Gate):
        if gate.evidence == "ballots" and gate.panel is None:
            yield subject.remark(
                gate,
                mark("The gate “{clause}” rests on ballots, but no panel is named that casts them."),
                mark("Write panel: the id of the panel that votes."),
            )


def audit_without_rule(subject: Subject) -> Iterator[Remark]:
    """A gate that rests on weight audits and does not say what their words mean."""
    for gate in subject.rules.of(Gate):
        if gate.evidence == "audit" and gate.audit is None:
            yield subject.remark(
                gate,
                mark("The gate “{clause}” rests on weight audits, but does not say what their findings mean."),
                mark("Write audit: which components may be shared, whether earlier models of one's own are allowed."),
            )


def threshold_gap(subject: Subject) -> Iterator[Remark]:
    """A gate by points that asks for no points, or for more than there are."""
    for gate in subject.rules.of(Gate):
        if gate.evidence == "points" and not gate.thresholds:
            yield subject.remark(
                gate,
                mark("The gate “{clause}” rests on points, but does not say how many of which measure."),
                mark("Write thresholds: a measure and the least points of it, for each."),
            )
        if gate.evidence != "points" and gate.thresholds:
            yield subject.remark(
                gate,
                mark("The gate “{clause}” has thresholds, but does not rest on points."),
                mark("Write evidence: points, or take the thresholds out."),
            )
        points = {measure.id: measure.points for measure in subject.rules.measures(gate.stage)}
        for each in gate.thresholds:
            if each.at_least > points.get(each.measure, each.at_least):
                yield subject.remark(
                    gate,
                    mark("The gate “{clause}” asks for {least} points of “{measure}”, which has {points}."),
                    mark("Ask for no more than there are."),
                    {
                        "least": plain(each.at_least),
                        "measure": each.measure,
                        "points": plain(points[each.measure]),
                    },
                )


def panel_gaps(subject: Subject) -> Iterator[Remark]:
    """A panel whose marks count however few vote, or whose conflicts of interest nobody checks."""
    for panel in subject.rules.of(PanelRule):
        if panel.quorum is None:
            yield subject.remark(
                panel,
                mark("“{clause}” does not say how many of {raters} raters must vote for the marks to count."),
                mark("Write quorum."),
                {"raters": str(panel.raters)},
            )
        elif panel.quorum > panel.raters:
            yield subject.remark(
                panel,
                mark("“{clause}” needs {quorum} votes of {raters} raters."),
                mark("Appoint more raters, or require fewer votes."),
                {"raters": str(panel.raters), "quorum": str(panel.quorum)},
            )
        if not panel.conflicts_checked:
            yield subject.remark(
                panel,
                mark("“{clause}” does not say that the raters' conflicts of interest are checked."),
                mark("Check them, and write conflicts_checked: true."),
            )
