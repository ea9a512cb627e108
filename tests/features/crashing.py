"""Functions for worker processes that behave as bad decoders do; told by the file's name."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import numpy as np

from songscape.features.analyse import analyse_file
from songscape.library import Analysis


def misbehave(path: str, names: list[str], *_: str) -> Analysis:
    name = os.path.basename(path)
    if "segfault" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "exit" in name:
        os._exit(7)
    if "hang" in name:
        time.sleep(600)
    if "raise" in name:
        raise RuntimeError("no such thing")
    if "print" in name:
        print("a chatty library")
        os.write(1, b"straight to the descriptor\n")
    return analyse_file(path, names)


def fail_on_some(path: str, names: list[str], *_: str) -> Analysis:
    if Path(path).stem in ("s1", "s2"):
        return Analysis(failure="cut off")
    return analyse_file(path, names)


def slow(path: str, names: list[str], *_: str) -> Analysis:
    # Long enough that a busy machine can't finish before it is told to stop.
    time.sleep(1.5)
    return analyse_file(path, names)


def peak_memory() -> int:
    """Largest resident size so far, in bytes; 0 where the system doesn't say.

    Not `ru_maxrss`: on Linux that begins with the parent's size.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
    return 1024 * int(kilobytes)


def surroundings(path: str, names: list[str], *_: str) -> Analysis:
    heavy = {"torch", "sklearn", "librosa", "numba", "pandas", "matplotlib"}
    loaded = sorted(heavy & set(sys.modules))
    return Analysis(
        features={"memory": np.array([peak_memory()])},
        facts={"container": ",".join(loaded), "codec": os.environ.get("OMP_NUM_THREADS")},
    )
