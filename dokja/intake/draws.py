"""Whether a draw was announced before its randomness existed, made as it follows from it, and never made again.

Everything here follows from the record alone: the time of a round, its signature, the ranking, the next in rank. What
only a reader of the rules can judge (whether a draw was owed, and announced early enough) stands in `verify`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from dokja.intake.breach import Breach
from dokja.intake.course import Course
from dokja.record.acts import DrawAnnounced, DrawMade, MeasurementReported, PresentationHeld, Recusal
from dokja.record.beacon import CHAIN, signature_fits, time_of
from dokja.record.canonical import Row
from dokja.record.draws import ranking, successor
from dokja.values import utc_text


def announced(act: DrawAnnounced, course: Course, _: str) -> Iterator[Breach]:
    """Of the one chain, before the round's time, and of nothing that has been drawn or announced."""
    if act.chain != CHAIN:
        yield Breach(
            "act-draw-chain",
            "The draw rests on the chain {chain}.",
            "Announce draws on drand's quicknet, {quicknet}.",
            {"chain": act.chain, "quicknet": CHAIN},
            ("chain",),
        )
    elif act.when >= (known := time_of(act.round)):
        yield Breach(
            "act-draw-late",
            "The draw is announced at {when}; round {round} was known from {known}.",
            "Name a round that nobody can know yet.",
            {"when": utc_text(act.when), "round": str(act.round), "known": utc_text(known)},
            ("round",),
        )
    for other in course.draws.values():
        if other.announced.subject == act.subject:
            yield _redrawn(other.announced.id)


def _redrawn(earlier: str) -> Breach:
    return Breach(
        "act-draw-redrawn",
        "This was drawn, or announced to be drawn, already by “{draw}”.",
        "Keep that draw. Who leaves is followed by the next in rank: record a recusal.",
        {"draw": earlier},
        ("type",),
    )


def not_announced(draw: str) -> Breach:
    """Why an act about a draw that nobody announced is refused."""
    return Breach(
        "act-draw-not-announced",
        "No act before this one announces the draw “{draw}”.",
        "Announce a draw before its round; one that was not announced cannot be made.",
        {"draw": draw},
        ("draw",),
    )


def made(act: DrawMade, course: Course, _: str) -> Iterator[Breach]:
    """The announced round, its true signature, and the ranking of the announced pool that follows."""
    draw = course.draws.get(act.draw)
    if draw is None:
        yield not_announced(act.draw)
        return
    said = draw.announced
    if draw.made is not None:
        yield _redrawn(draw.made.id)
        return
    if act.round != said.round or act.when < time_of(said.round):
        values = {"draw": act.draw, "round": str(said.round), "known": utc_text(time_of(said.round))}
        yield Breach(
            "act-draw-round",
            "“{draw}” is drawn by round {round}, which is known from {known}.",
            "Draw by that round, and not before its time.",
            values,
            ("round",),
        )
        return
    signature = bytes.fromhex(act.beacon)
    if not signature_fits(said.round, signature):
        yield Breach(
            "act-draw-signature",
            "This is not the beacon's signature of round {round}.",
            "Write the signature that the beacon published for the round, 96 hexadecimal digits.",
            {"round": str(said.round)},
            ("beacon",),
        )
    elif set(act.ranking) != set(said.pool) or len(act.ranking) != len(said.pool):
        yield Breach(
            "act-draw-pool",
            "The ranking is not of the pool that “{draw}” announced.",
            "Rank everybody who was announced, once, and nobody else.",
            {"draw": act.draw},
            ("ranking",),
        )
    elif act.ranking != (follows := ranking(act.draw, said.pool, signature)):
        place = next(at for at, (one, other) in enumerate(zip(act.ranking, follows, strict=True), 1) if one != other)
        yield Breach(
            "act-draw-ranking",
            "The round's randomness puts “{right}” at place {place}, not “{wrong}”.",
            "Let “dokja draw make” write the act.",
            {"right": follows[place - 1], "wrong": act.ranking[place - 1], "place": str(place)},
            ("ranking", place - 1),
        )


def recused(act: Recusal, course: Course, _: str) -> Iterator[Breach]:
    """One of those ranked leaves, once, and the next in rank takes the seat."""
    draw = course.draws.get(act.draw)
    if draw is None:
        yield not_announced(act.draw)
        return
    if draw.made is None or act.member not in draw.made.ranking or act.member in draw.recused:
        yield Breach(
            "act-draw-recusal",
            "“{member}” is not among those whom “{draw}” has ranked, or has left already.",
            "Record the draw first, and each recusal once.",
            {"member": act.member, "draw": act.draw},
            ("member",),
        )
        return
    follows = successor(draw.made.ranking, draw.announced.drawn, draw.recused, act.member)
    if act.successor != follows:
        yield Breach(
            "act-draw-successor",
            "The next in rank is “{right}”, not “{wrong}”.",
            "Name the next in rank; nobody, where there is nobody left or the one who leaves had no seat.",
            {"right": follows or "–", "wrong": act.successor or "–"},
            ("successor",),
        )


def seat_breach(course: Course, row: Row) -> Breach | None:
    """Why a ballot is not one of a judge who was drawn; `None` where the panel is not drawn by lot."""
    if not course.panels:
        return None
    _, stage, panel, _, rater, _ = row.key.split("/")
    return rater_breach(course, stage, panel, rater)


def rater_breach(course: Course, stage: str, panel: str, rater: str) -> Breach | None:
    """Why a rater is none of the judges who were drawn; `None` where the panel is not drawn by lot."""
    draw = course.panels.get((stage, panel))
    if draw is None or rater in draw.seated:
        return None
    return _not_drawn(rater, draw.announced.id, ("rater",))


def item_breaches(act: MeasurementReported, course: Course, _: str) -> Iterator[Breach]:
    """Results of items that were not drawn, where the items of a measure are."""
    draw = course.items.get((act.stage, act.measure))
    if draw is not None:
        for place, result in enumerate(act.benchmarks):
            if result.benchmark not in draw.seated:
                yield _not_drawn(result.benchmark, draw.announced.id, ("benchmarks", place, "benchmark"))


def out_of_order(act: PresentationHeld, course: Course, when: str) -> Iterator[Breach]:
    """Who presents is the next in the order that was drawn; those who left the stage are passed over."""
    draw, stage = course.orders.get(act.stage), course.stage(act.stage)
    if draw is None:
        return
    waiting = [team for team in draw.seated if team not in stage.presented and team not in stage.left]
    following = waiting[0] if waiting else None
    if act.team != following or when < max(stage.presented.values(), default=when):
        yield Breach(
            "act-draw-order",
            "By “{draw}” it is now the turn of “{right}”; “{wrong}” presents at {when}.",
            "Let teams present in the order that was drawn, each once, and record it as it was.",
            {"draw": draw.announced.id, "right": following or "–", "wrong": act.team, "when": when},
            ("team",),
        )


def _not_drawn(member: str, draw: str, path: tuple[str | int, ...]) -> Breach:
    return Breach(
        "act-draw-not-drawn",
        "“{member}” is not among those whom “{draw}” has drawn.",
        "Record the draw and the recusals first, or correct the id.",
        {"member": member, "draw": draw},
        path,
    )


CODES: Mapping[str, str] = MappingProxyType(
    {
        "act-draw-chain": "DRAW_CHAIN",
        "act-draw-late": "DRAW_NOT_IN_ADVANCE",
        "act-draw-not-announced": "DRAW_NOT_ANNOUNCED",
        "act-draw-not-drawn": "DRAW_NOT_DRAWN",
        "act-draw-order": "DRAW_ORDER",
        "act-draw-pool": "DRAW_POOL",
        "act-draw-ranking": "DRAW_RANKING",
        "act-draw-recusal": "DRAW_RECUSAL",
        "act-draw-redrawn": "DRAW_REDRAWN",
        "act-draw-round": "DRAW_ROUND",
        "act-draw-signature": "DRAW_SIGNATURE",
        "act-draw-successor": "DRAW_SUCCESSOR",
    }
)
"""What the replay of a published record calls each of these."""
