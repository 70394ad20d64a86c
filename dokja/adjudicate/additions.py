"""What published figures add up to as they stand: the arithmetic of a reader with a pencil.

Bounds say what is proven; a sum of printed figures says what a reader finds who adds them. Both matter: a sum that
its printed total does not fit, by more than rounding can explain, is an error of one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from dokja.adjudicate.evidence import Evidence
from dokja.adjudicate.interval import Interval, published, total
from dokja.adjudicate.narrowing import Published
from dokja.adjudicate.outcome import Addition, AdditionKind, Position, Term
from dokja.record.acts import MeasurementReported
from dokja.rulebook.measures import AnyMeasure, Index, Sum, walk


def additions(
    stage: str,
    root: AnyMeasure,
    teams: Sequence[str],
    figures: Sequence[Published],
    positions: Mapping[str, Position],
    evidence: Evidence,
) -> tuple[Addition, ...]:
    """Every sum and mean that the published figures of a stage allow, parents first."""
    first = next((team for team, place in positions.items() if place.worst == 1), None)
    return tuple(
        addition
        for measure in walk(root)
        for addition in (
            *_means(measure, figures),
            *_of_teams(measure, teams, figures, first if measure is root else None),
            *_other_definition(stage, measure, teams, figures, evidence),
        )
    )


def _means(measure: AnyMeasure, figures: Sequence[Published]) -> Iterator[Addition]:
    parts = _parts(measure, figures, None)
    if parts is not None:
        yield _addition("mean-of-parts", measure, parts, Fraction(1), _figure(measure.id, figures, None))


def _of_teams(
    measure: AnyMeasure, teams: Sequence[str], figures: Sequence[Published], first: str | None
) -> Iterator[Addition]:
    """Each team's parts; and the mean of all teams' own figures, where all were published."""
    for team in teams:
        parts = _parts(measure, figures, team)
        if parts is not None:
            said = _figure(measure.id, figures, team) or (_best(measure.id, figures) if team == first else None)
            yield _addition("value-of-parts", measure, parts, Fraction(1), said, team)
    own = [(team, _figure(measure.id, figures, team)) for team in teams]
    terms = tuple(_term(each, team) for team, each in own if each is not None)
    if len(terms) == len(teams) > 1:
        share = Fraction(1, len(teams))
        yield _addition("mean-of-teams", measure, terms, share, _figure(measure.id, figures, None))


def _other_definition(
    stage: str, measure: AnyMeasure, teams: Sequence[str], figures: Sequence[Published], evidence: Evidence
) -> Iterator[Addition]:
    """An index that was reported for all teams under another definition than the one that counts."""
    if not isinstance(measure, Index) or measure.definition is None:
        return
    found: dict[str, dict[str, Term]] = {}
    for index, report in evidence.of(MeasurementReported):
        asked = (report.stage, report.measure) == (stage, measure.id) and report.definition != measure.definition
        if asked and report.definition is not None and report.value is not None:
            term = Term(measure.id, report.value, index, report.team)
            found.setdefault(report.definition, {})[report.team] = term
    for definition, by_team in found.items():
        if all(team in by_team for team in teams):
            share = Fraction(measure.points) / Fraction(measure.per) / len(teams)
            terms = tuple(by_team[team] for team in teams)
            said = _figure(measure.id, figures, None)
            yield _addition("other-definition", measure, terms, share, said, definition=definition)


def _parts(measure: AnyMeasure, figures: Sequence[Published], team: str | None) -> tuple[Term, ...] | None:
    """The finest figures that a sum's parts were published by; `None` where one is missing, or nothing is summed."""
    if not isinstance(measure, Sum):
        return None
    terms: list[Term] = []
    for item in measure.items:
        finer = _parts(item, figures, team)
        own = _figure(item.id, figures, team)
        if finer is None and own is None:
            return None
        terms.extend(finer or ((_term(own, team),) if own else ()))
    return tuple(terms)


def _term(each: Published, team: str | None) -> Term:
    assert each.figure.value is not None  # noqa: S101 - `_figure` passes by figures without a value
    return Term(each.figure.measure, each.figure.value, each.act, team)


def _figure(measure: str, figures: Sequence[Published], team: str | None) -> Published | None:
    """The mean of a measure, or a team's own value of it: of several the one with most digits, then the latest."""
    of_team = [
        each
        for each in figures
        if each.figure.measure == measure
        and each.figure.value is not None
        and (
            each.figure.of == "mean"
            if team is None
            else each.figure.of in ("value", "best") and team in each.figure.teams
        )
    ]
    return max(of_team, key=lambda each: (-_exponent(each), each.act), default=None)


def _best(measure: str, figures: Sequence[Published]) -> Published | None:
    """The best of a measure, where nobody was named with it."""
    bests = (each for each in figures if (each.figure.measure, each.figure.of) == (measure, "best"))
    return next((each for each in bests if not each.figure.teams), None)


def _exponent(each: Published) -> int:
    return int(each.figure.value.as_tuple().exponent) if each.figure.value is not None else 0


def _addition(
    kind: AdditionKind,
    measure: AnyMeasure,
    terms: tuple[Term, ...],
    share: Fraction,
    said: Published | None,
    team: str | None = None,
    definition: str | None = None,
) -> Addition:
    found = sum((Fraction(term.value) for term in terms), Fraction(0)) * share
    value = said.figure.value if said else None
    return Addition(
        kind=kind,
        measure=measure.id,
        team=team,
        definition=definition,
        terms=terms,
        share=share,
        result=found,
        published=value,
        act=said.act if said else None,
        fits=None if value is None else _fits(terms, share, published(value)),
    )


def _fits(terms: Sequence[Term], share: Fraction, said: Interval) -> bool:
    """Whether rounding alone can explain the difference."""
    return total(published(term.value) for term in terms).times(share).meet(said) is not None
