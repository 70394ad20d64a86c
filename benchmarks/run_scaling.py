"""`dokja run` on 50 teams, five stages and 10^4, 10^5 and 10^6 ballots: time, memory, and the second run.

    python -m benchmarks.run_scaling [--ballots 10000 100000 1000000]

The targets are 30 s and 1 GiB at a million ballots on two cores, linear in between, and 2 s for a second run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.generate_programme import generate
from benchmarks.measured import measured

_COUNTS = (10_000, 100_000, 1_000_000)


def main() -> None:
    """Measure and print one line for each number of ballots."""
    parser = argparse.ArgumentParser(description="Time dokja run on generated programmes.")
    parser.add_argument("--ballots", type=int, nargs="+", default=_COUNTS)
    counts = parser.parse_args().ballots
    print(f"{'ballots':>10} {'run':>9} {'processors':>11} {'memory':>10} {'µs/ballot':>10} {'again':>8}")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            generate(Path(folder), count)
            command = [str(Path(sys.executable).with_name("dokja")), "run", folder]
            first, second = measured(command), measured(command)
        print(
            f"{count:>10,} {first.seconds:>7.1f} s {first.processor_seconds:>9.1f} s {first.peak_mib:>6.0f} MiB"
            f" {first.seconds / count * 1e6:>10.1f} {second.seconds:>6.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
