"""What a programme says of itself: its name, its time zone, its sources, and who acts in it."""

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


class Party(Model):
    """Who acts beside the teams: an office, a panel, a newspaper. Teams are named by their applications."""

    id: Id
    name: Bilingual


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("not a time zone: write an IANA name such as Asia/Seoul") from error
    return name


class About(Model):
    """`programme.yaml`: what the programme is called, its time zone, its sources, who acts in it beside the teams."""

    dokja: Literal["1"]
    id: Id
    title: Bilingual
    summary: Bilingual | None = None
    time_zone: Annotated[Text, AfterValidator(_known_zone)]
    sources: tuple[Source, ...] = ()
    parties: tuple[Party, ...] = ()
