"""Analyses files in worker processes; a crash is recorded as the reason why that file failed."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from songscape.errors import SongscapeError, first_line
from songscape.ingest.remote import analyse_copy, url_of
from songscape.library import Analysis, Track
from songscape.workers import (
    TIME_LIMIT_S,
    IsolatingExecutor,
    WorkerError,
    available_cores,
    each_done,
    run_limited,
)

Progress = Callable[[int, int, str], None]
"""Called with (done, total, track id)."""
Call = tuple[Any, ...]
"""A function that can be imported by name, and its arguments: plain JSON types."""

_QUEUE_PER_WORKER = 4
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Runner:
    """Where calls are run: in worker processes here, or in an executor of the caller's.

    In an executor, every call is run by a child of the process that it comes to.
    """

    workers: int | None = None
    executor: Executor | None = None
    progress: Progress | None = None

    def tell(self, done: int, total: int, track_id: str = "") -> None:
        """Report progress to the caller, if it wants to know."""
        if self.progress is not None:
            self.progress(done, total, track_id)

    def run(
        self,
        keys: Sequence[_Key],
        call: Callable[[_Key], Call],
        mend: str = "; convert it or remove it",
    ) -> Generator[tuple[_Key, Analysis], None, None]:
        """Results as they come, each with the key that `call` makes a call of.

        Only a few calls are queued, so that memory stays small. Close the generator
        (`contextlib.closing`) to stop the workers at once when it isn't exhausted. `mend` follows
        the reason of a call whose worker died. Raises `SongscapeError` if workers cannot be started
        at all.
        """
        if not keys:
            return
        count = max(1, min(self.workers or available_cores(), len(keys)))
        own = IsolatingExecutor(count, TIME_LIMIT_S)
        submit: Callable[..., Future[Analysis]] = own.submit
        if self.executor is not None:
            count = self.workers or 64
            submit = partial(self.executor.submit, partial(run_limited, timeout_s=TIME_LIMIT_S))
        with own:
            try:
                tasks = ((key, call(key)) for key in keys)
                for key, future in each_done(submit, tasks, count * _QUEUE_PER_WORKER):
                    yield key, _outcome(future, mend)
            except BrokenExecutor as error:
                raise SongscapeError(
                    f"the executor broke ({first_line(error)}); run again: it continues from here"
                ) from None


def call_of(track: Track, function: Callable[..., Analysis], *arguments: Any) -> Call:
    """What to call on any machine for a track: on its file, or on a copy of what is at its URL."""
    assert track.audio is not None
    path = os.fspath(track.audio)
    arguments = arguments if track.span is None else (*arguments, track.span)
    url = url_of(path)
    if url is None:
        return function, path, *arguments
    return analyse_copy, f"{function.__module__}:{function.__qualname__}", url, *arguments


def _outcome(future: Future[Analysis], mend: str) -> Analysis:
    try:
        return future.result()
    except WorkerError as error:
        return Analysis(failure=f"{error}{mend}")
    except (SongscapeError, BrokenExecutor):
        raise
    except Exception as error:  # of the executor: it says nothing about the file
        return Analysis(failure=f"{type(error).__name__}: {first_line(error)}", transient=True)
