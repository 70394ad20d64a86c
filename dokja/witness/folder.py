"""A witness without a network: it looks at a log's files itself, and cosigns by the same rules."""

from __future__ import annotations

from pathlib import Path

from dokja.errors import Place, Problem
from dokja.language import mark
from dokja.record.transparency.checkpoint import read_checkpoint
from dokja.record.transparency.note import LARGEST_NOTE, read_note
from dokja.record.transparency.plain_files import read_file
from dokja.record.transparency.published import LOG
from dokja.record.transparency.refusals import RefusedError
from dokja.record.transparency.tiled_log import check_tree
from dokja.witness.memory import WitnessError
from dokja.witness.request import AddCheckpoint
from dokja.witness.witness import Answer, Witness


def log_in(folder: Path) -> Path:
    """The log in a folder: of a bundle `data/log`, else the folder itself."""
    return folder / LOG if (folder / LOG).is_dir() else folder


def cosign_folder(witness: Witness, folder: Path) -> str:
    """Check every tile and entry of a log, then cosign its newest checkpoint; the signature line.

    Raises `RefusedError` where the log is not what its checkpoint says, `WitnessError` where the witness does not
    sign.
    """
    log = log_in(folder)
    data = read_file(log / "checkpoint", LARGEST_NOTE + 1)
    checkpoint = read_checkpoint(read_note(data).text)
    tree = check_tree(log, checkpoint)
    with witness.memory.turn() as turn:
        last = turn.last(checkpoint.origin)
    size = last.size if last else 0
    if last is not None and size > checkpoint.size:
        raise _older(checkpoint.size, size, folder)
    if last is not None and tree.root(size) != last.root:
        witness.add_checkpoint(bytes(AddCheckpoint(size, (), data)))  # keeps the evidence where it is one
        raise RefusedError("FORK", f"size {size}")
    answer = witness.add_checkpoint(bytes(AddCheckpoint(size, tree.consistency(size, checkpoint.size), data)))
    if answer.status != 200:
        raise _refused(answer, folder)
    return answer.body.decode()


def _refused(answer: Answer, folder: Path) -> WitnessError:
    return WitnessError(
        Problem(
            "witness-refuses",
            mark("The witness does not sign this checkpoint: {reason}."),
            mark("Nothing was signed. Check which logs the policy names, and keep the checkpoint as it is."),
            Place(folder),
            {"reason": answer.body.decode().strip()},
        )
    )


def _older(size: int, seen: int, folder: Path) -> WitnessError:
    return WitnessError(
        Problem(
            "witness-has-seen-more",
            mark("The witness has cosigned a checkpoint of {seen} acts; this one has {size}."),
            mark("Fetch the newest copy. If this is the newest, the log was rolled back: keep both checkpoints."),
            Place(folder),
            {"size": str(size), "seen": str(seen)},
        )
    )
