"""How fast a submission's files are listed, beside `sha256sum` on the same files.

    python -m benchmarks.manifest [--gib 10] [--files 8] [--rounds 5] [--folder DIR]

Both are run in turn, so many times each, over files that lie in the page cache as far as there is memory; the first
of each is left out. Told are the medians of the time on the wall and of the processor seconds, and their ratios:
above 1 means that dokja takes less than `sha256sum`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from dokja.record.submission import digest_of, hash_files

PIECE = 64 * 2**20


def main() -> None:
    """Print one line for each of the two, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=10.0)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
        folder = Path(scratch) / "model"
        folder.mkdir()
        names = [fill(folder, number, int(asked.gib * 2**30 / asked.files)) for number in range(asked.files)]
        size = sum((folder / name).stat().st_size for name in names)
        ours: list[tuple[float, float]] = []
        theirs: list[tuple[float, float]] = []
        for _ in range(asked.rounds):
            theirs.append(timed(lambda: stock(folder, names)))
            ours.append(timed(lambda: digest_of(hash_files(folder))))
    print(
        f"{size / 2**30:.2f} GiB in {asked.files} files, {os.cpu_count()} processors, medians of {asked.rounds - 1}"
    )
    figures = [tell(name, runs[1:], size) for name, runs in (("sha256sum", theirs), ("dokja", ours))]
    print(f"ratio: wall {figures[0][0] / figures[1][0]:.2f}, processor {figures[0][1] / figures[1][1]:.2f}")


def fill(folder: Path, number: int, size: int) -> str:
    """A file of bytes that do not repeat."""
    name = f"model-{number:05d}.safetensors"
    with (folder / name).open("wb") as stream:
        for start in range(0, size, PIECE):
            stream.write(os.urandom(min(PIECE, size - start)))
    return name


def stock(folder: Path, names: list[str]) -> None:
    """What anybody would type."""
    subprocess.run(["sha256sum", "--", *names], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of processors, this process's and its children's."""
    before, wall = os.times(), time.perf_counter()
    work()
    after = os.times()
    return time.perf_counter() - wall, sum(after[:4]) - sum(before[:4])


def tell(name: str, runs: list[tuple[float, float]], size: int) -> tuple[float, float]:
    """One line."""
    wall, processor = median(run[0] for run in runs), median(run[1] for run in runs)
    print(f"{name:>10} {wall:>7.2f} s on the wall, {processor:>7.2f} processor s, {size / wall / 2**20:>6.0f} MiB/s")
    return wall, processor


if __name__ == "__main__":
    main()
