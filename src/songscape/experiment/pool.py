"""Running trials: each in a process of its own, or on whatever executor the caller brings."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Protocol

from songscape.errors import first_line
from songscape.progress import TimeLeft, progress_bar

__all__ = ["ProcessDied", "TrialPool", "run_trials"]

PRELOADED = ("songscape.experiment.trials", "songscape.models.vae", "songscape.benchmark.measure")


class Task(Protocol):
    """What is known of a trial before it is run."""

    @property
    def model(self) -> str: ...
    @property
    def seed(self) -> int: ...


class ProcessDied(Exception):
    """The process that had the task ended without a result."""


def run_trials(
    tasks: Sequence[Any],
    function: Callable[[Any], float],
    executor: Executor,
    workers: int,
) -> dict[tuple[str, int], str]:
    """Run every task, and say now and then how long it still takes.

    Parameters
    ----------
    tasks : sequence of Task
        All models of the first seed first, so that every model is timed early.
    function : callable (task) -> seconds
        Must be importable by name: it runs in another process.
    executor : Executor
        Its workers must be processes: training seeds the generators of its process.
    workers : int
        Tasks that run at the same time, for the estimate.

    Returns
    -------
    dict of (model, seed) to str
        Tasks that raised or whose process died, with the reason.
    """
    crashed: dict[tuple[str, int], str] = {}
    clock = TimeLeft([task.model for task in tasks], workers)
    futures: dict[Future[float], Task] = {}
    with progress_bar("training and measuring", "model") as advance:
        advance(0, len(tasks))
        try:
            for task in tasks:
                futures[_submitted(executor, function, task)] = task
            for done, future in enumerate(as_completed(futures), start=1):
                task, seconds = futures[future], 0.0
                try:
                    seconds = future.result()
                except (ProcessDied, BrokenExecutor) as error:
                    crashed[task.model, task.seed] = first_line(error)
                except Exception as error:
                    # Whatever one trial raises is its reason; the others go on.
                    crashed[task.model, task.seed] = f"{type(error).__name__}: {first_line(error)}"
                clock.done(task.model, seconds)
                advance(done, len(tasks))
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    return crashed


def _submitted(executor: Executor, function: Callable[[Any], float], task: Any) -> Future[float]:
    """A broken executor takes nothing more: then the future has failed already."""
    try:
        return executor.submit(function, task)
    except BrokenExecutor as error:
        future: Future[float] = Future()
        future.set_exception(error)
        return future


class TrialPool(Executor):
    """Runs each task in a process of its own, so its peak memory is its own as well.

    The standard process pool breaks as a whole when one process dies, and cannot tell whose task
    it was. Where there is a fork server the libraries are imported there, once for all tasks. A
    process ends when this one does, however that ends.

    Parameters
    ----------
    workers : int
        Tasks that run at the same time.
    """

    def __init__(self, workers: int) -> None:
        self._context: Any = _context()
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Any] | None] = queue.SimpleQueue()
        self._running: set[Any] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """Queue a task; it must be picklable."""
        if self._stopped:
            raise RuntimeError("the pool was shut down")
        future: Future[Any] = Future()
        self._tasks.put((future, (function, given, named)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks; with `cancel_futures` end those that run."""
        with self._lock:
            self._stopped = True
            if cancel_futures:
                for process in self._running:
                    process.terminate()
        while cancel_futures and not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                task[0].cancel()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, call = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._run(call))
            except BaseException as error:
                future.set_exception(error)

    def _run(self, call: Any) -> Any:
        ours, theirs = self._context.Pipe()
        with ours:
            process = self._context.Process(target=_work, args=(theirs, call))
            with self._lock, _without_main():
                if self._stopped:
                    raise ProcessDied("stopped")
                process.start()
                self._running.add(process)
            theirs.close()
            try:
                result, error = ours.recv()
            except (EOFError, OSError):
                result, error = None, ProcessDied("its process died (out of memory?)")
            finally:
                process.join()
                with self._lock:
                    self._running.discard(process)
        if error is not None:
            raise error
        return result


def _work(pipe: Connection, call: Any) -> None:
    """In the new process: run the task and send back its result, or what it raised."""
    # A Ctrl-C at the terminal reaches every process; the parent decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(pipe,), daemon=True).start()
    function, given, named = call
    try:
        outcome = function(*given, **named), None
    except Exception as error:
        outcome = None, error
    try:
        pipe.send(outcome)
    except Exception as error:
        pipe.send((None, RuntimeError(f"{type(error).__name__}: {error}")))


def _end_with_parent(pipe: Connection) -> None:
    """Nothing is ever sent this way: what comes is the end of the parent."""
    try:
        pipe.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the running script: a new process would import it, and so start all over again."""
    main = sys.modules["__main__"]
    hidden = {name: vars(main).pop(name) for name in ("__spec__", "__file__") if name in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)


def _context() -> Any:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context
