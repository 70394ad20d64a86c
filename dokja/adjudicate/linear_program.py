"""Bounds of linear forms under linear constraints, proven in exact arithmetic.

HiGHS finds the optimum in floating point; it is not trusted. Its multipliers are turned into
fractions, and weak duality gives a bound that holds whatever the multipliers are: for every x with Ax ≤ b in the box
[l, u] and every y ≥ 0,

    c·x  ≤  y·b + Σ_j max(r_j·l_j, r_j·u_j)   with r = c − Aᵀy

(Neumaier and Shcherbina, "Safe bounds in linear and mixed-integer linear programming", 2004). Wrong multipliers make
the bound wide, never wrong. The constraints with a positive multiplier are the ones that the bound rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import highspy
import numpy as np
from numpy.typing import NDArray

from dokja.adjudicate.interval import Interval
from dokja.adjudicate.outcome import Support

LARGEST_DENOMINATOR = 10_000
"""Multipliers are rounded to fractions with at most this denominator; any rounding leaves the bound valid."""

Form = Mapping[int, Fraction]
"""A linear form: the coefficient of each variable that has one."""


@dataclass(frozen=True)
class Constraint:
    """Σ coefficient × variable ≤ bound, and what says so."""

    form: tuple[tuple[int, Fraction], ...]
    bound: Fraction
    support: Support


@dataclass(frozen=True)
class Bound:
    """A proven upper bound, and the constraints (by position) that it rests on."""

    value: Fraction
    rests_on: tuple[int, ...]


@dataclass(frozen=True)
class System:
    """Variables in a box, under constraints."""

    box: tuple[Interval, ...]
    constraints: tuple[Constraint, ...]

    def plus(self, constraints: Sequence[Constraint]) -> System:
        """The system with further constraints."""
        return System(self.box, (*self.constraints, *constraints))

    @cached_property
    def model(self) -> highspy.Highs:
        """The system as the solver holds it; only the objective changes from one bound to the next.

        The solver begins each search where the last one ended, so that many bounds of one system cost little.
        """
        model = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in _OPTIONS:
            model.setOptionValue(option, value)
        model.passModel(self._program)
        return model

    @property
    def _program(self) -> highspy.HighsLp:
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.box), len(self.constraints)
        program.col_cost_ = np.zeros(len(self.box))
        program.col_lower_ = np.array([float(side.lower) for side in self.box])
        program.col_upper_ = np.array([float(side.upper) for side in self.box])
        program.row_lower_ = np.full(len(self.constraints), -highspy.kHighsInf)
        program.row_upper_ = np.array([float(constraint.bound) for constraint in self.constraints])
        cells = [cell for constraint in self.constraints for cell in constraint.form]
        matrix = program.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kRowwise
        matrix.start_ = np.cumsum([0, *(len(constraint.form) for constraint in self.constraints)])
        matrix.index_ = np.array([column for column, _ in cells])
        matrix.value_ = np.array([float(coefficient) for _, coefficient in cells])
        return program


_OPTIONS: tuple[tuple[str, str | bool | int], ...] = (
    ("output_flag", False),
    ("threads", 1),
    ("solver", "simplex"),
    ("presolve", "off"),
)
"""Silent; one thread, so that the same system gives the same multipliers; no presolve, which starts afresh."""


def upper_bound(system: System, form: Form) -> Bound:
    """The least upper bound of a form that can be proven; the box's own where the solver finds nothing better."""
    plain = _certified(system, form, {})
    if not system.constraints or not form:
        return plain
    raw = _dual_solution(system, form)
    if raw is None:
        return plain
    proven = _certified(system, form, _multipliers(raw))
    return min(proven, plain, key=lambda bound: bound.value)


def _dual_solution(system: System, form: Form) -> NDArray[np.float64] | None:
    """The solver's multiplier of each constraint at the form's maximum; `None` where it found none."""
    objective = np.zeros(len(system.box))
    for column, coefficient in form.items():
        objective[column] = -float(coefficient)
    model = system.model
    model.changeColsCost(len(objective), np.arange(len(objective), dtype=np.int32), objective)
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return -np.array(model.getSolution().row_dual)


def contradiction(system: System) -> tuple[int, ...]:
    """The constraints that prove that no point satisfies all of them; empty where no proof is found.

    One slack variable is added to every constraint; a proven lower bound above 0 of the slack is the proof.
    """
    if not system.constraints:
        return ()
    slack = len(system.box)
    most = sum((max(abs(side.lower), abs(side.upper)) for side in system.box), Fraction(1)) * 100
    widened = System(
        (*system.box, Interval(Fraction(0), most)),
        tuple(
            Constraint((*constraint.form, (slack, Fraction(-1))), constraint.bound, constraint.support)
            for constraint in system.constraints
        ),
    )
    bound = upper_bound(widened, {slack: Fraction(-1)})
    return bound.rests_on if bound.value < 0 else ()


def _multipliers(raw: NDArray[np.float64]) -> dict[int, Fraction]:
    return {
        row: fraction
        for row in map(int, np.flatnonzero(raw > 1e-9))
        if (fraction := Fraction(float(raw[row])).limit_denominator(LARGEST_DENOMINATOR)) > 0
    }


def _certified(system: System, form: Form, multipliers: Mapping[int, Fraction]) -> Bound:
    """The weak-duality bound of a form for given multipliers, in exact arithmetic."""
    remainder = dict(form)
    value = Fraction(0)
    for row, multiplier in multipliers.items():
        constraint = system.constraints[row]
        value += multiplier * constraint.bound
        for column, coefficient in constraint.form:
            remainder[column] = remainder.get(column, Fraction(0)) - multiplier * coefficient
    for column, coefficient in remainder.items():
        side = system.box[column]
        value += max(coefficient * side.lower, coefficient * side.upper)
    return Bound(value, tuple(sorted(multipliers)))
