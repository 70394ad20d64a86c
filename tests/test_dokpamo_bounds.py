"""The model case's bounds against another model of it: written by hand from the releases, solved as a whole.

Here "some team reaches it" is a binary variable and HiGHS's branch and bound answers in floating point, through
scipy; in `dokja.adjudicate` it is a list of alternatives, each refuted or followed, and every bound is proven in
fractions. Both must come to the same ends: no bound excludes what was left possible, and none is wider than needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from dokja.adjudicate import StageOutcome
from dokja.report import Publication
from tests.report.published import published

LARGE = 1000.0
Terms = Mapping[tuple[str, str], float]


@dataclass
class Model:
    """Points of teams under sums and published figures; `either` is a list of lower bounds of which one holds."""

    teams: Sequence[str]
    points: Mapping[str, float]
    sums: Mapping[str, Sequence[str]]
    rows: list[tuple[Terms, float, float]] = field(default_factory=list)
    either: list[list[tuple[Terms, float]]] = field(default_factory=list)

    def value(self, measure: str, team: str, text: str) -> None:
        low, high = ends(text)
        self.rows.append(({(measure, team): 1}, low, high))

    def mean(self, measure: str, text: str) -> None:
        low, high = ends(text)
        self.rows.append(({(measure, team): 1 / len(self.teams) for team in self.teams}, low, high))

    def best(self, measure: str, text: str, *leaders: str) -> None:
        low, high = ends(text)
        for team in self.teams:
            if team in leaders:
                self.value(measure, team, text)
            else:
                self.rows.append(({(measure, team): 1}, -np.inf, low if leaders else high))
        if not leaders:
            self.either.append([({(measure, team): 1}, low) for team in self.teams])

    def gap(self, measure: str, text: str) -> None:
        low, high = ends(text)
        pairs: list[Terms] = [{(measure, a): 1, (measure, b): -1} for a, b in permutations(self.teams, 2)]
        self.rows.extend((pair, -np.inf, high) for pair in pairs)
        self.either.append([(pair, low) for pair in pairs])

    def last(self, measure: str, team: str) -> None:
        self.rows.extend(({(measure, a): 1, (measure, team): -1}, 0, np.inf) for a in self.teams if a != team)

    def solved(self) -> Iterator[tuple[str, str, float, float]]:
        """The least and the most of every team's every measure."""
        columns = {(m, t): n for n, (m, t) in enumerate((m, t) for m in self.points for t in self.teams)}
        reals = len(columns)
        rows = [
            ({columns[key]: factor for key, factor in terms.items()}, low, high) for terms, low, high in self.rows
        ]
        for whole, parts in self.sums.items():
            rows.extend(
                ({columns[whole, team]: 1, **{columns[part, team]: -1 for part in parts}}, 0, 0)
                for team in self.teams
            )
        size = reals
        for choice in self.either:
            chosen = range(size, size + len(choice))
            size += len(choice)
            rows.append((dict.fromkeys(chosen, 1), 1, np.inf))
            for switch, (terms, low) in zip(chosen, choice, strict=True):
                at_least = {columns[key]: factor for key, factor in terms.items()}
                rows.append(({**at_least, switch: -LARGE}, low - LARGE, np.inf))
        matrix = np.zeros((len(rows), size))
        for number, (coefficients, _, _) in enumerate(rows):
            for column, factor in coefficients.items():
                matrix[number, column] = factor
        limits = LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows])
        most = [self.points[measure] for measure, _ in columns]
        box = Bounds(np.zeros(size), np.array([*most, *np.ones(size - reals)]))
        switches = np.array([0] * reals + [1] * (size - reals))
        for (measure, team), column in columns.items():
            found = []
            for sign in (1, -1):
                objective = np.zeros(size)
                objective[column] = sign
                answer = milp(objective, constraints=limits, bounds=box, integrality=switches)
                assert answer.success
                found.append(sign * answer.fun)
            yield measure, team, found[0], found[1]


def ends(text: str) -> tuple[float, float]:
    half = 0.5 * 10.0 ** -len(text.partition(".")[2])
    return float(text) - half, float(text) + half


def stage_1() -> Model:
    model = Model(
        ("naver", "upstage", "skt", "nc-ai", "lg"),
        {"nia": 10, "common": 20, "individual": 10, "benchmark": 40, "expert": 35, "user": 25, "total": 100},
        {"benchmark": ("nia", "common", "individual"), "total": ("benchmark", "expert", "user")},
    )
    model.best("benchmark", "33.6", "lg")
    model.best("expert", "31.6", "lg")
    model.best("user", "25.0", "lg")
    model.best("total", "90.2")
    model.best("nia", "9.2", "skt", "lg")
    model.best("common", "14.4", "lg")
    model.best("individual", "10.0", "upstage", "lg")
    for measure, text in (("benchmark", "30.4"), ("expert", "28.56"), ("user", "20.76"), ("total", "79.7")):
        model.mean(measure, text)
    model.either.append([({("user", team): 1}, 25) for team in model.teams])
    model.last("total", "nc-ai")
    return model


def stage_2(*, leaks: bool) -> Model:
    model = Model(
        ("skt", "upstage", "lg", "motif"),
        {
            "aaii": 25,
            "nia": 15,
            "benchmark": 40,
            "expert": 35,
            "professionals": 15,
            "citizens": 10,
            "user": 25,
            "total": 100,
        },
        {
            "benchmark": ("aaii", "nia"),
            "user": ("professionals", "citizens"),
            "total": ("benchmark", "expert", "user"),
        },
    )
    means = (
        *(("benchmark", "22.5"), ("expert", "28.8"), ("expert", "28.75"), ("user", "17.6"), ("aaii", "9.48")),
        *(("nia", "13.05"), ("professionals", "10.53"), ("citizens", "7.03")),
    )
    for measure, text in means:
        model.mean(measure, text)
    for measure, text in (("benchmark", "4.0"), ("expert", "2.4"), ("user", "5.0")):
        model.gap(measure, text)
    model.best("expert", "29.5", "lg")
    model.best("aaii", "11.9", "motif")
    model.best("nia", "13.4", "skt")
    model.best("professionals", "11.6", "skt")
    model.best("citizens", "7.6", "lg")
    if leaks:
        for team, text in (("skt", "70.6"), ("upstage", "69.9"), ("lg", "69.0"), ("motif", "65.8")):
            model.value("total", team, text)
        for measure, text in (("aaii", "11.9"), ("nia", "12.7"), ("expert", "27.1"), ("user", "14.1")):
            model.value(measure, "motif", text)
    return model


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return published("dokpamo", tmp_path_factory.mktemp("real"))


def stage(publication: Publication, name: str, leaks: bool) -> StageOutcome:
    found = (publication.outcome if leaks else publication.alternatives["leaks"]).stage(name)
    assert found is not None
    return found


CASES = {
    "stage 1": (stage_1(), "stage-1", True),
    "stage 2": (stage_2(leaks=True), "stage-2", True),
    "stage 2 without leaks": (stage_2(leaks=False), "stage-2", False),
}


@pytest.mark.parametrize("case", CASES)
def test_every_interval_is_sound_and_as_narrow_as_what_was_published(case: str, real: Publication) -> None:
    model, name, leaks = CASES[case]
    outcome = stage(real, name, leaks)
    for measure, team, least, most in model.solved():
        interval = outcome.scores[team, measure].interval
        assert float(interval.lower) == pytest.approx(least, abs=2e-4), (measure, team)
        assert float(interval.upper) == pytest.approx(most, abs=2e-4), (measure, team)
        assert float(interval.lower) <= least + 1e-6
        assert float(interval.upper) >= most - 1e-6
