"""Killed anywhere, a witness has never signed two histories, and goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.witness.at_hand import ANOTHER, TOLD


def test_no_two_signatures_over_contradicting_trees(tmp_path: Path) -> None:
    times = 120
    command = [sys.executable, "-m", "tests.witness.killed", str(tmp_path), str(times), "20271125"]
    root = Path(__file__).parents[2]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=root, check=False)
    assert said.returncode == 0, said.stderr
    *lines, last = said.stdout.splitlines()
    signed = [(int(size), bytes.fromhex(root)) for size, root in (line.split() for line in lines)]
    assert len({size for size, _ in signed}) == len(signed), "two roots for one size"
    assert any(all(tree.root(size) == root for size, root in signed) for tree in (TOLD, ANOTHER))
    _, killed, _, size = last.split()
    assert int(killed) > times * 0.9
    assert int(size) >= max(size for size, _ in signed) > 5
