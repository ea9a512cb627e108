"""Ctrl-C and SIGTERM: raised at once, and remembered where a library swallows the exception."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any, NoReturn

_received: int | None = None


def catch_signals() -> None:
    """From now on the first signal raises KeyboardInterrupt, and a second ends the process.

    An exception that is raised inside a callback or a destructor is lost there. So the signal is
    remembered too, and `check` raises again at the next safe point.
    """
    global _received
    _received = None
    if threading.current_thread() is not threading.main_thread():
        return
    _handle(_first)
    shown = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if not (_received and issubclass(unraisable.exc_type, KeyboardInterrupt)):
            shown(unraisable)

    sys.unraisablehook = hook


def check() -> None:
    """Raise KeyboardInterrupt if a signal came before; for points where stopping is safe."""
    if _received is not None:
        raise KeyboardInterrupt


def exit_code() -> int:
    """128 + the signal that came: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + (_received or signal.SIGINT)


def _handle(handler: Any) -> None:
    signal.signal(signal.SIGTERM, handler)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # a shell's background job has it so
        signal.signal(signal.SIGINT, handler)


def _first(signum: int, _frame: object) -> NoReturn:
    global _received
    _received = signum
    _handle(_second)
    raise KeyboardInterrupt


def _second(signum: int, _frame: object) -> NoReturn:
    try:  # not through sys.stderr, which may be in the middle of a write
        os.write(2, b"songscape: stopped at once; the same command continues from here\n")
    finally:
        os._exit(128 + signum)
