"""Analyses files in worker processes; a crash is recorded as the reason why that file failed."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any

from songscape.errors import SongscapeError, first_line
from songscape.ingest.remote import analyse_copy, url_of
from songscape.library import Analysis, FileStamp, Track
from songscape.workers import (
    TIME_LIMIT_S,
    IsolatingExecutor,
    WorkerError,
    available_cores,
    run_limited,
)

_QUEUE_PER_WORKER = 4


@dataclass(frozen=True)
class Job:
    """One file to read: with `arguments` (plain JSON types) besides its path, and the track's span.

    `stamp` is the file's state before, needed where everything about the track is computed again
    (`whole`).
    """

    track: Track
    arguments: tuple[Any, ...] = ()
    stamp: FileStamp | None = None
    whole: bool = False


def run_jobs(
    jobs: Sequence[Job],
    function: Callable[..., Analysis],
    *,
    workers: int | None = None,
    timeout_s: float = TIME_LIMIT_S,
    executor: Executor | None = None,
) -> Generator[tuple[Job, Analysis], None, None]:
    """Results as they come, with only a few tasks queued, so that memory stays small.

    Close the generator (`contextlib.closing`) to stop the workers at once when it isn't exhausted.
    In an executor of the caller's, every file is read by a child of the process it runs in. Raises
    `SongscapeError` if workers cannot be started at all.
    """
    if not jobs:
        return
    if executor is not None:
        limited = partial(run_limited, timeout_s=timeout_s)
        try:
            yield from _run(partial(executor.submit, limited), function, jobs, workers or 64)
        except BrokenExecutor as error:
            raise executor_broke(error) from None
        return
    count = max(1, min(workers or available_cores(), len(jobs)))
    with IsolatingExecutor(count, timeout_s) as pool:
        yield from _run(pool.submit, function, jobs, count)


def executor_broke(error: BrokenExecutor) -> SongscapeError:
    """What to raise where an executor of the caller's takes no more work."""
    return SongscapeError(
        f"the executor broke ({first_line(error)}); run again: it continues from here"
    )


def _run(
    submit: Callable[..., Future[Analysis]],
    function: Callable[..., Analysis],
    jobs: Sequence[Job],
    workers: int,
) -> Iterator[tuple[Job, Analysis]]:
    queue = iter(jobs)
    running: dict[Future[Analysis], Job] = {}
    while True:
        for job in queue:
            called, arguments = call_of(job, function)
            future = submit(called, *arguments)
            running[future] = job
            if len(running) >= workers * _QUEUE_PER_WORKER:
                break
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield running.pop(future), _outcome(future)


def call_of(
    job: Job, function: Callable[..., Analysis]
) -> tuple[Callable[..., Analysis], tuple[Any, ...]]:
    """What to call on any machine for a job: on its file, or on a copy of what is at its URL."""
    assert job.track.audio is not None
    path, span = os.fspath(job.track.audio), job.track.span
    arguments = job.arguments if span is None else (*job.arguments, span)
    url = url_of(path)
    if url is None:
        return function, (path, *arguments)
    return analyse_copy, (f"{function.__module__}:{function.__qualname__}", url, *arguments)


def _outcome(future: Future[Analysis]) -> Analysis:
    try:
        return future.result()
    except WorkerError as error:
        return Analysis(failure=f"{error}; convert it or remove it")
    except (SongscapeError, BrokenExecutor):
        raise
    except Exception as error:  # of the executor: it says nothing about the file
        return Analysis(failure=f"{type(error).__name__}: {first_line(error)}", transient=True)
