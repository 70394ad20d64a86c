"""`dokja record init|sign|append|checkpoint|prove|tiles`: a record that outsiders need not take on trust."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.key import Keys, opened
from dokja.cli.receipts import give, hours_of
from dokja.cli.record import Folder, NamedAct, find, open_
from dokja.cli.signed_log import ActsFile, PolicyFile, SignedBy, policy_of, signed_log, told
from dokja.cli.usage import UsageError
from dokja.cli.witnessing import collect
from dokja.errors import Place, Problem, RecordError
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.record import AnyAct
    from dokja.record.transparency.registry import Held

INIT = mark("Found a record whose acts are signed: the first act names the keys that decide on keys.")
SIGN = mark("Sign the acts of a file with their actor's key; prints them as .jsonl, to be put beside the other acts.")
CHECKPOINT = mark("Sign the record as it stands, and write it as static files beside the record.")
PROVE = mark("Print the proof that an act is in the record, for whoever keeps it.")
TILES = mark("Write the signed record into a folder that any web server, repository or stick can hold.")

APPEND = mark("Append the acts of a file, all or none, after checking that each is signed by its actor.")


def init(
    ctx: typer.Context,
    folder: Folder,
    root: Annotated[
        list[str],
        typer.Option(
            "--root", metavar="HOLDER=KEY", help=mark("Who decides on keys, and with which key; may be repeated.")
        ),
    ],
    threshold: Annotated[
        int, typer.Option("--threshold", metavar="N", min=1, help=mark("How many of them decide together."))
    ] = 1,
    keys: Keys = None,
) -> None:
    """Found a record."""
    from hashlib import sha256

    from dokja.programme import open_programme
    from dokja.record import canonical, open_record
    from dokja.record.transparency.continuing import hold_to_signed
    from dokja.record.transparency.signing import genesis
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    holders = dict(_pair(each) for each in root)
    if len(holders) != len(root) or threshold > len(root):
        raise UsageError(
            Problem(
                "record-founders",
                "{number} of {of} cannot decide together.",
                "Name every holder once, and no more of them to decide than there are.",
                Place(),
                {"number": str(threshold), "of": str(len(holders))},
            )
        )
    programme = open_programme(folder)
    signers = opened(face, keys, *holders.values())
    act = genesis(list(zip(holders, signers, strict=True)), threshold, next(iter(holders)), datetime.now(UTC))
    with open_record(programme.record_at, programme=programme.about.id) as record:
        hold_to_signed(record, programme.log_folder / "checkpoint")
        if record.size:
            raise RecordError(
                Problem(
                    "record-begun",
                    "The record has begun already; it holds {size} acts.",
                    "Found a new record before anything else is taken in.",
                    record.place,
                    {"size": str(record.size)},
                )
            )
        record.append([act])
    digest = f"sha256:{sha256(canonical(act)).hexdigest()}"
    if face.json:
        face.write(to_json({"genesis": digest, "act": act}))
        return
    face.line(digest)
    face.note(mark("Give this digest to everyone who is to check the record."))


def _pair(written: str) -> tuple[str, str]:
    holder, between, key = written.partition("=")
    if not between or not holder or not key:
        raise UsageError(
            Problem(
                "record-holder",
                "“{written}” names no holder and key.",
                "Write it as HOLDER=KEY, such as office=record.example/office.",
                Place(),
                {"written": written},
            )
        )
    return holder, key


def checkpoint(
    ctx: typer.Context, folder: Folder, key: SignedBy, policy: PolicyFile = None, keys: Keys = None
) -> None:
    """Sign a checkpoint, and collect cosignatures where a policy says who the witnesses are."""
    from dokja.record.transparency.continuing import hold_to_signed
    from dokja.record.transparency.signing import sign_checkpoint, snapshot
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme, record = open_(folder)
    read = policy_of(folder, policy)
    (signer,) = opened(face, keys, key)
    log = programme.log_folder
    with record, told(log):
        hold_to_signed(record, log / "checkpoint", *filter(None, (signer.memory,)))
        held = snapshot(record)
        note = sign_checkpoint(log, held, signer)
        if read is not None and read.witnesses:
            collect(face, log, read, held.tree, held.tree.size)
            return
    if face.json:
        said = {"origin": signer.name, "size": held.tree.size, "root": held.tree.root().hex()}
        face.write(to_json({**said, "checkpoint": note.decode()}))
        return
    face.write(note.decode())


def prove(
    ctx: typer.Context,
    folder: Folder,
    act: NamedAct,
) -> None:
    """Prove an act."""
    from dokja.record.transparency.proof_file import ProofFile
    from dokja.record.transparency.signing import snapshot
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme, record = open_(folder)
    log = programme.log_folder
    with record, told(log):
        index = find(record, act).index
        note, size = signed_log(log, record)
        if index >= size:
            raise RecordError(
                Problem(
                    "record-not-signed-yet",
                    "The act at index {index} came after the last checkpoint, which holds {size} acts.",
                    "Sign the record as it stands with: dokja record checkpoint {folder}",
                    record.place,
                    {"index": str(index), "size": str(size), "folder": str(folder)},
                )
            )
        proof = bytes(ProofFile(index, snapshot(record).tree.inclusion(index, size), note)).decode()
    face.write(to_json({"index": index, "proof": proof}) if face.json else proof)


def tiles(
    ctx: typer.Context,
    folder: Folder,
    target: Annotated[Path, typer.Argument(metavar="TARGET", help=mark("A folder that is new or empty."))],
) -> None:
    """Write the log as static files."""
    from dokja.record.transparency.proofs import Tree
    from dokja.record.transparency.signing import snapshot
    from dokja.record.transparency.tiles import write_tiles, write_whole
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme, record = open_(folder)
    log = programme.log_folder
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            Problem(
                "record-target",
                "There is something here already.",
                "Name a folder that is new or empty.",
                Place(target),
            )
        )
    with record, told(log):
        note, size = signed_log(log, record)
        held = snapshot(record)
        tree = Tree.of(held.tree.levels[0][: size * 32])
        written = [*write_tiles(target, tree, held.entries[:size])]
        for earlier in sorted((log / "checkpoints").iterdir()):
            if earlier.name.isdecimal() and int(earlier.name) < size:
                write_whole(target / "checkpoints" / earlier.name, earlier.read_bytes())
                written.append(f"checkpoints/{earlier.name}")
        write_whole(target / "checkpoint", note)
    written.append("checkpoint")
    if face.json:
        face.write(to_json({"folder": target, "size": size, "files": written}))
        return
    for path in written:
        face.line(path)


def sign(
    ctx: typer.Context,
    folder: Folder,
    file: ActsFile,
    key: SignedBy,
    number: Annotated[
        bool,
        typer.Option(
            "--number/--as-written",
            help=mark("Give acts their running numbers where the rulebook or the record asks for them."),
        ),
    ] = True,
    keys: Keys = None,
) -> None:
    """Sign acts, numbered where they must be."""
    from dokja.intake import rows_in
    from dokja.programme import open_programme
    from dokja.record import act_of, canonical, record_if_any
    from dokja.record.transparency.registry import Registry, key_reference
    from dokja.record.transparency.signing import numbered, registry_of, signed
    from dokja.rulebook import RecordKeeping

    face: Face = ctx.obj
    programme = open_programme(folder)
    acts = [act_of(row.body) for row in rows_in(file, programme.history, frozenset(programme.sources))]
    rules = programme.history.whole.of(RecordKeeping)
    stages = frozenset(clause.stage for clause in rules if clause.numbered) if number else frozenset[str]()
    registry = Registry()
    if (record := record_if_any(programme.record_at, programme.about.id)) is not None:
        with record, told(file):
            registry = registry_of(record)
    (signer,) = opened(face, keys, key)
    _hold_to_holder(acts, registry.keys.get(key_reference(signer.key())), file)
    held = registry.sequences if number else {}
    lines = [canonical(signed(act, signer)).decode() for act in numbered(acts, held, stages)]
    # With --json it is the same: one act a line is what a file of acts is.
    face.write("".join(f"{line}\n" for line in lines))


def _hold_to_holder(acts: Sequence[AnyAct], held: Held | None, file: Path) -> None:
    """Refuse to sign for somebody else: the record would not take the acts in."""
    others = [act for act in acts if held is not None and act.who != held.holder]
    if held is not None and others:
        raise UsageError(
            *(
                Problem(
                    "record-sign-for-another",
                    "“{act}” is an act of “{who}”; the key is that of “{holder}”.",
                    "Sign it with a key of “{who}”. An act “key-registered”, signed by a root, gives somebody a key.",
                    Place(file),
                    {"act": act.id, "who": act.who, "holder": held.holder},
                )
                for act in others
            )
        )


def append(
    ctx: typer.Context,
    folder: Folder,
    file: ActsFile,
    key: Annotated[
        str | None, typer.Option("--key", metavar="NAME", help=mark("The log's key, to sign receipts with."))
    ] = None,
    receipts: Annotated[
        Path | None, typer.Option("--receipts", metavar="DIR", help=mark("Where receipts are written, one an act."))
    ] = None,
    keys: Keys = None,
) -> None:
    """Append acts whose signatures are right."""
    from dokja.intake import rows_in, take_in
    from dokja.record.transparency.continuing import hold_to_signed
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme, record = open_(folder)
    sources = frozenset(programme.sources)
    if (key is None) != (receipts is None):
        raise UsageError(
            Problem(
                "record-receipt-key",
                "A receipt needs a key to be signed with, and a folder to be written to.",
                "Name both --key and --receipts, or neither.",
                Place(folder),
            )
        )
    signer = opened(face, keys, key)[0] if key is not None else None
    with record, told(file):
        hold_to_signed(record, programme.log_folder / "checkpoint")
        rows = tuple(rows_in(file, programme.history, sources))
        taken = take_in([file], programme.history, sources, record).taken
        size, root = record.size, record.root.hex()
    given = {} if signer is None or receipts is None else give(rows, signer, receipts, hours_of(programme.history))
    if face.json:
        face.write(to_json({"taken": taken, "size": size, "root": root, "receipts": [str(each) for each in given]}))
        return
    for each in given:
        face.line(str(each))
    values = {"taken": f"{taken:,}", "size": f"{size:,}", "root": root}
    face.line(face.voice("{taken} acts appended; the record holds {size}. Root {root}", values))
