"""`dokja inspect`: what a checkpoint holds, by component and role, before anything is said about where it is from."""

from __future__ import annotations

from math import prod
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

    from dokja.lineage.architecture.by_shape import BY_SHAPE
    from dokja.lineage.telling import component_name, visible

    say = face.voice
    face.line(visible(Path(found.where).name or found.where), style="bold")
    types = ", ".join(f"{name} {_size(size)}" for name, size in found.types.items())
    values = {"parameters": f"{found.parameters:,}", "types": types}
    face.line(say(mark("{parameters} parameters; stored as {types}"), values))
    known = mark("Tensors are named as in the family “{family}”.")
    unknown = mark("No known family names its tensors so: which axes belong together is told by shapes.")
    face.line(say(unknown if found.family == BY_SHAPE else known, {"family": found.family}))
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="dim")
    for heading in (mark("Component"), mark("Role")):
        table.add_column(say(heading))
    for heading in (mark("Tensors"), mark("Parameters"), mark("Share")):
        table.add_column(say(heading), justify="right")
    for component, total in found.components.items():
        shares = [each for each in found.shares if each.component == component]
        name, percent = component_name(component, say), _percent(total, found.parameters)
        tensors = f"{sum(each.tensors for each in shares):,}"
        table.add_row(name, "", tensors, f"{total:,}", percent, style="bold")
        for each in shares:
            percent = _percent(each.parameters, found.parameters)
            table.add_row("", visible(each.role), f"{each.tensors:,}", f"{each.parameters:,}", percent)
    face.show(table)
    if found.unassigned:
        said = mark("Without a known place, and not audited: {count} tensors, {parameters} parameters:")
        parameters = f"{sum(prod(info.shape) for info in found.unassigned):,}"
        face.line(say(said, {"count": f"{len(found.unassigned):,}", "parameters": parameters}))
        for info in found.unassigned[:SHOWN]:
            face.line(f"  {visible(info.name)}")
        if len(found.unassigned) > SHOWN:
            more = f"{len(found.unassigned) - SHOWN:,}"
            face.line("  " + say(mark("{count} more are in the JSON form."), {"count": more}))
    else:
        face.line(say(mark("Every tensor has a known place.")))
    if found.unread:
        said = mark("Of a type that is not decoded: {names}")
        face.line(say(said, {"names": ", ".join(visible(name) for name in found.unread[:SHOWN])}))
    for problem in found.problems:
        face.notes.print(say.problem(problem), soft_wrap=True)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0.0:.1f} %"


def _size(count: int) -> str:
    """Bytes in the unit that people would take."""
    step = min(max(count, 1).bit_length() - 1, 49) // 10
    return f"{count / 2 ** (10 * step):,.{1 if step else 0}f} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[step]}"
