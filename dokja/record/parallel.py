"""Work spread over processes: results come in the order of the jobs, and few jobs are under way at a time."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.context import BaseContext
from threading import Thread
from typing import Any, TypeVar

from dokja.memory import collect_rarely

Job = TypeVar("Job")
Result = TypeVar("Result")

InOrder = Callable[[Iterable[Job]], Iterator[Result]]
"""Does the same work on each job; results come in the order of the jobs."""

_METHOD = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"

_MOST = 8
_AHEAD = 3
"""Jobs under way for each process: enough that none waits, few enough that memory stays flat."""

_work: list[Callable[[Any], Any]] = []
"""In a worker process, the one piece of work that it was started for."""


def processors() -> int:
    """How many processes are worth starting here."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _MOST)


@contextmanager
def spread(work: Callable[[Job], Result], processes: int) -> Iterator[InOrder[Job, Result]]:
    """A way to do the work on jobs, in `processes` processes; in this one where they are fewer than two.

    work: a function that can be pickled; it is sent once to each process, so it may be a `partial` with large
    arguments. No process is forked from this one: it would share open databases. They last as long as the context.
    """
    if processes <= 1:
        yield partial(map, work)
        return
    with ProcessPoolExecutor(processes, _context(), _begin, (work,)) as pool:
        try:
            yield partial(_in_order, pool, _AHEAD * processes)
        finally:
            pool.shutdown(cancel_futures=True)


def make_ready() -> None:
    """Let what worker processes will load be loaded beside whatever this process does until it needs them."""
    if _METHOD == "forkserver" and processors() > 1:
        from multiprocessing.forkserver import ensure_running  # noqa: PLC0415 - some systems have none

        _context()
        ensure_running()


def _context() -> BaseContext:
    """How processes are begun: where it can be, by a server that has loaded once what each of them would load."""
    context = get_context(_METHOD)
    if _METHOD == "forkserver":
        loaded = sorted(name for name in sys.modules if name.partition(".")[0] == __name__.partition(".")[0])
        context.set_forkserver_preload(["__main__", *loaded])
    return context


def _in_order(pool: ProcessPoolExecutor, ahead: int, jobs: Iterable[Job]) -> Iterator[Any]:
    under_way: deque[Future[Any]] = deque()
    for job in jobs:
        under_way.append(pool.submit(_do, job))
        if len(under_way) > ahead:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _begin(work: Callable[[Any], Any]) -> None:
    collect_rarely()
    _work.append(work)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Nobody waits for the results of a process that was killed."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _do(job: Any) -> Any:  # noqa: ANN401 - any work on any job
    return _work[0](job)
