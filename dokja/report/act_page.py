"""One act on a page of its own: who, what, when, by which clause, and the proof that it stands in the record."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from dokja.language import mark
from dokja.record.transparency.placing import Place
from dokja.report import addresses
from dokja.report.audit_table import FoundRow, audit_table
from dokja.report.edition import Edition
from dokja.report.record_page import ActRow, act_row


@dataclass(frozen=True)
class Step:
    """One step of the path to the root: the hash beside, and on which side it stands."""

    side: Markup
    hash: str


@dataclass(frozen=True)
class ActPage:
    """All that the page of an act shows; `proof` is `None` where no signed checkpoint holds the act yet."""

    act: ActRow
    found: tuple[FoundRow, ...]
    place: str
    leaf: str
    path: tuple[Step, ...]
    root: str
    signature: str | None
    checkpoint: Markup
    bytes: str
    bytes_file: str
    proof_file: str | None


def act_page(place: Place, edition: Edition) -> ActPage:
    """The page of an act."""
    act = edition.publication.acts[place.index]
    return ActPage(
        act=act_row(place.index, act, edition),
        found=audit_table(act, edition),
        place=edition.say(mark("act {index} of {size}"), {"index": place.index, "size": f"{place.size:,}"}),
        leaf=place.leaf.hex(),
        path=steps(place, edition),
        root=place.root.hex(),
        signature=act.signature.key if act.signature else None,
        checkpoint=checkpoint_said(place, edition),
        bytes=place.body.decode(),
        bytes_file=f"../{addresses.act_bytes(place.index)}",
        proof_file=f"../{addresses.act_proof(place.index)}" if place.proof else None,
    )


def checkpoint_said(place: Place, edition: Edition) -> Markup:
    """Which signed checkpoint holds the act."""
    signed = edition.publication.signed
    if signed is None or place.proof is None:
        return edition.say(mark("No signed checkpoint holds it yet."))
    values = {"size": f"{signed.size:,}", "origin": signed.origin}
    return edition.say(mark("The first {size} acts, signed by {origin}."), values)


def steps(place: Place, edition: Edition) -> tuple[Step, ...]:
    """The path with its sides, as in RFC 9162, section 2.1.3.2."""
    left, right = edition.say(mark("on the left")), edition.say(mark("on the right"))
    at, last, found = place.index, place.size - 1, list[Step]()
    for each in place.path:
        on_the_left = bool(at & 1) or at == last
        found.append(Step(left if on_the_left else right, each.hex()))
        while on_the_left and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return tuple(found)
