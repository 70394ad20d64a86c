"""What lets an outsider check a record without trusting the office: signed checkpoints, proofs, tiles, keys.

The formats are those of others, to the letter: C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature,
tlog-policy and tlog-proof, and the tree of RFC 6962. `docs/record-format.md` says how they are put together.
"""

from dokja.record.transparency.policy import Policy, Witnessed, read_policy
from dokja.record.transparency.proof_file import ProofFile, check_proof, read_proof
from dokja.record.transparency.published import Kept, Published, check_bundle
from dokja.record.transparency.refusals import CODES, RefusedError

__all__ = [
    "CODES",
    "Kept",
    "Policy",
    "ProofFile",
    "Published",
    "RefusedError",
    "Witnessed",
    "check_bundle",
    "check_proof",
    "read_policy",
    "read_proof",
]
