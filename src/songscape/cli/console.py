"""Makes the standard streams safe to print to: opened if closed, able to show any name."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def prepare_streams() -> None:
    """Make prints survive closed streams and consoles that are not UTF-8.

    Under a service or `pythonw` there may be no stderr. Its number would then go to the next file
    that is opened, and whatever a library prints would be written into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def finish(code: int) -> NoReturn:
    """End the process now, without taking the interpreter down piece by piece."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def one_line(text: str) -> str:
    """Text without line breaks, tabs and other control characters, which are shown escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
