"""The values that rulebooks and acts are made of: ids, decimals, counts, times, texts in two languages.

Each type accepts one spelling and nothing else, so that a value means the same to every reader: decimals are ASCII
digits with at most one point (no exponent, no separator, no full-width digit), times are RFC 3339 with an offset,
ids are lower-case ASCII (a look-alike letter of another script is refused). Values keep the text they were written
in until they are computed with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
)
from pydantic.json_schema import WithJsonSchema

LanguageCode = Literal["ko", "en"]

D = TypeVar("D", date, datetime)

MAXIMUM_TEXT = 20_000
"""Longest text that a clause or a note may hold, in characters."""

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)
"""Between which moments a time may lie, so that it can be told in every zone and sorts as text."""

ID_PATTERN = r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$"
LONGEST_ID = 80
DECIMAL_PATTERN = r"^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?$"
COUNT_PATTERN = r"^(?:0|[1-9][0-9]{0,8})$"
TIME_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})$"

HIDDEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]")
"""Characters that reorder or hide what a reader sees: directions, zero widths, annotations."""

DECIMAL = re.compile(DECIMAL_PATTERN, re.ASCII)
_COUNT = re.compile(COUNT_PATTERN, re.ASCII)
_TIME = re.compile(TIME_PATTERN, re.ASCII)


class Model(BaseModel):
    """A closed, frozen schema: an unknown field is an error, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        return Decimal(value)
    raise ValueError("not a decimal number: write plain digits with at most one point, such as 12 or 12.5")


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return value
    if isinstance(value, str) and _COUNT.fullmatch(value):
        return int(value)
    raise ValueError("not a count: write a whole number from 0 up, such as 4")


def _time(value: object) -> datetime:
    moment = (
        _of_calendar(datetime.fromisoformat, value) if isinstance(value, str) and _TIME.fullmatch(value) else value
    )
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        if not EARLIEST <= moment <= LATEST:
            raise ValueError(f"not a time between {EARLIEST.year} and {LATEST.year}")
        return moment
    raise ValueError("not a time with its zone: write it such as 2026-01-15T14:00:00+09:00")


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return _of_calendar(date.fromisoformat, value)
    raise ValueError("not a day: write it such as 2026-01-15")


def _of_calendar(read: Callable[[str], D], written: str) -> D:
    try:
        return read(written)
    except ValueError as error:
        raise ValueError("no such day or hour in the calendar") from error


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueError("not a yes or no: write true or false")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text: write it in quotes")
    if not value.isascii() and HIDDEN.search(value):
        raise ValueError("a character that hides or reorders what a reader sees: type the text anew, without it")
    return value


def plain(number: Decimal) -> str:
    """The number in plain digits, never with an exponent; the digits that were written are kept."""
    return format(number, "f")


def utc_text(moment: datetime) -> str:
    """The moment in UTC, to the second, as records and pages write it; such texts sort as the moments do."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def text_of_seconds(seconds: int) -> str:
    """A time in seconds since 1970 as `utc_text` writes it; the number itself where no calendar reaches so far."""
    try:
        return utc_text(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return str(seconds)


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN, max_length=LONGEST_ID)]
"""A lower-case ASCII name, parts joined by `-` or `.`."""

Text = Annotated[
    str,
    BeforeValidator(_text),
    StringConstraints(min_length=1, max_length=MAXIMUM_TEXT, strip_whitespace=True),
]


def _unsigned(pattern: str) -> str:
    return pattern.replace("^-?", "^")


def _above_zero(pattern: str) -> str:
    return _unsigned(pattern).replace("^", r"^(?!0(?:\.0+)?$)")


def _as_editors_see(kind: str, pattern: str, **bounds: int) -> WithJsonSchema:
    """The JSON Schema of a number: dokja reads `4` as the text that was written, an editor takes it for a number."""
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": pattern}, {"type": kind, **bounds}]})


Number = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    PlainSerializer(plain, return_type=str),
    _as_editors_see("number", DECIMAL_PATTERN),
]
"""An exact decimal, at most 18 digits on each side of the point; unit as the field says."""


def _not_negative(number: Decimal) -> Decimal:
    if number < 0:
        raise ValueError("less than zero: write a number from 0 up")
    return number


def _positive(number: Decimal) -> Decimal:
    if number <= 0:
        raise ValueError("not above zero: write a number above 0")
    return number


Points = Annotated[
    Number,
    AfterValidator(_not_negative),
    _as_editors_see("number", _unsigned(DECIMAL_PATTERN), minimum=0),
]
"""Points, marks or shares: an exact decimal from 0 up."""

PositivePoints = Annotated[
    Number,
    AfterValidator(_positive),
    _as_editors_see("number", _above_zero(DECIMAL_PATTERN), exclusiveMinimum=0),
]

Count = Annotated[
    int, BeforeValidator(_count), _as_editors_see("integer", COUNT_PATTERN, minimum=0, maximum=10**9 - 1)
]
"""A whole number from 0 up, below 10^9."""


def _at_least_one(count: int) -> int:
    if count < 1:
        raise ValueError("less than one: write a whole number from 1 up")
    return count


PositiveCount = Annotated[
    Count,
    AfterValidator(_at_least_one),
    _as_editors_see("integer", _above_zero(COUNT_PATTERN), minimum=1, maximum=10**9 - 1),
]

Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"enum": [True, False, "true", "false"]})]

Moment = Annotated[
    datetime,
    BeforeValidator(_time),
    PlainSerializer(utc_text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIME_PATTERN}),
]
"""RFC 3339 with an offset; written out in UTC, to the second."""

Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class Bilingual(Model):
    """One text in Korean and in English."""

    ko: Text
    en: Text

    def say(self, language: LanguageCode) -> str:
        """The text in the language asked for."""
        return self.ko if language == "ko" else self.en


Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hexadecimal, with its algorithm in front (RFC 6920's order, spelled out)."""

SALTED_DIGEST_PATTERN = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
"""32 bytes in base64url without padding; the last letter holds four bits."""

SaltedDigest = Annotated[str, StringConstraints(pattern=SALTED_DIGEST_PATTERN)]
"""The digest of a salted value, as RFC 9901 spells it (`dokja.record.transparency.sealing`)."""

Tree = dict[str, Any] | list[Any] | str | None
"""What a document holds before it is typed: mappings, sequences, texts and nothing."""
