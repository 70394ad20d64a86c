"""Results as JSON for other programs: exact numbers as text, times in UTC, the same bytes on every run.

A number is written in plain decimal digits where these are exact, else as a fraction ("1/3"). Mappings keep the order
of the result; sets are sorted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dokja.errors import Place


def exact_text(number: Fraction) -> str:
    """The number in decimal digits where it has finitely many, else as a fraction."""
    rest, decimals = number.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest //= prime
            count += 1
        decimals = max(decimals, count)
    if rest != 1:
        return f"{number.numerator}/{number.denominator}"
    digits = str(abs((number * 10**decimals).numerator)).rjust(decimals + 1, "0")
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"


Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


def plain(value: object) -> Json:
    """A result as lists, mappings and texts, ready for JSON."""
    for kind, convert in _PLAIN:
        if isinstance(value, kind):
            return convert(value)
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    raise TypeError(f"no plain form of {type(value).__name__}")


def _mapping(value: Mapping[object, object]) -> Json:
    """A mapping by text stays one; one by several keys is the list of its values, which name their keys."""
    if all(isinstance(key, str) for key in value):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value.values()]


_PLAIN: tuple[tuple[type | tuple[type, ...], Callable[[Any], Json]], ...] = (
    ((type(None), bool, int, str), lambda value: value),
    (Fraction, exact_text),
    (Decimal, lambda value: format(value, "f")),
    (datetime, lambda value: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
    ((Path, Place), str),
    (BaseModel, lambda value: value.model_dump(mode="json", exclude_none=True)),
    (Mapping, _mapping),
    (frozenset, lambda value: [plain(each) for each in sorted(value)]),
    ((list, tuple), lambda value: [plain(each) for each in value]),
)


def to_json(value: object) -> str:
    """A result as indented JSON text with a line break at its end."""
    return json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n"
