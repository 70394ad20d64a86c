"""`dokja record witness`: the office collects cosignatures, and says whether they are enough."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.record import Folder, open_
from dokja.cli.signed_log import PolicyFile, policy_of, signed_log, told
from dokja.cli.usage import UsageError
from dokja.errors import Place, Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.record.transparency import Policy
    from dokja.record.transparency.note import SignatureLine
    from dokja.record.transparency.proofs import Tree

WITNESS = mark(
    "Collect cosignatures on the last checkpoint: from files, and from witnesses whose address is in the policy. "
    "Exit code 1 if they are too few."
)
FELL_SHORT = 1


def witness(
    ctx: typer.Context,
    folder: Folder,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help=mark("Files with signature lines, from: dokja witness cosign")),
    ] = None,
    policy: PolicyFile = None,
) -> int:
    """Collect cosignatures."""
    from dokja.record.transparency.signing import snapshot

    face: Face = ctx.obj
    programme, record = open_(folder)
    read = policy_of(folder, policy)
    if read is None:
        raise UsageError(
            Problem(
                "record-no-policy",
                "Nothing says who the witnesses are.",
                "Write a policy into {file}, or name one with --policy.",
                Place(folder),
                {"file": str(folder / "policy")},
            )
        )
    log = programme.log_folder
    with record, told(log):
        _, size = signed_log(log, record)
        tree = snapshot(record).tree
    with told(log):
        return 0 if collect(face, log, read, tree, size, _lines(files or ())) else FELL_SHORT


def collect(
    face: Face, log: Path, policy: Policy, tree: Tree, size: int, lines: Sequence[SignatureLine] = ()
) -> bool:
    """Ask for cosignatures, add them and those at hand to the last checkpoint; whether that is enough."""
    from dokja.record.transparency.cosignature import verifies
    from dokja.record.transparency.note import read_note
    from dokja.record.transparency.proofs import Tree as Hashes
    from dokja.record.transparency.refusals import RefusedError
    from dokja.record.transparency.signing import add_cosignatures
    from dokja.report.machine_readable import to_json
    from dokja.witness import ask_all

    note = add_cosignatures(log, ())
    text, known = read_note(note).text, {key.line: key for key in policy.witnesses.values()}
    for line in lines:
        key = known.get((line.name, line.id))
        if key is None or not verifies(key, text, line):
            raise RefusedError("NOTE_SIGNATURE", line.name)
    note = add_cosignatures(log, lines)
    held = Hashes.of(tree.levels[0][: size * 32])
    with face.working(mark("Asking the witnesses")):
        asked = ask_all(policy, note, held)
    note = add_cosignatures(log, [each.line for each in asked if each.line is not None])
    signed = policy.signed(note)
    enough = policy.met(signed.witnesses)
    names = sorted(name.decode(errors="replace") for name in signed.witnesses)
    refused = [each for each in asked if each.line is None]
    if face.json:
        said = {"size": size, "witnesses": names, "witnessed": enough, "checkpoint": note.decode()}
        why = [
            {"witness": each.name, "url": each.url, "why": face.voice(each.why, {"detail": each.detail})}
            for each in refused
        ]
        face.write(to_json({**said, "without": why}))
        return enough
    for each in refused:
        values = {"name": each.name, "url": each.url, "why": face.voice(each.why, {"detail": each.detail})}
        face.note(mark("No cosignature by {name} ({url}): {why}"), values)
    face.write(note.decode())
    face.note(
        standing_words(enough=enough and bool(names)),
        {"count": len(names), "names": ", ".join(names) or "–", "of": len(policy.witnesses)},
    )
    return enough


def standing_words(*, enough: bool) -> str:
    """How a checkpoint is called that enough witnesses have cosigned, or too few; a message id."""
    if enough:
        return mark("Witnessed by {count} of {of}: {names}.")
    return mark("Unwitnessed: {count} of {of} have cosigned ({names}). It cannot carry a decision.")


def _lines(files: Sequence[Path]) -> list[SignatureLine]:
    """The signature lines that files hold."""
    from dokja.record.transparency.note import LARGEST_NOTE, read_note

    lines: list[SignatureLine] = []
    for file in files:
        with file.open("rb") as stream, told(file):
            lines += read_note(b"x\n\n" + stream.read(LARGEST_NOTE)).signatures
    return lines
