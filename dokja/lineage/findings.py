"""What an audit says: per component and reference a word, the tests behind it, and what they rest on.

The audit finds, it never judges: what a word means for a programme stands in that programme's rulebook. Who took from
whom is never said, for weights alone do not tell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dokja.lineage.arrays import CPU
from dokja.lineage.pair.anchoring import Anchored
from dokja.lineage.pair.evidence import LabelTest, MapRow
from dokja.lineage.pair.rows import Paired

FORMAT = 1
"""Version of the JSON form; `docs/lineage.md` describes it."""

Word = Literal[
    "identical",
    "derived",
    "common-initialisation",
    "pruned",
    "deepened",
    "upcycled",
    "merged",
    "rearranged",
    "no-evidence",
    "not-assessed",
]

DEPENDENT: tuple[Word, ...] = (
    "identical",
    "derived",
    "common-initialisation",
    "pruned",
    "deepened",
    "upcycled",
    "merged",
)
"""Words that say: the two are not independent."""


@dataclass(frozen=True)
class Power:
    """What the tests would have seen: fixed points needed, and the least correlation seen with probability 0.99.

    correlation: under independent Gaussian rows; `None` where no correlation would have been enough.
    """

    needed: int
    correlation: float | None


@dataclass(frozen=True)
class Rounded:
    """One side is quantised: which share of the other's numbers its values are nearest to, at the same place.

    numbers: looked at. share: those in the cell of the value in their place. by_chance: those of another row in the
    cells of this one's values.
    """

    numbers: int
    share: float
    by_chance: float


@dataclass(frozen=True)
class Finding:
    """One component of the submission against one reference.

    log10_p: Holm-adjusted over all that the audit asked, `None` where nothing could be asked. closeness: cosine of
    all elements at the same place, an effect. equal: share of the parameters whose tensors are equal to the last bit.
    equal_rows: share of the matrices' parameters that stand in rows equal to the digits of bfloat16, by the rows that
    are looked at; `None` where no matrices are at the same place. rounded: where one side is a quantised one. paired:
    how the rows of a vocabulary were; `None` where there are none.
    assessed: parameters that the tests looked at. shares: of a merge, by reference. step0: partial correlation given
    the initialisation. reason: why nothing was assessed, or why what its channels show may have come from another
    component.
    """

    component: str
    reference: str
    word: Word
    log10_p: float | None
    tests: tuple[LabelTest, ...]
    anchored: Anchored | None
    closeness: float | None
    equal: float
    parameters: int
    assessed: int
    layer_map: tuple[MapRow, ...]
    shares: tuple[tuple[str, float], ...] = ()
    step0: float | None = None
    power: Power | None = None
    reason: str | None = None
    equal_rows: float | None = None
    rounded: Rounded | None = None
    paired: Paired | None = None

    @property
    def dependent(self) -> bool:
        """Whether the word says that the two are not independent."""
        return self.word in DEPENDENT

    @property
    def told(self) -> bool:
        """Whether the word says something: that the two depend on each other, or that a panel has to look."""
        return self.dependent or self.word == "rearranged"

    @property
    def hides_a_scrambled_copy(self) -> bool:
        """Whether nothing was found, and nothing asked that a copy could not hide from by scrambling every axis."""
        return self.word == "no-evidence" and self.anchored is None


@dataclass(frozen=True)
class Coverage:
    """How many parameters of a component could be looked at."""

    component: str
    parameters: int
    assessed: int


@dataclass(frozen=True)
class Kin:
    """Two layers (or experts) of the submission whose units bear the same labels.

    log10_p: adjusted for every two that could be compared in the submission.
    """

    layer: int | None
    expert: int | None
    other_layer: int | None
    other_expert: int | None
    units: int
    fixed: int
    log10_p: float

    @property
    def share(self) -> float:
        """The share of units that bear the same label."""
        return self.fixed / self.units if self.units else 0.0


@dataclass(frozen=True)
class Within:
    """One component of the submission against itself: which of its layers and experts bear each other's labels.

    groups: axes that were looked at. pairs: how many pairs of them can be compared. asked: pairs in all components,
    by which every p-value is multiplied. log10_p: the smallest. kin: the pairs that agree, each with its likeliest.
    """

    component: str
    groups: int
    pairs: int
    asked: int
    log10_p: float
    kin: tuple[Kin, ...]


@dataclass(frozen=True)
class Overlap:
    """Words and settings that the submission has in common with a reference; no lineage of weights.

    words: of the reference, as many as are at hand. shared_words: of these in the submission's tokenizer. same_rows:
    of these in the same row. settings: of either side's config. same_settings: those that are equal. All `None` where
    one side is not known.
    """

    reference: str
    words: int | None
    shared_words: int | None
    same_rows: int | None
    settings: int | None
    same_settings: int | None


@dataclass(frozen=True)
class Unasked:
    """A component of a reference of which there is a fingerprint alone. cosine: of the elements, as estimated."""

    reference: str
    component: str
    cosine: float


@dataclass(frozen=True)
class Screen:
    """How the references of an audit were chosen from a large library.

    references: in the library. near: of these audited. would_miss: a component whose elements have a smaller cosine
    with a reference's may have been passed over, and every rearranged one. unasked: what is near and was not audited,
    because the library keeps no units of it.
    """

    references: int
    near: int
    would_miss: float
    unasked: tuple[Unasked, ...] = ()


@dataclass(frozen=True)
class Audit:
    """A submission against references.

    key: the seed of every choice that was made at random. shared: components that alone of several fired against a
    reference, as (reference, component). within: the submission against itself. overlaps: what is in common beside
    the weights. device: what units were compared by: NumPy on the processor (`cpu`), or a device and its library.
    screen: how the references were chosen; `None` where all were named.
    """

    dokja: str
    format: int
    submission: str
    key: int
    references: tuple[str, ...]
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]
    shared: tuple[tuple[str, str], ...]
    within: tuple[Within, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    device: str = CPU
    screen: Screen | None = None
