"""`dokja verify` on a million acts, on two processors and in 1 GiB: under 60 s, and 150 s with the acts' signatures.

    python -m benchmarks.record_verify [--acts 100000 1000000] [--signed] [--kept FOLDER]

Prints wall time, processor time and the largest memory for each number of acts: it must grow no faster than they do.
Making a bundle takes longer than verifying it; in a folder that is named it is kept, and found there the next time.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from contextlib import nullcontext
from functools import cache
from pathlib import Path

from pydantic_core import from_json

from benchmarks.generate_programme import FOUNDED, OFFICE_ID, generate
from benchmarks.measured import measured
from dokja.intake import rows_in
from dokja.programme import Programme, open_programme, run
from dokja.record import canonical, open_record
from dokja.record.acts import KeyRegistered
from dokja.record.canonical import written
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import base64_of
from dokja.record.transparency.registry import key_reference, signed_bytes
from dokja.record.transparency.signing import genesis, sign_checkpoint, signed, snapshot
from dokja.verify import Source, export
from tests.record.transparency.at_hand import OFFICE, signer


@cache
def _of(who: str) -> tuple[Signer, str]:
    """Somebody's key, and how signatures name it."""
    key = OFFICE if who == OFFICE_ID else signer(who)
    return key, key_reference(key.key())


def _signed(body: bytes) -> bytes:
    """An act's bytes with its actor's signature; without an act being built, for there are a million."""
    tree = from_json(body)
    key, reference = _of(tree["who"])
    value = base64_of(key.private.sign(signed_bytes(tree)))
    return written(tree | {"signature": {"key": reference, "value": value}})


def _sign(programme: Programme) -> None:
    """Sign every act with its actor's key; the office registers the keys first."""
    sources, actors = frozenset(programme.sources), set[str]()
    for file in programme.act_files:
        bodies = [row.body for row in rows_in(file, programme.history, sources)]
        actors.update(from_json(body)["who"] for body in bodies)
        file.unlink()
        file.with_suffix(".jsonl").write_bytes(b"".join(_signed(body) + b"\n" for body in bodies))
    founded = genesis([(OFFICE_ID, OFFICE)], 1, OFFICE_ID, FOUNDED)
    registered = [
        KeyRegistered(
            type="key-registered",
            id=f"key-{who}",
            who=OFFICE_ID,
            when=FOUNDED,
            holder=who,
            role="rater",
            vkey=str(_of(who)[0].key()),
        )
        for who in sorted(actors - {OFFICE_ID})
    ]
    lines = [canonical(founded), *(canonical(signed(act, OFFICE)) for act in registered)]
    (programme.folder / "acts" / "0000-keys.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def _bundle(folder: Path, acts: int, with_signatures: bool) -> None:
    """Make a bundle and a policy in a folder, the policy last; what they were made from is not kept."""
    shutil.rmtree(folder, ignore_errors=True)
    generate(folder / "programme", acts)
    if with_signatures:
        _sign(open_programme(folder / "programme"))
    programme = open_programme(folder / "programme")
    run(programme, site=False, alternatives=False)
    with open_record(programme.record_at, create=False) as record:
        sign_checkpoint(programme.log_folder, snapshot(record), OFFICE)
        source = Source(
            programme.folder / "programme.yaml",
            programme.rulebook_files,
            programme.log_folder,
            folder / "evidence",
            programme.openings_folder,
        )
        export(source, record, folder / "bundle")
    shutil.rmtree(programme.folder)
    (folder / "policy").write_text(f"log {OFFICE.key()}\nquorum none\n", encoding="utf-8")


def main() -> None:
    """Verify bundles, and print what each takes."""
    parser = argparse.ArgumentParser(description="Time the verification of bundles.")
    parser.add_argument("--acts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--signed", action="store_true", help="with a signature on every act")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where bundles are kept for the next time")
    asked = parser.parse_args()
    with nullcontext(asked.kept) if asked.kept else tempfile.TemporaryDirectory() as above:
        for acts in asked.acts:
            folder = Path(above) / f"{'signed' if asked.signed else 'plain'}-{acts}"
            if not (folder / "policy").exists():
                _bundle(folder, acts, asked.signed)
            verify = ["verify", str(folder / "bundle"), "--policy", str(folder / "policy")]
            took = measured([sys.executable, "-m", "dokja", *verify])
            print(
                f"{acts:,} acts: {took.seconds:.1f} s, {took.processor_seconds:.1f} processor seconds, "
                f"{took.peak_mib:,.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
