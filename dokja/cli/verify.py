"""`dokja export` and `dokja verify`: a record as a bundle for outsiders, and a bundle checked without the office."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dokja.cli.face import Face
from dokja.cli.moments import moment_of
from dokja.cli.record import Folder, open_
from dokja.cli.usage import UsageError
from dokja.errors import Place, Problem
from dokja.language import mark
from dokja.values import text_of_seconds

if TYPE_CHECKING:
    from dokja.verify import Audience, Fault, Verdict

EXPORT = mark("Pack the signed record, the rulebook and the programme into a folder that anyone can check.")
VERIFY = mark(
    "Check a bundle without trusting the office: its integrity, then every act and every decision by the rules in "
    "force at that moment. Exit code 0 valid, 1 invalid, 2 incomplete."
)


def export(
    ctx: typer.Context,
    folder: Folder,
    target: Annotated[Path, typer.Argument(metavar="OUT", help=mark("A folder that is new or empty."))],
    audience: Annotated[
        str,
        typer.Option(
            "--audience",
            metavar="public|auditor|team:ID",
            help=mark("Who it is for: an auditor gets the evidence and all openings, a team its own openings."),
        ),
    ] = "public",
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help=mark("Which openings are due is looked up at this time; now.")),
    ] = None,
) -> None:
    """Write a bundle."""
    from dokja.report.machine_readable import to_json
    from dokja.verify import Source
    from dokja.verify import export as write_bundle

    face: Face = ctx.obj
    programme, record = open_(folder)
    log = programme.log_folder
    source = Source(
        folder / "programme.yaml", programme.rulebook_files, log, folder / "evidence", programme.openings_folder
    )
    reader, moment = _audience(audience), moment_of(at, programme) if at else None
    with record:
        written = write_bundle(source, record, target, reader, moment)
    if face.json:
        face.write(to_json({"folder": target, "audience": audience, "files": written}))
        return
    face.line(face.voice(mark("{count} files written to {folder}."), {"count": len(written), "folder": target}))
    face.line(face.voice(mark("Check them with: dokja verify {folder}"), {"folder": target}))


def _audience(written: str) -> Audience:
    from dokja.verify import Audience

    try:
        return Audience.read(written)
    except ValueError as error:
        raise UsageError(
            Problem(
                "usage-audience",
                "There is no audience “{audience}”.",
                "Write public, auditor, or team: and the id of a team.",
                Place(),
                {"audience": written},
            )
        ) from error


def verify(
    ctx: typer.Context,
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help=mark("A bundle's folder."))],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help=mark("Which log and which witnesses you trust.")),
    ] = None,
    genesis: Annotated[
        str | None,
        typer.Option("--genesis", metavar="DIGEST", help=mark("sha256: and the digest of the record's first entry.")),
    ] = None,
    receipt: Annotated[
        list[Path] | None,
        typer.Option("--receipt", metavar="FILE", help=mark("A receipt that you kept; may be repeated.")),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help=mark("A checkpoint that you kept; may be repeated.")),
    ] = None,
    tsa_roots: Annotated[
        Path | None,
        typer.Option(
            "--tsa-roots",
            metavar="FILE",
            help=mark("Which time-stamping authorities you trust: certificates in PEM."),
        ),
    ] = None,
) -> int:
    """Verify a bundle."""
    from dokja.record.transparency import Kept
    from dokja.report.machine_readable import to_json
    from dokja.verify import verify as check

    face: Face = ctx.obj
    if not bundle.is_dir():
        raise UsageError(
            Problem("usage-no-bundle", "There is no such folder.", "Name the folder of a bundle.", Place(bundle))
        )
    trusted = _roots(tsa_roots)
    with face.working(mark("Verifying the bundle")):
        kept = Kept(_kept(receipt), _kept(checkpoint))
        verdict = check(bundle, _policy(policy), genesis, kept, trusted)
    if face.json:
        problems = [
            {"code": each.code, "act": each.act, "meaning": face.voice(each.meaning), "what": _what(face, each)}
            for each in verdict.problems
        ]
        unchecked = [
            {"what": face.voice(each.what, each.values), "needed": each.needed} for each in verdict.unchecked
        ]
        said: dict[str, object] = {"answer": verdict.answer, "size": verdict.size, "root": verdict.root}
        seen = None if verdict.seen is None else text_of_seconds(verdict.seen)
        said |= {"witnesses": verdict.witnesses, "witnessed": verdict.witnessed, "seen": seen}
        face.write(to_json({**said, "problems": problems, "unchecked": unchecked}))
    else:
        _print(face, verdict)
    return verdict.exit_code


def _kept(files: list[Path] | None) -> dict[str, bytes]:
    """What files hold that somebody kept, by their names."""
    return {str(file): _read(file) for file in files or ()}


def _read(file: Path) -> bytes:
    from dokja.record.transparency.policy import LARGEST_POLICY

    with file.open("rb") as stream:
        return stream.read(LARGEST_POLICY + 1)


def _roots(file: Path | None) -> bytes | None:
    from dokja.record.transparency.timestamps import LARGEST_ROOTS, read_roots

    if file is None:
        return None
    with file.open("rb") as stream:
        data = stream.read(LARGEST_ROOTS + 1)
    try:
        read_roots(data)
    except ValueError as error:
        raise UsageError(
            Problem(
                "usage-tsa-roots",
                "There is no certificate in it that can be read.",
                "Name a file with the certificates of the authorities that you trust, in PEM.",
                Place(file),
            )
        ) from error
    return data


def _policy(file: Path | None) -> bytes | None:
    return None if file is None else _read(file)


_ANSWERS = {
    "valid": (mark("Valid."), "bold green"),
    "invalid": (mark("Invalid."), "bold red"),
    "incomplete": (mark("Incomplete: nothing is wrong, and something that is needed was not there."), "bold yellow"),
}


def _print(face: Face, verdict: Verdict) -> None:
    answer, style = _ANSWERS[verdict.answer]
    face.line(face.voice(answer), style=style)
    if verdict.size is not None:
        values: dict[str, object] = {"size": f"{verdict.size:,}", "root": verdict.root}
        face.line(face.voice(mark("{size} acts. Root {root}"), values), style="dim")
    if verdict.witnesses or verdict.witnessed is False:
        names: dict[str, object] = {
            "names": ", ".join(verdict.witnesses) or "–",
            "at": text_of_seconds(verdict.seen) if verdict.seen is not None else "–",
        }
        standing = mark("Unwitnessed: too few have cosigned it ({names}). It cannot carry a decision.")
        if verdict.witnessed is not False:
            standing = mark("Witnessed by {names}, at {at}.")
        face.line(face.voice(standing, names), style="dim" if verdict.witnessed is not False else "bold red")
    for each in verdict.problems:
        where = "" if each.act is None else face.voice(mark("act {index}: "), {"index": each.act})
        face.line(f"{where}{each.code} {face.voice(each.meaning)} {_what(face, each)}".rstrip())
    face.line(face.voice(mark("What was not checked, and why:")), style="bold")
    for left in verdict.unchecked:
        face.line(f"- {face.voice(left.what, left.values)}")


def _what(face: Face, fault: Fault) -> str:
    return face.voice(fault.what, fault.values)
