"""`dokja verify` on a million acts, on two processors and in 1 GiB: under 60 s, and 150 s with the acts' signatures.

    python -m benchmarks.record_verify [--acts 1000000] [--signed]

Prints wall time, processor time and the largest memory, and the same for a tenth of the acts: it must grow no faster
than the acts do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.generate_programme import FOUNDED, OFFICE_ID, generate
from benchmarks.measured import measured
from dokja.intake import rows_in
from dokja.programme import Programme, open_programme, run
from dokja.record import act_of, canonical, open_record
from dokja.record.acts import KeyRegistered
from dokja.record.transparency.signing import genesis, sign_checkpoint, signed, snapshot
from dokja.verify import Source, export
from tests.record.transparency.at_hand import OFFICE, signer


def _sign(programme: Programme) -> None:
    """Sign every act with its actor's key; the office registers the keys first."""
    sources, keys = frozenset(programme.sources), {OFFICE_ID: OFFICE}
    for file in programme.act_files:
        acts = [act_of(row.body) for row in rows_in(file, programme.history, sources)]
        for who in sorted({act.who for act in acts} - keys.keys()):
            keys[who] = signer(who)
        lines = [canonical(signed(act, keys[act.who])) for act in acts]
        file.unlink()
        file.with_suffix(".jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    founded = genesis([(OFFICE_ID, OFFICE)], 1, OFFICE_ID, FOUNDED)
    registered = [
        KeyRegistered(
            type="key-registered",
            id=f"key-{who}",
            who=OFFICE_ID,
            when=FOUNDED,
            holder=who,
            role="rater",
            vkey=str(key.key()),
        )
        for who, key in keys.items()
        if who != OFFICE_ID
    ]
    lines = [canonical(founded), *(canonical(signed(act, OFFICE)) for act in registered)]
    (programme.folder / "acts" / "0000-keys.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def _bundle(folder: Path, acts: int, with_signatures: bool) -> Path:
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
    (folder / "policy").write_text(f"log {OFFICE.key()}\nquorum none\n", encoding="utf-8")
    return folder / "bundle"


def main() -> None:
    """Verify a bundle and one of a tenth, and print what it takes."""
    parser = argparse.ArgumentParser(description="Time the verification of a bundle.")
    parser.add_argument("--acts", type=int, default=1_000_000)
    parser.add_argument("--signed", action="store_true", help="with a signature on every act")
    asked = parser.parse_args()
    dokja = [sys.executable, "-m", "dokja"]
    for size in (asked.acts // 10, asked.acts):
        with tempfile.TemporaryDirectory() as folder:
            bundle = _bundle(Path(folder), size, asked.signed)
            took = measured([*dokja, "verify", str(bundle), "--policy", str(Path(folder) / "policy")])
        print(
            f"{size:,} acts: {took.seconds:.1f} s, {took.processor_seconds:.1f} processor seconds, "
            f"{took.peak_mib:,.0f} MiB"
        )


if __name__ == "__main__":
    main()
