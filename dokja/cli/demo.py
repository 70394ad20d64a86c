"""`dokja demo`: the bundled programme, run from its rulebook to its public pages, and told at the terminal."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli import five_teams, stories
from dokja.cli.face import Face
from dokja.cli.run import front_page
from dokja.errors import Place, Problem, ProgrammeError
from dokja.language import mark

if TYPE_CHECKING:
    from markupsafe import Markup

    from dokja.lineage import Audit
    from dokja.programme import Run
    from dokja.report import Publication
    from dokja.report.edition import Edition
    from dokja.verify import Verdict

HELP = mark(
    "Run the bundled example, the real programme of 2025-2026: its course, the standings, what the rules lead to, "
    "what was decided, and where the two part; then two signed records, checked as an outsider would."
)

REAL, WHOLE = "dokpamo", "dokpamo-complete"
"""The programme as it was published, and the same acts under a rulebook without gaps."""

GENERATED = ("record", "site")


def demo(
    ctx: typer.Context,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help=mark("Put programme and pages here, not in a temporary folder.")),
    ] = None,
) -> None:
    """Run the bundled example."""
    face: Face = ctx.obj
    folder = keep or Path(tempfile.mkdtemp(prefix="dokja-demo-"))
    for name in (REAL, WHOLE, five_teams.FOLDER, stories.FOLDER):
        _place(examples() / name, folder / name)
    with face.working(mark("Running the programme")), five_teams.audits_begun(folder / five_teams.FOLDER) as begun:
        done, publications = _run(folder)
        verdicts = stories.verified(folder / stories.FOLDER)
        audits = begun.results()
    if done.site is None:
        raise RuntimeError("a run that writes pages says where")
    page = front_page(done.site, face)
    if face.json:
        _write_json(face, page, done, publications, verdicts)
    else:
        _print(face, publications, audits, verdicts)
        check = stories.command(folder / stories.FOLDER)
        face.line(f"  {face.voice(mark('Check it yourself: {command}'), {'command': check})}\n")
        face.line(face.voice(mark("Open this page: {page}"), {"page": page.resolve()}))


def _run(folder: Path) -> tuple[Run, dict[str, Publication]]:
    """Run the programmes: the real one to its pages, the others to what follows."""
    from dokja.programme import open_programme, run
    from dokja.programme.publishing import publish
    from dokja.record import open_record

    programme = open_programme(folder / REAL)
    done = run(programme)
    published = done.publication
    if published is None:
        with open_record(programme.record_at, create=False) as record:
            published = publish(programme, record, ())
    publications = {REAL: published}
    for name in (WHOLE, five_teams.FOLDER):
        publication = run(open_programme(folder / name), site=False, alternatives=False).publication
        if publication is None:
            raise RuntimeError("a run without pages works the outcome out")
        publications[name] = publication
    return done, publications


def examples() -> Path:
    """The folder of the bundled programmes: inside the package where it was installed, beside it in a checkout."""
    package = Path(str(resources.files("dokja")))
    inside = package / "examples"
    return inside if inside.is_dir() else package.parent / "examples"


def _place(source: Path, target: Path) -> None:
    """Copy a bundled programme; one that stands there is kept if it is the same, refused if it is another."""
    if not target.exists():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*GENERATED))
    elif not target.is_dir() or not _same(filecmp.dircmp(source, target, ignore=[*GENERATED])):
        raise ProgrammeError(
            Problem(
                "demo-changed",
                "There is something here already that is not the bundled example.",
                "Name another folder, or remove this one.",
                Place(target),
            )
        )


def _same(compared: filecmp.dircmp[str]) -> bool:
    differs = compared.left_only or compared.right_only or compared.diff_files or compared.funny_files
    return not differs and all(_same(each) for each in compared.subdirs.values())


def _write_json(
    face: Face, page: Path, done: Run, publications: dict[str, Publication], verdicts: dict[str, Verdict]
) -> None:
    from dokja.report.machine_readable import to_json

    outcomes = {name: publication.outcome for name, publication in publications.items()}
    answers = {name: verdict.answer for name, verdict in verdicts.items()}
    face.write(to_json({"page": page, "stamp": done.stamp, "outcomes": outcomes, "verified": answers}))


def _print(
    face: Face, publications: dict[str, Publication], audits: dict[str, Audit], verdicts: dict[str, Verdict]
) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from dokja.cli.course import course
    from dokja.cli.verdicts import verdict_lines
    from dokja.report.edition import Edition

    published = publications[REAL]
    edition, whole, gated = (
        Edition(publications[name], face.voice.language) for name in (REAL, WHOLE, five_teams.FOLDER)
    )
    said = " ".join(sentence.striptags() for sentence in _whole(published, whole))
    face.show(
        Text(edition.text(published.about.title), style="bold"),
        course(edition),
        *verdict_lines(edition),
        Padding(Text(face.voice(mark("The same acts under a whole rulebook")), style="bold"), (1, 0, 0, 0)),
        Padding(Text(said), (0, 0, 0, 2), expand=False),
        *five_teams.told(audits, gated),
        *stories.told(verdicts, face.voice),
    )


def _whole(real: Publication, edition: Edition) -> Iterator[Markup]:
    """What becomes of the same acts under the rulebook without gaps, in a few sentences."""
    from dokja.report.verdict_rows import answer

    proposed = edition.publication
    gaps = {"gaps": len(real.findings), "left": len(proposed.findings)}
    yield edition.say(mark("The linter finds {gaps} gaps in the published rulebook and {left} in this one."), gaps)
    for stage in proposed.outcome.stages:
        for reading in stage.readings:
            for found in reading.situations:
                if found.modality == "certain" and found.opens_calls:
                    values = {
                        "stage": edition.stage(stage.stage),
                        "remaining": found.remaining[0],
                        "seats": found.seats,
                        "answer": answer(found.clauses, found.consequences, stage, edition),
                    }
                    yield edition.say(
                        mark(
                            "In {stage} {remaining} remain for {seats} seats, and a clause answers that ({answer})."
                        ),
                        values,
                    )
                    calls = edition.join(edition.call(call) for call in found.opens_calls)
                    yield edition.say(
                        mark("So the call “{call}” is opened by rule, not by announcement."), {"call": calls}
                    )
