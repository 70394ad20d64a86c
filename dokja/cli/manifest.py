"""`dokja manifest digest|sign|verify`: what a team hands in, file by file, in one digest that an act can pin."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.key import PASSPHRASE
from dokja.errors import ManifestError, Place, Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.record.submission import Digests

FELL_SHORT = 1
NOT_PINNED = "manifest-not-pinned"

HELP = mark(
    "List, sign and check the files of a submission, as OpenSSF model signing does, with nothing passed over."
)
DIGEST = mark("Print the digest of a submission, and with --files the SHA-256 of each file, as sha256sum does.")
SIGN = mark("Sign the manifest of a submission with an elliptic curve key; prints the digest that an act pins.")
VERIFY = mark(
    "Check a submission against its signed manifest: every file, and no other. Exit code 1 if anything differs."
)

Folder = Annotated[Path, typer.Argument(metavar="CKPT", help=mark("The folder that is handed in."))]


def digest(
    ctx: typer.Context,
    folder: Folder,
    files: Annotated[bool, typer.Option("--files", help=mark("The digest of each file, too."))] = False,
) -> None:
    """Print a digest."""
    from dokja.record.submission import hash_files

    face: Face = ctx.obj
    with face.working(mark("Hashing the files")):
        found = hash_files(folder)
    if files and not face.json:
        face.write("".join(f"{each}  {name}\n" for name, each in found.items()))
    _tell(face, found)


def sign(
    ctx: typer.Context,
    folder: Folder,
    key: Annotated[
        Path, typer.Option("--private-key", metavar="PEM", help=mark("An elliptic curve key (P-256, P-384, P-521)."))
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help=mark("Where to write it; CKPT.sig if not named."))
    ] = None,
) -> None:
    """Sign a manifest."""
    from dokja.record.submission import sign_manifest

    face: Face = ctx.obj
    target = out or _beside(folder)
    with face.working(mark("Hashing the files")):
        found = sign_manifest(folder, target, key, os.environ.get(PASSPHRASE))
    face.note(mark("Written: {file}"), {"file": target})
    _tell(face, found)


def verify(
    ctx: typer.Context,
    folder: Folder,
    key: Annotated[
        Path, typer.Option("--public-key", metavar="PEM", help=mark("The public key of the one who signed."))
    ],
    signature: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help=mark("The signed manifest; CKPT.sig if not named.")),
    ] = None,
    pinned: Annotated[
        str | None, typer.Option("--digest", metavar="DIGEST", help=mark("The digest that an act pins."))
    ] = None,
) -> int:
    """Check a submission."""
    from dokja.record.submission import DIFFERS, check_manifest, digest_of

    face: Face = ctx.obj
    file = signature or _beside(folder)
    try:
        with face.working(mark("Hashing the files")):
            found = check_manifest(folder, file, key)
        if pinned is not None and digest_of(found) != pinned:
            raise ManifestError(
                Problem(
                    NOT_PINNED,
                    "The files have the digest {held}; what was pinned is {pinned}.",
                    "This is not what was handed in.",
                    Place(folder),
                    {"held": digest_of(found), "pinned": pinned},
                )
            )
    except ManifestError as error:
        if not all(problem.code in {*DIFFERS, NOT_PINNED} for problem in error.problems):
            raise
        return _tell_differences(face, error)
    _tell(face, found)
    return 0


def _tell_differences(face: Face, error: ManifestError) -> int:
    from dokja.report.machine_readable import to_json

    said = [face.voice.problem(problem) for problem in error.problems]
    if face.json:
        face.write(to_json({"digest": None, "problems": said}))
    else:
        for line in said:
            face.line(line)
    return FELL_SHORT


def _beside(folder: Path) -> Path:
    return folder.resolve().with_name(folder.resolve().name + ".sig")


def _tell(face: Face, found: Digests) -> None:
    from dokja.record.submission import digest_of
    from dokja.report.machine_readable import to_json

    if face.json:
        face.write(to_json({"digest": digest_of(found), "files": dict(found)}))
    else:
        face.line(digest_of(found))
