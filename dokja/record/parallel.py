"""Work spread over processes: results come in the order of the jobs, and few jobs are under way at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

_MOST = 8
_AHEAD = 3
"""Jobs under way for each process: enough that none waits, few enough that memory stays flat."""

_work: list[Callable[[Any], Any]] = []
"""In a worker process, the one piece of work that it was started for."""


def processors() -> int:
    """How many processes are worth starting here."""
    return min(os.cpu_count() or 1, _MOST)


def in_order(work: Callable[[Job], Result], jobs: Iterable[Job], processes: int) -> Iterator[Result]:
    """The result of each job, in the order of the jobs.

    work: a function that can be pickled; it is sent once to each process, so it may be a `partial` with large
    arguments. Processes are spawned, not forked: a fork would share open databases.
    """
    if processes <= 1:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (work,)) as pool:
        under_way: deque[Future[Result]] = deque()
        try:
            for job in jobs:
                under_way.append(pool.submit(_do, job))
                if len(under_way) > _AHEAD * processes:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(work: Callable[[Any], Any]) -> None:
    _work.append(work)


def _do(job: Any) -> Any:  # noqa: ANN401 - any work on any job
    return _work[0](job)
