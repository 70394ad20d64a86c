"""A rater's own side: marks → the act that seals them, and the openings, which the rater keeps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dokja.record.acts import MarksSealed, StageSealed
from dokja.record.acts.sealing import AbsentRater
from dokja.record.transparency.sealing.disclosure import SALT_BYTES, Plain, base64url, digest_of, disclose
from dokja.record.transparency.sealing.grid import Grid

Salts = Callable[[int], bytes]
Said = Mapping[str, Plain]
"""What a rater says of one team: by criterion, or under "" for a vote."""


@dataclass(frozen=True)
class Sealed:
    """The act, to be signed and recorded, and what opens its cells, in their order."""

    act: MarksSealed
    openings: tuple[str, ...]


def seal_marks(
    named: str,
    when: datetime,
    *,
    stage: str,
    panel: str,
    rater: str,
    marks: Mapping[str, Said],
    measure: str | None = None,
    criteria: Sequence[str] = (),
    gate: str | None = None,
    salts: Salts = secrets.token_bytes,
) -> Sealed:
    """Seal a rater's marks; `salts` gives so many random bytes."""
    teams, start = sorted(marks), f"{stage}/{panel}/{measure or gate}/{rater}"
    cells = [(f"{start}/{team}", "") for team in teams]
    if criteria:
        cells = [(f"{cell}/{criterion}", criterion) for cell, _ in cells for criterion in criteria]
    width = max(1, len(criteria))
    openings = tuple(
        disclose(salts(SALT_BYTES), name, marks[teams[place // width]][criterion])
        for place, (name, criterion) in enumerate(cells)
    )
    act = MarksSealed(
        type="marks-sealed",
        id=named,
        who=rater,
        when=when,
        stage=stage,
        panel=panel,
        rater=rater,
        measure=measure,
        gate=gate,
        teams=tuple(teams),
        criteria=tuple(criteria),
        cells=tuple(base64url(digest_of(opening)) for opening in openings),
    )
    return Sealed(act, openings)


def seal_stage(
    named: str, who: str, when: datetime, stage: str, grid: Grid, absent: Sequence[AbsentRater] = ()
) -> StageSealed:
    """The act that says which cells of a stage are sealed, and that there will be no more."""
    return StageSealed(
        type="stage-sealed",
        id=named,
        who=who,
        when=when,
        stage=stage,
        cells=grid.cells(stage),
        root=base64url(grid.root(stage)),
        absent=tuple(absent),
    )
