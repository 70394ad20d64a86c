"""Screening a submission against a library of 10,000 references: under two seconds, opening and checking included.

python -m benchmarks.lineage.screen [--references 10000]

The sketches of the references are generated; a hundred of them are close to the submission, by cosines from 0.05 to
0.5, and the screen's promise (`would_miss`) is held against which of them it finds.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np

from dokja.lineage.library import Shelved, Sketch, open_library, screen
from dokja.lineage.library.index import empty, write_index
from dokja.lineage.library.sketching import SUMS

COMPONENTS = ("text-decoder", "embeddings", "vision-encoder", "audio-encoder", "projector")
CLOSE = 100


def _unit(random: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    values = random.standard_normal(SUMS).astype(np.float32)
    return values / np.float32(np.linalg.norm(values))


def main() -> None:
    """Generate a library, screen, print the figures."""
    parser = argparse.ArgumentParser(description="Time the screen.")
    parser.add_argument("--references", type=int, default=10_000)
    count = parser.parse_args().references
    random = np.random.default_rng(1)
    mine = {component: Sketch(_unit(random), 1) for component in COMPONENTS}
    added = {}
    cosines = dict(zip(random.choice(count, CLOSE, replace=False), np.linspace(0.05, 0.5, CLOSE), strict=True))
    for number in range(count):
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        kinds = {component: Sketch(_unit(random), 1) for component in COMPONENTS}
        if number in cosines:
            cosine = np.float32(cosines[number])
            near = cosine * mine[COMPONENTS[0]].values + np.sqrt(1 - cosine**2) * kinds[COMPONENTS[0]].values
            kinds[COMPONENTS[0]] = Sketch((near / np.linalg.norm(near)).astype(np.float32), 1)
        added[Shelved(f"reference-{number:06}", digest, digest, 0)] = kinds
    with tempfile.TemporaryDirectory() as folder:
        write_index(Path(folder), empty(0, 256).with_more(added))
        started = time.perf_counter()
        library = open_library(folder)
        opened = time.perf_counter()
        found = screen(library.index, mine)
        done = time.perf_counter()
        size = (Path(folder) / "library.safetensors").stat().st_size
    named = {each.reference for each in found.candidates if each.component == COMPONENTS[0]}
    promised = [number for number, cosine in cosines.items() if cosine >= found.would_miss]
    seen = sum(f"reference-{number:06}" in named for number in promised)
    print(f"{count:,} references, {found.compared:,} components, index {size / 2**20:.0f} MiB")
    print(f"opened and checked in {opened - started:.2f} s, screened in {done - opened:.2f} s")
    print(f"candidates {len(found.candidates)}; would miss below {found.would_miss:.3f}; z at least {found.z:.2f}")
    print(f"close by at least that: {len(promised)}, seen {seen}")


if __name__ == "__main__":
    main()
