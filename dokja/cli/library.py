"""`dokja library build|add|list|verify`: what is kept of reference models, so that audits need not their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import FOLD, Face
from dokja.cli.usage import UsageError
from dokja.errors import Problem
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.lineage.library import Index, Progress

HELP = mark("Keep what an audit needs of reference models: build a library, add to it, list it, check it.")
BUILD = mark("Build a library of references from checkpoints; a build that was cut short goes on.")
ADD = mark("Add checkpoints to a library; what it holds already is left as it is.")
LIST = mark("List the references of a library.")
VERIFY = mark("Compute every digest of a library anew; exit code 1 if any byte differs.")

DAMAGED = 1
SHORT_DIGEST = 12

Folder = Annotated[Path, typer.Argument(metavar="DIR", help=mark("The folder of the library."))]
Checkpoints = Annotated[
    list[str],
    typer.Argument(
        metavar="[NAME=]CHECKPOINT…",
        help=mark("Files, folders or URLs; without a name, a reference bears that of its folder or file."),
    ),
]
Workers = Annotated[
    str | None,
    typer.Option(
        "--workers",
        metavar="N|ray|ray://…",
        help=mark("Processes, all cores where left out; or a Ray cluster, with dokja[ray]."),
    ),
]

FingerprintsOnly = Annotated[
    bool,
    typer.Option(
        "--fingerprints-only",
        help=mark("Keep fingerprints and no units: enough to screen by, in a thousandth of the space."),
    ),
]


def build(
    ctx: typer.Context,
    folder: Folder,
    checkpoints: Checkpoints,
    key: Annotated[
        int, typer.Option("--key", metavar="NUMBER", min=0, help=mark("What units are drawn by; keep it secret."))
    ] = 0,
    units: Annotated[
        int, typer.Option("--units", metavar="N", help=mark("How many units of an axis are kept, 8 to 1,024."))
    ] = 256,
    fingerprints_only: FingerprintsOnly = False,
    workers: Workers = None,
) -> None:
    """Build a library."""
    from dokja.lineage.library import build as build_library

    face: Face = ctx.obj
    named = _named(checkpoints)
    with _telling(face) as tell:
        index = build_library(
            folder,
            named,
            key=key,
            units=units,
            packs=not fingerprints_only,
            workers=_workers(workers),
            progress=tell,
        )
    _say_index(face, index)


def add(
    ctx: typer.Context,
    folder: Folder,
    checkpoints: Checkpoints,
    fingerprints_only: FingerprintsOnly = False,
    workers: Workers = None,
) -> None:
    """Add to a library."""
    from dokja.lineage.library import add as add_to_library

    face: Face = ctx.obj
    named = _named(checkpoints)
    with _telling(face) as tell:
        index = add_to_library(folder, named, packs=not fingerprints_only, workers=_workers(workers), progress=tell)
    _say_index(face, index)


def list_(ctx: typer.Context, folder: Folder) -> None:
    """List references."""
    from dokja.lineage.library import open_library

    _say_index(ctx.obj, open_library(folder).index)


def verify(ctx: typer.Context, folder: Folder) -> int:
    """Check every byte."""
    from dokja.lineage.library import open_library
    from dokja.lineage.library import verify as verify_library
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    with face.working(mark("Checking the library")):
        problems = verify_library(folder)
    count = len(open_library(folder).index.shelved)
    if face.json:
        face.write(to_json({"references": count, "problems": [face.voice.problem(each) for each in problems]}))
    else:
        for each in problems:
            face.line(face.voice.problem(each))
        if not problems:
            face.line(face.voice(mark("{count} references, every byte as it was written."), {"count": count}))
    return DAMAGED if problems else 0


def _named(checkpoints: Sequence[str]) -> Mapping[str, str]:
    """The checkpoints by name; each name once."""
    named: dict[str, str] = {}
    for each in checkpoints:
        name, equals, where = each.partition("=")
        if not equals or "/" in name:
            where = each
            name = Path(each.rstrip("/")).name.removesuffix(".safetensors") or Path(each).resolve().name
        if name in named:
            raise UsageError(
                Problem(
                    "usage-name-twice",
                    mark("Two checkpoints bear the name “{name}”."),
                    mark("Name them apart: NAME=CHECKPOINT"),
                    values={"name": name},
                )
            )
        named[name] = where
    return named


def _workers(said: str | None) -> int | str | None:
    if said is None:
        return None
    if said.isdecimal() and int(said) > 0:
        return int(said)
    if said == "ray" or said.startswith("ray://"):
        return said
    raise UsageError(
        Problem(
            "usage-workers",
            mark("“{said}” is no number of processes and no Ray cluster."),
            mark("Give a number above 0, ray, or ray://host:port."),
            values={"said": said},
        )
    )


@contextmanager
def _telling(face: Face) -> Iterator[Callable[[Progress], None]]:
    """One line on stderr for each checkpoint that is done."""

    def tell(progress: Progress) -> None:
        said = mark("{done} of {total}: {name}, was there")
        if progress.made:
            said = mark("{done} of {total}: {name}")
        if progress.refused:
            said = mark("{done} of {total}: {name}, refused")
        face.note(said, {"done": progress.done, "total": progress.total, "name": progress.name})

    yield tell


def _say_index(face: Face, index: Index) -> None:
    from dokja.report.machine_readable import to_json

    components = {each.name: _components(index, number) for number, each in enumerate(index.shelved)}
    if face.json:
        references = [
            {
                "name": each.name,
                "components": components[each.name],
                "bytes": each.size,
                "pack": each.pack,
                "packed": each.packed,
                "source": each.source,
            }
            for each in index.shelved
        ]
        face.write(to_json({"units": index.units, "references": references}))
        return
    from rich.table import Table

    from dokja.lineage.telling import component_name, rank

    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="bold")
    for column in (mark("reference"), mark("components"), mark("bytes"), mark("kept"), mark("digest")):
        table.add_column(face.voice(column), justify="right" if column == "bytes" else "left", overflow=FOLD)
    for each in index.shelved:
        held = ", ".join(
            component_name(component, face.voice) for component in sorted(components[each.name], key=rank)
        )
        kept = face.voice(mark("pack") if each.packed else mark("fingerprint"))
        table.add_row(each.name, held, f"{each.size:,}", kept, each.pack[:SHORT_DIGEST])
    face.show(table)


def _components(index: Index, reference: int) -> list[str]:
    """The components of a reference."""
    return [index.components[int(number)] for number in index.component[index.reference == reference]]
