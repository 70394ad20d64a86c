"""What two models have in common beside their weights: words of the tokenizer, settings of the config.

A tokenizer and a configuration are often taken from a published model by whoever trains weights of their own. So this
is told by itself, as what it is: no word, no p-value and no act rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from dokja.lineage.findings import Overlap
from dokja.lineage.sides import Source
from dokja.lineage.vocabulary import Vocabulary


def overlap(reference: str, mine: Source, his: Source) -> Overlap:
    """Words that the reference has at hand (a library keeps some, drawn by the key), and settings of either side."""
    words, settings = (mine.vocabulary(), his.vocabulary()), (mine.config(), his.config())
    known = None not in words
    own, other = (each or Vocabulary() for each in words)
    told = [dict(_settings(each)) for each in settings if each is not None]
    keys = {key for each in told for key in each}
    return Overlap(
        reference=reference,
        words=len(other) if known else None,
        shared_words=sum(word in own for word in other) if known else None,
        same_rows=sum(own.get(word) == row for word, row in other.items()) if known else None,
        settings=len(keys) if len(told) == 2 else None,
        same_settings=sum(_same(*(each.get(key, _ABSENT) for each in told)) for key in keys)
        if len(told) == 2
        else None,
    )


_ABSENT = object()


def _same(one: object, other: object) -> bool:
    """Equal, and of one type: `true` is not 1."""
    return type(one) is type(other) and one == other


def _settings(config: Mapping[str, object]) -> list[tuple[tuple[str, ...], object]]:
    """The settings of a config by their paths; a list is one setting."""
    found: list[tuple[tuple[str, ...], object]] = []
    waiting: list[tuple[tuple[str, ...], Mapping[str, object]]] = [((), config)]
    while waiting:
        path, part = waiting.pop()
        for key, value in part.items():
            if isinstance(value, Mapping):
                waiting.append(((*path, key), value))
            else:
                found.append(((*path, key), value))
    return found
