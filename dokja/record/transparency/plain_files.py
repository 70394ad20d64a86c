"""Files of somebody else's folder, read with care: no links, no devices, no more bytes than were asked for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from dokja.record.transparency.refusals import RefusedError


def read_file(file: Path, most: int) -> bytes:
    """The first bytes of a plain file; none where there is no such file. Links are not followed."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with open(handle, "rb") as stream:  # noqa: PTH123 (a handle, not a path)
        status = os.fstat(handle)
        # Python sets aside all that is asked for, so no more is asked for than there is.
        return stream.read(min(most, status.st_size + 1)) if stat.S_ISREG(status.st_mode) else b""


def files_under(folder: Path) -> Iterator[str]:
    """The paths of all files under a folder, in order; raises `RefusedError` for what is no plain file or folder."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for each in sorted(folder.iterdir()):
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            raise RefusedError("BAG_PATH", each.name)
        if each.is_dir():
            yield from (f"{each.name}/{below}" for below in files_under(each))
        else:
            yield each.name
