"""Windows of samples for audio encoders, evenly spread over a clip of any length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songscape.features.analyse import MINIMUM_SECONDS
from songscape.features.decode import Decoder
from songscape.features.readers import DecodeError
from songscape.library.records import Analysis, Span

WINDOW_S = 10.0
MAX_WINDOWS = 8

Array = NDArray[np.float32]


class WindowStream:
    """Windows of `size` samples (or frames) that arrive in blocks, of which never many are kept.

    Windows begin every `hop` samples, by default every half window; when there are more than
    `most`, every other one is dropped and from then on only every other one is taken. So half as
    many to that many windows are spread evenly over a clip of any length, and a clip shorter than a
    window is one window of its own length.
    """

    def __init__(self, size: int, hop: int | None = None, most: int = MAX_WINDOWS) -> None:
        self.size, self._hop, self._most = size, hop or max(1, size // 2), most
        self._kept: list[Array] = []
        self._waiting: Array = np.zeros(0, np.float32)
        self._next, self._stride = 0, 1

    def push(self, samples: Array) -> None:
        """Take the next samples, (n,), or frames, (n, d)."""
        self._waiting = np.concatenate([self._waiting, samples]) if len(self._waiting) else samples
        while len(self._waiting) >= self.size:
            if self._next % self._stride == 0:
                self._kept.append(self._waiting[: self.size].copy())
            if len(self._kept) > self._most:
                self._kept, self._stride = self._kept[::2], 2 * self._stride
            self._next += 1
            self._waiting = self._waiting[self._hop :]

    def finish(self) -> Array:
        """The windows, (n_windows, size, ...), or (1, n, ...) of a clip that is shorter."""
        return np.stack(self._kept) if self._kept else self._waiting[None]


def read_windows(path: str, sample_rate: int, span: Span | None = None) -> Analysis:
    """Decode one file at `sample_rate` Hz and cut windows of 10 s; never raises for a bad file.

    The only feature of the result is `windows`.
    """
    windows = WindowStream(int(WINDOW_S * sample_rate))
    if (failure := push_blocks(path, sample_rate, span, windows.push)) is not None:
        return Analysis(failure=failure)
    return Analysis({"windows": windows.finish()})


def push_blocks(
    path: str, sample_rate: int, span: Span | None, push: Callable[[Array], None]
) -> str | None:
    """Decode one file and give its blocks to `push`; the reason where that fails, else None."""
    try:
        decoder = Decoder(Path(path), sample_rate, span)
        for samples in decoder.blocks():
            push(samples)
        decoder.check(MINIMUM_SECONDS)
    except DecodeError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({error.strerror or error}); check the file"
    return None
