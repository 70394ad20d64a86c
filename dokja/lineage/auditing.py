"""The audit: every component of a submission against every reference, all tests, one correction over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import harmonic_mean

import numpy as np

from dokja import __version__
from dokja.errors import CheckpointError, Problem
from dokja.language import mark
from dokja.lineage.architecture.by_shape import BY_SHAPE
from dokja.lineage.arrays import Arrays, arrays_on
from dokja.lineage.cores import Crew, at_work
from dokja.lineage.findings import FORMAT, Audit, Coverage, Finding, Rounded, Screen, Word
from dokja.lineage.inside import within
from dokja.lineage.judging import Grounds, Shown, Weighed, carried, layer_map, power, word
from dokja.lineage.model import GIVEN, Member, Model
from dokja.lineage.overlapping import overlap
from dokja.lineage.pair.anchoring import Anchored, anchored
from dokja.lineage.pair.evidence import FEWEST, TESTS, Elements, Held, LabelTest, MapRow, Partner
from dokja.lineage.pair.gathering import gather
from dokja.lineage.pair.heads import look_at_heads
from dokja.lineage.pair.pairing import DENSE_OF
from dokja.lineage.pair.rows import most_alike, shared_words, ways
from dokja.lineage.sides import Reader, Reference, nameless
from dokja.lineage.statistics import Cells, MergeFit, Partial, holm, partial_correlation

NO_COMPONENT = mark("The reference has no such component.")
NO_GROUP = mark("No axis whose units may be relabelled is known, or its shapes differ.")
CARRIED = mark(
    "Its channels bear the reference's labels, as do those of whatever is trained behind another component that "
    "comes from there. Nothing of its own speaks against it."
)
ONLY_CHANNELS = mark(
    "Only its channels speak, whose labels all components of one stream share. Had it been trained anew behind "
    "another one that comes from there, it would bear the same."
)

LEAST_MERGED = 0.02
"""The least share of a parent that is told."""


@dataclass(frozen=True)
class _Asked:
    """The tests of one component against one reference, before they are weighed."""

    component: str
    reference: str
    tests: tuple[LabelTest, ...]
    partners: tuple[Partner, ...]
    mirrored: tuple[Partner, ...]
    elements: Elements
    anchored: Anchored | None
    step0: float | None
    width: float
    streams: tuple[frozenset[str], frozenset[str]]
    given: bool


def audit(
    submission: Reference,
    references: Sequence[Reference],
    *,
    key: int = 0,
    step0: Reference | None = None,
    device: str | Arrays = "cpu",
    screen: Screen | None = None,
) -> Audit:
    """Audit a submission against references.

    key: the seed of what is drawn at random; the same key gives the same bytes. step0: the submission's own weights
    before training, by which a common initialisation is told from descent. device: what units are compared by, as
    `arrays_on` knows it. screen: by which the references were chosen from more. It looked at the weights, so what it
    passed over is corrected for as if all had been asked. Raises `CheckpointError`, `DeviceError`,
    and `ValueError` where two references bear one name.
    """
    names = [each.name for each in references]
    if len(set(names)) < len(names):
        raise ValueError(f"findings name a reference: no two may bear one name, as in {sorted(names)}")
    if step0 is not None and not _of_one_model(submission.source.model, step0.source.model):
        raise CheckpointError(
            Problem(
                "audit-step0",
                "The weights of step 0 have no tensor of the submission's names and shapes.",
                "Give the submission's own weights before its training, saved as the submission is.",
                values={},
            )
        )
    arrays = arrays_on(device)
    mine = submission.on(arrays)
    begun = step0.on(arrays) if step0 is not None else None
    asked = []
    with arrays.exact(), at_work(_size(submission), arrays.workers) as crew:
        for each in references:
            left, right = _seen_alike(submission, each)
            held = Held(left.on(arrays), right.on(arrays), key, shared_words(left.source, right.source))
            asked += [
                _ask(held, component, each.name, begun, crew)
                for component in mine.model.components
                if _has(held.right.model, component)
            ]
        passed_over = screen.references - screen.near if screen is not None else 0
        findings = _weighed(mine.model, asked, passed_over * len(mine.model.components) * len(TESTS))
        findings += _missing(mine.model, references, findings)
        findings = _merged(mine, references, findings)
        inside = within(mine, crew)
    return Audit(
        dokja=__version__,
        format=FORMAT,
        submission=submission.name,
        key=key,
        references=tuple(each.name for each in references),
        findings=tuple(sorted(findings, key=lambda each: (each.reference, each.component))),
        coverage=_coverage(mine.model, findings),
        shared=_shared(findings),
        within=inside,
        overlaps=tuple(overlap(each.name, submission.source, each.source) for each in references),
        device=arrays.name,
        screen=screen,
    )


def _of_one_model(submission: Model, begun: Model) -> bool:
    """Whether there is a matrix that both have."""
    return any(begun.shapes.get(name) == shape for name, shape in submission.shapes.items() if len(shape) > 1)


def _seen_alike(mine: Reference, reference: Reference) -> tuple[Reference, Reference]:
    """Both sides by shapes and order alone, where the submission's names say nothing: renaming hides no weights."""
    families = [side.source.model.assignment.family for side in (mine, reference)]
    if families[0] != BY_SHAPE or families[1] == BY_SHAPE:
        return mine, reference
    sources = nameless(mine.source), nameless(reference.source)
    if sources[0] is None or sources[1] is None:
        return mine, reference
    return replace(mine, source=sources[0]), replace(reference, source=sources[1])


def _size(reference: Reference) -> int:
    model = reference.source.model
    return sum(model.parameters(component) for component in model.components)


def _has(model: Model, component: str) -> bool:
    return component in model.components or DENSE_OF.get(component, "") in model.components


def _ask(held: Held, component: str, reference: str, begun: Reader | None, crew: Crew) -> _Asked:
    looks = min(side.model.looks(component) for side in (held.left, held.right))
    held = held.within(looks)
    found = gather(held, component, crew)
    products, heads = look_at_heads(held, component, crew)
    return _Asked(
        component=component,
        reference=reference,
        tests=(*found.tests, products),
        partners=found.partners,
        mirrored=found.mirrored,
        elements=found.elements,
        anchored=anchored(held, component, crew) or heads,
        step0=None if begun is None else _beyond(held, component, begun),
        width=_width(held.left, component),
        streams=(_streams(held.left.model, component), _streams(held.right.model, component)),
        given=_given(held, component),
    )


def _given(held: Held, component: str) -> bool:
    """Whether the rows across the channels are on both sides words, or something else that is numbered alike."""
    spaces = [each.axis.space for side in (held.left, held.right) for each in side.model.residual(component)]
    return bool(spaces) and all(space in GIVEN for space in spaces)


def _beyond(held: Held, component: str, begun: Reader) -> float | None:
    """The partial correlation of the component's matrices given the initialisation."""
    total = Partial()
    readers = (held.left, held.right, begun.within(held.left.looks))
    words = shared_words(*(reader.source for reader in readers))
    theirs, starts = (_by_tensor(reader.model, component) for reader in readers[1:])
    for name, member in _by_tensor(held.left.model, component).items():
        if name in theirs and name in starts:
            found = ways(readers, (member, theirs[name], starts[name]), words)
            if found and min(held.left.model.extent(member)) > 1:
                mine, his, start = found[most_alike(found)]
                total = total + partial_correlation(mine, his, start)
    return total.partial if total.rows else None


def _by_tensor(model: Model, component: str) -> Mapping[tuple[str, object], Member]:
    return {(member.part.tensor, member.part.take): member for member in model.parts(component)}


def _width(reader: Reader, component: str) -> float:
    """By how many numbers a unit is known in each of its matrices, as if they were as many in all.

    The cosines of several matrices are averaged, so one of few numbers drowns what the others say: the harmonic mean
    counts. Of several groups it is the square of the mean root, which is never more than what they see together.
    """
    weighed: list[tuple[float, int]] = []
    for group in reader.model.groups.get(component, ()):
        free = [reader.model.extent(member)[1] - 1 for member in group.members]  # The rows are centred.
        units = min(reader.looks, *(reader.model.units(member) for member in group.members))
        if units >= FEWEST:
            weighed.append((harmonic_mean(free) ** 0.5, units * len(free)))
    total = sum(weight for _, weight in weighed)
    return (sum(root * weight for root, weight in weighed) / total) ** 2 if total else 0.0


def _weighed(model: Model, asked: Sequence[_Asked], silent: int) -> list[Finding]:
    """Words, after one Holm correction over every test that had anything to look at, and so many silent ones."""
    tests = [(each, test) for each in asked for test in each.tests if test.groups]
    adjusted = holm([test.log10_p for _, test in tests], silent) if tests else ()
    weighed: dict[int, list[Weighed]] = {}
    for (each, test), log10_p in zip(tests, adjusted, strict=True):
        weighed.setdefault(id(each), []).append(Weighed(test, float(log10_p)))
    shown = [_shown(each, tuple(weighed.get(id(each), ()))) for each in asked]
    others = [
        [
            seen
            for other, seen in zip(asked, shown, strict=True)
            if other.reference == each.reference and other.component != each.component
        ]
        for each in asked
    ]
    count = len(tests) + silent
    return [_finding(model, *each, count) for each in zip(asked, shown, others, strict=True)]


def _shown(asked: _Asked, weighed: tuple[Weighed, ...]) -> Shown:
    alike = asked.anchored is not None and asked.anchored.fires
    return Shown(weighed, asked.elements.cosine, alike, asked.streams, asked.given)


def _streams(model: Model, component: str) -> frozenset[str]:
    """The residual axes that a component's matrices bear; of a dense block that experts are held against, its own."""
    found = component if component in model.components else DENSE_OF.get(component, component)
    return frozenset(member.other.group for member in model.residual(found))


def _finding(model: Model, asked: _Asked, shown: Shown, others: Sequence[Shown], count: int) -> Finding:
    parameters = model.parameters(asked.component)
    grounds = Grounds(
        weighed=shown.weighed,
        partners=asked.partners,
        mirrored=asked.mirrored,
        equal=asked.elements.equal / parameters if parameters else 0.0,
        closeness=asked.elements.cosine,
        step0=asked.step0,
        rearranged=shown.alike,
        carried=carried(shown, others),
    )
    chosen = word(grounds)
    labels = any(each.test.name == "labels" for each in grounds.told)
    return Finding(
        component=asked.component,
        reference=asked.reference,
        word=chosen,
        log10_p=min((each.log10_p for each in grounds.told), default=None),
        tests=asked.tests,
        anchored=asked.anchored,
        closeness=asked.elements.cosine,
        equal=grounds.equal,
        parameters=parameters,
        assessed=_assessed(model, asked),
        layer_map=_layer_map(asked, chosen),
        step0=asked.step0,
        power=power(asked.tests, count, asked.width) if chosen == "no-evidence" and labels else None,
        reason=_reason(shown, others, grounds, chosen),
        equal_rows=asked.elements.rows,
        rounded=_rounded(asked.elements.cells),
        paired=asked.elements.paired,
    )


def _reason(shown: Shown, others: Sequence[Shown], grounds: Grounds, chosen: Word) -> str | None:
    """Why nothing is said, or why what is said may be true of another component."""
    if chosen == "not-assessed":
        return NO_GROUP
    if chosen == "no-evidence":
        return CARRIED if grounds.carried else None
    beside = any(other.speaks and shown.on_one_stream(other) for other in others)
    return ONLY_CHANNELS if chosen != "identical" and shown.by_channels and beside else None


def _layer_map(asked: _Asked, chosen: Word) -> tuple[MapRow, ...]:
    """Where layers come from: by their labels, or by what their neurons answer where that is all there is."""
    if chosen == "rearranged" and asked.anchored is not None:
        return asked.anchored.layer_map
    return layer_map(asked.partners)


def _rounded(cells: Cells | None) -> Rounded | None:
    """What the cells of a quantised side say, as shares."""
    if cells is None:
        return None
    return Rounded(cells.numbers, cells.inside / cells.numbers, cells.chance / cells.numbers)


def _assessed(model: Model, asked: _Asked) -> int:
    """Parameters of the tensors that bear an axis that was tested."""
    if not any(test.groups for test in asked.tests):
        return asked.elements.equal
    groups = model.groups.get(asked.component, ())
    if any(test.groups for test in asked.tests if test.name == "squares"):
        groups += model.squares.get(asked.component, ())
    tested = {(member.part.tensor, member.part.take): member for group in groups for member in group.members}
    tested |= {(member.part.tensor, member.part.take): member for member in model.residual(asked.component)}
    return sum(int(np.prod(model.extent(member), dtype=np.int64)) for member in tested.values())


def _missing(model: Model, references: Sequence[Reference], findings: Sequence[Finding]) -> list[Finding]:
    """What could not be asked because a reference has no such component."""
    there = {(finding.component, finding.reference) for finding in findings}
    return [
        Finding(
            component=component,
            reference=reference.name,
            word="not-assessed",
            log10_p=None,
            tests=(),
            anchored=None,
            closeness=None,
            equal=0.0,
            parameters=model.parameters(component),
            assessed=0,
            layer_map=(),
            reason=NO_COMPONENT,
        )
        for reference in references
        for component in model.components
        if (component, reference.name) not in there
    ]


def _merged(mine: Reader, references: Sequence[Reference], findings: list[Finding]) -> list[Finding]:
    """Where a component depends on several references, the shares that each of them has in it."""
    by_name = {reference.name: reference for reference in references}
    result = list(findings)
    for component in mine.model.components:
        parents = [each.reference for each in findings if each.component == component and each.word == "derived"]
        parents += [
            each.reference
            for each in findings
            if each.component == component and each.word == "common-initialisation"
        ]
        if len(parents) < 2:
            continue
        fit = MergeFit(parents)
        models = {name: by_name[name].reader for name in parents}
        looks = min(reader.looks for reader in (mine, *models.values()))
        models = {name: reader.within(looks) for name, reader in models.items()}
        readers = (mine.within(looks), *models.values())
        words = shared_words(*(reader.source for reader in readers))
        sources = [_by_tensor(reader.model, component) for reader in models.values()]
        for place, member in _by_tensor(mine.model, component).items():
            members = (member, *(each[place] for each in sources if place in each))
            rows = ways(readers, members, words) if len(members) == len(readers) else {}
            if rows:
                weights, *theirs = rows[most_alike(rows)]
                fit.add(weights, None, dict(zip(models, theirs, strict=True)))
        found = fit.shares()
        told = tuple((name, round(share, 4)) for name, share in found.shares.items() if share >= LEAST_MERGED)
        if len(told) >= 2:
            result = [
                replace(each, word="merged", shares=told)
                if each.component == component and each.reference in dict(told)
                else each
                for each in result
            ]
    return result


def _coverage(model: Model, findings: Sequence[Finding]) -> tuple[Coverage, ...]:
    return tuple(
        Coverage(
            component,
            model.parameters(component),
            max((each.assessed for each in findings if each.component == component), default=0),
        )
        for component in model.components
    )


def _shared(findings: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    """Components that alone, of several that were assessed, depend on a reference.

    Nothing is alone beside one that may be a copy as well: where all that speaks of it may have been carried to it.
    """
    result = []
    for reference in dict.fromkeys(each.reference for each in findings):
        told = [each for each in findings if each.reference == reference and each.word != "not-assessed"]
        firing = [each.component for each in told if each.dependent]
        undecided = any(each.reason == CARRIED and each.log10_p is None for each in told)
        if len(told) > 1 and len(firing) == 1 and not undecided:
            result.append((reference, firing[0]))
    return tuple(result)
