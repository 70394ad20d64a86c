"""An audit as the template shows it: every text said, every number written, every drawing painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from dokja.language import Voice, mark
from dokja.lineage.findings import Audit, Coverage, Finding, Power, Word
from dokja.lineage.judging import LEAST_SHARE
from dokja.lineage.page import scenes
from dokja.lineage.page.calibration import calibration
from dokja.lineage.page.drawing import paint
from dokja.lineage.page.explaining import STANDINGS, replies
from dokja.lineage.page.scenes import percent, span
from dokja.lineage.pair.anchoring import LEAST_AGREED
from dokja.lineage.pair.evidence import LabelTest, MapRow
from dokja.lineage.telling import (
    chance,
    component_name,
    copied,
    place_name,
    power_of_ten,
    rank,
    screened,
    summary,
    too_few,
    visible,
)
from dokja.lineage.words import ANSWERED, ANSWERING, TESTS, UNSEEN, WORDS, p_in_words

ROWS = 128
"""A table of layers shows no more rows; the JSON form has them all."""

PARTS = 8
"""Into how many parts the table of partners cuts an axis."""

ASSUMPTIONS = {
    "labels": mark(
        "Were the two independent, the labels of the units would be a uniformly random permutation of each other, "
        "whatever data, recipe or architecture they share. The same seed, or an order that both were sorted into, "
        "breaks this."
    ),
    "order": mark(
        "Were the two independent, the matched units would stand in a uniformly random order, whatever data, recipe "
        "or architecture they share. The same seed, or an order that both were sorted into, breaks this."
    ),
}
"""What a p-value rests on, by test; the tests of labels all rest on the same."""

Row = tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """A drawing, what it shows, and its numbers."""

    title: str
    caption: str
    svg: Markup
    head: Row
    rows: tuple[Row, ...]
    more: str = ""


@dataclass(frozen=True)
class ReplyView:
    """An answer to an innocent explanation."""

    standing: str
    label: str
    said: str


@dataclass(frozen=True)
class FindingView:
    """One finding."""

    identifier: str
    component: str
    word: Word
    label: str
    telling: bool
    meaning: str
    innocent: str
    replies: tuple[ReplyView, ...]
    reason: str | None
    p_value: str | None
    p_words: str
    silent: str | None
    assumption: str
    tests: tuple[Row, ...]
    families: tuple[Row, ...]
    families_of: str
    facts: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class ReferenceView:
    """All findings against one reference, those that say something first; cells follow the audit's components."""

    name: str
    findings: tuple[FindingView, ...]
    cells: tuple[FindingView | None, ...]
    alone: str | None


@dataclass(frozen=True)
class AuditView:
    """The whole page."""

    name: str
    summary: str
    verdicts: Row
    screened: Row
    components: Row
    references: tuple[ReferenceView, ...]
    legend: tuple[tuple[Word, str, str], ...]
    coverage: tuple[Row, ...]


def view(audit: Audit, voice: Voice) -> AuditView:
    """The audit in one language."""
    found = [each.component for each in audit.coverage] + [each.component for each in audit.findings]
    components = tuple(sorted(dict.fromkeys(found), key=rank))
    views = [_finding(f"finding-{number}", each, voice) for number, each in enumerate(audit.findings, 1)]
    by_place = {(each.reference, each.component): shown for each, shown in zip(audit.findings, views, strict=True)}
    alone = dict(audit.shared)
    return AuditView(
        name=visible(audit.submission),
        summary=_summary(audit, voice),
        verdicts=tuple(summary(audit, voice)),
        screened=screened(audit, voice),
        components=tuple(component_name(each, voice) for each in components),
        references=tuple(
            ReferenceView(
                name=visible(name),
                findings=tuple(
                    sorted(
                        (by_place[name, each] for each in components if (name, each) in by_place),
                        key=lambda shown: not shown.telling,
                    )
                ),
                cells=tuple(by_place.get((name, each)) for each in components),
                alone=component_name(alone[name], voice) if name in alone else None,
            )
            for name in audit.references
        ),
        legend=tuple((word, voice(said.label), voice(said.meaning)) for word, said in WORDS.items()),
        coverage=tuple(
            _coverage(each, voice) for each in sorted(audit.coverage, key=lambda each: rank(each.component))
        ),
    )


def _summary(audit: Audit, voice: Voice) -> str:
    asked = [each for each in audit.findings if each.word != "not-assessed"]
    values = {
        "asked": f"{len(asked):,}",
        "dependent": f"{sum(each.dependent for each in asked):,}",
        "rearranged": f"{sum(each.word == 'rearranged' for each in asked):,}",
        "silent": f"{sum(each.word == 'no-evidence' for each in asked):,}",
    }
    said = mark(
        "Comparisons of a component with a reference: {asked}. Not independent: {dependent}. For a panel to look at: "
        "{rearranged}. No evidence: {silent}."
    )
    return voice(said, values)


def _coverage(each: Coverage, voice: Voice) -> Row:
    share = each.assessed / each.parameters if each.parameters else 0.0
    return (
        component_name(each.component, voice),
        f"{each.parameters:,}",
        f"{each.assessed:,}",
        percent(voice, share),
    )


def _finding(identifier: str, finding: Finding, voice: Voice) -> FindingView:
    said = WORDS[finding.word]
    spoken = _speaking(finding)
    families = spoken.families if spoken is not None else ()
    exact = finding.word != "rearranged"
    return FindingView(
        identifier=identifier,
        component=component_name(finding.component, voice),
        word=finding.word,
        label=voice(said.label),
        telling=finding.told,
        meaning=voice(said.meaning),
        innocent=voice(said.innocent),
        replies=tuple(
            ReplyView(each.standing, voice(STANDINGS[each.standing]), each.said) for each in replies(finding, voice)
        ),
        reason=voice(finding.reason) if finding.reason is not None else None,
        p_value=p_shown(finding.log10_p) if finding.log10_p is not None and exact else None,
        p_words=voice(p_in_words(finding.log10_p)) if finding.log10_p is not None else "",
        silent=chance(finding.word, finding.log10_p, voice) if finding.log10_p is not None and not exact else None,
        assumption=voice(ASSUMPTIONS.get(spoken.name if spoken is not None else "", ASSUMPTIONS["labels"])),
        tests=tuple(_test(each, voice) for each in finding.tests if each.groups),
        families=tuple(
            (
                visible(each.family),
                f"{each.units:,}",
                f"{each.fixed:,}",
                percent(voice, each.share),
                f"{each.cosine:z.3f}",
            )
            for each in families
        ),
        families_of=voice(TESTS[spoken.name]) if spoken is not None else "",
        facts=tuple(_facts(finding, voice)),
        figures=tuple(_figures(identifier, finding, voice)),
    )


def _speaking(finding: Finding) -> LabelTest | None:
    """The test that speaks: the smallest p where the word says something, else that of the same place."""
    asked = [each for each in finding.tests if each.groups and each.name != "traces"]
    if not asked:
        return None
    return min(asked, key=lambda each: each.log10_p) if finding.dependent else asked[0]


def _test(test: LabelTest, voice: Voice) -> Row:
    if test.name == "traces":
        # It matches nothing: what it says is how much more alike equally labelled units are than others.
        correlation = max((each.correlation or 0.0 for each in test.families), default=0.0)
        return (voice(TESTS[test.name]), f"{test.units:,}", *"–––", f"{correlation:z.3f}", p_shown(test.log10_p))
    return (
        voice(TESTS[test.name]),
        f"{test.units:,}",
        f"{test.mutual:,}",
        f"{test.fixed:,}",
        percent(voice, test.share),
        "–",
        p_shown(test.log10_p),
    )


def p_shown(log10_p: float) -> str:
    """A p-value as it is written by hand."""
    base, _, exponent = power_of_ten(log10_p).partition("^")
    return Markup("{}<sup>{}</sup>").format(base, exponent.replace("-", "−")) if exponent else base


def _facts(finding: Finding, voice: Voice) -> list[tuple[str, str]]:
    """What else was measured, as names and values."""
    whole = finding.assessed / finding.parameters if finding.parameters else 0.0
    looked = voice(
        mark("{assessed} of {parameters} parameters ({share})"),
        {
            "assessed": f"{finding.assessed:,}",
            "parameters": f"{finding.parameters:,}",
            "share": percent(voice, whole),
        },
    )
    facts = [(voice(mark("Looked at")), looked)]
    if finding.equal:
        facts.append((voice(mark("Equal to the last bit")), percent(voice, finding.equal)))
    facts += copied(finding, voice)
    if finding.closeness is not None:
        facts.append((voice(mark("Cosine of all elements (an effect, no evidence)")), f"{finding.closeness:z.3f}"))
    if finding.anchored is not None:
        values = {
            "units": voice(ANSWERING[finding.anchored.of]),
            "agreed": f"{finding.anchored.agreed:,}",
            "compared": f"{finding.anchored.compared:,}",
            "share": percent(voice, finding.anchored.share),
            "control": percent(voice, finding.anchored.control),
            "anchors": f"{finding.anchored.anchors:,}",
        }
        plain = mark("{agreed} of {compared} {units} agree ({share}), asked {anchors} times")
        held = mark(
            "{agreed} of {compared} {units} agree ({share}), asked {anchors} times; in the controls at most {control}"
        )
        answered = held if finding.anchored.controls else plain
        facts.append((voice(ANSWERED[finding.anchored.by][1]), voice(answered, values)))
    facts += [
        (voice(mark("Share of {name}"), {"name": visible(name)}), f"{share:.2f}") for name, share in finding.shares
    ]
    if finding.step0 is not None:
        facts.append((voice(mark("Correlation beyond the initialisation")), f"{finding.step0:z.3f}"))
    if finding.power is not None:
        facts.append((voice(mark("Power")), _would_have_seen(finding.power, voice)))
    facts += [(voice(mark("Not asked")), said) for said in too_few(finding, voice)]
    if finding.hides_a_scrambled_copy:
        facts.append((voice(mark("Not asked")), voice(UNSEEN)))
    return facts


def _would_have_seen(power: Power, voice: Voice) -> str:
    if power.correlation is None:
        said = mark("too few units: no correlation of the weights would have been seen for certain")
        return voice(said)
    said = mark("would have seen a correlation of {correlation} or more with probability 0.99")
    return voice(said, {"correlation": f"{power.correlation:.3f}"})


def _figures(identifier: str, finding: Finding, voice: Voice) -> list[Figure]:
    spoken = _speaking(finding)
    found = []
    if finding.word == "rearranged" and finding.anchored is not None:
        found.append(_beside(f"{identifier}-beside", "answers", finding.anchored.share, voice))
    elif spoken is not None and spoken.name in calibration():
        found.append(_beside(f"{identifier}-beside", spoken.name, spoken.share, voice))
    shown = next((each for each in finding.tests if each.partners), None)
    if shown is not None:
        found.append(_partners(f"{identifier}-partners", shown, finding.word, voice))
    if any(each.from_layer is not None and each.layer is not None for each in finding.layer_map):
        found.append(_layers(f"{identifier}-layers", finding.layer_map, finding.word, voice))
    return found


@dataclass(frozen=True)
class _Scale:
    """What is counted on the axis of known kin and strangers, and from where a word may be told. Message ids."""

    said: str
    least: str
    from_share: float


LABELS = _Scale(
    mark(
        "Share of units for which the test “{test}” holds: this pair {pair}, a known child {child}, ten pairs of "
        "known strangers {strangers}."
    ),
    mark("Dashed: the least share at which a word may accuse, {least}."),
    LEAST_SHARE,
)
ANSWERS = _Scale(
    mark(
        "Share of compared units that answer alike: this pair {pair}, a known child {child}, ten pairs of known "
        "strangers {strangers}."
    ),
    mark("Dashed: the least share at which a panel is asked to look, {least}."),
    LEAST_AGREED,
)


def _beside(identifier: str, test: str, share: float, voice: Voice) -> Figure:
    known, scale = calibration()[test], ANSWERS if test == "answers" else LABELS
    title = voice(mark("Beside kin and strangers"))
    values = {
        "test": voice(TESTS[test]) if test in TESTS else "",
        "pair": percent(voice, share),
        "child": percent(voice, known.child),
        "strangers": span(voice, known.strangers),
    }
    said = voice(scale.said, values)
    least = voice(scale.least, {"least": percent(voice, scale.from_share, 0)})
    rows = [
        (voice(mark("This pair")), values["pair"]),
        (voice(mark("A known child")), values["child"]),
        *(
            (voice(mark("Strangers, pair {number}"), {"number": number}), percent(voice, each))
            for number, each in enumerate(known.strangers, 1)
        ),
    ]
    svg = paint(scenes.beside(share, known, scale.from_share, voice), identifier, title, said)
    head = (voice(mark("Pair")), voice(mark("Share")))
    return Figure(title, f"{said} {least}", svg, head, tuple(rows))


def _partners(identifier: str, test: LabelTest, word: Word, voice: Voice) -> Figure:
    title = voice(mark("Partner of each unit"))
    own = sum(one == other for one, other in test.partners)
    values = {"shown": f"{len(test.partners):,}", "own": f"{own:,}"}
    said = mark(
        "{shown} matched units of the largest axis, {own} of them with their own label. Dependence is a diagonal of "
        "filled dots; independence is dust of hollow ones."
    )
    scrambled = mark(
        "{shown} matched units of the largest axis, {own} of them with their own label. Dust of hollow dots: what "
        "independence shows, and a copy whose units were permuted as well."
    )
    said = scrambled if word == "rearranged" else said
    labels = max(test.labels, 1 + max(max(pair) for pair in test.partners))
    rows = []
    for part in range(PARTS):
        first, last = labels * part // PARTS, labels * (part + 1) // PARTS
        inside = [(one, other) for one, other in test.partners if first <= one < last]
        if inside:
            fixed = sum(one == other for one, other in inside)
            rows.append((f"{first:,}–{last - 1:,}", f"{len(inside):,}", f"{fixed:,}", f"{len(inside) - fixed:,}"))
    head = (voice(mark("Labels")), voice(mark("Shown")), voice(mark("Own label")), voice(mark("Other label")))
    svg = paint(scenes.partners(test.partners, labels, voice), identifier, title, voice(said, values))
    return Figure(title, voice(said, values), svg, head, tuple(rows))


def _layers(identifier: str, rows: Sequence[MapRow], word: Word, voice: Voice) -> Figure:
    title = voice(mark("Layer on layer"))
    found: dict[tuple[int, int], list[float]] = {}
    for row in rows:
        if row.layer is not None and row.from_layer is not None:
            found.setdefault((row.layer, row.from_layer), []).append(row.share)
    shares = {place: fmean(each) for place, each in found.items()}
    labels = mark(
        "For each layer the place in the reference where most of its labels stand; the larger the square, the "
        "more of them. Hollow: below {least}, too few to accuse by."
    )
    answers = mark(
        "For each layer that was asked the place in the reference where most of its units answer alike; the larger "
        "the square, the more of those compared. Hollow: below {least}."
    )
    scrambled = word == "rearranged"
    caption = voice(answers if scrambled else labels, {"least": percent(voice, LEAST_SHARE, 0)})
    counted = mark("Answer alike") if scrambled else mark("Own labels")
    head = (voice(mark("Layer")), voice(mark("Layer of the reference")), voice(counted))
    left_out = len(rows) - ROWS
    return Figure(
        title,
        caption,
        paint(scenes.layers(shares, voice), identifier, title, caption),
        head,
        tuple(
            (
                place_name(row.layer, row.expert, voice),
                place_name(row.from_layer, row.from_expert, voice),
                percent(voice, row.share),
            )
            for row in rows[:ROWS]
        ),
        voice(mark("{count} more are in the JSON form."), {"count": f"{left_out:,}"}) if left_out > 0 else "",
    )
