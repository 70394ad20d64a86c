"""All that the public pages are made from, in one frozen value: nothing on a page comes from anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dokja.adjudicate.outcome import Outcome
from dokja.record.about import About
from dokja.record.acts import AnyAct
from dokja.record.transparency.placing import Place
from dokja.rulebook import Finding, History


@dataclass(frozen=True)
class Signed:
    """The last signed checkpoint: the log's origin, how many acts it holds, who of how many witnesses cosigned it.

    enough: whether they are a quorum, `None` where none is asked for. at: the time that they vouch for (since 1970).
    """

    origin: str
    size: int
    witnesses: tuple[str, ...] = ()
    of: int = 0
    enough: bool | None = None
    at: int | None = None


@dataclass(frozen=True)
class Publication:
    """A programme, ready to be shown.

    acts: every act but ballots, by its index in the record (ballots are counted in the scores' traces).
    size, root: the record's number of acts and its Merkle root (hexadecimal). alternatives: outcomes under other
    evidence, such as without leaks, by the name of what is left out. signed: how far the record is signed, if it is.
    places: where the acts stand in the tree, with their proofs, where pages are to show it.
    """

    about: About
    history: History
    findings: tuple[Finding, ...]
    acts: Mapping[int, AnyAct]
    outcome: Outcome
    size: int
    root: str
    alternatives: Mapping[str, Outcome]
    signed: Signed | None = None
    places: Mapping[int, Place] = field(default_factory=dict)
