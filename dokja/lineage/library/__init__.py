"""A library of references: what is kept of each model, so that a submission can be audited without their weights."""

from dokja.lineage.library.building import Progress, add, build
from dokja.lineage.library.index import Index, Shelved
from dokja.lineage.library.opening import Library, open_library, verify
from dokja.lineage.library.packs import UNITS, PackSource
from dokja.lineage.library.refusals import CODES
from dokja.lineage.library.screening import Candidate, Screened, screen
from dokja.lineage.library.sketching import Sketch, sketches

__all__ = [
    "CODES",
    "UNITS",
    "Candidate",
    "Index",
    "Library",
    "PackSource",
    "Progress",
    "Screened",
    "Shelved",
    "Sketch",
    "add",
    "build",
    "open_library",
    "screen",
    "sketches",
    "verify",
]
