"""What an act of sealing may say after the acts before it: whole rows, in their time, under the right root."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dokja.intake.admissible import incomplete
from dokja.intake.breach import Breach
from dokja.intake.course import Course
from dokja.intake.draws import rater_breach
from dokja.language import mark
from dokja.record.acts import Act, MarksOpened, MarksSealed, ObjectDeleted, ObjectPinned, StageSealed
from dokja.record.canonical import Row, tree_of
from dokja.record.transparency import RefusedError

Check = Callable[[Any, Course, str], Iterator[Breach]]

_GRID: Mapping[str, tuple[str, str, str]] = {
    "GRID_TWICE": (
        "act-sealed-twice",
        mark("The marks are sealed already, or two cells have one digest ({detail})."),
        mark("A rater seals its marks on a measure or a gate once, each cell with a salt of its own."),
    ),
    "GRID_ORDER": (
        "act-sealing-order",
        mark("It comes too late or too early ({detail})."),
        mark("All raters seal, then the root of the stage is written, then the openings are handed over."),
    ),
    "GRID_ROOT": (
        "act-stage-root",
        mark("The root is not that of the marks that stand in the record ({detail})."),
        mark("Compute it with: dokja marks close"),
    ),
    "OPENING_UNKNOWN": (
        "act-unknown-reference",
        mark("“{detail}” is no act that sealed marks of this stage."),
        mark("Write the ids of acts that did."),
    ),
}
"""What the grid refuses, as the intake tells it."""


def _grid(act: MarksSealed | StageSealed | MarksOpened, course: Course, _: str) -> Iterator[Breach]:
    try:
        course.grid.check(tree_of(act))
    except RefusedError as error:
        if error.code == "GRID_TWICE" and isinstance(act, StageSealed):
            yield Breach(
                "act-stage-sealed-twice",
                "The marks of “{stage}” are sealed under a root already.",
                "A stage is sealed once, all its panels together. A second round of marks is a stage of its own.",
                {"stage": act.stage},
                ("stage",),
            )
        elif error.code in _GRID:
            code, what, mend = _GRID[error.code]
            yield Breach(code, what, mend, {"detail": error.detail})
        else:
            yield incomplete(mark("The grid is not whole ({detail})."), {"detail": error.detail})


def _whole_row(act: MarksSealed, course: Course, when: str) -> Iterator[Breach]:
    """A rater's row holds every team that has a part in the stage, and no other."""
    teams = course.stage(act.stage).teams(when)
    if act.teams != teams:
        values = {"sealed": ", ".join(act.teams), "stage": act.stage, "teams": ", ".join(teams)}
        yield incomplete(mark("{sealed} are sealed; in {stage} are {teams}."), values, ("teams",))


def _seated(act: MarksSealed, course: Course, _: str) -> Iterator[Breach]:
    if (breach := rater_breach(course, act.stage, act.panel, act.rater)) is not None:
        yield breach


def _whole_grid(act: StageSealed, course: Course, when: str) -> Iterator[Breach]:
    """Teams that came into the stage after a rater sealed are missing in its row."""
    teams = set(course.stage(act.stage).teams(when))
    for row in course.grid.of(act.stage):
        if missing := sorted(teams - {*row.teams}):
            yield incomplete(mark("{act} seals nothing of {teams}."), {"act": row.act, "teams": ", ".join(missing)})


def _pinned(act: ObjectPinned | ObjectDeleted, course: Course, _: str) -> Iterator[Breach]:
    """An object is pinned once, and then deleted."""
    if (act.object in course.pinned) != isinstance(act, ObjectDeleted):
        yield Breach(
            "act-object",
            "The object “{object}” is pinned already, or never was.",
            "Pin an object once, under an id of its own, and before it is deleted.",
            {"object": act.object},
            ("object",),
        )


def open_ballot_breach(course: Course, row: Row) -> Breach | None:
    """Why an open ballot comes too late: marks on its measure or gate are sealed already."""
    if not course.grid.rows:
        return None
    _, stage, panel, subject, *_ = row.key.split("/")
    if (stage, panel, subject) not in course.grid.subjects:
        return None
    return Breach(
        "act-marks-open",
        "Marks of the panel “{panel}” on “{subject}” are sealed; an open ballot does not count.",
        "Seal them with: dokja marks seal",
        {"panel": panel, "subject": subject},
        ("panel",),
    )


sealing_checks: Mapping[type[Act], Sequence[Check]] = {
    MarksOpened: (_grid,),
    MarksSealed: (_whole_row, _seated, _grid),
    ObjectDeleted: (_pinned,),
    ObjectPinned: (_pinned,),
    StageSealed: (_whole_grid, _grid),
}
