"""`dokja verify` on a bundle of a million unsigned acts: under 60 s and 1 GiB on two processors.

    python -m benchmarks.record_verify [--acts 1000000]

Prints wall time, processor time and the largest memory, and the same for a tenth of the acts: it must grow no faster
than the acts do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.generate_programme import generate
from benchmarks.measured import measured
from dokja.programme import open_programme, run
from dokja.record import open_record
from dokja.record.transparency.signing import sign_checkpoint, snapshot
from dokja.verify import Source, export
from tests.record.transparency.at_hand import OFFICE


def _bundle(folder: Path, acts: int) -> Path:
    generate(folder / "programme", acts)
    programme = open_programme(folder / "programme")
    run(programme, site=False, alternatives=False)
    with open_record(programme.record_file, create=False) as record:
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
    acts = parser.parse_args().acts
    dokja = str(Path(sys.executable).with_name("dokja"))
    for size in (acts // 10, acts):
        with tempfile.TemporaryDirectory() as folder:
            bundle = _bundle(Path(folder), size)
            took = measured([dokja, "verify", str(bundle), "--policy", str(Path(folder) / "policy")])
        print(
            f"{size:,} acts: {took.seconds:.1f} s, {took.processor_seconds:.1f} processor seconds, "
            f"{took.peak_mib:,.0f} MiB"
        )


if __name__ == "__main__":
    main()
