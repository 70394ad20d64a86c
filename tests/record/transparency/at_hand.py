"""Keys that are the same in every run, logs of any size, and policies over them."""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dokja.record.merkle import leaf_hash
from dokja.record.transparency.checkpoint import Checkpoint
from dokja.record.transparency.cosignature import cosign, sign
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import COSIGNATURE, Note
from dokja.record.transparency.proofs import Tree

ORIGIN = "record.example/office"


def signer(name: str) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))


OFFICE = signer(ORIGIN)
WITNESSES = tuple(signer(f"witness.example/{letter}") for letter in "abc")


def policy(quorum: str = "two") -> bytes:
    lines = [f"log {OFFICE.key()}"]
    lines += [f"witness {name} {each.key(COSIGNATURE)}" for name, each in zip("ABC", WITNESSES, strict=True)]
    lines += ["group two 2 A B C", f"quorum {quorum}"]
    return "".join(f"{line}\n" for line in lines).encode()


def tree_of(entries: list[bytes]) -> Tree:
    return Tree.of(b"".join(map(leaf_hash, entries)))


def note(checkpoint: Checkpoint, witnesses: int = 2) -> bytes:
    text = checkpoint.text
    lines = [sign(text, OFFICE.name, OFFICE.private)]
    lines += [cosign(text, each.name, each.private, 1_800_000_000) for each in WITNESSES[:witnesses]]
    return bytes(Note(text, tuple(lines)))


def checkpoint(tree: Tree, size: int | None = None) -> Checkpoint:
    size = tree.size if size is None else size
    return Checkpoint(ORIGIN, size, tree.root(size))
