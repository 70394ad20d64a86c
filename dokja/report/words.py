"""What the results' own terms are called on the pages, as tables of message ids."""

from __future__ import annotations

from collections.abc import Mapping

from dokja.adjudicate import Modality, Verdict
from dokja.adjudicate.outcome import FateReason
from dokja.language import mark
from dokja.record.about import Standing
from dokja.record.acts import AuditWord
from dokja.rulebook import Order, Situation

STANDINGS: Mapping[Standing, str] = {
    "official": mark("official"),
    "press": mark("press"),
    "leak": mark("leak"),
    "own": mark("own arithmetic"),
}

VERDICTS: Mapping[Verdict, str] = {
    "agreed": mark("agrees"),
    "contradicted": mark("contradicted"),
    "not-covered": mark("not covered"),
    "open": mark("open"),
}

VERDICT_MEANINGS: Mapping[Verdict, str] = {
    "agreed": mark("The rules in force lead to what was decided."),
    "contradicted": mark("The rules in force do not lead to what was decided."),
    "not-covered": mark("No clause in force says what should be decided."),
    "open": mark("What was published does not settle what the rules lead to."),
}

GOES_ON: Mapping[Modality, str] = {
    "certain": mark("goes on for certain"),
    "possible": mark("may go on"),
    "excluded": mark("does not go on"),
}

PRESENCE: Mapping[Modality, str] = {
    "certain": mark("certain"),
    "possible": mark("possible"),
    "excluded": mark("excluded"),
}

ORDERS: Mapping[Order, str] = {
    "points-then-gate": mark("Points first, then the gate"),
    "gate-then-points": mark("The gate first, then points"),
}

ORDER_MEANINGS: Mapping[Order, str] = {
    "points-then-gate": mark(
        "The seats are filled by points; a team that then fails the gate leaves its seat empty."
    ),
    "gate-then-points": mark("Teams that fail the gate drop out; the seats are filled by points among the others."),
}

FATE_REASONS: Mapping[FateReason, str] = {
    "inside-cut": mark("inside the seats"),
    "outside-cut": mark("outside the seats on points"),
    "failed-gate": mark("does not meet the gate"),
    "below-minimum": mark("below the minimum score"),
    "undecided-gate": mark("the gate has no result"),
    "tied-at-cut": mark("level with others on the cut line"),
    "open": mark("not settled by what is known"),
}

SITUATIONS: Mapping[Situation, str] = {
    "withdrawal-before-decision": mark("A team withdrew before the decision."),
    "gate-undecided": mark("A gate has no result at the decision."),
    "nobody-remains": mark("Nobody remains."),
    "fewer-remain-than-seats": mark("Fewer teams remain than there are seats."),
    "tie-at-cut": mark("Teams are level on the cut line."),
    "withdrawal-after-decision": mark("A team withdrew after the decision."),
    "objection-upheld-after-decision": mark("An objection was upheld after the decision."),
}

CONSEQUENCES: Mapping[str, str] = {
    "go-on-with-fewer": mark("fewer teams go on"),
    "open-call": mark("a call is opened"),
    "next-on-points": mark("the next on points moves up"),
    "all-tied-go-on": mark("all tied teams go on"),
    "none-tied-goes-on": mark("no tied team goes on"),
    "lot": mark("the lot decides"),
    "count-as-failed": mark("it counts as failed"),
    "count-as-passed": mark("it counts as passed"),
    "leave-the-ranking": mark("the ranking stays"),
    "decide-again": mark("the stage is decided again"),
    "end-programme": mark("the programme ends"),
    "all-go-on": mark("all tied teams go on"),
    "none-goes-on": mark("no tied team goes on"),
}

GATE_RESULTS: Mapping[str, str] = {
    "meets": mark("meets it"),
    "does-not-meet": mark("does not meet it"),
    "undecided": mark("undecided"),
    "unknown": mark("not published"),
}

DEPARTURES: Mapping[str, str] = {
    "goes-on": mark("goes on"),
    "leaves-gate": mark("leaves because of the gate"),
    "leaves-points": mark("leaves on points"),
    "leaves-minimum-score": mark("leaves below the minimum score"),
    "leaves-withdrawal": mark("leaves of its own accord"),
    "leaves-unsaid": mark("does not go on"),
}

FIGURE_VERDICTS: Mapping[str, str] = {
    "confirmed": mark("confirmed"),
    "consistent": mark("fits"),
    "contradicted": mark("contradicted"),
    "free": mark("no other figure bears on it"),
}

FIGURE_VERDICT_MEANINGS: Mapping[str, str] = {
    "confirmed": mark("The other figures leave no other value."),
    "consistent": mark("The other figures allow it."),
    "contradicted": mark("The other figures do not allow it."),
    "free": mark("The other figures say nothing about it."),
}

MEASURE_RULES: Mapping[str, str] = {
    "sum": mark("sum of its items"),
    "weighted": mark("weighted mean of its items"),
    "reported": mark("as reported"),
    "index": mark("a reported index, scaled to points"),
    "ratio": mark("share of a target"),
    "proposed": mark("mean of the benchmarks that enough teams proposed"),
    "runs": mark("mean of repeated runs"),
    "panel": mark("marks of a panel"),
    "scale-to-first": mark("scaled to the first team"),
    "min-max": mark("scaled between the last and the first team"),
}

AUDIT_WORDS: Mapping[AuditWord, str] = {
    "identical": mark("identical"),
    "derived": mark("derived"),
    "common-initialisation": mark("common initialisation or derived"),
    "pruned": mark("pruned"),
    "deepened": mark("deepened"),
    "upcycled": mark("upcycled"),
    "merged": mark("merged"),
    "rearranged": mark("rearranged"),
    "no-evidence": mark("no evidence"),
    "not-assessed": mark("not assessed"),
}

AUDIT_COMPONENTS: Mapping[str, str] = {
    "text-decoder": mark("text decoder"),
    "text-encoder": mark("text encoder"),
    "embeddings": mark("embeddings"),
    "vision-encoder": mark("vision encoder"),
    "audio-encoder": mark("audio encoder"),
    "projector": mark("projector"),
    "head": mark("head"),
    "router": mark("router"),
    "experts": mark("experts"),
    "other": mark("other"),
}
"""The components that `dokja.lineage` tells apart; who audits with another tool may name others."""

DRAWN: Mapping[str, str] = {
    "items": mark("the items of a measure"),
    "judges": mark("the raters of a panel"),
    "order": mark("the order of presentation"),
    "lot": mark("the lot between level teams"),
}
"""What a draw draws."""
