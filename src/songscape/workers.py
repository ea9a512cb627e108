"""Runs functions in worker processes, with limits on time and memory.

Files are read in workers: a file that crashes or blocks a decoder costs only itself.

A worker is a child process that runs one function at a time. It is started from the interpreter,
not forked: it imports only the function's module, and it ends when its parent does, however the
parent ends. Values travel as JSON and raw arrays; nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pkgutil import resolve_name
from typing import IO, Any, TypeVar

from songscape.errors import SongscapeError
from songscape.packed import pack, unpack

TIME_LIMIT_S = 120.0
MEMORY_LIMIT = 1 << 30
"""Bytes of memory that a worker may allocate, where the system can limit it (Linux)."""
_START_LIMIT_S = 60.0
_LENGTH = struct.Struct("<Q")
_THREAD_VARIABLES = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
)


class WorkerError(SongscapeError):
    """A function raised, took too long, needed too much memory or killed its process."""


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_limited(
    function: Callable[..., Any], /, *arguments: Any, timeout_s: float = TIME_LIMIT_S
) -> Any:
    """Call `function(*arguments)` in a worker process with limits on time and memory.

    Every thread keeps its worker for the next call. Works inside the processes of any other
    executor too. The function must be importable by name; its arguments and result are plain JSON
    types, arrays, or frozen dataclasses of this package made of them. Raises WorkerError, and
    SongscapeError if no worker can be started at all.
    """
    return _shared.run(function, arguments, timeout_s)


_Key = TypeVar("_Key")


def each_done(
    submit: Callable[..., Future[Any]], tasks: Iterable[tuple[_Key, Sequence[Any]]], most: int
) -> Iterator[tuple[_Key, Future[Any]]]:
    """Futures as they are done, with their keys; `submit` has a limited number of tasks at a time.

    A task is a key, and the function and arguments to submit.
    """
    queue, running = iter(tasks), dict[Future[Any], _Key]()
    while True:
        for key, task in islice(queue, most - len(running)):
            running[submit(*task)] = key
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future


class IsolatingExecutor(ThreadPoolExecutor):
    """Runs each task as `run_limited` does, with a number of workers that are its own.

    Workers that are `light` have one thread and `MEMORY_LIMIT`; others what the parent has.
    """

    def __init__(
        self, workers: int, timeout_s: float = TIME_LIMIT_S, *, light: bool = True
    ) -> None:
        super().__init__(workers)
        self.timeout_s, self._light = timeout_s, light
        self._of_thread, self._lock = threading.local(), threading.Lock()
        self._alive: set[_Worker] = set()
        self._is_stopped = False

    def submit(  # type: ignore[override]
        self, function: Callable[..., Any], /, *arguments: Any
    ) -> Future[Any]:
        """Queue a task, see `run_limited`."""
        return super().submit(self.run, function, arguments, self.timeout_s)

    def run(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], timeout_s: float
    ) -> Any:
        """Run a task now, in the worker of the thread that asks."""
        name = f"{function.__module__}:{function.__qualname__}"
        message = pack({"function": name, "arguments": arguments})
        worker = getattr(self._of_thread, "worker", None) or self._start()
        try:
            return worker.run(message, timeout_s)
        except BaseException:  # whatever it left behind, the next task gets a fresh process
            self._of_thread.worker = None
            with self._lock:
                self._alive.discard(worker)
            worker.close()
            raise

    def _start(self) -> _Worker:
        with self._lock:
            if self._is_stopped:
                raise WorkerError("the executor was shut down")
            worker = self._of_thread.worker = _Worker(self._light)
            self._alive.add(worker)
        return worker

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with `cancel_futures` at once, killing what runs."""
        if cancel_futures:
            self._stop()
        super().shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            self._stop()

    def _stop(self) -> None:
        with self._lock:
            self._is_stopped = True
            for worker in self._alive:
                worker.close()
            self._alive.clear()

    def __exit__(self, kind: object, *_: object) -> None:
        self.shutdown(cancel_futures=kind is not None)


_shared = IsolatingExecutor(1)


class _Worker:
    """One child process and its pipes."""

    def __init__(self, light: bool) -> None:
        bootstrap = f"import sys; sys.path[:] = {sys.path!r}; "
        bootstrap += f"from songscape.workers import serve; serve({MEMORY_LIMIT if light else 0})"
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-c", bootstrap],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | (dict.fromkeys(_THREAD_VARIABLES, "1") if light else {}),
            # A Ctrl-C at the terminal reaches the parent alone, which then ends its workers.
            start_new_session=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._pipes = self._process.stdin, self._process.stdout
        self._is_ready = self._has_expired = False

    def run(self, message: bytes, timeout_s: float) -> Any:
        if not self._is_ready:
            self._is_ready = self._exchange(b"", _START_LIMIT_S) == b"ready"
        if not self._is_ready:
            self._kill()
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines() or ["no word"]
            raise SongscapeError(f"a worker process could not start: {lines[-1]}")
        reply = self._exchange(message, timeout_s)
        if reply is not None:
            answer = unpack(reply)
            if "error" in answer:
                raise WorkerError(answer["error"])
            return answer["result"]
        if self._has_expired:
            raise WorkerError(f"took longer than {timeout_s:g} s")
        raise WorkerError(f"its process crashed ({_exit_words(self._kill())})")

    def _exchange(self, message: bytes, seconds: float) -> bytes | None:
        """Send a message and wait for the reply; the process is killed when it takes too long."""
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        stdin, stdout = self._pipes
        try:
            if message:
                _send(stdin, message)
            return _receive(stdout)
        except (OSError, ValueError):  # it is gone; or closed by another thread
            return None
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._has_expired = True
        self._process.kill()

    def _kill(self) -> int:
        self._process.kill()
        try:
            return self._process.wait(5.0)
        except subprocess.TimeoutExpired:  # stuck in the file system: it goes when that answers
            return -9

    def close(self) -> None:
        self._kill()
        for pipe in (*self._pipes, self._errors):
            with contextlib.suppress(OSError):
                pipe.close()


def _exit_words(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def serve(memory_limit: int) -> None:
    """Run tasks from stdin and send results to stdout, until stdin ends; 0 is no memory limit."""
    _limit_resources(memory_limit)
    # A signal to the whole process group reaches the parent, which then ends its workers.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Libraries that print must not spoil the stream of results.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_ahead, args=(sys.stdin.buffer, tasks), daemon=True).start()
    _send(results, b"ready")
    while True:
        task = unpack(tasks.get())
        try:
            reply = pack({"result": resolve_name(task["function"])(*task["arguments"])})
        except MemoryError:
            reply = pack({"error": f"needs more than {memory_limit >> 20:,} MB of memory"})
        except Exception as error:
            reply = pack({"error": f"{type(error).__name__}: {error}"})
        _send(results, reply)


def _limit_resources(memory: int) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _read_ahead(stdin: IO[bytes], tasks: queue.SimpleQueue[bytes]) -> None:
    """Receive in a thread, so that the parent's death is noticed in the middle of a task."""
    while (message := _receive(stdin)) is not None:
        tasks.put(message)
    os._exit(0)


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(_LENGTH.pack(len(message)) + message)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes | None:
    """The next message, or None where the stream ends."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = stream.read(length)
    return message if len(message) == length else None
