"""A short sketch of a component, from which the cosine of its elements with another's can be estimated.

A count-sketch (Charikar, Chen and Farach-Colton, 2002): every element is added, with a random sign, to one of K
sums. Where two models have a matrix of one shape at one place, their elements at one position share sum and sign, so
the inner product of the sketches is that of the elements, give or take 1/√K of their lengths. Matrices of other
shapes share nothing, and only add to the noise. Bit generators, unlike distributions, are promised never to change.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dokja.lineage.cores import ALONE, Crew
from dokja.lineage.library.columns import json_bytes
from dokja.lineage.model import Member, Model, drawn
from dokja.lineage.sides import Reader
from dokja.lineage.statistics.units import Matrix

SUMS: Final = 1024
"""How many sums a sketch has; a power of two, below 2^15."""

ROWS: Final = 64
"""Of how many rows of a matrix the elements are added up, at most: all layers together are far more than sums."""

STEP: Final = 1 << 15
"""So many elements stay in a core's cache while they are added up."""

POSITIONS: Final = "position"
"""Tables of positions are left out: many are sines, the same in all models, and larger than any weights."""

PER_WORD: Final = 4
"""Elements whose place is drawn from one 64-bit word."""


Place = list[object]
"""What a matrix shares with its like in another model, as JSON has it."""


@dataclass(frozen=True)
class Sketch:
    """A component: its sketch, of length one, and a signature of the places and shapes of its matrices."""

    values: NDArray[np.float32]
    signature: int


def sketches(reader: Reader, crew: Crew = ALONE) -> Mapping[str, Sketch]:
    """The sketch of every component, from the units that are looked at."""
    return {component: _sketch(reader, component, crew) for component in reader.model.components}


def _sketch(reader: Reader, component: str, crew: Crew) -> Sketch:
    sums = np.zeros(SUMS, dtype=np.float64)
    for each in crew.spread(lambda item: sums_of(reader, *item), tuple(placed(reader.model, component))):
        sums += each
    return sketch_of(sums, signature(reader.model, component))


def sketch_of(sums: NDArray[np.float64], signed: int) -> Sketch:
    """The sketch of a component by the sums of all its matrices."""
    length = float(np.linalg.norm(sums))
    return Sketch((sums / length if length > 0 else sums).astype(np.float32), signed)


def signature(model: Model, component: str) -> int:
    """The same for components whose matrices have the same places and shapes."""
    told = sorted(json_bytes_text(place) for _, place in placed(model, component))
    return int.from_bytes(hashlib.sha256(json_bytes(told)).digest()[:8], "little")


def sums_of(reader: Reader, member: Member, place: Place) -> NDArray[np.float64]:
    """The sums of one matrix."""
    matrix = reader.matrix(member)
    return added(reader.source.key, place, matrix[drawn(reader.source.key, len(matrix), ROWS)])


def json_bytes_text(place: object) -> str:
    """A place as a text that sorts."""
    return json_bytes(place).decode("ascii")


def placed(model: Model, component: str) -> Iterator[tuple[Member, Place]]:
    """The matrices of a component, each with what it shares with its like in another model: place, turn and shape."""
    turns: Counter[str] = Counter()
    for member in model.parts(component):
        extent = model.extent(member)
        part = member.part
        if min(extent) > 1 and part.role != POSITIONS:
            place: Place = [part.role, part.layer, part.expert, part.tensor if part.layer is None else None]
            told = json_bytes_text(place)
            turns[told] += 1
            yield member, [*place, turns[told], *extent]


def added(key: int, place: Place, rows: Matrix) -> NDArray[np.float64]:
    """The sums of the elements with the sign plus, less those with the sign minus; NaN counts as zero."""
    elements, seed = rows.ravel(), json_bytes([key, place])
    signed = np.zeros(2 * SUMS, dtype=np.float64)
    generator = np.random.PCG64(int.from_bytes(hashlib.sha256(seed).digest(), "little"))
    for first in range(0, len(elements), STEP):
        piece = elements[first : first + STEP]
        words = np.asarray(generator.random_raw(-(-len(piece) // PER_WORD)), dtype="<u8")
        drawn = words.view("<u2")[: len(piece)]
        places = (drawn & (SUMS - 1)) | (drawn >> 15) * np.uint16(SUMS)
        found = np.bincount(places, weights=piece, minlength=2 * SUMS)
        if not np.isfinite(found).all():
            found = np.bincount(places, weights=np.nan_to_num(piece), minlength=2 * SUMS)
        signed += found
    return signed[SUMS:] - signed[:SUMS]
