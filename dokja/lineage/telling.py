"""An audit as plain lines for the terminal, and as JSON for programs."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass

from dokja.language import Voice, mark
from dokja.lineage.arrays import CPU
from dokja.lineage.findings import Audit, Finding, Kin, Overlap, Unasked, Within, Word
from dokja.lineage.judging import LEAST_SHARE
from dokja.lineage.pair.evidence import LabelTest
from dokja.lineage.pair.rows import By
from dokja.lineage.words import (
    ANSWERED,
    ANSWERING,
    COMPONENTS,
    KIN,
    NO_KIN,
    NOTHING_TO_COMPARE,
    ON_A_DEVICE,
    OVERLAP,
    SCREENED,
    SCREENED_ALONE,
    SILENT_TESTS,
    TESTS,
    UNASKED,
    UNSEEN,
    WORDS,
    p_in_words,
)

SHOWN_KIN = 12
"""The terminal shows no more pairs of layers of a component; the JSON form has them all."""

SHOWN_PLACES = 48
"""Nor more layers and experts of a map."""

NAME_LENGTH = 160
"""Of a name from outside no more is shown."""


def lines(audit: Audit, voice: Voice) -> Iterator[str]:
    """The audit: what was found, then every finding: the word, what it rests on, how it could be innocent.

    Findings of no evidence are short here; what their tests counted is in the JSON form and on the page.
    """
    yield voice(mark("Submission {name}, key {key}"), {"name": visible(audit.submission), "key": audit.key})
    if audit.device != CPU:
        yield voice(ON_A_DEVICE, {"device": audit.device})
    yield from screened(audit, voice)
    yield ""
    yield voice(mark("What was found"))
    yield from (f"  {line}" for line in summary(audit, voice))
    if audit.within:
        yield ""
        yield voice(mark("The submission against itself"))
        yield from _within(audit.within, voice)
    for reference in audit.references:
        yield ""
        yield from _against(reference, audit, voice)
    yield from _caveats(audit, voice)
    yield ""
    yield voice(mark("Looked at"))
    for each in sorted(audit.coverage, key=lambda each: rank(each.component)):
        share = each.assessed / each.parameters if each.parameters else 0.0
        said = mark("  {component}: {assessed} of {parameters} parameters ({share} %)")
        values = {
            "component": component_name(each.component, voice),
            "assessed": f"{each.assessed:,}",
            "parameters": f"{each.parameters:,}",
            "share": f"{100 * share:.1f}",
        }
        yield voice(said, values)


def screened(audit: Audit, voice: Voice) -> tuple[str, ...]:
    """How the references were chosen, where a screen has done so."""
    if audit.screen is None:
        return ()
    values = {
        "references": f"{audit.screen.references:,}",
        "near": f"{audit.screen.near:,}",
        "cosine": f"{audit.screen.would_miss:.2f}",
    }
    alone = SCREENED_ALONE if audit.screen.would_miss < 1 else NOTHING_TO_COMPARE
    said = voice(SCREENED if audit.screen.near else alone, values)
    return (said, *_unasked(audit.screen.unasked, voice))


def _unasked(unasked: Sequence[Unasked], voice: Voice) -> Iterator[str]:
    """What is near and was not audited, a line for each component, the closest first."""
    if unasked:
        yield voice(UNASKED)
    for component in sorted({each.component for each in unasked}, key=rank):
        near = [f"{visible(each.reference)} ({each.cosine:.2f})" for each in unasked if each.component == component]
        more = [f"… +{len(near) - SHOWN_KIN}"] if len(near) > SHOWN_KIN else []
        yield f"  {component_name(component, voice)}: {', '.join(near[:SHOWN_KIN] + more)}"


def summary(audit: Audit, voice: Voice) -> Iterator[str]:
    """For each component what was found against whom, in one line."""
    held = [each.component for each in audit.coverage] + [each.component for each in audit.findings]
    for component in sorted(dict.fromkeys(held), key=rank):
        findings = [each for each in audit.findings if each.component == component]
        asked = [each for each in findings if each.word != "not-assessed"]
        values: dict[str, object] = {"component": component_name(component, voice), "count": len(asked)}
        told = [
            voice(
                mark("{word} (against {reference})"),
                {"word": voice(WORDS[each.word].label), "reference": _with_share(each)},
            )
            for each in asked
            if each.told
        ]
        if told:
            yield voice(mark("{component}: {findings}"), {**values, "findings": ", ".join(told)})
        elif asked:
            yield voice(mark("{component}: no evidence, references asked: {count}"), values)
        else:
            yield voice(mark("{component}: not assessed against any reference"), values)


def component_name(component: str, voice: Voice) -> str:
    """A component as people call it."""
    return voice(COMPONENTS[component]) if component in COMPONENTS else visible(component)


def _with_share(finding: Finding) -> str:
    """The reference of a finding; of a merge with its share."""
    share = dict(finding.shares).get(finding.reference)
    return visible(finding.reference) + ("" if share is None else f" {share:.2f}")


def visible(name: str) -> str:
    """A name from outside, with every letter that is not seen (or turns others round) written as its number."""
    shown = "".join(f"⟨U+{ord(each):04X}⟩" if _unseen(each) else each for each in name)
    return (shown if len(shown) <= NAME_LENGTH else f"{shown[: NAME_LENGTH - 1]}…") or "“”"


def _unseen(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def rank(component: str) -> tuple[int, str]:
    """Where a component stands in a list for people: in the order of `COMPONENTS`."""
    known = list(COMPONENTS)
    return (known.index(component) if component in COMPONENTS else len(known), component)


def _within(within: Sequence[Within], voice: Voice) -> Iterator[str]:
    """Every component against itself; those in which nothing agrees together."""
    ordered = sorted(within, key=lambda each: rank(each.component))
    for each in ordered:
        if each.kin:
            yield from within_lines(each, voice)
    silent = [component_name(each.component, voice) for each in ordered if not each.kin]
    if silent:
        yield f"  {', '.join(silent)}: {voice(NO_KIN)}"


def _against(reference: str, audit: Audit, voice: Voice) -> Iterator[str]:
    """Everything that was found against one reference."""
    yield voice(mark("Against {reference}"), {"reference": visible(reference)})
    findings = [each for each in audit.findings if each.reference == reference]
    for finding in sorted(findings, key=lambda each: (not each.told, rank(each.component))):
        yield from finding_lines(finding, voice) if finding.told else _silent_lines(finding, voice)
    for name, component in audit.shared:
        if name == reference:
            said = mark("  Of several components only this one depends on the reference: {component}.")
            yield voice(said, {"component": component_name(component, voice)})
    for overlap in audit.overlaps:
        if overlap.reference == reference and (told := overlap_told(overlap, voice)):
            yield "  " + voice(mark("Beside the weights"))
            yield from (f"    {line}" for line in told)


def _caveats(audit: Audit, voice: Voice) -> Iterator[str]:
    """What must not be read into an audit, once for all of its findings."""
    silent = [each for each in audit.findings if each.word == "no-evidence"]
    overlaps = any(overlap_told(each, voice) for each in audit.overlaps)
    if not silent and not overlaps:
        return
    yield ""
    yield voice(mark("How not to read it"))
    if silent:
        said = WORDS["no-evidence"]
        yield f"  {voice(said.label)}: {voice(said.meaning)} {voice(said.innocent)}"
    hidden = sorted(dict.fromkeys(each.component for each in silent if each.hides_a_scrambled_copy), key=rank)
    if hidden:
        yield f"  {', '.join(component_name(each, voice) for each in hidden)}: {voice(UNSEEN)}"
    if overlaps:
        yield f"  {voice(mark('Beside the weights'))}: {voice(OVERLAP)}"


def finding_lines(finding: Finding, voice: Voice) -> Iterator[str]:
    """One finding that says something, in full."""
    said = WORDS[finding.word]
    yield f"  {component_name(finding.component, voice)}: {voice(said.label)}"
    yield f"    {voice(said.meaning)}"
    if finding.reason is not None:
        yield f"    {voice(finding.reason)}"
    if finding.log10_p is not None:
        yield f"    {chance(finding.word, finding.log10_p, voice)}"
    yield from (f"    {line}" for test in finding.tests for line in _test_lines(test, voice))
    yield from (f"    {line}" for line in too_few(finding, voice))
    yield from (f"    {name}: {value}" for name, value in copied(finding, voice))
    yield from (f"    {line}" for line in answers_told(finding, voice))
    if places := _map(finding, voice):
        yield "    " + voice(
            mark("each layer of the submission ← where it is found in the reference: {places}"), {"places": places}
        )
    if finding.shares:
        shares = ", ".join(f"{visible(name)} {share:.2f}" for name, share in finding.shares)
        yield "    " + voice(mark("shares: {shares}"), {"shares": shares})
    if finding.step0 is not None:
        yield "    " + voice(
            mark("correlation beyond the initialisation: {value}"), {"value": f"{finding.step0:z.3f}"}
        )
    yield "    " + voice(mark("Innocent explanation: {text}"), {"text": voice(said.innocent)})


def _silent_lines(finding: Finding, voice: Voice) -> Iterator[str]:
    """One finding that says nothing against anybody: what would have been seen, and the facts."""
    head = f"  {component_name(finding.component, voice)}: {voice(WORDS[finding.word].label)}"
    if finding.log10_p is None:
        yield head if finding.reason is None else f"{head}. {voice(finding.reason)}"
    else:
        said = mark("{finding}, p ≤ {p} after correction for all that was asked")
        yield voice(said, {"finding": head, "p": power_of_ten(finding.log10_p)})
        if finding.reason is not None:
            yield f"    {voice(finding.reason)}"
    if finding.word == "not-assessed":
        return
    if finding.power is not None and finding.power.correlation is not None:
        yield "    " + voice(
            mark("would have seen a correlation of {correlation} or more with probability 0.99"),
            {"correlation": f"{finding.power.correlation:.3f}"},
        )
    yield from (f"    {line}" for line in answers_told(finding, voice))
    yield from (f"    {name}: {value}" for name, value in copied(finding, voice))


def chance(word: Word, log10_p: float, voice: Voice) -> str:
    """The p-value of a finding and what it is worth; of one that no exact test bears out, that they are silent."""
    values = {"p": power_of_ten(log10_p), "words": voice(p_in_words(log10_p))}
    if word == "rearranged":
        return voice(SILENT_TESTS, values)
    return voice(mark("p ≤ {p} after correction for all that was asked: {words}."), values)


def answers_told(finding: Finding, voice: Voice) -> Iterator[str]:
    """How many neurons or heads answer alike (T3)."""
    if finding.anchored is None:
        return
    values = {
        "answers": voice(ANSWERED[finding.anchored.by][0]),
        "units": voice(ANSWERING[finding.anchored.of]),
        "agreed": f"{finding.anchored.agreed:,}",
        "compared": f"{finding.anchored.compared:,}",
        "control": f"{100 * finding.anchored.control:.0f}",
    }
    plain = mark("{answers}: {agreed} of {compared} {units} agree")
    held = mark("{answers}: {agreed} of {compared} {units} agree; in the controls at most {control} %")
    yield voice(held if finding.anchored.controls else plain, values)


def _map(finding: Finding, voice: Voice) -> str:
    """Where layers and experts are found, of findings that say so by their places; nothing where none has moved."""
    rows = [row for row in finding.layer_map if row.share >= LEAST_SHARE]
    if all((row.layer, row.expert) == (row.from_layer, row.from_expert) for row in rows):
        return ""
    shown = [
        f"{place_name(row.layer, row.expert, voice)} ← {place_name(row.from_layer, row.from_expert, voice)}"
        for row in rows[:SHOWN_PLACES]
    ]
    more = [voice(mark("{count} more in the JSON form"), {"count": len(rows) - SHOWN_PLACES})]
    return "; ".join(shown + (more if len(rows) > SHOWN_PLACES else []))


def _test_lines(test: LabelTest, voice: Voice) -> Iterator[str]:
    """One test."""
    values = {"test": voice(TESTS[test.name]), "p": power_of_ten(test.log10_p)}
    if test.groups and test.name == "traces":
        values["correlation"] = f"{max((family.correlation or 0.0 for family in test.families), default=0.0):z.3f}"
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
    yield from _paired(finding, voice)
    if finding.equal_rows and finding.equal < 1:
        yield voice(mark("Rows that are equal, of those looked at")), f"{100 * finding.equal_rows:.1f} %"
    if finding.rounded is not None and (finding.dependent or finding.word == "rearranged"):
        values = {
            "share": f"{100 * finding.rounded.share:.1f} %",
            "chance": f"{100 * finding.rounded.by_chance:.1f} %",
        }
        said = mark("{share} of the other's numbers lie in the cell of the rounded one; {chance} by chance")
        yield voice(mark("One side is rounded")), voice(said, values)


def _paired(finding: Finding, voice: Voice) -> Iterator[tuple[str, str]]:
    """How the rows of a vocabulary were paired, where that is not plain."""
    paired = finding.paired
    if paired is None:
        return
    name = voice(mark("Rows of the vocabulary"))
    values = {"moved": f"{paired.moved:,}", "words": f"{paired.words or 0:,}"}
    if paired.moved:
        told = (
            PAIRED[paired.closer]
            if finding.told
            else mark("paired by number and by word, for {moved} of {words} shared words stand in other rows")
        )
        yield name, voice(told, values)
    elif not paired.words and not finding.told:
        yield name, voice(mark("paired by number alone, for no words are known of both sides"))


PAIRED: Mapping[By, str] = {
    "word": mark(
        "{moved} of {words} shared words stand in other rows; the rows are more alike by word than by number"
    ),
    "number": mark(
        "{moved} of {words} shared words stand in other rows; the rows are more alike by number than by word"
    ),
}


def within_lines(within: Within, voice: Voice) -> Iterator[str]:
    """A component in which layers or experts agree."""
    yield f"  {component_name(within.component, voice)}: {voice(KIN.label)}"
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
