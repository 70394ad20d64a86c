"""An audit as plain lines for the terminal, and as JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from dokja.language import Voice, mark
from dokja.lineage.arrays import CPU
from dokja.lineage.findings import Audit, Finding, Kin, Overlap, Within
from dokja.lineage.pair.evidence import LabelTest
from dokja.lineage.words import (
    ANSWERING,
    COMPONENTS,
    KIN,
    NO_KIN,
    ON_A_DEVICE,
    OVERLAP,
    TESTS,
    UNSEEN,
    WORDS,
    p_in_words,
)

SHOWN_KIN = 12
"""The terminal shows no more pairs of layers of a component; the JSON form has them all."""


def lines(audit: Audit, voice: Voice) -> Iterator[str]:
    """The audit, one finding after another: the word, what it rests on, how it could be innocent."""
    yield voice(mark("Submission {name}, key {key}"), {"name": audit.submission, "key": audit.key})
    if audit.device != CPU:
        yield voice(ON_A_DEVICE, {"device": audit.device})
    if audit.within:
        yield ""
        yield voice(mark("The submission against itself"))
        for component in audit.within:
            yield from within_lines(component, voice)
    for reference in audit.references:
        yield ""
        yield from _against(reference, audit, voice)
    yield ""
    yield voice(mark("Looked at"))
    for each in audit.coverage:
        share = each.assessed / each.parameters if each.parameters else 0.0
        said = mark("  {component}: {assessed} of {parameters} parameters ({share} %)")
        values = {
            "component": voice(COMPONENTS.get(each.component, each.component)),
            "assessed": f"{each.assessed:,}",
            "parameters": f"{each.parameters:,}",
            "share": f"{100 * share:.0f}",
        }
        yield voice(said, values)


def _against(reference: str, audit: Audit, voice: Voice) -> Iterator[str]:
    """Everything that was found against one reference."""
    yield voice(mark("Against {reference}"), {"reference": reference})
    for finding in audit.findings:
        if finding.reference == reference:
            yield from finding_lines(finding, voice)
    for name, component in audit.shared:
        if name == reference:
            said = mark("  Of several components only this one depends on the reference: {component}.")
            yield voice(said, {"component": voice(COMPONENTS.get(component, component))})
    for overlap in audit.overlaps:
        if overlap.reference == reference and (told := overlap_told(overlap, voice)):
            yield "  " + voice(mark("Beside the weights"))
            yield from (f"    {line}" for line in (*told, voice(OVERLAP)))


def finding_lines(finding: Finding, voice: Voice) -> Iterator[str]:
    """One finding."""
    said = WORDS[finding.word]
    component = voice(COMPONENTS.get(finding.component, finding.component))
    yield f"  {component}: {voice(said.label)}"
    yield f"    {voice(said.meaning)}"
    if finding.reason is not None:
        yield f"    {voice(finding.reason)}"
        return
    if finding.log10_p is not None:
        values = {"p": power_of_ten(finding.log10_p), "words": voice(p_in_words(finding.log10_p))}
        yield "    " + voice(mark("p ≤ {p} after correction for all that was asked: {words}."), values)
    yield from (f"    {line}" for test in finding.tests for line in _test_lines(test, voice))
    yield from (f"    {line}" for line in too_few(finding, voice))
    yield from (f"    {name}: {value}" for name, value in copied(finding, voice))
    if finding.anchored is not None:
        values = {
            "units": voice(ANSWERING[finding.anchored.of]),
            "agreed": f"{finding.anchored.agreed:,}",
            "compared": f"{finding.anchored.compared:,}",
            "control": f"{100 * finding.anchored.control:.0f}",
        }
        plain = mark("answers to shared words: {agreed} of {compared} {units} agree")
        held = mark(
            "answers to shared words: {agreed} of {compared} {units} agree; in the controls at most {control} %"
        )
        yield "    " + voice(held if finding.anchored.controls else plain, values)
    if finding.shares:
        shares = ", ".join(f"{name} {share:.2f}" for name, share in finding.shares)
        yield "    " + voice(mark("shares: {shares}"), {"shares": shares})
    if finding.step0 is not None:
        yield "    " + voice(
            mark("correlation beyond the initialisation: {value}"), {"value": f"{finding.step0:.3f}"}
        )
    if finding.power is not None and finding.power.correlation is not None:
        yield "    " + voice(
            mark("would have seen a correlation of {correlation} or more with probability 0.99"),
            {"correlation": f"{finding.power.correlation:.3f}"},
        )
    if finding.hides_a_scrambled_copy:
        yield f"    {voice(UNSEEN)}"
    accused = finding.dependent or finding.word == "rearranged"
    innocent = voice(said.innocent)
    yield "    " + (voice(mark("Innocent explanation: {text}"), {"text": innocent}) if accused else innocent)


def _test_lines(test: LabelTest, voice: Voice) -> Iterator[str]:
    """One test."""
    values = {"test": voice(TESTS[test.name]), "p": power_of_ten(test.log10_p)}
    if test.groups and test.name == "traces":
        values["correlation"] = f"{max((family.correlation or 0.0 for family in test.families), default=0.0):.3f}"
        yield voice(mark("{test}: correlation up to {correlation}, p ≤ {p}"), values)
    elif test.groups:
        values |= {"fixed": f"{test.fixed:,}", "units": f"{test.units:,}"}
        yield voice(mark("{test}: {fixed} of {units} units, p ≤ {p}"), values)


def too_few(finding: Finding, voice: Voice) -> Iterator[str]:
    """Which tests were not asked for want of units; nothing where others have found something."""
    said = mark("{test}: not asked, for even if all agreed p would not be below {reach}")
    for test in finding.tests:
        if test.reach is not None and not finding.dependent:
            yield voice(said, {"test": voice(TESTS[test.name]), "reach": power_of_ten(test.reach)})


def copied(finding: Finding, voice: Voice) -> Iterator[tuple[str, str]]:
    """Which numbers are the same, as names and values: facts, where there is something to say."""
    if finding.equal_rows and finding.equal < 1:
        yield voice(mark("Rows that are equal, of those looked at")), f"{100 * finding.equal_rows:.1f} %"
    if finding.rounded is not None and (finding.dependent or finding.word == "rearranged"):
        values = {
            "share": f"{100 * finding.rounded.share:.1f} %",
            "chance": f"{100 * finding.rounded.by_chance:.1f} %",
        }
        said = mark("{share} of the other's numbers lie in the cell of the rounded one; {chance} by chance")
        yield voice(mark("One side is rounded")), voice(said, values)


def within_lines(within: Within, voice: Voice) -> Iterator[str]:
    """A component against itself."""
    component = voice(COMPONENTS.get(within.component, within.component))
    if not within.kin:
        yield f"  {component}: {voice(NO_KIN)}"
        return
    yield f"  {component}: {voice(KIN.label)}"
    yield f"    {voice(KIN.meaning)}"
    yield f"    {corrected(within, voice)}"
    for kin in within.kin[:SHOWN_KIN]:
        one, other = kin_places(kin, voice)
        values = {"one": one, "other": other, "fixed": f"{kin.fixed:,}", "units": f"{kin.units:,}"}
        yield "    " + voice(mark("layer {one} and layer {other}: {fixed} of {units} units"), values)
    if len(within.kin) > SHOWN_KIN:
        count = f"{len(within.kin) - SHOWN_KIN:,}"
        yield "    " + voice(mark("{count} more are in the JSON form."), {"count": count})
    yield "    " + voice(mark("Innocent explanation: {text}"), {"text": voice(KIN.innocent)})


def corrected(within: Within, voice: Voice) -> str:
    """The smallest p-value of a component against itself, and what it was corrected for."""
    values = {
        "p": power_of_ten(within.log10_p),
        "words": voice(p_in_words(within.log10_p)),
        "pairs": f"{within.asked:,}",
    }
    return voice(mark("p ≤ {p} after correction for all {pairs} pairs within the submission: {words}."), values)


def kin_places(kin: Kin, voice: Voice) -> tuple[str, str]:
    """Both layers, each with its expert where there is one."""
    return place_name(kin.layer, kin.expert, voice), place_name(kin.other_layer, kin.other_expert, voice)


def place_name(layer: int | None, expert: int | None, voice: Voice) -> str:
    """A layer, and which of its experts."""
    if layer is None:
        return "–"
    if expert is None:
        return str(layer)
    return voice(mark("{layer}, expert {expert}"), {"layer": layer, "expert": expert})


def overlap_told(overlap: Overlap, voice: Voice) -> tuple[str, ...]:
    """What is in common beside the weights; nothing where neither side's words nor settings are known."""
    told = []
    if overlap.words is not None and overlap.shared_words is not None and overlap.same_rows is not None:
        values = {
            "shared": f"{overlap.shared_words:,}",
            "words": f"{overlap.words:,}",
            "rows": f"{overlap.same_rows:,}",
        }
        said = mark("tokenizer: {shared} of {words} words of the reference, {rows} of them in the same row")
        told.append(voice(said, values))
    if overlap.settings is not None and overlap.same_settings is not None:
        values = {"same": f"{overlap.same_settings:,}", "settings": f"{overlap.settings:,}"}
        told.append(voice(mark("config: {same} of {settings} settings are equal"), values))
    return tuple(told)


def power_of_ten(log10_p: float) -> str:
    """A p-value by its power of ten, rounded up: never smaller than it is."""
    return f"10^{math.ceil(log10_p)}" if log10_p <= -3 else f"{min(1.0, 10**log10_p):.2g}"


def to_json(audit: Audit) -> str:
    """The audit as JSON, keys in the order of the data, floats as the shortest text that reads back the same."""
    return json.dumps(_plain(audit), ensure_ascii=False, indent=2) + "\n"


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
