"""Work spread over processes: results come in the order of the jobs, and few jobs are under way at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

InOrder = Callable[[Iterable[Job]], Iterator[Result]]
"""Does the same work on each job; results come in the order of the jobs."""

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
    arguments. Processes are spawned, not forked: a fork would share open databases. They last as long as the context.
    """
    if processes <= 1:
        yield partial(map, work)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (work,)) as pool:
        try:
            yield partial(_in_order, pool, _AHEAD * processes)
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, ahead: int, jobs: Iterable[Job]) -> Iterator[Any]:
    under_way: deque[Future[Any]] = deque()
    for job in jobs:
        under_way.append(pool.submit(_do, job))
        if len(under_way) > ahead:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _begin(work: Callable[[Any], Any]) -> None:
    _work.append(work)


def _do(job: Any) -> Any:  # noqa: ANN401 - any work on any job
    return _work[0](job)
