"""`dokja run`: acts into the record, the outcome worked out, the pages written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.why import Without
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.programme import Programme, Run

HELP = mark(
    "Take new acts into the record, work out what the rulebook says follows, hold it against what was decided, and "
    "write the public pages. A second run with nothing new changes nothing."
)


def run(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=mark("A programme's folder."))],
    without: Without = None,
    no_site: Annotated[bool, typer.Option("--no-site", help=mark("Write no pages."))] = False,
) -> None:
    """Run a programme."""
    from dokja.programme import open_programme
    from dokja.programme import run as run_programme

    face: Face = ctx.obj
    programme = open_programme(folder)
    with face.working(mark("Running the programme")) as tell:
        done = run_programme(programme, leave_out=without or (), site=not no_site, tell=tell)
    if face.json:
        _write_json(face, done)
    else:
        _print(face, programme, done)


def _write_json(face: Face, done: Run) -> None:
    from dokja.programme.stamp import OUTCOME_FILE
    from dokja.report.machine_readable import plain, to_json

    if done.publication is not None:
        outcome = plain(done.publication.outcome)
    else:
        # The site was up to date: what stands in it is what a new run would find.
        assert done.site is not None  # noqa: S101
        outcome = json.loads((done.site / OUTCOME_FILE).read_text(encoding="utf-8"))["outcome"]
    face.write(to_json({"stamp": done.stamp, "taken": done.taken, "site": done.site, "outcome": outcome}))


def _print(face: Face, programme: Programme, done: Run) -> None:
    say = face.voice
    face.line(programme.about.title.say(say.language), style="bold")
    taken = mark("{taken} acts newly taken in, {size} in the record.")
    nothing = mark("Nothing new: {size} acts in the record.")
    face.line(say(taken if done.taken else nothing, {"taken": f"{done.taken:,}", "size": f"{done.stamp.size:,}"}))
    face.line(say(mark("Root {root}"), {"root": done.stamp.root}), style="dim")
    if done.stamp.without:
        face.line(say(mark("Left out: {sources}"), {"sources": ", ".join(done.stamp.without)}))
    if done.publication is not None:
        from dokja.cli.verdicts import verdict_lines
        from dokja.report.edition import Edition

        face.show(*verdict_lines(Edition(done.publication, say.language)), "")
    if done.site is not None:
        face.line(say(mark("Pages: {page}"), {"page": front_page(done.site, face)}))


def front_page(site: Path, face: Face) -> Path:
    """The page to open, in the face's language."""
    return site / face.voice.language / "index.html"
