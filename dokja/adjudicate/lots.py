"""How a lot parts teams that are level: by the ranking of a draw in the record, where the rules let a lot decide."""

from __future__ import annotations

from collections.abc import Sequence

from dokja.adjudicate.cut import deciding_step
from dokja.adjudicate.evidence import Evidence
from dokja.record.acts import DrawAnnounced, DrawMade
from dokja.rulebook.clauses import Contingency, Cut

Pair = tuple[str, str]


def parted_by_lot(
    stage: str, level: frozenset[Pair], cut: Cut | None, contingencies: Sequence[Contingency], evidence: Evidence
) -> frozenset[Pair]:
    """The pairs (a, b) of level teams of which a lot drew a before b.

    A lot was announced between certain teams; one that is level with them and was left out stays unparted.
    """
    if not _lot_decides(cut, contingencies):
        return frozenset()
    between = {act.id for _, act in evidence.of(DrawAnnounced) if act.purpose == "lot" and act.stage == stage}
    parted: set[Pair] = set()
    for _, made in evidence.of(DrawMade):
        if made.draw in between:
            ranked = made.ranking
            pairs = {(one, other) for place, one in enumerate(ranked) for other in ranked[place + 1 :]}
            parted |= {(one, other) for one, other in pairs & level if (other, one) not in parted}
    return frozenset(parted)


def _lot_decides(cut: Cut | None, contingencies: Sequence[Contingency]) -> bool:
    step = deciding_step(cut)
    if step is not None:
        return step.step == "lot"
    return any(each.situation == "tie-at-cut" and each.consequence == "lot" for each in contingencies)
