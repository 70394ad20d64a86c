"""The table of rules: every code, its name, what it looks for. A code never changes its meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dokja.language import mark
from dokja.rulebook.linter import (
    call_rules,
    gate_rules,
    outcome_rules,
    publicity_rules,
    score_rules,
    structure_rules,
    time_rules,
)
from dokja.rulebook.linter.finding import Remark
from dokja.rulebook.linter.subject import Subject


@dataclass(frozen=True)
class Rule:
    """One thing that the linter looks for; summary is an English message id."""

    code: str
    name: str
    summary: str
    check: Callable[[Subject], Iterator[Remark]]


_TABLE: tuple[tuple[str, str, str, Callable[[Subject], Iterator[Remark]]], ...] = (
    (
        "DK101",
        "uncovered-outcome",
        mark("An outcome that can happen and that no clause covers."),
        outcome_rules.uncovered,
    ),
    ("DK102", "overlapping-clauses", mark("Two clauses that both apply to one outcome."), outcome_rules.overlapping),
    ("DK103", "unreachable-clause", mark("A clause that no outcome can need."), outcome_rules.unreachable),
    ("DK104", "order-unsaid", mark("The order of gate and points is not said."), outcome_rules.order_unsaid),
    ("DK105", "no-tie-rule", mark("Nothing says who goes on when teams are level."), outcome_rules.no_tie_rule),
    ("DK106", "no-cut", mark("Nothing says who goes on."), outcome_rules.no_cut),
    ("DK107", "too-many-conditions", mark("More conditions than can be looked through."), outcome_rules.too_fine),
    (
        "DK108",
        "unfitting-consequence",
        mark("A consequence that does not answer its situation."),
        outcome_rules.unfitting_consequence,
    ),
    ("DK201", "points-do-not-sum", mark("Items whose points do not add up."), score_rules.points_do_not_sum),
    ("DK202", "uncapped-ratio", mark("A ratio to a target without a cap."), score_rules.uncapped_ratio),
    ("DK203", "rounding-before-cut", mark("A rounding that can change a cut."), score_rules.rounding_changes_cut),
    (
        "DK204",
        "unscaled-panel-sum",
        mark("A sum of marks that grows with the voters."),
        score_rules.unscaled_panel_sum,
    ),
    (
        "DK205",
        "trimmed-to-nothing",
        mark("A trimmed mean that can leave out every mark."),
        score_rules.drops_leave_nobody,
    ),
    ("DK206", "trim-without-effect", mark("Marks to leave out where none is."), score_rules.drops_unused),
    ("DK207", "measure-twice", mark("Two measures with one id."), score_rules.measure_twice),
    ("DK208", "no-score", mark("A stage without a score."), score_rules.no_score),
    (
        "DK209",
        "too-many-proposers",
        mark("Benchmarks that no number of teams can propose."),
        score_rules.too_many_proposers,
    ),
    ("DK301", "gate-without-criterion", mark("A gate without a criterion."), gate_rules.no_criterion),
    ("DK302", "gate-without-evidence", mark("A gate that rests on nothing named."), gate_rules.no_evidence),
    ("DK303", "gate-without-quorum", mark("A gate without a quorum."), gate_rules.no_quorum),
    ("DK304", "gate-without-reply", mark("A gate without a reply before the decision."), gate_rules.no_reply),
    ("DK305", "impossible-quorum", mark("A quorum that cannot be met."), gate_rules.impossible_quorum),
    ("DK306", "ballots-without-panel", mark("Ballots without a panel."), gate_rules.ballots_without_panel),
    ("DK307", "panel-gap", mark("A panel without a quorum or a check for conflicts."), gate_rules.panel_gaps),
    (
        "DK308",
        "audit-without-rule",
        mark("An audit whose words mean nothing."),
        gate_rules.audit_without_rule,
    ),
    (
        "DK309",
        "threshold-gap",
        mark("A gate by points that asks for none, or for more than there are."),
        gate_rules.threshold_gap,
    ),
    ("DK401", "late-rule", mark("A rule dated after what it rules on."), time_rules.late_rule),
    (
        "DK402",
        "changed-after-opening",
        mark("A change to what has begun, without consent."),
        time_rules.changed_after_opening,
    ),
    ("DK403", "retroactive", mark("A rule that takes effect before it is announced."), time_rules.retroactive),
    ("DK404", "out-of-scope", mark("A change outside the amendment's scope."), time_rules.out_of_scope),
    ("DK405", "calendar-order", mark("Times that do not follow each other."), time_rules.calendar_order),
    ("DK406", "calendar-gap", mark("Days that are not fixed."), time_rules.calendar_gaps),
    ("DK407", "overtaken-decision", mark("A stage that opens before the decision stands."), time_rules.overtaken),
    (
        "DK408",
        "amendments-unsaid",
        mark("Nothing says how the rules may be changed."),
        time_rules.amendments_unsaid,
    ),
    ("DK409", "short-notice", mark("An amendment with too little notice."), time_rules.short_notice),
    ("DK501", "call-gap", mark("A call that leaves something open."), call_rules.call_gaps),
    ("DK502", "impossible-majority", mark("A majority that no vote can reach."), call_rules.majority_out_of_range),
    ("DK503", "call-unnamed", mark("A consequence and a call that do not fit."), call_rules.open_call_unnamed),
    ("DK504", "call-never-opened", mark("A call that nothing opens."), call_rules.call_never_opened),
    ("DK505", "call-goes-back", mark("A call into a stage that is over."), call_rules.call_goes_back),
    (
        "DK506",
        "numbers-do-not-fit",
        mark("Seats, entrants and places that do not fit."),
        call_rules.seats_and_entrants,
    ),
    ("DK601", "disclosure-not-fixed", mark("A disclosure level that is not fixed."), publicity_rules.disclosure_gaps),
    ("DK602", "disclosure-twice", mark("Two levels for one field and audience."), publicity_rules.disclosure_twice),
    ("DK603", "no-objections", mark("A decision that cannot be objected to."), publicity_rules.no_objections),
    (
        "DK604",
        "short-standstill",
        mark("A standstill shorter than the objections."),
        publicity_rules.short_standstill,
    ),
    (
        "DK605",
        "duties-unsaid",
        mark("A stage of which nothing must be in the record."),
        publicity_rules.duties_unsaid,
    ),
    (
        "DK606",
        "duty-without-day",
        mark("A duty for a day that the calendar does not fix."),
        publicity_rules.duty_dayless,
    ),
    ("DK701", "unknown-reference", mark("A name that leads nowhere."), structure_rules.unknown_reference),
    ("DK702", "two-of-a-kind", mark("Two clauses on one question."), structure_rules.two_of_a_kind),
    ("DK703", "idle-panel", mark("A panel without a task."), structure_rules.idle_panel),
)

RULES: Mapping[str, Rule] = {row[0]: Rule(*row) for row in _TABLE}
"""Every rule by its code."""
