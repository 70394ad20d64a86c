"""Draws as entries: rankings and seats are computed anew from what the record itself announced.

Whether the beacon signed takes more than a hash; the replay asks that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dokja.record.draws import ranking, successor
from dokja.record.transparency.refusals import RefusedError

Tree = Mapping[str, Any]

_BEACON = re.compile("[0-9a-f]{96}", re.ASCII)


@dataclass
class _Draw:
    pool: list[str]
    drawn: int
    ranking: tuple[str, ...] | None = None
    recused: list[str] = field(default_factory=list)


class DrawEntries:
    """The draws of a log, followed entry by entry."""

    def __init__(self) -> None:
        self._draws: dict[str, _Draw] = {}

    def follow(self, index: int, act: Tree) -> None:
        """Take the next entry; raises `RefusedError` where a ranking or a successor does not follow."""
        match act["type"]:
            case "draw-announced":
                self._announced(act)
            case "draw-made":
                self._made(index, act, self._known(index, act))
            case "recusal":
                self._recused(index, act, self._known(index, act))

    def _announced(self, act: Tree) -> None:
        named, pool, drawn = act.get("id"), act.get("pool"), act.get("drawn")
        if not isinstance(named, str) or not isinstance(pool, list) or type(drawn) is not int:
            return
        whole = (
            all(isinstance(each, str) for each in pool) and len(set(pool)) == len(pool) and 1 <= drawn <= len(pool)
        )
        if whole and named not in self._draws:
            self._draws[named] = _Draw(pool, drawn)

    def _known(self, index: int, act: Tree) -> _Draw:
        named = act.get("draw")
        draw = self._draws.get(named) if isinstance(named, str) else None
        if draw is None:
            raise RefusedError("DRAW_NOT_ANNOUNCED", str(named)[:120], index)
        return draw

    def _made(self, index: int, act: Tree, draw: _Draw) -> None:
        beacon, said = act.get("beacon"), act.get("ranking")
        if not isinstance(beacon, str) or not _BEACON.fullmatch(beacon):
            raise RefusedError("DRAW_RANKING", "no beacon", index)
        follows = ranking(str(act["draw"]), draw.pool, bytes.fromhex(beacon))
        if said != list(follows):
            raise RefusedError("DRAW_RANKING", str(act["draw"])[:120], index)
        draw.ranking = draw.ranking or follows

    def _recused(self, index: int, act: Tree, draw: _Draw) -> None:
        member = act.get("member")
        if draw.ranking is None or member not in draw.ranking or member in draw.recused:
            raise RefusedError("DRAW_RECUSAL", str(member)[:120], index)
        if act.get("successor") != successor(draw.ranking, draw.drawn, draw.recused, str(member)):
            raise RefusedError("DRAW_SUCCESSOR", str(member)[:120], index)
        draw.recused.append(str(member))
