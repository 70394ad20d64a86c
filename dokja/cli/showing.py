"""`dokja record show|export`: acts as a person reads them, with where they stand and how that is proven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import FOLD, Face
from dokja.cli.record import Folder, NamedAct, find, open_, write_json
from dokja.language import mark

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dokja.programme import Programme
    from dokja.record import Entry, Record
    from dokja.record.transparency.placing import Place
    from dokja.report.edition import Edition

SHOW = mark("Show one act: who, what, when, by which clause, on which source, and its proof; by its index or its id.")
EXPORT = mark("Print the whole record for a person to read, act by act; ballots only where asked for.")


def show(
    ctx: typer.Context,
    folder: Folder,
    act: NamedAct,
) -> None:
    """Show one act."""
    from dokja.record.transparency.placing import places
    from dokja.report.machine_readable import to_json

    face: Face = ctx.obj
    programme, record = open_(folder)
    with record:
        entry = find(record, act)
        place = places(record, record.size, programme.log_folder, [entry])[entry.index]
        edition = _edition(programme, record, face)
    if face.json:
        said = {"index": entry.index, "size": place.size, "leaf": place.leaf.hex(), "root": place.root.hex()}
        proof = place.proof.decode() if place.proof else None
        path = [each.hex() for each in place.path]
        face.write(to_json({**said, "path": path, "proof": proof, "act": entry.act}))
        return
    rows = (*_rows(entry, edition), *_proven(place, edition))
    face.show(_table(_title(entry.index, place.size, edition), rows))
    face.line(place.body.decode(), style="dim")


def export(
    ctx: typer.Context,
    folder: Folder,
    ballots: Annotated[bool, typer.Option("--ballots", help=mark("Ballots too."))] = False,
) -> None:
    """Print the record."""
    face: Face = ctx.obj
    programme, record = open_(folder)
    with record:
        found = record.entries(ballots=ballots)
        if face.json:
            write_json(face, found)
            return
        edition, size = _edition(programme, record, face), record.size
        for entry in found:
            face.show(_table(_title(entry.index, size, edition), _rows(entry, edition)), "")
        values = {"size": f"{size:,}", "root": record.root.hex()}
        face.line(face.voice(mark("{size} acts. Root {root}"), values))


def _edition(programme: Programme, record: Record, face: Face) -> Edition:
    """The record's names in the face's language; nothing of the outcome is worked out for them."""
    from dokja.adjudicate import Outcome
    from dokja.programme.standing import signed
    from dokja.report import Publication
    from dokja.report.edition import Edition

    acts = {entry.index: entry.act for entry in record.entries()}
    horizon = max((act.when for act in acts.values()), default=programme.history.documents[-1].effective)
    outcome = Outcome(programme.history.documents[0].rulebook, horizon, (), ())
    head = record.head
    publication = Publication(
        programme.about, programme.history, (), acts, outcome, head.size, head.root.hex(), {}, signed(programme)
    )
    return Edition(publication, face.voice.language)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> RenderableType:
    """An act as a small table."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow=FOLD)
    for row in rows:
        table.add_row(*row)
    return Group(Text(title, style="bold"), table)


def _title(index: int, size: int, edition: Edition) -> str:
    return edition.voice(mark("act {index} of {size}"), {"index": index, "size": f"{size:,}"})


def _rows(entry: Entry, edition: Edition) -> Iterator[tuple[str, str]]:
    """What an act says, each with its title."""
    from dokja.record.canonical import canonical
    from dokja.record.merkle import leaf_hash
    from dokja.report.act_words import act_kind, act_said

    act, voice = entry.act, edition.voice
    local = act.when.astimezone(edition.zone)
    yield voice(mark("When")), f"{local:%Y-%m-%d %H:%M:%S} ({edition.publication.about.time_zone})"
    yield voice(mark("Who")), _who(act.who, edition)
    yield voice(mark("What")), act_kind(act, edition).striptags()
    if said := act_said(act, edition).striptags():
        yield "", said
    if act.note is not None:
        yield voice(mark("Note")), edition.text(act.note)
    yield voice(mark("Clause")), act.clause or voice(mark("no clause"))
    source = edition.sources.get(act.source) if act.source else None
    if source is not None:
        told = f"{edition.text(source.title)} ({edition.badge(source).striptags()})"
        yield voice(mark("Source")), told + (f" {source.url}" if source.url else "")
    yield voice(mark("Name")), act.id
    yield voice(mark("Signature")), act.signature.key if act.signature else voice(mark("not signed"))
    yield voice(mark("Leaf hash")), leaf_hash(canonical(act)).hex()


def _who(identifier: str, edition: Edition) -> str:
    called = edition.called(identifier)
    return called if called == identifier else f"{called} ({identifier})"


def _proven(place: Place, edition: Edition) -> Iterator[tuple[str, str]]:
    """The path to the root, and the checkpoint that holds the act."""
    from dokja.report.act_page import checkpoint_said, steps

    for number, step in enumerate(steps(place, edition), start=1):
        yield edition.voice(mark("Step {number}, {side}"), {"number": number, "side": step.side}), step.hash
    yield edition.voice(mark("Root of the record")), place.root.hex()
    yield edition.voice(mark("Checkpoint")), checkpoint_said(place, edition).striptags()
