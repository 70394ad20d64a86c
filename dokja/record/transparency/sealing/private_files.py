"""Files that only their owner can read, and that nothing is written over."""

from __future__ import annotations

import os
from pathlib import Path

from dokja.errors import ActError, Place, Problem

_OWNER_ONLY = 0o600


def write_private(file: Path, text: str) -> None:
    """Write such a file, ASCII; raises `ActError` where there is one already."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError as error:
        raise there_already(file) from error
    with open(handle, "w", encoding="ascii") as stream:  # noqa: PTH123 (a handle, not a path)
        stream.write(text)


def there_already(file: Path) -> ActError:
    """There is such a file."""
    return ActError(Problem("act-file-exists", "There is such a file already.", "Name another file.", Place(file)))
