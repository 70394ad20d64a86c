"""What a programme says of itself: its name, its time zone, and the sources that its acts rest on."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from dokja.values import Bilingual, Day, Id, Model, Text

Standing = Literal["official", "press", "leak", "own"]
"""What a source is: the office's own paper, the press, a leak that the press printed, or our own arithmetic."""


class Source(Model):
    """Where a figure or an act is published."""

    id: Id
    title: Bilingual
    standing: Standing
    url: Text | None = None
    date: Day | None = None


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("not a time zone: write an IANA name such as Asia/Seoul") from error
    return name


class About(Model):
    """`programme.yaml`: what the programme is called, its time zone, its sources."""

    dokja: Literal["1"]
    id: Id
    title: Bilingual
    summary: Bilingual | None = None
    time_zone: Annotated[Text, AfterValidator(_known_zone)]
    sources: tuple[Source, ...] = ()
