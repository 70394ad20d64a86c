"""Texts that stand in their files whole, or not at all: written beside their places, then given their names."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def write_whole(files: Mapping[Path, str]) -> None:
    """Write texts by their places, all of them or none, in this order; missing folders are made.

    Raises `OSError`; what stood there is then as it was.
    """
    beside = {place: place.with_name(f".{secrets.token_hex(8)}.part") for place in files}
    try:
        for place, part in beside.items():
            expect_writable(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            with part.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(files[place])
                stream.flush()
                os.fsync(stream.fileno())
        for place, part in beside.items():
            part.replace(place)
    finally:
        for part in beside.values():
            part.unlink(missing_ok=True)


def expect_writable(place: Path) -> None:
    """Raise the `OSError` that writing a file there would meet, as far as it can be told before."""
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    there = next(folder for folder in place.absolute().parents if folder.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))
