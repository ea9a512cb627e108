"""The worker process: reads tasks from stdin, sends results to stdout, ends with its parent."""

from __future__ import annotations

import importlib
import json
import os
import queue
import struct
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from songscape.library.records import Analysis

__all__ = ["main", "read_message", "read_result", "write_message", "write_result"]

_LENGTH = struct.Struct("<Q")


def main() -> None:
    """Serve until stdin closes."""
    # The parent decides about Ctrl-C; libraries that print must not spoil the result stream.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, tasks), daemon=True).start()
    write_message(results, b"ready")
    while True:
        task = json.loads(tasks.get())
        try:
            analysis = _resolve(task["function"])(*task["arguments"])
        except Exception as error:
            analysis = Analysis(failure=f"{type(error).__name__}: {error}")
        write_result(results, analysis)


def _receive(stdin: IO[bytes], tasks: queue.SimpleQueue[bytes]) -> None:
    """Read ahead in a thread of its own, so that the parent's death is noticed in mid-task."""
    while (message := read_message(stdin)) is not None:
        tasks.put(message)
    os._exit(0)


def _resolve(name: str) -> Callable[..., Analysis]:
    module, _, function = name.partition(":")
    found: Callable[..., Analysis] = getattr(importlib.import_module(module), function)
    return found


def write_message(stream: IO[bytes], message: bytes) -> None:
    stream.write(_LENGTH.pack(len(message)) + message)
    stream.flush()


def read_message(stream: IO[bytes]) -> bytes | None:
    """The next message, or None where the stream ends."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = stream.read(length)
    return message if len(message) == length else None


def write_result(stream: IO[bytes], analysis: Analysis) -> None:
    """Send an analysis: a JSON head, then the arrays' bytes."""
    arrays = {name: np.ascontiguousarray(a) for name, a in analysis.features.items()}
    head: dict[str, Any] = {
        "facts": dict(analysis.facts),
        "warnings": list(analysis.warnings),
        "failure": analysis.failure,
        "arrays": [[name, a.dtype.str, a.shape] for name, a in arrays.items()],
    }
    write_message(stream, json.dumps(head).encode())
    write_message(stream, b"".join(a.tobytes() for a in arrays.values()))


def read_result(stream: IO[bytes]) -> Analysis | None:
    """Receive what `write_result` sent, or None where the stream ends."""
    head, body = read_message(stream), read_message(stream)
    if head is None or body is None:
        return None
    told = json.loads(head)
    features, at = {}, 0
    for name, dtype, shape in told["arrays"]:
        count = int(np.prod(shape))
        features[name] = np.frombuffer(body, dtype, count, at).reshape(shape)
        at += count * np.dtype(dtype).itemsize
    return Analysis(features, told["facts"], tuple(told["warnings"]), told["failure"])
