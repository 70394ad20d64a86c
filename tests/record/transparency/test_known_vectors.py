"""What other people's code says: the specifications' examples, Go's `sumdb/note`, an implementation from PyPI."""

from __future__ import annotations

import metamorphic_log as other
import pytest

from dokja.record.merkle import leaf_hash
from dokja.record.transparency import RefusedError, read_policy
from dokja.record.transparency.checkpoint import read_checkpoint
from dokja.record.transparency.cosignature import verifies
from dokja.record.transparency.note import VerifierKey, read_note
from dokja.record.transparency.proof_file import ProofFile, check_proof
from tests.record.transparency.at_hand import OFFICE, checkpoint, note, policy, tree_of

SPECIFICATION = (
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ER"
    "YNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
)
"""C2SP signed-note, the example of a verifier key."""

PETER = (
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
)
"""Go, golang.org/x/mod/sumdb/note, its test."""

CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+z"
    "yWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5"
    "nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
"""C2SP tlog-cosignature, its example."""


@pytest.mark.parametrize(("written", "signed"), [SPECIFICATION, PETER])
def test_notes_of_others_verify(written: str, signed: str) -> None:
    key, held = VerifierKey.read(written), read_note(signed.encode())
    assert str(key) == written
    assert bytes(held) == signed.encode()
    (line,) = held.signatures
    assert (line.name, line.id) == key.line
    assert verifies(key, held.text, line)
    assert not verifies(key, held.text + "x\n", line)


def test_the_specifications_checkpoint_is_read_and_written_again() -> None:
    held = read_note(CHECKPOINT.encode())
    assert bytes(held) == CHECKPOINT.encode()
    read = read_checkpoint(held.text)
    assert (read.origin, read.size) == ("example.com/behind-the-sofa", 20852163)
    assert read.text == held.text


def test_another_implementation_accepts_checkpoints_and_proofs() -> None:
    entries = [b"entry %d" % number for number in range(300)]
    tree, keys = tree_of(entries), [str(OFFICE.key())]
    whole = note(checkpoint(tree)).decode()
    head = other.checkpoint_verify(whole, keys)
    assert (head.origin, head.size, head.root) == (OFFICE.name, 300, tree.root())
    for size in (1, 2, 7, 128, 255, 256, 257, 299):
        older = note(checkpoint(tree, size)).decode()
        path = list(tree.consistency(size, 300))
        other.checkpoint_verify_consistency(older, whole, keys, path)
        if path:
            path[0] = bytes(32)
            with pytest.raises(other.VerifyError):
                other.checkpoint_verify_consistency(older, whole, keys, path)
    for index in (0, 1, 2, 127, 255, 256, 298, 299):
        leaf, path = leaf_hash(entries[index]), list(tree.inclusion(index, 300))
        other.checkpoint_verify_inclusion(whole, keys, index, leaf, path)
        with pytest.raises(other.VerifyError):
            other.checkpoint_verify_inclusion(whole, keys, index, bytes(32), path)


def test_a_proof_file_is_checked_with_its_quorum() -> None:
    entries = [b"entry %d" % number for number in range(11)]
    tree = tree_of(entries)
    for index, entry in enumerate(entries):
        proof = ProofFile(index, tree.inclusion(index, 11), note(checkpoint(tree)))
        assert check_proof(bytes(proof), entry, read_policy(policy())).root == tree.root()
        with pytest.raises(RefusedError, match="TREE_INCLUSION"):
            check_proof(bytes(proof), b"another", read_policy(policy()))
    lonely = ProofFile(0, tree.inclusion(0, 11), note(checkpoint(tree), witnesses=1))
    with pytest.raises(RefusedError, match="QUORUM_NOT_MET"):
        check_proof(bytes(lonely), entries[0], read_policy(policy()))
