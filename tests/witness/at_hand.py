"""A log that tells two stories, and a witness that must never cosign both."""

from __future__ import annotations

from pathlib import Path

from dokja.record.transparency import read_policy
from dokja.record.transparency.cosignature import sign
from dokja.record.transparency.note import Note
from dokja.record.transparency.proofs import Tree
from dokja.witness import Memory, Witness
from dokja.witness.request import AddCheckpoint
from tests.record.transparency.at_hand import OFFICE, WITNESSES, checkpoint, tree_of

COMMON = 5
TOLD = tree_of([b"entry %d" % number for number in range(400)])
ANOTHER = tree_of([b"%s %d" % (b"entry" if number < COMMON else b"lie", number) for number in range(400)])
POLICY = f"log {OFFICE.key()}\nquorum none\n".encode()


def witness(folder: Path, number: int = 0) -> Witness:
    return Witness.of(WITNESSES[number], read_policy(POLICY), Memory(folder / "witness.sqlite"))


def signed(tree: Tree, size: int) -> bytes:
    """A checkpoint with the log's signature alone."""
    text = checkpoint(tree, size).text
    return bytes(Note(text, (sign(text, OFFICE.name, OFFICE.private),)))


def request(tree: Tree, old: int, size: int) -> bytes:
    return bytes(AddCheckpoint(old, tree.consistency(old, size), signed(tree, size)))
