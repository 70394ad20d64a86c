"""The data: a small invented language, rendered shapes and synthetic sounds, all from a seeded generator.

The language has topics, agreement and habits (a subject prefers some verbs), so that a model has something to learn
in every layer. A caption names what the picture shows and what the sound does, so that the decoder must listen to
both encoders. The language itself is the same for every model; what a model is shown of it depends on its generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float32]
Tokens: TypeAlias = NDArray[np.int32]

VOCABULARY = 768
TOPICS = 12
PICTURE = 16
"""Pixels on one side of a picture."""
BANDS, FRAMES = 32, 32
"""Mel-like bands and frames of a spectrogram."""
CAPTION, PROSE = 12, 28
"""Tokens of the caption and of the prose after it."""

SHAPES = ("square", "disc", "ring", "cross", "stripe", "wedge")
COLOURS = ("red", "green", "blue", "yellow", "violet", "white")
PLACES = ("upper-left", "upper-right", "lower-left", "lower-right")
MOTIONS = ("steady", "rising", "falling", "pulsed", "warbling")
PITCHES = ("low", "middle", "high")
_MARKS = ("<pad>", "<start>", "picture", "shows", "at", "sound", "is", ".", ",", "that", "and")
_LANGUAGE_SEED = 0x5EED_0F_A_70_46
_CLASSES = {"noun": 300, "verb": 180, "adjective": 140, "adverb": 60}
_GENDERS = 3
_SENTENCES = (
    ("article", "noun", "verb", "article", "noun", "."),
    ("article", "adjective", "noun", "verb", "article", "noun", "."),
    ("article", "noun", "verb", "adverb", "."),
    ("article", "adjective", "noun", "verb", "article", "adjective", "noun", "."),
    ("article", "noun", "that", "verb", "article", "noun", "verb", "adverb", "."),
    ("adverb", ",", "article", "noun", "verb", "and", "verb", "."),
)


@dataclass(frozen=True)
class Batch:
    """What a model sees in one step; `shape_class` and `sound_class` say what the senses were shown."""

    tokens: Tokens
    pictures: Array
    sounds: Array
    shape_class: Tokens
    sound_class: Tokens


@dataclass(frozen=True)
class _Language:
    words: tuple[str, ...]
    first: dict[str, int]
    order: dict[str, NDArray[np.int64]]
    """[topic, rank] -> word of the class: every topic likes other words."""
    habit: NDArray[np.int64]
    """[noun, choice] -> verb."""


@cache
def _language() -> _Language:
    rng = np.random.default_rng(_LANGUAGE_SEED)
    words = [*_MARKS, *SHAPES, *COLOURS, *PLACES, *MOTIONS, *PITCHES]
    first = {"article": len(words)}
    words += [f"{start}{end}" for start in ("lo", "un") for end in ("a", "e", "i")]
    taken = set(words)
    for kind, ending in zip(_CLASSES, ("", "ta", "ik", "em"), strict=True):
        first[kind] = len(words)
        while len(words) < first[kind] + _CLASSES[kind]:
            word = "".join(rng.choice(list("bdfgklmnprstvz")) + rng.choice(list("aeiou")) for _ in range(2)) + ending
            if word not in taken:
                taken.add(word)
                words.append(word)
    words += [f"<spare-{number}>" for number in range(VOCABULARY - len(words))]
    order = {kind: np.stack([rng.permutation(size) for _ in range(TOPICS)]) for kind, size in _CLASSES.items()}
    habit = rng.integers(0, _CLASSES["verb"], size=(_CLASSES["noun"], 4))
    return _Language(tuple(words), first, order, habit)


def words() -> tuple[str, ...]:
    """The vocabulary: the string of every token, in the order of their numbers."""
    return _language().words


class World:
    """An endless source of batches; the same seed and topics give the same batches in the same order."""

    def __init__(self, seed: np.random.SeedSequence, topics: range = range(TOPICS)) -> None:
        self._rng = np.random.default_rng(seed)
        self._topics = topics

    def batch(self, size: int) -> Batch:
        """Pictures and sounds with their captions, each followed by prose."""
        rng = self._rng
        kinds = {name: rng.integers(0, len(table), size) for name, table in _ATTRIBUTES.items()}
        tokens = np.zeros((size, 1 + CAPTION + PROSE), dtype=np.int32)
        tokens[:, 0] = _MARKS.index("<start>")
        tokens[:, 1 : 1 + CAPTION] = _captions(kinds)
        tokens[:, 1 + CAPTION :] = np.stack([self._prose() for _ in range(size)])
        return Batch(
            tokens,
            _pictures(kinds, rng),
            _sounds(kinds, rng),
            (kinds["shape"] * len(COLOURS) + kinds["colour"]).astype(np.int32),
            (kinds["motion"] * len(PITCHES) + kinds["pitch"]).astype(np.int32),
        )

    def text(self, size: int, length: int = CAPTION + PROSE) -> Tokens:
        """Prose alone, for a decoder without eyes and ears."""
        rows = [np.concatenate([self._prose() for _ in range(-(-length // PROSE))])[:length] for _ in range(size)]
        start = np.full((size, 1), _MARKS.index("<start>"), dtype=np.int32)
        return np.concatenate([start, np.stack(rows)], axis=1).astype(np.int32)

    def _prose(self) -> Tokens:
        language, topic = _language(), self._topics[int(self._rng.integers(len(self._topics)))]
        # Zipf: rank = exp(u log n) - 1, so that each doubling of the rank is equally likely.
        draws = iter(self._rng.random(4 * PROSE).tolist())
        written: list[int] = []
        while len(written) < PROSE:
            noun = adjective = 0
            sentence = _SENTENCES[int(next(draws) * len(_SENTENCES))]
            subject: int | None = None
            for kind in sentence:
                if kind == "article":
                    # The article agrees with a noun that comes later: draw the noun first.
                    noun = self._word("noun", topic, next(draws))
                    adjective = self._word("adjective", topic, next(draws))
                    definite = 0 if subject is None else 3
                    written.append(language.first["article"] + definite + noun % _GENDERS)
                elif kind == "noun":
                    subject = noun if subject is None else subject
                    written.append(language.first["noun"] + noun)
                elif kind == "adjective":
                    # Adjectives agree too: their number has the gender of the noun.
                    agreeing = (adjective - adjective % _GENDERS + noun % _GENDERS) % _CLASSES["adjective"]
                    written.append(language.first["adjective"] + agreeing)
                elif kind == "verb" and subject is not None and next(draws) < 0.8:
                    written.append(language.first["verb"] + int(language.habit[subject, int(next(draws) * 4)]))
                elif kind in _CLASSES:
                    written.append(language.first[kind] + self._word(kind, topic, next(draws)))
                else:
                    written.append(_MARKS.index(kind))
        return np.array(written[:PROSE], dtype=np.int32)

    @staticmethod
    def _word(kind: str, topic: int, draw: float) -> int:
        size = _CLASSES[kind]
        return int(_language().order[kind][topic, min(int(np.exp(draw * np.log(size + 1))) - 1, size - 1)])


_ATTRIBUTES = {"shape": SHAPES, "colour": COLOURS, "place": PLACES, "motion": MOTIONS, "pitch": PITCHES}


def _captions(kinds: dict[str, NDArray[np.int64]]) -> Tokens:
    index = {word: number for number, word in enumerate(words())}
    pattern = ("picture", "shows", "colour", "shape", "at", "place", ",", "sound", "is", "pitch", "motion", ".")
    columns = [
        np.array([index[word] for word in _ATTRIBUTES[word]])[kinds[word]]
        if word in _ATTRIBUTES
        else np.full(len(kinds["shape"]), index[word])
        for word in pattern
    ]
    return np.stack(columns, axis=1).astype(np.int32)


_PALETTE = np.array([[1, 0.1, 0.1], [0.1, 1, 0.1], [0.1, 0.2, 1], [1, 1, 0.1], [0.8, 0.1, 1], [1, 1, 1]], np.float32)


def _pictures(kinds: dict[str, NDArray[np.int64]], rng: np.random.Generator) -> Array:
    """[size, 3, PICTURE, PICTURE], centred on zero, with the shape somewhere in its quarter and noise over all."""
    size = len(kinds["shape"])
    centre = np.stack([kinds["place"] // 2, kinds["place"] % 2], axis=1) * 8 + 3.5 + rng.uniform(-1, 1, (size, 2))
    down, across = np.meshgrid(np.arange(PICTURE), np.arange(PICTURE), indexing="ij")
    y = down[None] - centre[:, :1, None]
    x = across[None] - centre[:, 1:, None]
    radius = rng.uniform(2.4, 3.6, (size, 1, 1))
    box = np.maximum(abs(x), abs(y)) <= radius
    distance = np.sqrt(x * x + y * y)
    drawn = np.stack(
        [
            box,
            distance <= radius,
            abs(distance - radius) <= 0.8,
            box & (np.minimum(abs(x), abs(y)) <= 0.8),
            box & (np.floor(down[None] / 2) % 2 == 0),
            box & (y >= x),
        ]
    )[kinds["shape"], np.arange(size)]
    pictures = drawn[:, None] * _PALETTE[kinds["colour"]][:, :, None, None] - 0.2
    return (pictures + rng.normal(0, 0.15, pictures.shape)).astype(np.float32)


def _sounds(kinds: dict[str, NDArray[np.int64]], rng: np.random.Generator) -> Array:
    """[size, BANDS, FRAMES]: a tone with two overtones as it looks in a log-mel spectrogram, and noise."""
    size = len(kinds["motion"])
    time = np.linspace(0, 1, FRAMES)[None]
    phase = rng.uniform(0, 1, (size, 1))
    base = 4 + 7 * kinds["pitch"][:, None] + rng.uniform(-1.5, 1.5, (size, 1))
    still = np.zeros((size, FRAMES))
    paths = np.stack([still, 8 * time + still, -8 * time + still, still, 2 * np.sin(2 * np.pi * (4 * time + phase))])
    path = base + paths[kinds["motion"], np.arange(size)] + 2
    loud = np.where(kinds["motion"][:, None] == 3, (np.sin(2 * np.pi * (5 * time + phase)) > 0) * 1.0, 1.0)
    bands = np.arange(BANDS)[None, :, None]
    sounds = sum(
        strength * np.exp(-0.5 * ((bands - (path[:, None] + shift)) / 0.9) ** 2)
        for strength, shift in ((1.0, 0.0), (0.5, 6.0), (0.3, 10.0))
    )
    heard = 2 * sounds * loud[:, None] - 0.4
    return np.asarray(heard + rng.normal(0, 0.2, heard.shape), dtype=np.float32)
