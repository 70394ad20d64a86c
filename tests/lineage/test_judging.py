"""What a component is told by, and what may have come to it through the stream that it shares with others."""

from __future__ import annotations

import itertools

import pytest

from dokja.lineage.judging import Grounds, Weighed, carried, word
from dokja.lineage.pair.evidence import FamilyEffect, LabelTest

FIRES, FAINT, SILENT = -28.0, -28.0, 0.0
EMBEDDINGS = (Weighed(LabelTest("labels", groups=1, units=64, fixed=64), -88.0),)


def channels(log10_p: float, *, alike: bool = True) -> Weighed:
    """The labels of 64 channels, seen by four matrices of a decoder that was trained behind another's embeddings."""
    fixed = 30 if alike else 1
    families = tuple(FamilyEffect(each, 64, fixed, 0.3, expected=1.0) for each in "qkvo")
    return Weighed(LabelTest("matched", 1, 64, 64, fixed, log10_p, families=families), log10_p)


def told(*weighed: Weighed, passed_on: bool) -> str:
    return word(Grounds(weighed, (), (), 0.0, 0.0, None, rearranged=False, carried=passed_on))


OWN = {
    "no unit of its own could be asked": (),
    "its own units are silent": (Weighed(LabelTest("traces", groups=72, units=2304), SILENT),),
}


@pytest.mark.parametrize(("own", "alike"), list(itertools.product(OWN, (True, False))))
def test_what_the_stream_carried_accuses_nobody(own: str, alike: bool) -> None:
    shown = channels(FIRES if alike else FAINT, alike=alike)
    assert (shown.fires, shown.faint) == (alike, not alike)
    weighed = (*OWN[own], shown)
    assert carried(weighed, [EMBEDDINGS], alike=False)
    assert told(*weighed, passed_on=True) == "no-evidence"
    assert told(*weighed, passed_on=False) == ("derived" if alike else "common-initialisation")


def test_what_stands_by_itself_was_not_carried() -> None:
    shown = channels(FIRES)
    turned = Weighed(LabelTest("turned", groups=72, units=2304, fixed=2000), -900.0)
    assert not carried((shown, turned), [EMBEDDINGS], alike=False)
    assert not carried((shown,), [EMBEDDINGS], alike=True)
    assert not carried((shown,), [(channels(FIRES),)], alike=False)
    assert not carried((channels(SILENT, alike=False),), [EMBEDDINGS], alike=False)
