"""What known kin and known strangers look like in each test: the scale on which the page shows a pair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Known:
    """Shares of units that bear their own label: a known child's, and ten pairs of strangers'."""

    child: float
    strangers: tuple[float, ...]


@cache
def calibration() -> Mapping[str, Known]:
    """The known shares by the name of the test; the file says which command made them."""
    source = resources.files("dokja.lineage.page") / "calibration.json"
    held = json.loads(source.read_text(encoding="utf-8"))
    return {name: Known(each["child"], tuple(each["strangers"])) for name, each in held["tests"].items()}
