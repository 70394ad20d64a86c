"""What stands beside the findings: the submission against itself, and what is in common beside the weights."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from dokja.language import Voice, mark
from dokja.lineage.findings import Audit, Within
from dokja.lineage.page import scenes
from dokja.lineage.page.drawing import paint
from dokja.lineage.page.scenes import percent
from dokja.lineage.page.viewing import ROWS, Figure, p_shown
from dokja.lineage.telling import component_name, corrected, kin_places, overlap_told, power_of_ten, rank
from dokja.lineage.words import KIN, NO_KIN


@dataclass(frozen=True)
class WithinView:
    """One component against itself."""

    identifier: str
    component: str
    label: str
    meaning: str
    chance: str
    innocent: str
    figure: Figure | None


@dataclass(frozen=True)
class BesideView:
    """All components against themselves; and for each reference, in order, what is in common beside the weights."""

    within: tuple[WithinView, ...]
    overlaps: tuple[tuple[str, ...], ...]


def beside(audit: Audit, voice: Voice) -> BesideView:
    """The audit's other parts in one language."""
    overlaps = {each.reference: overlap_told(each, voice) for each in audit.overlaps}
    return BesideView(
        within=tuple(
            _within(f"within-{number}", each, voice)
            for number, each in enumerate(sorted(audit.within, key=lambda each: rank(each.component)), 1)
        ),
        overlaps=tuple(overlaps.get(name, ()) for name in audit.references),
    )


def _within(identifier: str, within: Within, voice: Voice) -> WithinView:
    fires = bool(within.kin)
    return WithinView(
        identifier=identifier,
        component=component_name(within.component, voice),
        label=voice(KIN.label) if fires else "",
        meaning=voice(KIN.meaning if fires else NO_KIN),
        chance=_corrected(within, voice),
        innocent=voice(KIN.innocent) if fires else "",
        figure=_figure(identifier, within, voice) if fires else None,
    )


def _corrected(within: Within, voice: Voice) -> Markup:
    """What is said of chance, its p-value as it is written by hand."""
    before, _, after = corrected(within, voice).partition(power_of_ten(within.log10_p))
    return Markup("{}{}{}").format(before, p_shown(within.log10_p), after)


def _figure(identifier: str, within: Within, voice: Voice) -> Figure:
    title = voice(mark("Layer on layer of the submission"))
    shares: dict[tuple[int, int], float] = {}
    for kin in within.kin:
        if kin.layer is not None and kin.other_layer is not None:
            place = (kin.layer, kin.other_layer)
            shares[place] = max(kin.share, shares.get(place, 0.0))
    caption = voice(
        mark(
            "Layers of the submission that bear each other's labels, each with its likeliest; the larger the square, "
            "the more of them. On the diagonal: experts of one layer."
        )
    )
    head = (voice(mark("Layer")), voice(mark("Other layer")), voice(mark("Same label")))
    rows = tuple((*kin_places(kin, voice), percent(voice, kin.share)) for kin in within.kin[:ROWS])
    more = len(within.kin) - ROWS
    return Figure(
        title,
        caption,
        paint(scenes.layers(shares, voice, alone=True), identifier, title, caption),
        head,
        rows,
        voice(mark("{count} more are in the JSON form."), {"count": f"{more:,}"}) if more > 0 else "",
    )
