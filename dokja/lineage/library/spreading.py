"""The same function over many tasks: in this process, on all cores, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from dokja.language import mark
from dokja.lineage.library.refusals import refused

Task = TypeVar("Task")
Result = TypeVar("Result")

RAY: Final = "ray"
"""Workers on the Ray cluster that this process is in, or on one of this machine; `ray://host:port` names another."""

THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def spread(workers: int | str, work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """The results of all tasks, each as soon as it is there.

    workers: a number of processes, or a Ray cluster, whose nodes must see the same files.
    """
    if isinstance(workers, str):
        yield from _on_ray(workers, work, tasks)
    elif min(workers, len(tasks)) <= 1:
        yield from map(work, tasks)
    else:
        yield from _on_cores(workers, work, tasks)


def _on_cores(workers: int, work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    with processes(min(workers, len(tasks)), _alone) as pool:
        try:
            with uninterrupted():
                pending = [pool.submit(work, task) for task in tasks]
            for each in as_completed(pending):
                yield each.result()
        except BrokenProcessPool:
            raise refused("library-worker") from None


@contextmanager
def processes(count: int, begin: Callable[[], object]) -> Iterator[ProcessPoolExecutor]:
    """So many processes; where an error (or Ctrl-C) ends this context, they end at once, whatever they do.

    begin: what each does first. Submit within `uninterrupted`, for that is when they begin.
    """
    # Forked children of a process with threads may hang; these begin anew.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(count, context, begin) as pool:
        try:
            yield pool
        except BaseException:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Processes that begin in here hear no Ctrl-C: this one does, and ends them. It hears it when this has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _alone() -> None:
    """One thread a process: the processes share the cores already."""
    for name in THREADS:
        os.environ[name] = "1"


def _on_ray(address: str, work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    try:
        import ray  # noqa: PLC0415  (an extra)
    except ImportError:
        raise refused("library-ray", reason=mark("ray is not installed")) from None
    if not ray.is_initialized():
        try:
            ray.init(address=None if address == RAY else address, log_to_driver=False)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise refused("library-ray", reason=str(error).splitlines()[0]) from error
    remote: Any = ray.remote(work)
    pending = [remote.remote(task) for task in tasks]
    while pending:
        ready, pending = ray.wait(pending)
        yield ray.get(ready[0])
