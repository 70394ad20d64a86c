"""The weight audit: is this component of a checkpoint derived from that model? It knows nothing of programmes.

    from dokja import lineage

    with lineage.open_checkpoint("my-model") as mine, lineage.open_checkpoint("other-model") as other:
        audit = lineage.audit(lineage.reference("mine", mine, 7), [lineage.reference("other", other, 7)], key=7)

`docs/lineage.md` says what the statistics assume, how to read a finding and how not to misuse it.
"""

from dokja.lineage.auditing import Reference, audit, reference
from dokja.lineage.checkpoint import Checkpoint, open_checkpoint
from dokja.lineage.findings import Audit, Finding, Word

__all__ = ["Audit", "Checkpoint", "Finding", "Reference", "Word", "audit", "open_checkpoint", "reference"]
