"""The acts of a draw, written so that they hold: the round that is named, the ranking, the next in rank."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from dokja.errors import ActError, Place, Problem
from dokja.intake.breach import Breach
from dokja.intake.course import Course, DrawCourse
from dokja.intake.draws import made, not_announced, recused
from dokja.record import Record
from dokja.record.acts import DrawMade, Recusal
from dokja.record.beacon import CHAIN, time_of
from dokja.record.draws import ranking, successor
from dokja.values import Bilingual, utc_text

LARGEST_ANSWER = 10_000
"""Bytes that a beacon's answer may have; it has about 300."""

_SIGNATURE = re.compile("[0-9a-f]{96}", re.ASCII)
_SECONDS = 20


def course_of(record: Record, course: Course) -> Course:
    """What has happened by the record's last act."""
    for entry in record.entries():
        course.fold(entry.act)
    return course


def made_by(course: Course, draw: str, signature: str, who: str, when: datetime) -> DrawMade:
    """The act that makes an announced draw; raises `ActError` where the signature or the time is not right."""
    said = _announced(course, draw).announced
    if not _SIGNATURE.fullmatch(signature):
        raise ActError(
            Problem(
                "act-draw-beacon",
                "This is no signature of a beacon.",
                "Write the 96 hexadecimal digits that the beacon published for the round.",
            )
        )
    act = DrawMade(
        type="draw-made",
        id=f"{draw}-made",
        who=who,
        when=when,
        draw=draw,
        round=said.round,
        beacon=signature,
        ranking=ranking(draw, said.pool, bytes.fromhex(signature)),
    )
    _hold(made(act, course, utc_text(when)))
    return act


def recusal_of(course: Course, draw: str, member: str, reason: Bilingual, who: str, when: datetime) -> Recusal:
    """The act by which one leaves and the next in rank follows; raises `ActError` where that one was not drawn."""
    found = _announced(course, draw)
    ranked = found.made.ranking if found.made else ()
    act = Recusal(
        type="recusal",
        id=f"{draw}-recusal-{len(found.recused) + 1}",
        who=who,
        when=when,
        draw=draw,
        member=member,
        reason=reason,
        successor=successor(ranked, found.announced.drawn, found.recused, member),
    )
    _hold(recused(act, course, utc_text(when)))
    return act


def signature_from(url: str, course: Course, draw: str) -> str:
    """Ask a beacon's HTTP server for the signature of a draw's round; what it answers is checked like any other."""
    number = _announced(course, draw).announced.round
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("no web address")
        asked = Request(f"{url.rstrip('/')}/{CHAIN}/public/{number}")  # noqa: S310 (the scheme was looked at)
        with urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310
            data = answer.read(LARGEST_ANSWER + 1)
        said = json.loads(data) if len(data) <= LARGEST_ANSWER else None
        signature = said.get("signature") if isinstance(said, dict) else None
        if isinstance(signature, str) and _SIGNATURE.fullmatch(signature):
            return signature
        raise ValueError("no signature in the answer")
    except (URLError, OSError, ValueError, RecursionError) as error:
        raise ActError(
            Problem(
                "act-draw-unanswered",
                "“{url}” gives no signature of round {round}: {why}.",
                "Round {round} is known from {known}. Try another server, or write the signature with --signature.",
                Place(),
                {"url": url, "round": str(number), "known": utc_text(time_of(number)), "why": str(error)[:200]},
            )
        ) from error


def _announced(course: Course, draw: str) -> DrawCourse:
    found = course.draws.get(draw)
    if found is None:
        raise ActError(not_announced(draw).at(Place()))
    return found


def _hold(breaches: Iterator[Breach]) -> None:
    problems = tuple(breach.at(Place()) for breach in breaches)
    if problems:
        raise ActError(*problems)
