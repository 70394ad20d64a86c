"""Why a number is what it is: its tree of inputs, down to acts and clauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dokja.adjudicate.outcome import Score, StageOutcome, Support


@dataclass(frozen=True)
class Explanation:
    """A number with the numbers it is computed from, and the published figures that narrow it."""

    score: Score
    inputs: tuple[Explanation, ...]

    def walk(self) -> Iterator[Explanation]:
        """This explanation and all under it, parents first."""
        yield self
        for each in self.inputs:
            yield from each.walk()

    @property
    def acts(self) -> tuple[int, ...]:
        """Indexes of all acts that the number rests on, itself and through its inputs and bounds."""
        direct = {act for each in self.walk() for act in each.score.acts}
        figures = {
            support.act for each in self.walk() for support in figures_of(each.score) if support.act is not None
        }
        return tuple(sorted(direct | figures))


def figures_of(score: Score) -> tuple[Support, ...]:
    """The published figures that either end of a score rests on."""
    return tuple(dict.fromkeys(each for each in (*score.lower_from, *score.upper_from) if each.act is not None))


def why(outcome: StageOutcome, team: str, measure: str) -> Explanation | None:
    """The explanation of a team's value of a measure; `None` where the stage has no such number."""
    score = outcome.scores.get((team, measure))
    if score is None:
        return None
    inputs = (why(outcome, team, each) for each in score.inputs)
    return Explanation(score, tuple(each for each in inputs if each is not None))
