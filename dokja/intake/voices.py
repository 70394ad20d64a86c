"""Who may do what in a record whose acts are signed: acts that only one can do, and acts that are the office's.

The office is whoever holds a deciding key, or a key that was registered in the role `office`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dokja.intake.breach import Breach
from dokja.record.acts import Act, KeyRegistered
from dokja.record.acts.keys import Founding

OFFICE = "office"

OWN_VOICE: Mapping[str, str] = {
    "ballot": "rater",
    "consent-given": "team",
    "marks-sealed": "rater",
    "objection-filed": "team",
    "reply": "team",
    "withdrawal": "team",
}
"""Acts that only one can do, with the field that names who; it is that one's key that signs them."""

OF_THE_OFFICE = frozenset(
    (
        "admission",
        "call-closed",
        "call-opened",
        "decision",
        "draw-announced",
        "draw-made",
        "evaluation-moved",
        "marks-opened",
        "objection-answered",
        "presentation-held",
        "rulebook-amended",
        "rulebook-published",
        "stage-sealed",
    )
)
"""Acts by which a programme is run. Measurements, findings, disclosures come from others too: labs, panels, press."""


@dataclass
class Offices:
    """Who the office is, followed act by act."""

    deciding: frozenset[str] = frozenset()
    named: set[str] = field(default_factory=set)

    def fold(self, act: Act) -> None:
        """Take in what an act says of keys."""
        match act:
            case Founding():
                self.deciding = frozenset(root.holder for root in act.roots)
            case KeyRegistered() if act.role == OFFICE:
                self.named.add(act.holder)
            case _:
                pass

    def breach(self, kind: str, who: str, said: Callable[[str], object]) -> Breach | None:
        """Why this is not the signer's to do; `None` where it is. said: what the act has in a field."""
        owner = OWN_VOICE.get(kind)
        if owner is not None and said(owner) != who:
            return Breach(
                "SIGNER_NOT_AUTHORISED",
                "It speaks for “{whose}” and is signed by “{who}”.",
                "Let “{whose}” sign it.",
                {"whose": str(said(owner)), "who": who},
            )
        if kind in OF_THE_OFFICE and who not in self.deciding and who not in self.named:
            return Breach(
                "SIGNER_NOT_AUTHORISED",
                "It is the office's to do, and “{who}” holds no deciding key and none in the role “office”.",
                "Let the office sign it, or register the key of “{who}” in that role.",
                {"who": who},
            )
        return None
