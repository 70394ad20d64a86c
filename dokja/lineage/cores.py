"""The cores of the machine, shared so that their number changes no result.

NumPy's matrix products round differently when they are spread over threads. So each product here keeps to one thread,
and different products run side by side.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from threadpoolctl import threadpool_limits

WORTH_IT: Final = 1 << 24
"""A model of fewer parameters is audited on one core: its tasks are shorter than handing them over takes."""

MOST: Final = 8
"""No more workers than these: each holds a layer of both models."""

X = TypeVar("X")
Y = TypeVar("Y")


def cores() -> int:
    """The cores that the process may run on, where the system says so."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Crew:
    """Workers; none where the caller does the work alone."""

    pool: Executor | None = None
    workers: int = 1

    def spread(self, function: Callable[[X], Y], items: Iterable[X]) -> Iterator[Y]:
        """The results in the order of the items; no more items are begun than there are workers, and one."""
        if self.pool is None:
            yield from map(function, items)
            return
        begun: deque[Future[Y]] = deque()
        try:
            for item in items:
                if len(begun) > self.workers:
                    yield begun.popleft().result()
                begun.append(self.pool.submit(function, item))
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()


ALONE: Final = Crew()


@contextmanager
def at_work(parameters: int, most: int = MOST) -> Iterator[Crew]:
    """Workers for a model of this size, at most so many."""
    workers = min(cores(), MOST, most) if parameters >= WORTH_IT else 1
    with threadpool_limits(limits=1, user_api="blas"):
        if workers == 1:
            yield Crew()
            return
        with ThreadPoolExecutor(workers) as pool:
            yield Crew(pool, workers)
