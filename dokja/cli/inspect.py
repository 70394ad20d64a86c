"""`dokja inspect`: what a checkpoint holds, by component and role, before anything is said about where it is from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.lineage.inspection import Inspection

HELP = mark("Show what a checkpoint holds: its parameters by component and role, and what has no known place.")

SHOWN = 10
"""How many tensors without a place are named."""


def inspect(
    ctx: typer.Context,
    checkpoint: Annotated[str, typer.Argument(metavar="CKPT", help=mark("A checkpoint: a file, a folder or a URL."))],
) -> None:
    """Inspect a checkpoint; only headers are read."""
    from dokja.lineage import open_checkpoint
    from dokja.lineage.inspection import inspect as inspected

    face: Face = ctx.obj
    with open_checkpoint(checkpoint) as opened:
        found = inspected(opened)
    if face.json:
        from dokja.report.machine_readable import to_json

        face.write(to_json(found))
    else:
        _print(face, found)


def _print(face: Face, found: Inspection) -> None:
    from rich.table import Table

    from dokja.lineage.words import COMPONENTS

    out, say = face.out, face.voice
    out.print(Path(found.where).name or found.where, style="bold", soft_wrap=True)
    types = ", ".join(f"{name} {size / 2**20:,.1f} MiB" for name, size in found.types.items())
    values = {"family": found.family, "parameters": f"{found.parameters:,}", "types": types}
    out.print(say(mark("Named as {family}; {parameters} parameters; stored as {types}"), values), soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading, justify in ((mark("Component"), "left"), (mark("Role"), "left")):
        table.add_column(say(heading), justify="left" if justify == "left" else "right")
    for heading in (mark("Tensors"), mark("Parameters"), mark("Share")):
        table.add_column(say(heading), justify="right")
    for share in found.shares:
        percent = 100 * share.parameters / found.parameters if found.parameters else 0.0
        component = say(COMPONENTS.get(share.component, share.component))
        table.add_row(component, share.role, f"{share.tensors:,}", f"{share.parameters:,}", f"{percent:.1f} %")
    out.print(table)
    if found.unassigned:
        names = ", ".join(info.name for info in found.unassigned[:SHOWN])
        said = mark("Without a known place: {count} tensors: {names}")
        out.print(say(said, {"count": len(found.unassigned), "names": names}), soft_wrap=True)
    if found.unread:
        said = mark("Of a type that is not decoded: {names}")
        out.print(say(said, {"names": ", ".join(found.unread[:SHOWN])}), soft_wrap=True)
    for problem in found.problems:
        face.notes.print(say.problem(problem), soft_wrap=True)
