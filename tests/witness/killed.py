"""A witness that is killed again and again: run as `python -m tests.witness.killed FOLDER TIMES SEED`.

One process forks witnesses that cosign as fast as they can, half of them going on with one history and half with
another. Each is killed at a random moment, most of them after a first signature, and every signature that left it is
written down. What is printed is what was ever signed: size and root, one a line; then how many were killed at work.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from dokja.record.transparency.note import read_note
from tests.witness.at_hand import ANOTHER, COMMON, TOLD, request, witness


def work(folder: Path, out: int, seed: int) -> None:
    """Cosign until killed; what was signed goes into the pipe when the witness answers, not before."""
    rng, held = random.Random(seed), witness(folder)
    tree = rng.choice((TOLD, ANOTHER))
    (seen,) = held.memory.all() or (None,)
    size = seen.size if seen else 0
    while size < tree.size:
        larger = min(tree.size, size + rng.choice((0, 0, 1)))
        answer = held.add_checkpoint(request(tree, size, larger))
        if answer.status == 200:
            size = larger
            os.write(out, b"%d %s\n" % (larger, tree.root(larger).hex().encode()))
        else:
            tree = TOLD if tree is ANOTHER else ANOTHER
            if rng.random() < 0.5 and answer.kind == "text/x.tlog.size":
                size = int(answer.body)


def main(folder: Path, times: int, seed: int) -> None:
    """Start, kill, start again."""
    rng = random.Random(seed)
    signed: list[str] = []
    caught = 0
    for turn in range(times):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                work(folder, writing, seed + turn)
            finally:
                os._exit(0)
        os.close(writing)
        if rng.random() < 0.7:
            select.select([reading], [], [], 5)
        time.sleep(rng.random() * 0.02)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        caught += os.WIFSIGNALED(status)
        while select.select([reading], [], [], 0)[0] and (block := os.read(reading, 1 << 16)):
            signed += block.decode().split("\n")[:-1]
        os.close(reading)
    for line in sorted(set(signed)):
        sys.stdout.write(f"{line}\n")
    held = witness(folder)
    (seen,) = held.memory.all()
    tree = TOLD if seen.size <= COMMON or TOLD.root(seen.size) == seen.root else ANOTHER
    answer = held.add_checkpoint(request(tree, seen.size, 400))
    assert answer.status == 200, answer
    assert read_note(seen.note).text.split("\n")[1] == str(seen.size)
    sys.stdout.write(f"killed {caught} last {seen.size}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
