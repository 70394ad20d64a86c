"""The three drawings of a finding: beside known kin and strangers, the partners of its units, and layer on layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dokja.language import Voice, mark
from dokja.lineage.judging import LEAST_SHARE
from dokja.lineage.page.calibration import Known
from dokja.lineage.page.drawing import INK, MUTED, TEXT, WIDTH, Line, Mark, Scene, Text

EDGE = 12
"""Free pixels on either side."""

LANE = 46

SIDE = 280
"""The side of the square of a drawing of two axes, in pixels."""

LEFT, TOP = 48, 26


def percent(voice: Voice, share: float, digits: int = 1) -> str:
    """A share in hundredths."""
    return voice(mark("{number} %"), {"number": f"{100 * share:.{digits}f}"})


def span(voice: Voice, shares: Sequence[float]) -> str:
    """The least and the largest of some shares."""
    low, high = (f"{100 * each:.1f}" for each in (min(shares), max(shares)))
    return voice(mark("{low} to {high} %"), {"low": low, "high": high})


def beside(share: float, known: Known, least: float, voice: Voice) -> Scene:
    """This pair, a known child and ten pairs of strangers on one axis; dashed, from where a word may be told."""
    lanes: tuple[tuple[str, str, tuple[Mark, ...]], ...] = (
        (voice(mark("This pair")), percent(voice, share), (Mark(_across(share), 0, "diamond", 170),)),
        (
            voice(mark("A known child")),
            percent(voice, known.child),
            (Mark(_across(known.child), 0, "circle", 110),),
        ),
        (
            voice(mark("Ten pairs of strangers")),
            span(voice, known.strangers),
            tuple(Mark(_across(each), 0, "circle", 70, filled=False) for each in known.strangers),
        ),
    )
    bottom = LANE * len(lanes) + 4
    ticks = (0.0, 0.25, 0.5, 0.75, 1.0)
    bands = [LANE * row + 4 for row in range(len(lanes))]
    lines = [Line(_across(tick), top + 22, _across(tick), top + 40) for top in bands for tick in ticks]
    lines += [Line(EDGE, top + 31, WIDTH - EDGE, top + 31) for top in bands]
    told = _across(least)
    lines += [Line(told, top + 20, told, top + 42, MUTED, dashed=True) for top in bands]
    marks, names, notes = [], [], []
    for top, (name, note, shown) in zip(bands, lanes, strict=True):
        marks += [Mark(each.x, top + 31, each.shape, each.size, each.filled) for each in shown]
        names.append(Text(EDGE, top + 16, name, "left", INK, TEXT))
        notes.append(Text(WIDTH - EDGE, top + 16, note, "right", INK, TEXT))
    labels = [Text(_across(tick), bottom + 16, f"{100 * tick:.0f}", "center") for tick in ticks]
    return Scene(bottom + 22, marks, lines, [*names, *notes, *labels])


def _across(share: float) -> float:
    return EDGE + min(max(share, 0.0), 1.0) * (WIDTH - 2 * EDGE)


def partners(pairs: Sequence[tuple[int, int]], labels: int, voice: Voice) -> Scene:
    """Own label against the partner's: a diagonal, or dust."""
    last = max(labels - 1, 1)

    def place(own: int, other: int) -> tuple[float, float]:
        return LEFT + SIDE * own / last, TOP + SIDE * (1 - other / last)

    strangers = [Mark(*place(own, other), "circle", 16, filled=False) for own, other in pairs if own != other]
    fixed = [Mark(*place(own, other), "circle", 16) for own, other in pairs if own == other]
    ends = ((LEFT, "0", "left"), (LEFT + SIDE, str(last), "right"))
    return Scene(
        TOP + SIDE + 40,
        [*strangers, *fixed],
        [*_frame(), Line(LEFT, TOP + SIDE, LEFT + SIDE, TOP)],
        [
            Text(LEFT, 14, voice(mark("label of its partner in the reference ↑"))),
            Text(LEFT - 6, TOP + SIDE, "0", "right"),
            Text(LEFT - 6, TOP + 9, str(last), "right"),
            *(Text(x, TOP + SIDE + 16, said, "left" if align == "left" else "right") for x, said, align in ends),
            Text(LEFT + SIDE / 2, TOP + SIDE + 34, voice(mark("label of a unit of the submission →")), "center"),
        ],
    )


def layers(shares: Mapping[tuple[int, int], float], voice: Voice, *, alone: bool = False) -> Scene:
    """The layers of the submission from above, those of the reference from the left; the larger, the more labels.

    alone: the submission's own layers stand on both sides.
    """
    rows = max(layer for layer, _ in shares) + 1
    columns = max(other for _, other in shares) + 1
    cell = SIDE / max(rows, columns)
    largest = (0.82 * min(cell, 44.0)) ** 2
    high, wide = cell * rows, cell * columns
    marks = [
        Mark(
            LEFT + cell * (other + 0.5),
            TOP + 18 + cell * (layer + 0.5),
            "square",
            max(largest * share, 2.0),
            share >= LEAST_SHARE,
        )
        for (layer, other), share in sorted(shares.items(), key=lambda item: item[1] >= LEAST_SHARE)
    ]
    step = max(1, round(18 / cell + 0.4999))
    lines = [
        *(Line(LEFT, TOP + 18 + cell * at, LEFT + wide, TOP + 18 + cell * at) for at in range(rows + 1)),
        *(Line(LEFT + cell * at, TOP + 18, LEFT + cell * at, TOP + 18 + high) for at in range(columns + 1)),
    ]
    across = [Text(LEFT + cell * (at + 0.5), TOP + 13, str(at), "center") for at in range(0, columns, step)]
    down = [Text(LEFT - 7, TOP + 22 + cell * (at + 0.5), str(at), "right") for at in range(0, rows, step)]
    other_layer = mark("other layer of the submission →") if alone else mark("layer of the reference →")
    titles = [
        Text(LEFT, 12, voice(other_layer)),
        Text(LEFT, TOP + 18 + high + 18, voice(mark("↓ layer of the submission"))),
    ]
    return Scene(int(TOP + 18 + high + 26), marks, lines, [*across, *down, *titles])


def _frame() -> list[Line]:
    right, bottom = LEFT + SIDE, TOP + SIDE
    return [
        Line(LEFT, TOP, right, TOP),
        Line(LEFT, bottom, right, bottom),
        Line(LEFT, TOP, LEFT, bottom),
        Line(right, TOP, right, bottom),
    ]
