"""The tokens of outside authorities in a bundle, held against its checkpoints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dokja.language import mark
from dokja.record.transparency import RefusedError
from dokja.record.transparency.checkpoint import Checkpoint, read_checkpoint
from dokja.record.transparency.note import LARGEST_NOTE, read_note
from dokja.record.transparency.plain_files import files_under, read_file
from dokja.record.transparency.timestamps import LARGEST_TOKEN, available, check_token, read_roots
from dokja.verify.bundle import LOG, TIMESTAMPS
from dokja.verify.verdict import Fault, Unchecked

_NAME = re.compile(r"(0|[1-9][0-9]{0,18})-[1-9][0-9]{0,5}\.tsr", re.ASCII)

NONE = mark("Outside time: no authority's token is in the bundle.")
NO_ROOTS = mark("Outside time: no authority to trust was named, so {count} tokens were not checked.")
NO_LIBRARY = mark("Outside time: the library rfc3161-client is not installed, so {count} tokens were not checked.")


def timestamp_faults(folder: Path, checkpoint: Checkpoint, roots: bytes | None) -> Iterator[Fault | Unchecked]:
    """What is wrong with the tokens, or why they were not checked."""
    try:
        names = list(files_under(folder / TIMESTAMPS))
    except RefusedError:
        # The check of the bag tells of links and devices.
        return
    values = {"count": str(len(names))}
    if not names:
        yield Unchecked(NONE)
    elif roots is None:
        yield Unchecked(NO_ROOTS, values)
    elif not available():
        yield Unchecked(NO_LIBRARY, values)
    else:
        trusted = read_roots(roots)
        for name in names:
            found = _NAME.fullmatch(name)
            text = _text(folder, checkpoint, found[1]) if found else None
            if text is None:
                yield _fault("TIMESTAMP_CHECKPOINT", name)
                continue
            try:
                check_token(read_file(folder / TIMESTAMPS / name, LARGEST_TOKEN + 1), text, trusted)
            except RefusedError as error:
                yield _fault(error.code, f"{name}: {error.detail}")


def _fault(code: str, detail: str) -> Fault:
    return Fault(code, mark("{detail}"), {"detail": detail})


def _text(folder: Path, newest: Checkpoint, size: str) -> str | None:
    """The text of the checkpoint of a size; those in the bundle have been held against its tree."""
    log = folder / LOG
    file = log / "checkpoint" if int(size) == newest.size else log / "checkpoints" / size
    try:
        text = read_note(read_file(file, LARGEST_NOTE + 1)).text
        return text if read_checkpoint(text).size == int(size) else None
    except RefusedError:
        return None
