"""One line of JSON (RFC 8259) read strictly: UTF-8, no key twice in one object, no NaN or Infinity.

Most lines are written compactly, so that writing what was read gives the line back; then nothing was lost in reading,
and the quick reader's word is enough. Any other line is read again by the thorough one.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pydantic_core import PydanticSerializationError, from_json, to_json

from dokja.errors import Place, Problem


class _TwinError(ValueError):
    """An object holds a key twice; the key is the argument."""


def read_line(line: bytes, place: Place) -> Any | Problem:  # noqa: ANN401 - any JSON, until a schema types it
    """The value that the line holds, or what is wrong with it."""
    try:
        tree = from_json(line, allow_inf_nan=False)
    except ValueError:
        return _thorough(line, place)
    return tree if to_json(tree) == line else _thorough(line, place)


def _thorough(line: bytes, place: Place) -> Any | Problem:  # noqa: ANN401
    try:
        tree = json.loads(line.decode("utf-8"), object_pairs_hook=_no_twins, parse_constant=_no_constant)
        to_json(tree)
    except _REFUSED as error:
        return _problem(error, line, place)
    return tree


_REFUSED = (ValueError, RecursionError)
"""What reading a line can raise; the families named below are kinds of them."""


def _problem(error: Exception, line: bytes, place: Place) -> Problem:
    match error:
        case UnicodeDecodeError():
            return Problem(
                "act-not-utf8",
                "The line is not UTF-8 (byte {byte}).",
                "Save the file as UTF-8; files in CP949 or EUC-KR must be converted first.",
                Place(place.file, place.line, error.start + 1),
                {"byte": f"0x{line[error.start]:02x}"},
            )
        case _TwinError():
            return Problem(
                "act-duplicate-key",
                "The key “{key}” stands twice in one object.",
                "Keep one of them.",
                place,
                {"key": str(error)[:80]},
            )
        case json.JSONDecodeError():
            return _no_json(Place(place.file, place.line, error.colno), error.msg)
        case PydanticSerializationError():
            return _no_json(place, "half of a surrogate pair")
        case RecursionError():
            return _no_json(place, "nested too deeply")
        case _:
            return _no_json(place, str(error))


def _no_json(place: Place, reason: str) -> Problem:
    return Problem(
        "act-json",
        "This line is not JSON ({reason}).",
        "Write one act a line, as one JSON object.",
        place,
        {"reason": reason[:200]},
    )


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in pairs:
        if key in tree:
            raise _TwinError(key)
        tree[key] = value
    return tree


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
