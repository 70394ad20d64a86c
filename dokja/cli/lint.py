"""`dokja lint`: the gaps of a rulebook, one a line; exit code 1 where there is any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.usage import UsageError, unknown
from dokja.errors import Place, Problem, RulebookError
from dokja.language import mark

if TYPE_CHECKING:
    from dokja.rulebook import Finding, History

HELP = mark(
    "Find what a rulebook leaves open: outcomes that no clause covers, clauses that contradict each other, rules "
    "that come too late. Exit code 1 if anything is found."
)

FOUND = 1


class Format(Enum):
    """How findings are written."""

    text = "text"
    github = "github"


def lint(
    ctx: typer.Context,
    where: Annotated[
        Path,
        typer.Argument(metavar="DIR", help=mark("A programme's folder, a rulebook's folder or one of its files.")),
    ] = Path(),
    form: Annotated[
        Format,
        typer.Option("--format", metavar="text|github", help=mark("Lines for people, or annotations for GitHub.")),
    ] = Format.text,
    code: Annotated[
        str | None,
        typer.Option("--explain", metavar="CODE", help=mark("Explain a code, such as DK101, instead of checking.")),
    ] = None,
) -> int:
    """Check a rulebook, or explain a code."""
    face: Face = ctx.obj
    if code is not None:
        _explain(face, code)
        return 0
    from dokja.rulebook import lint as check
    from dokja.rulebook import read_rulebook

    history = read_rulebook(rulebook_files(where))
    findings = check(history)
    if face.json:
        _write_json(face, findings)
    elif form is Format.github:
        for finding in findings:
            face.write(_annotation(face, finding) + "\n")
    else:
        _print(face, history, findings)
    return FOUND if findings else 0


def rulebook_files(where: Path) -> tuple[Path, ...]:
    """The files of a rulebook: those of a programme's folder, those of a rulebook's folder, or one file."""
    if not where.is_dir():
        return (where,)
    inner = where / "rulebook"
    files = tuple(sorted((inner if inner.is_dir() else where).glob("*.yaml")))
    files = tuple(file for file in files if file.name != "programme.yaml")
    if not files:
        raise RulebookError(
            Problem(
                "lint-nothing",
                "There is no rulebook in this folder.",
                "Name a programme's folder, a rulebook's folder or one of its files.",
                Place(where),
            )
        )
    return files


def _explain(face: Face, code: str) -> None:
    from dokja.rulebook.linter import RULES, explain

    name = code.upper()
    if name not in RULES:
        raise UsageError(unknown("lint-no-code", mark("There is no code “{name}”."), code, RULES))
    page = explain(name, face.voice.language)
    if face.json:
        from dokja.report.machine_readable import to_json

        rule = RULES[name]
        face.write(
            to_json({"code": name, "name": rule.name, "summary": face.voice(rule.summary), "page": page.strip()})
        )
    elif face.out.is_terminal:
        from rich.markdown import Markdown

        face.show(Markdown(page))
    else:
        face.write(page.rstrip() + "\n")


def _write_json(face: Face, findings: Sequence[Finding]) -> None:
    from dokja.report.machine_readable import to_json

    face.write(to_json({"findings": [_plain(face, finding) for finding in findings]}))


def _plain(face: Face, finding: Finding) -> Mapping[str, object]:
    return {
        "code": finding.code,
        "name": finding.name,
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "stage": finding.stage,
        "clause": finding.clause,
        "what": face.voice(finding.what, finding.values),
        "mend": face.voice(finding.mend, finding.values),
        "values": finding.values,
    }


def _print(face: Face, history: History, findings: Sequence[Finding]) -> None:
    from rich.text import Text

    for finding in findings:
        line = Text(f"{finding.place}: " if str(finding.place) else "")
        line.append(finding.code, style="bold red").append(f" {face.voice(finding.what, finding.values)}")
        face.line(line)
        mend = face.voice(finding.mend, finding.values)
        face.line(Text(f"  {face.voice(mark('mend:'))} ", style="cyan").append(mend, style="default"))
    if findings:
        counts = Counter(finding.code for finding in findings)
        codes = ", ".join(f"{code} ({count})" for code, count in sorted(counts.items()))
        face.line(face.voice(mark("{count} found: {codes}."), {"count": len(findings), "codes": codes}))
        face.note(mark("What a code means: dokja lint --explain {code}"), {"code": findings[0].code})
    else:
        count = {"count": len(history.whole.enacted)}
        face.line(face.voice(mark("Nothing is left open in {count} clauses."), count), style="green")


def _annotation(face: Face, finding: Finding) -> str:
    """A workflow command of GitHub Actions, which shows the finding beside the line."""
    where = {"file": finding.place.file, "line": finding.place.line, "col": finding.place.column}
    properties = [
        f"{name}={_escaped(str(value), property=True)}" for name, value in where.items() if value is not None
    ]
    properties.append(f"title={_escaped(f'{finding.code} {finding.name}', property=True)}")
    said = f"{face.voice(finding.what, finding.values)} {face.voice(finding.mend, finding.values)}"
    return f"::error {','.join(properties)}::{_escaped(said)}"


def _escaped(text: str, *, property: bool = False) -> str:  # noqa: A002 - GitHub's own word
    for letter, escape in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(letter, escape)
    return text.replace(":", "%3A").replace(",", "%2C") if property else text
