"""Files for worker processes: runs them with few in flight; a death becomes a reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from songscape.errors import SongscapeError
from songscape.features.executor import IsolatingExecutor, WorkerCrash, WorkerTimeout
from songscape.library import Analysis, Track

__all__ = ["Job", "available_cores", "run_jobs"]

_QUEUE_PER_WORKER = 4


@dataclass(frozen=True)
class Job:
    """One file to read.

    Attributes
    ----------
    track : Track
    arguments : tuple
        What the function takes besides the path; plain JSON types.
    fingerprint : tuple of int
        The file's size and modification time in ns.
    whole : bool
        Whether everything about the track is made anew.
    """

    track: Track
    arguments: tuple[Any, ...] = ()
    fingerprint: tuple[int, int] = (-1, -1)
    whole: bool = False


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_jobs(
    jobs: Sequence[Job],
    function: Callable[..., Analysis],
    *,
    workers: int | None = None,
    timeout_s: float = 120.0,
    executor: Executor | None = None,
) -> Generator[tuple[Job, Analysis], None, None]:
    """Results as they come, with only a few tasks queued, so that memory stays small.

    Close the generator (`contextlib.closing`) to stop the workers at once when it isn't exhausted.

    Raises
    ------
    SongscapeError
        If workers cannot be started at all.
    """
    if not jobs:
        return
    count = max(1, min(workers or available_cores(), len(jobs)))
    pool = executor or IsolatingExecutor(count, timeout_s)
    try:
        yield from _run(pool, function, jobs, count * _QUEUE_PER_WORKER)
    except BaseException:
        if executor is None:
            pool.shutdown(wait=True, cancel_futures=True)
        raise
    if executor is None:
        pool.shutdown()


def _run(
    pool: Executor, function: Callable[..., Analysis], jobs: Sequence[Job], at_once: int
) -> Iterator[tuple[Job, Analysis]]:
    queue = iter(jobs)
    running: dict[Future[Analysis], Job] = {}
    while True:
        for job in queue:
            assert job.track.audio is not None
            path = os.fspath(job.track.audio)
            running[pool.submit(function, path, *job.arguments)] = job
            if len(running) >= at_once:
                break
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield running.pop(future), _outcome(future)


def _outcome(future: Future[Analysis]) -> Analysis:
    try:
        return future.result()
    except (WorkerCrash, WorkerTimeout) as error:
        return Analysis(failure=str(error))
    except SongscapeError:
        raise
    except Exception as error:
        return Analysis(failure=f"{type(error).__name__}: {error}")
