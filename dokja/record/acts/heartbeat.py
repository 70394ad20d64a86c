"""A sign of life: the record is kept, and nothing else happened."""

from __future__ import annotations

from typing import Literal

from dokja.record.acts.act import Act


class Heartbeat(Act):
    """The record was kept on this day, so that a day without an act can be told from one that was left out."""

    type: Literal["heartbeat"]
