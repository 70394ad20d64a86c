"""Audits made by hand, for what shows them: every word once, and names that mean harm."""

from __future__ import annotations

import random

from dokja.lineage.findings import FORMAT, Audit, Coverage, Finding, Kin, Overlap, Power, Within, Word
from dokja.lineage.pair.anchoring import Anchored
from dokja.lineage.pair.evidence import FamilyEffect, LabelTest, MapRow

HOSTILE = '<script>alert("x")</script>\u202e../..\x00{name}'

COMMAND = "dokja audit entrant --against cedar --key 7"


def audit(*findings: Finding, submission: str = "team-d") -> Audit:
    """An audit of these findings."""
    components = dict.fromkeys(each.component for each in findings)
    return Audit(
        dokja="0.1.0",
        format=FORMAT,
        submission=submission,
        key=7,
        references=tuple(dict.fromkeys(each.reference for each in findings)),
        findings=findings,
        coverage=tuple(Coverage(component, 400_000, 380_000) for component in components),
        shared=(),
        within=(
            Within("text-decoder", 12, 30, 42, -505.3, (Kin(1, None, 3, None, 256, 255, -505.3),)),
            Within("vision-encoder", 6, 6, 42, 0.0, ()),
        ),
        overlaps=tuple(
            Overlap(each, 768, 767, 766, 32, 31) for each in dict.fromkeys(finding.reference for finding in findings)
        ),
    )


def every_word() -> Audit:
    """One finding for each word, each as the audit would bear it out."""
    return audit(
        finding("text-decoder", "cedar", "deepened", layer_map=deepened(), tests=(labels(0.34), layers(0.97))),
        finding("embeddings", "cedar", "derived", closeness=0.994),
        finding("head", "cedar", "identical", closeness=1.0, equal=1.0),
        finding("vision-encoder", "cedar", "not-assessed", tests=(), reason="The reference has no such component."),
        finding("text-decoder", "elm", "rearranged", tests=(labels(0.002),), anchored=anchored()),
        finding("embeddings", "elm", "no-evidence", tests=(labels(0.003),), power=Power(9, 0.171)),
        finding("head", "elm", "common-initialisation", closeness=0.02, step0=0.031),
        finding("vision-encoder", "elm", "pruned", tests=(order(),)),
        finding("text-decoder", "pine", "merged", shares=(("pine", 0.62), ("maple", 0.38)), closeness=0.8),
        finding("experts", "pine", "upcycled", layer_map=upcycled(), tests=(labels(0.2), layers(0.9))),
        finding("head", "pine", "derived", step0=0.95),
    )


def finding(
    component: str,
    reference: str,
    word: Word,
    *,
    tests: tuple[LabelTest, ...] | None = None,
    layer_map: tuple[MapRow, ...] = (),
    anchored: Anchored | None = None,
    closeness: float | None = None,
    equal: float = 0.0,
    shares: tuple[tuple[str, float], ...] = (),
    step0: float | None = None,
    power: Power | None = None,
    reason: str | None = None,
) -> Finding:
    """A finding, derived by its labels where nothing else is said."""
    asked = (labels(0.98),) if tests is None else tests
    return Finding(
        component=component,
        reference=reference,
        word=word,
        log10_p=min((each.log10_p for each in asked), default=None),
        tests=asked,
        anchored=anchored,
        closeness=closeness,
        equal=equal,
        parameters=400_000,
        assessed=380_000 if asked else 0,
        layer_map=layer_map,
        shares=shares,
        step0=step0,
        power=power,
        reason=reason,
    )


def labels(share: float, units: int = 1536, axis: int = 768) -> LabelTest:
    """A test of the same place in which this share bears its own label; its partners are drawn to match."""
    draw = random.Random(units)
    places = sorted(draw.sample(range(axis), 256 if share > 0.1 else 90))
    others = draw.sample(range(axis), len(places))
    fixed = int(units * share)
    return LabelTest(
        name="labels",
        groups=4,
        units=units,
        mutual=max(fixed, units // 3),
        fixed=fixed,
        log10_p=-2.1 * fixed if share > 0.1 else -0.4,
        families=tuple(FamilyEffect(name, units // 3, fixed // 3, 0.91) for name in ("gate", "up", "down")),
        partners=tuple(
            (place, place if draw.random() < share else other) for place, other in zip(places, others, strict=True)
        ),
        labels=axis,
    )


def layers(share: float) -> LabelTest:
    """A test of the best partner anywhere."""
    fixed = int(1536 * share)
    return LabelTest("layers", 6, 1536, fixed, fixed, -3.0 * fixed, 4.7)


def order() -> LabelTest:
    """A test of the order after pruning."""
    families = tuple(FamilyEffect(name, 160, 150, 0.97) for name in ("up", "down"))
    return LabelTest("order", 2, 320, 310, 300, -412.3, families=families)


def anchored() -> Anchored:
    """Neurons that answer alike."""
    return Anchored(anchors=512, compared=1136, agreed=822, control=0.013, controls=19)


def deepened() -> tuple[MapRow, ...]:
    """Six layers made of four."""
    return tuple(
        MapRow(layer, None, other, None, 0.97 - 0.02 * layer) for layer, other in enumerate((0, 1, 2, 1, 2, 3))
    )


def upcycled() -> tuple[MapRow, ...]:
    """Four experts of each of three layers, made of one block."""
    return tuple(MapRow(layer, expert, layer, None, 0.9) for layer in range(3) for expert in range(4))
