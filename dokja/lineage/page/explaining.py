"""Why the strongest innocent explanation of a finding fails or holds, from the finding's own figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dokja.language import Voice, mark
from dokja.lineage.findings import Finding
from dokja.lineage.judging import CLOSE, SURVIVES
from dokja.lineage.page.scenes import percent
from dokja.lineage.words import ANSWERING

Standing = Literal["fails", "open", "holds"]

STANDINGS = {"fails": mark("ruled out"), "open": mark("not settled"), "holds": mark("not ruled out")}
"""How an innocent explanation stands, as people read it."""


@dataclass(frozen=True)
class Reply:
    """What the audit's figures say to one innocent explanation."""

    standing: Standing
    said: str


def replies(finding: Finding, voice: Voice) -> tuple[Reply, ...]:
    """What speaks for or against each innocent explanation that applies to the finding."""
    if finding.word in ("no-evidence", "not-assessed"):
        return ()
    if finding.word == "rearranged":
        return (_controls(finding, voice),)
    ancestor = Reply(
        "holds", voice(mark("A common ancestor: weights cannot rule it out. Ask for the record of the training."))
    )
    return (ancestor,) if finding.word == "identical" else (_seed(finding, voice), ancestor)


def _seed(finding: Finding, voice: Voice) -> Reply:
    if finding.step0 is not None:
        values = {"value": f"{finding.step0:.3f}", "least": f"{SURVIVES:.2f}"}
        if finding.step0 >= SURVIVES:
            said = mark(
                "The same seed: what training changed agrees as well. Given the initialisation, {value} of "
                "correlation is left; a seed alone has not been seen to leave {least}."
            )
            return Reply("fails", voice(said, values))
        said = mark(
            "The same seed: not excluded. Given the initialisation, {value} of correlation is left; only {least} or "
            "more would exclude it."
        )
        return Reply("holds", voice(said, values))
    if finding.closeness is not None and finding.closeness >= CLOSE:
        said = mark(
            "The same seed: the elements have a cosine of {value}. Training from the same seed has not been seen to "
            "end above {least}."
        )
        return Reply("fails", voice(said, {"value": f"{finding.closeness:.3f}", "least": f"{CLOSE:.1f}"}))
    return Reply(
        "open", voice(mark("The same seed: not settled. The weights of step 0 would settle it, and were not given."))
    )


def _controls(finding: Finding, voice: Voice) -> Reply:
    if finding.anchored is None:
        return Reply("open", voice(mark("Nothing was compared with controls.")))
    values = {
        "units": voice(ANSWERING[finding.anchored.of]),
        "share": percent(voice, finding.anchored.share),
        "control": percent(voice, finding.anchored.control),
        "controls": finding.anchored.controls,
    }
    said = mark(
        "Chance: {share} of the compared {units} agree; in {controls} controls never more than {control}. The "
        "controls are shuffled words or inputs, not other models of the same data, so that a panel has to look."
    )
    return Reply("open", voice(said, values))
