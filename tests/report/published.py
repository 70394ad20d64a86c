"""The bundled examples as publications, worked out from a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

from dokja.programme import open_programme, run
from dokja.report import Publication

EXAMPLES = Path(__file__).parents[2] / "examples"


def published(example: str, folder: Path) -> Publication:
    copy = folder / example
    shutil.copytree(EXAMPLES / example, copy, ignore=shutil.ignore_patterns("record", "site"))
    publication = run(open_programme(copy), site=False).publication
    assert publication is not None
    return publication
