"""Functions that worker processes run in `test_workers.py`."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np


def echo(*values: Any) -> list[Any]:
    return list(values)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


def refuse() -> None:
    raise ValueError("no such thing")


def allocate(megabytes: int) -> int:
    return int(np.ones(megabytes << 17).sum())


def print_much() -> int:
    print("a chatty library")
    os.write(1, b"straight to the descriptor\n")
    return 1


def process() -> int:
    return os.getpid()
