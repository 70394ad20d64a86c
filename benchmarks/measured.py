"""A command timed from outside: wall time, processor time, and the memory of all its processes together."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_EVERY_SECONDS = 0.1
_MIB = 1024 * 1024
_ADOPT = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2): what outlives its parent becomes a child of this process."""


@dataclass(frozen=True)
class Measured:
    """What a command took, and what it said.

    peak_mib: the most resident memory of it and its children together; what they share is counted in each of them.
    """

    seconds: float
    processor_seconds: float
    peak_mib: float
    said: str = ""


def measured(command: Sequence[str]) -> Measured:
    """Run a command to its end; raises `CalledProcessError` with what it said where it fails."""
    ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)
    own = _children(os.getpid())
    started = time.perf_counter()
    before = os.times()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        peak = _Peak(process.pid)
        peak.start()
        said, _ = process.communicate()
    seconds = time.perf_counter() - started
    _wait_for_the_rest(own)
    after = os.times()
    peak.join()
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, said)
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(seconds, spent, peak.most / _MIB, said)


def _wait_for_the_rest(own: frozenset[int]) -> None:
    """Wait for what outlived the command, for the time that it took counts as well; `own` were there before it."""
    while left := _children(os.getpid()) - own:
        for process in left:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)


class _Peak(threading.Thread):
    """Looks at a process and all below it until it ends (Linux: it reads /proc)."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.most = 0

    def run(self) -> None:
        while resident := sum(map(_resident, _family(self.process))):
            self.most = max(self.most, resident)
            time.sleep(_EVERY_SECONDS)


def _resident(process: int) -> int:
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGESIZE")


def _family(process: int) -> list[int]:
    return [process, *(below for child in _children(process) for below in _family(child))]


def _children(process: int) -> frozenset[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return frozenset(
            int(each) for task in tasks for each in (task / "children").read_text(encoding="ascii").split()
        )
    except OSError:
        return frozenset()
