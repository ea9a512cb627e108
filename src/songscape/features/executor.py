"""A pool of worker processes in which a crash or a hang costs one task and not the pool."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import IO, Any

from songscape.errors import SongscapeError
from songscape.features.worker import read_message, read_result, write_message
from songscape.library.records import Analysis

__all__ = ["IsolatingExecutor", "WorkerCrash", "WorkerTimeout"]

_START_LIMIT_S = 60.0
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


class WorkerCrash(Exception):
    """The process died while it had the task."""


class WorkerTimeout(Exception):
    """The task took longer than allowed; its process was killed."""


class IsolatingExecutor(Executor):
    """Runs functions that return an `Analysis` in worker processes, one task at a time in each.

    The standard process pool breaks as a whole when one worker dies, can't tell which task did
    it, and can't stop one that hangs. Here every worker is a plain child process with its own
    thread in the parent, so the culprit is known and only its process is replaced. Workers are
    started from the interpreter, not forked and not from `__main__`: they import the decoder
    and nothing of the calling program, and they end when the parent does, however it ends.

    Parameters
    ----------
    workers : int
    timeout_s : float
        Longest time for one task.
    """

    def __init__(self, workers: int, timeout_s: float = 120.0) -> None:
        self.timeout_s = timeout_s
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(  # type: ignore[override]
        self, function: Callable[..., Analysis], /, *arguments: Any
    ) -> Future[Analysis]:
        """Queue a task; `function` must be importable by name, its arguments plain JSON types."""
        if self._stopped:
            raise RuntimeError("the executor was shut down")
        future: Future[Analysis] = Future()
        name = f"{function.__module__}:{function.__qualname__}"
        message = json.dumps({"function": name, "arguments": arguments}).encode()
        self._tasks.put(_Task(future, message))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with `cancel_futures` at once, killing what runs."""
        with self._lock:
            self._stopped = True
            if cancel_futures:
                for process in self._running:
                    process.kill()
        if cancel_futures:
            while True:
                try:
                    task = self._tasks.get_nowait()
                except queue.Empty:
                    break
                if task is not None:
                    task.future.cancel()
        for _ in self._threads:
            self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self) -> None:
        worker: _Worker | None = None
        while (task := self._tasks.get()) is not None:
            if not task.future.set_running_or_notify_cancel():
                continue
            try:
                worker = worker or self._start()
                result = worker.run(task.message, self.timeout_s)
            except BaseException as error:
                if worker is not None:
                    self._end(worker)
                    worker = None
                task.future.set_exception(error)
            else:
                task.future.set_result(result)
        if worker is not None:
            self._end(worker)

    def _start(self) -> _Worker:
        with self._lock:
            if self._stopped:
                raise WorkerCrash("the executor was shut down")
            worker = _Worker()
            self._running.add(worker.process)
        try:
            worker.wait_until_ready()
        except BaseException:
            self._end(worker)
            raise
        return worker

    def _end(self, worker: _Worker) -> None:
        worker.close()
        with self._lock:
            self._running.discard(worker.process)


class _Task:
    def __init__(self, future: Future[Analysis], message: bytes) -> None:
        self.future, self.message = future, message


class _Worker:
    """One child process and its pipes."""

    def __init__(self) -> None:
        bootstrap = f"import sys; sys.path[:] = {sys.path!r}; "
        bootstrap += "from songscape.features.worker import main; main()"
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-c", bootstrap],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | dict.fromkeys(_THREAD_VARIABLES, "1"),
            # A Ctrl-C at the terminal reaches the parent alone, which then ends its workers.
            start_new_session=True,
        )

    def _with_limit(self, seconds: float, action: Callable[[], Any]) -> tuple[Any, bool]:
        """Run a blocking pipe action; the process is killed when it takes too long."""
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            self.process.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            return action(), expired.is_set()
        finally:
            timer.cancel()

    def wait_until_ready(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        said, _ = self._with_limit(_START_LIMIT_S, lambda: read_message(stdout))
        if said != b"ready":
            self.process.kill()
            self.process.wait()
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines() or ["no word"]
            raise SongscapeError(f"an extraction worker could not start: {lines[-1]}")

    def run(self, message: bytes, timeout_s: float) -> Analysis:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None

        def exchange() -> Analysis | None:
            try:
                write_message(stdin, message)
            except OSError:
                return None
            return read_result(stdout)

        result, expired = self._with_limit(timeout_s, exchange)
        if isinstance(result, Analysis):
            return result
        self.process.kill()
        code = self.process.wait()
        if expired:
            raise WorkerTimeout(f"took longer than {timeout_s:g} s")
        raise WorkerCrash(f"decoder crashed ({_exit_words(code)})")

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process.kill()
        self.process.wait()
        self._errors.close()


def _exit_words(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
