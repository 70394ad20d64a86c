"""Times as people write them on the command line."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from dokja.cli.usage import UsageError
from dokja.errors import Problem
from dokja.values import Day, Moment

if TYPE_CHECKING:
    from dokja.programme import Programme

_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
_DAY = TypeAdapter(Day)


def moment_of(text: str, programme: Programme) -> datetime:
    """The moment that is asked for; a day stands for its last second in the programme's zone."""
    try:
        day = _DAY.validate_python(text)
        return datetime.combine(day + timedelta(days=1), time(), programme.zone) - timedelta(seconds=1)
    except ValidationError:
        pass
    try:
        return _MOMENT.validate_python(text)
    except ValidationError as error:
        raise UsageError(
            Problem(
                "usage-time",
                "“{time}” is no time.",
                "Write a day such as 2026-01-15, or a time with its zone such as 2026-01-15T14:00:00+09:00.",
                values={"time": text},
            )
        ) from error
