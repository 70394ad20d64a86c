"""Private keys on disk: Ed25519, encrypted (PKCS #8, a passphrase), readable by their owner alone.

A key lies in two files of one folder: `NAME.key`, which `openssl pkey` opens too, and `NAME.vkey`, the public half to
be given away. Beside them `NAME.signed` keeps the last checkpoint that was signed with it, so that a record that was
put back to an earlier state is noticed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from dokja.errors import DokjaError, Place, Problem
from dokja.language import mark
from dokja.record.transparency.note import ED25519, VerifierKey, is_key_name

_OWNER_ONLY = 0o600
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")


class KeyFileError(DokjaError):
    """A key cannot be made, found or opened."""


@dataclass(frozen=True)
class Signer:
    """A private key with the name that it signs under. memory: where the last checkpoint that it signed is kept."""

    name: str
    private: Ed25519PrivateKey
    memory: Path | None = None

    def key(self, kind: int = ED25519) -> VerifierKey:
        """Its public half."""
        return VerifierKey(self.name, kind, self.private.public_key().public_bytes_raw())


def make_key(folder: Path, name: str, kind: int, passphrase: str) -> VerifierKey:
    """Make a key under a new name and keep it; what is there is never written over."""
    if not is_key_name(name) or not name.isprintable():
        raise _problem(
            "key-name",
            mark("“{name}” cannot be the name of a key."),
            mark("Write a name without spaces and plus signs, such as record.example/office."),
            folder,
            name,
        )
    if not passphrase:
        raise _problem(
            "key-no-passphrase",
            mark("The key “{name}” would lie unprotected."),
            mark("Give a passphrase, at the prompt or in DOKJA_PASSPHRASE."),
            folder,
            name,
        )
    private = Ed25519PrivateKey.generate()
    key = Signer(name, private).key(kind)
    sealed = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = _UNSAFE.sub("-", name)
    try:
        _write_new(folder / f"{stem}.key", sealed)
        _write_new(folder / f"{stem}.vkey", f"{key}\n".encode())
    except FileExistsError as error:
        raise _problem(
            "key-exists",
            mark("There is a key “{name}” already; it was left as it is."),
            mark("Choose another name."),
            folder,
            name,
        ) from error
    return key


def _write_new(file: Path, data: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with open(handle, "wb") as stream:  # noqa: PTH123 (a handle, not a path)
        stream.write(data)
        stream.flush()
        os.fsync(handle)


def keys_in(folder: Path) -> Iterator[tuple[Path, VerifierKey]]:
    """The public halves of the keys in a folder, with their files, in the order of the files' names."""
    for file in sorted(folder.glob("*.vkey")):
        try:
            yield file, VerifierKey.read(file.read_text(encoding="utf-8").removesuffix("\n"))
        except (OSError, ValueError) as error:
            raise _problem(
                "key-malformed",
                mark("The file of the key “{name}” is no key."),
                mark("Restore it from a copy, or take it away."),
                file,
                file.stem,
            ) from error


def public_key(folder: Path, name: str) -> tuple[Path, VerifierKey]:
    """The public half of the key with this name, and its file."""
    for file, key in keys_in(folder):
        if key.name == name:
            return file, key
    raise _problem(
        "key-unknown",
        mark("There is no key “{name}” in this folder."),
        mark("See which keys there are with: dokja key list"),
        folder,
        name,
    )


def open_key(folder: Path, name: str, passphrase: str) -> Signer:
    """The private key with this name."""
    public, key = public_key(folder, name)
    file = public.with_suffix(".key")
    try:
        mode, sealed = stat.S_IMODE(file.stat().st_mode), file.read_bytes()
    except OSError as error:
        raise _unopened(file, name) from error
    if mode & 0o077:
        raise _problem(
            "key-open-to-others",
            mark("Others than its owner can read the key “{name}”."),
            mark("Make a new key; the old one may have been read. Then: chmod 600"),
            file,
            name,
        )
    try:
        private = load_pem_private_key(sealed, passphrase.encode())
    except (ValueError, TypeError) as error:
        raise _unopened(file, name) from error
    if not isinstance(private, Ed25519PrivateKey) or private.public_key().public_bytes_raw() != key.public:
        raise _unopened(file, name)
    return Signer(name, private, public.with_suffix(".signed"))


def _unopened(file: Path, name: str) -> KeyFileError:
    return _problem(
        "key-not-opened",
        mark("The key “{name}” cannot be opened."),
        mark("Check the passphrase, and that the file is the one that was made."),
        file,
        name,
    )


def _problem(code: str, what: str, mend: str, file: Path, name: str) -> KeyFileError:
    return KeyFileError(Problem(code, what, mend, Place(file), {"name": name}))
