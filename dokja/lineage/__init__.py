"""The weight audit: is this component of a checkpoint derived from that model? It knows nothing of programmes.

    from dokja import lineage

    with lineage.open_checkpoint("my-model") as mine, lineage.open_checkpoint("other-model") as other:
        audit = lineage.audit(lineage.reference("mine", mine, 7), [lineage.reference("other", other, 7)], key=7)

`docs/lineage.md` says what the statistics assume, how to read a finding and how not to misuse it. What is offered
here is loaded when it is asked for: who reads a checkpoint, or keeps its fingerprint, does not wait for the tests.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dokja.lineage.auditing import audit
    from dokja.lineage.checkpoint import Checkpoint, open_checkpoint
    from dokja.lineage.findings import Audit, Finding, Word
    from dokja.lineage.sides import Reference, reference

__all__ = ["Audit", "Checkpoint", "Finding", "Reference", "Word", "audit", "open_checkpoint", "reference"]

_HOME = {
    "auditing": ("audit",),
    "checkpoint": ("Checkpoint", "open_checkpoint"),
    "findings": ("Audit", "Finding", "Word"),
    "sides": ("Reference", "reference"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
