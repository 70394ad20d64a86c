"""Acts by which resources reach a team and come back."""

from __future__ import annotations

from typing import Literal

from dokja.record.acts.act import Act
from dokja.values import Id, Points, Text


class Grant(Act):
    """A quantity of a resource (GPUs, money) that goes to a team or comes back from it."""

    stage: Id
    team: Id
    resource: Id
    quantity: Points
    unit: Text


class GrantDelivered(Grant):
    """A grant reaches a team."""

    type: Literal["grant-delivered"]


class GrantReturned(Grant):
    """A grant goes back."""

    type: Literal["grant-returned"]
