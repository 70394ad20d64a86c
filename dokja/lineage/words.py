"""What findings mean, in words that a jury reads: message ids for every word, test and reason, for all faces.

For each word also the strongest innocent explanation, and what speaks for or against it: a finding that does not say
how it could be wrong is an accusation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dokja.language import mark
from dokja.lineage.findings import Word
from dokja.lineage.pair.answers import Meant


@dataclass(frozen=True)
class Said:
    """A word as people read it: its label, what it says, and how it could be innocent. All are message ids."""

    label: str
    meaning: str
    innocent: str


WORDS: Mapping[Word, Said] = {
    "identical": Said(
        mark("identical"),
        mark("Every number of the component is equal, to the last bit."),
        mark(
            "Both took it from a third model, or it is a published constant. Weights do not say who took from whom."
        ),
    ),
    "derived": Said(
        mark("derived"),
        mark("The units bear the same labels as the reference's, which independent training does not bring about."),
        mark("Both descend from a common ancestor. Weights do not say who took from whom."),
    ),
    "common-initialisation": Said(
        mark("common initialisation or derived"),
        mark(
            "The units bear the same labels as the reference's. The same seed for the initial weights would do that "
            "without any shared training."
        ),
        mark(
            "Both began from the same random seed. The checkpoint of step 0 settles it: see the challenge of the "
            "same seed (--step0)."
        ),
    ),
    "pruned": Said(
        mark("pruned"),
        mark("The component has another width, and its units stand in the order of the reference's units."),
        mark("Both were pruned from a third model."),
    ),
    "deepened": Said(
        mark("deepened"),
        mark("The component's layers bear the labels of the reference's layers at other places."),
        mark("Both were made from a third model."),
    ),
    "upcycled": Said(
        mark("upcycled"),
        mark("Several experts bear the labels of one block of the reference."),
        mark("Both were made from a third model."),
    ),
    "merged": Said(
        mark("merged"),
        mark("The component depends on several references; their shares are fitted."),
        mark("The references descend from each other, and the component from one of them."),
    ),
    "rearranged": Said(
        mark("rearranged"),
        mark(
            "No label agrees, but neurons or heads answer the same words or inputs alike, far beyond the controls. "
            "This test is calibrated, not exact: it is for a panel to look at."
        ),
        mark("Both learned the same answers from the same data; strangers have not been seen to agree so often."),
    ),
    "no-evidence": Said(
        mark("no evidence"),
        mark("No test found that the two depend on each other. That does not prove that they are independent."),
        mark("Distillation, and training on the other model's answers, leave no trace that this audit sees."),
    ),
    "not-assessed": Said(
        mark("not assessed"),
        mark("Nothing could be asked of this component."),
        mark("Nothing is said for or against it."),
    ),
}
"""Every word; where the tests' p-values are valid is said in `docs/lineage.md`."""

TESTS: Mapping[str, str] = {
    "labels": mark("same place, same label"),
    "traces": mark("same place, same label, all units together"),
    "layers": mark("best partner anywhere, same label"),
    "order": mark("same order after pruning"),
    "turned": mark("labels of neurons, whatever the rotation"),
    "matched": mark("labels of channels, whatever the permutation"),
    "squares": mark("labels of units, by how they feed each other"),
    "products": mark("labels of attention heads, by what they make of the same words or inputs"),
}
"""Every test, by its name."""

COMPONENTS: Mapping[str, str] = {
    "text-decoder": mark("text decoder"),
    "text-encoder": mark("text encoder"),
    "embeddings": mark("embeddings"),
    "vision-encoder": mark("vision encoder"),
    "audio-encoder": mark("audio encoder"),
    "projector": mark("projector"),
    "head": mark("head"),
    "router": mark("router"),
    "experts": mark("experts"),
    "other": mark("other"),
}
"""Every component."""

ANSWERING: Mapping[str, str] = {"neurons": mark("neurons"), "heads": mark("attention heads")}
"""What answers to words (T3)."""

ANSWERED: Mapping[Meant, tuple[str, str]] = {
    "word": (mark("answers to shared words"), mark("Answers to shared words")),
    "number": (mark("answers to rows of one number"), mark("Answers to rows of one number")),
    "input": (mark("answers to the same inputs"), mark("Answers to the same inputs")),
}
"""What was answered on both sides, within a line and at its beginning."""


KIN = Said(
    mark("labels agree within the submission"),
    mark(
        "Layers or experts of the submission bear each other's labels, which training apart does not bring about: "
        "one was made from the other, as in deepening and upcycling."
    ),
    mark(
        "Whoever deepens a model of their own, or clones its experts, does the same, and so does a seed that is set "
        "anew for each layer. It does not say whose model it was."
    ),
)
"""What it means where the submission's layers or experts agree with each other."""

UNSEEN = mark(
    "A copy that was permuted and rotated throughout would not have been seen: nothing was at hand that tells such a "
    "copy of this component from a stranger."
)
"""What is said beside `no-evidence` where no neurons or heads were asked what they answer."""

ON_A_DEVICE = mark(
    "Units were compared on {device}, which adds up in another order than NumPy: where two of them are equally alike "
    "a count may differ by one. The same command without --device tells what everyone can replay."
)
"""What is said of an audit that was not counted by NumPy."""

SILENT_TESTS = mark(
    "The exact tests of labels are silent (p ≤ {p}), as they are of a copy that was scrambled on every axis: the "
    "word rests on the answers alone."
)
"""What is said of p-values where only the anchored agreement fires."""

SCREENED = mark(
    "The library has {references} references; a screen chose the {near} nearest, and only these were audited. It "
    "would miss a component whose elements have a cosine below {cosine}, and every rearranged one. "
    "All are corrected for."
)
"""What is said of an audit whose references a screen has chosen."""

UNASKED = mark(
    "Near, and not audited, for the library keeps fingerprints of these references alone (in brackets the cosine of "
    "the elements, as estimated). That is no finding: add their packs (dokja library add), or name their weights "
    "(--against)."
)
"""What is said of references that a screen found near, and that cannot be asked."""

NOTHING_TO_COMPARE = mark(
    "The library has {references} references, none with a component that the submission has: none was audited."
)
"""What is said instead where there was nothing to choose from."""

SCREENED_ALONE = mark(
    "The library has {references} references; no pack of them has a component that the submission has: none was "
    "audited. The screen of their fingerprints would miss a component whose elements have a cosine below {cosine}, "
    "and every rearranged one."
)
"""What is said where only fingerprints could be held against the submission."""

NO_KIN = mark("No two layers or experts of the submission bear each other's labels.")

OVERLAP = mark(
    "Tokenizer and config are often taken from others without any weights: they are no lineage of weights."
)


def p_in_words(log10_p: float) -> str:
    """The message id that says how small a p-value is."""
    steps = (
        (-1.3, mark("what chance alone does all the time")),
        (-3.0, mark("rare by chance, and nothing to accuse by")),
        (-6.0, mark("very rare by chance, and not enough to accuse by")),
        (-20.0, mark("less than one in a million by chance")),
    )
    return next((said for limit, said in steps if log10_p > limit), mark("out of the question by chance"))
