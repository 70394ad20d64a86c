"""What the verification of a bundle ends with: the faults, each a stable code, and what could not be checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dokja.language import mark
from dokja.record.transparency import CODES as INTEGRITY_CODES

REPLAY_CODES: Mapping[str, str] = {
    "CONTENT_UNREADABLE": mark("The programme or the rulebook in the bundle cannot be read."),
    "RULEBOOK_NOT_PUBLISHED": mark("A document of the rulebook was not published as and when it says."),
    "ACT_NOT_ALLOWED": mark("An act cannot have happened under the rulebook and the acts before it."),
    "CLAUSE_UNKNOWN": mark("An act names a clause that was not in force at that moment."),
    "PROCEDURE_NOT_PINNED": mark("Something was done that no clause in force covered."),
    "RETROACTIVE_AMENDMENT": mark("A rule was changed after what it rules on had begun, without consent."),
    "CONSENT_MISSING": mark("A rule was changed after what it rules on had begun, and not everybody consented."),
    "NOTICE_TOO_SHORT": mark("A change of the rules took effect sooner after its announcement than the rules allow."),
    "CONTINGENCY_GAP": mark("A stage ended in a way that no clause in force answers, or that several answer apart."),
    "DEADLINE": mark("Something was done outside the time that the rules give it."),
    "DRAW_CHAIN": mark("A draw rests on another source of randomness than the one that dokja checks."),
    "DRAW_NOT_IN_ADVANCE": mark("A draw was announced when its result was known, or too short before."),
    "DRAW_ROUND": mark("A draw was made by another round than the one announced, or before its time."),
    "DRAW_SIGNATURE": mark("The beacon did not sign what a draw was made with."),
    "DRAW_POOL": mark("A draw ranks others than the pool that was announced."),
    "DRAW_REDRAWN": mark("Something was drawn twice."),
    "DRAW_NOT_DRAWN": mark("One took part who was not drawn."),
    "DRAW_ORDER": mark("Teams presented in another order than the one that was drawn."),
    "DRAW_MISSING": mark("Something was decided without the draw that the rules ask for."),
    "TIMESTAMP_FORM": mark("A file that should be an authority's token is none."),
    "TIMESTAMP_CHECKPOINT": mark("A token is of a checkpoint that is not in the bundle."),
    "TIMESTAMP_SIGNATURE": mark("A token is not signed by an authority that the reader trusts."),
    "TIMESTAMP_OTHER": mark("A token is of something else than the checkpoint that it is named after."),
    "OUTCOME_MISMATCH": mark("What was decided is not what follows from the rules and the record."),
    "OBJECTION_UNANSWERED": mark("What a team had said stood unanswered, or was not in the record, at the decision."),
    "DATED_AHEAD": mark("An act is dated later than witnesses saw it."),
    "DUTY_MISSED": mark("An act that the rules ask for by a time was not in the record then."),
    "HEARTBEAT_MISSED": mark("On a day on which the rules ask for a sign of life the record gave none."),
    "QUORUM_DECISION": mark("A decision stands under no checkpoint that enough witnesses have cosigned."),
    "QUORUM_LATE": mark("Enough witnesses cosigned a decision later than the rules allow."),
    "STAGE_UNSEALED": mark("Figures or a decision came before the root of the marks that they rest on was written."),
    "OPENING_LATE": mark("What opens sealed marks was handed over after the decision."),
    "OPENING_MISSING": mark("Sealed marks were not opened though they are due."),
    "OPENING_EARLY": mark("Marks are open that are not due to this audience, or were never handed over."),
    "OPENING_VALUE": mark("A sealed mark is one that the rules do not allow."),
}
"""The codes of the replay, and what each says to a person; `SIGNER_NOT_AUTHORISED` is told by both."""

CODES: Mapping[str, str] = {**INTEGRITY_CODES, **REPLAY_CODES}
"""Every code that a verdict can hold."""

Answer = Literal["valid", "invalid", "incomplete"]
EXIT_CODES: Mapping[Answer, int] = {"valid": 0, "invalid": 1, "incomplete": 2}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: its code, the index of the act concerned, and what exactly, as a message id."""

    code: str
    what: str
    values: Mapping[str, str] = field(default_factory=dict)
    act: int | None = None

    @property
    def meaning(self) -> str:
        """What the code says to a person, as a message id."""
        return CODES[self.code]


@dataclass(frozen=True)
class Unchecked:
    """Something that was not checked, and why; without what is `needed` no bundle is called valid."""

    what: str
    values: Mapping[str, str] = field(default_factory=dict)
    needed: bool = False


@dataclass(frozen=True)
class Verdict:
    """What the verification of a bundle found.

    size, root: of the newest checkpoint, where it could be read. witnesses: those of the policy that cosigned it;
    witnessed: whether they are enough, `None` where no policy asks for any. seen: when they saw it (since 1970).
    """

    problems: tuple[Fault, ...]
    unchecked: tuple[Unchecked, ...]
    size: int | None = None
    root: str | None = None
    witnesses: tuple[str, ...] = ()
    witnessed: bool | None = None
    seen: int | None = None

    @property
    def answer(self) -> Answer:
        """Invalid where anything is wrong, incomplete where something needed was not there to be checked."""
        if self.problems:
            return "invalid"
        return "incomplete" if any(each.needed for each in self.unchecked) else "valid"

    @property
    def exit_code(self) -> int:
        """0 valid, 1 invalid, 2 incomplete."""
        return EXIT_CODES[self.answer]
