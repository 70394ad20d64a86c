"""What the verbs of a signed record share: its checkpoint, its policy, and refusals in the words of the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.errors import Place, Problem, RecordError
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.record import Record
    from dokja.record.transparency import Policy

ActsFile = Annotated[Path, typer.Argument(metavar="FILE", help=mark("A file of acts, .yaml or .jsonl."))]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", help=mark("Who the witnesses are, and where; DIR/policy if there is one.")
    ),
]
SignedBy = Annotated[str, typer.Option("--key", metavar="NAME", help=mark("The key to sign with."))]


def policy_of(folder: Path, named: Path | None) -> Policy | None:
    """The policy that is named, or else the programme's own; `None` where there is none."""
    file = named or folder / "policy"
    return None if named is None and not file.is_file() else own_policy(file)


def own_policy(file: Path) -> Policy:
    """A policy that somebody wrote for themselves; what is wrong with it is theirs to correct."""
    from dokja.record.transparency import RefusedError, read_policy
    from dokja.record.transparency.policy import LARGEST_POLICY

    with file.open("rb") as stream:
        written = stream.read(LARGEST_POLICY + 1)
    try:
        return read_policy(written)
    except RefusedError as error:
        mend = mark("Correct the file ({detail}); docs/record-format.md tells how a policy is written.")
        raise RecordError(
            Problem(error.code, error.meaning, mend, Place(file), {"detail": error.detail or "–"})
        ) from error


def signed_log(log: Path, record: Record) -> tuple[bytes, int]:
    """The last checkpoint and its size."""
    from dokja.record.transparency.signing import signed_checkpoint

    note, checkpoint = signed_checkpoint(log, record)
    return note, checkpoint.size


@contextmanager
def told(log: Path) -> Iterator[None]:
    """Tell a refusal in the words of the person at the terminal."""
    from dokja.record.transparency import RefusedError

    try:
        yield
    except RefusedError as error:
        mend = mark("Nothing was written. Keep all files as they are, and find out who changed what ({detail}).")
        raise RecordError(
            Problem(error.code, error.meaning, mend, Place(log), {"detail": error.detail or "–"})
        ) from error
