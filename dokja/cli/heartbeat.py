"""`dokja record heartbeat`: a sign of life for every day, made for cron."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.key import Keys, opened
from dokja.cli.publishing import checkpoint
from dokja.cli.record import Folder, open_
from dokja.cli.signed_log import PolicyFile, SignedBy, told
from dokja.cli.usage import UsageError
from dokja.errors import Place, Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.cli.face import Face
    from dokja.record import Record
    from dokja.record.transparency.keys import Signer

HEARTBEAT = mark(
    "Leave a sign of life in the record, once a day, then sign the record as it stands and ask the witnesses. It is "
    "made for cron; a second time on one day only signs."
)
OFFICE = "office"


def heartbeat(
    ctx: typer.Context,
    folder: Folder,
    key: SignedBy,
    act_key: Annotated[
        str | None,
        typer.Option(
            "--act-key", metavar="NAME", help=mark("The key of whoever keeps the record, if it is another.")
        ),
    ] = None,
    policy: PolicyFile = None,
    keys: Keys = None,
) -> None:
    """Leave a sign of life."""
    from dokja.record.transparency.continuing import hold_to_signed

    face: Face = ctx.obj
    programme, record = open_(folder)
    with record, told(folder):
        when = datetime.now(UTC).replace(microsecond=0)
        name = f"heartbeat-{when.astimezone(programme.zone):%Y-%m-%d}"
        if not record.holds(name):
            hold_to_signed(record, programme.log_folder / "checkpoint")
            (signer,) = opened(face, keys, act_key or key)
            _append(record, name, when, signer)
    checkpoint(ctx, folder, key, policy, keys)


def _append(record: Record, name: str, when: datetime, signer: Signer) -> None:
    """The act, signed where the record's acts are, and numbered where its actor numbers its acts."""
    from dokja.record.acts import Heartbeat
    from dokja.record.transparency.registry import key_reference
    from dokja.record.transparency.signing import numbered, registry_of, signed

    registry = registry_of(record)
    held = registry.keys.get(key_reference(signer.key()))
    if registry.roots and held is None:
        raise UsageError(
            Problem(
                "record-heartbeat-key",
                "The record does not know the key “{name}”.",
                "Name the key of whoever keeps the record with --act-key.",
                Place(),
                {"name": signer.name},
            )
        )
    act = Heartbeat(type="heartbeat", id=name, who=held.holder if held else OFFICE, when=when)
    if not registry.roots:
        record.append([act])
        return
    (counted,) = numbered([act], registry.sequences, frozenset())
    record.append([signed(counted, signer)])
