"""Who or what a draw draws: the pool in the order of its hashes, and who has a seat after recusals.

The pool and the round are in the record before the round's randomness exists, so that nobody can choose the result.
Whoever leaves is followed by the next in rank; nothing is ever drawn again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import sha256

from dokja.record.beacon import randomness

_DOMAIN = b"dokja-draw-v1\n"


def ranking(draw: str, pool: Sequence[str], signature: bytes) -> tuple[str, ...]:
    """The pool in the order that a round's signature gives it; `draw` is the id of the act that announced it."""
    seed = _DOMAIN + randomness(signature) + draw.encode() + b"\n"
    return tuple(sorted(pool, key=lambda member: sha256(seed + member.encode()).digest()))


def seated(ranked: Sequence[str], drawn: int, recused: Collection[str]) -> tuple[str, ...]:
    """Who has a seat: the first in rank who have not left."""
    return tuple(member for member in ranked if member not in recused)[:drawn]


def successor(ranked: Sequence[str], drawn: int, recused: Collection[str], leaving: str) -> str | None:
    """Who takes the seat of one who leaves; `None` where that one had none, or where nobody is left."""
    before = seated(ranked, drawn, recused)
    if leaving not in before:
        return None
    return next((each for each in seated(ranked, drawn, {*recused, leaving}) if each not in before), None)
