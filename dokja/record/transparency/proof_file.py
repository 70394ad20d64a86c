"""One entry with its proof in a file of text (C2SP tlog-proof)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dokja.record.merkle import HASH_BYTES, leaf_hash
from dokja.record.transparency.checkpoint import Checkpoint, number_of
from dokja.record.transparency.note import base64_of, bytes_of
from dokja.record.transparency.policy import Policy
from dokja.record.transparency.proofs import includes
from dokja.record.transparency.refusals import RefusedError

FIRST_LINE = "c2sp.org/tlog-proof@v1"
LARGEST_PROOF = 1_100_000
_CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True)
class ProofFile:
    """Where an entry stands, the hashes that lead to the root, and the checkpoint as it was signed."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __bytes__(self) -> bytes:
        lines = [FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {base64_of(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [base64_of(each) for each in self.path]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint


def read_proof(data: bytes) -> ProofFile:
    """The proof that the bytes hold, nothing of it verified."""
    head, gap, checkpoint = data.partition(b"\n\n")
    if len(data) > LARGEST_PROOF or not gap or _CONTROLS.search(head):
        raise RefusedError("TREE_PROOF_FORM", "no head and checkpoint with a blank line between")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise RefusedError("TREE_PROOF_FORM", "not ASCII") from None
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = bytes_of(lines.pop(0).removeprefix("extra "))
        if extra is None:
            raise RefusedError("TREE_PROOF_FORM", "extra")
    if first != FIRST_LINE or not lines or not lines[0].startswith("index "):
        raise RefusedError("TREE_PROOF_FORM", "first lines")
    index = number_of(lines[0].removeprefix("index "))
    path = tuple(bytes_of(line) for line in lines[1:])
    if index is None or len(path) > 63 or any(each is None or len(each) != HASH_BYTES for each in path):
        raise RefusedError("TREE_PROOF_FORM", "index or hashes")
    return ProofFile(index, tuple(each for each in path if each is not None), checkpoint, extra)


def check_proof(data: bytes, entry: bytes, policy: Policy) -> Checkpoint:
    """Hold an entry and its proof against the policy; the checkpoint that vouches for it."""
    proof = read_proof(data)
    checkpoint = policy.check(proof.checkpoint)
    if proof.index >= checkpoint.size:
        raise RefusedError("TREE_PROOF_INDEX", f"{proof.index} of {checkpoint.size}")
    if not includes(leaf_hash(entry), proof.index, checkpoint.size, proof.path, checkpoint.root):
        raise RefusedError("TREE_INCLUSION", index=proof.index)
    return checkpoint
