"""Work spread over processes: in order, with its errors, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dokja.record.parallel import make_ready, spread

WORK = """
import os, sys, time
from pathlib import Path
from dokja.record.parallel import spread

def work(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    with spread(work, 2) as work_all:
        list(work_all([sys.argv[1]] * 4))
"""


def _halved(number: int) -> float:
    return 10 / (number - 50)


def _process(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("processes", [0, 1, 2, 3])
def test_results_come_in_the_order_of_the_jobs(processes: int) -> None:
    make_ready()
    with spread(str, processes) as all_said:
        assert list(all_said(iter(range(200)))) == [str(number) for number in range(200)]


def test_work_is_done_elsewhere_where_there_are_two() -> None:
    with spread(_process, 2) as processes:
        assert os.getpid() not in set(processes(range(20)))


@pytest.mark.parametrize("processes", [1, 2])
def test_what_goes_wrong_is_raised(processes: int) -> None:
    with pytest.raises(ZeroDivisionError), spread(_halved, processes) as halve_all:
        list(halve_all(range(100)))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes as Linux shows them")
def test_workers_end_with_the_process_that_began_them(tmp_path: Path) -> None:
    script, seen = tmp_path / "work.py", tmp_path / "seen"
    script.write_text(WORK, encoding="utf-8")
    seen.mkdir()
    with subprocess.Popen([sys.executable, str(script), str(seen)]) as process:
        _until(lambda: len(list(seen.iterdir())) == 2)
        process.send_signal(signal.SIGKILL)
    _until(lambda: not any(_at_work(worker.name) for worker in seen.iterdir()))


def _at_work(process: str) -> bool:
    """Whether a process is there and has not ended; one that nobody has asked after yet is shown as a zombie."""
    try:
        status = Path("/proc", process, "stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _until(so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.05)
