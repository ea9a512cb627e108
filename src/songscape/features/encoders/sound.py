"""Audio files -> windows or patches, spread over a clip -> what encoders of audio make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songscape.features.analyse import MINIMUM_SECONDS
from songscape.features.decode import Decoder
from songscape.features.encoders.registry import N_SEGMENTS, load_network
from songscape.features.readers import DecodeError
from songscape.features.spectra import MelStream
from songscape.library.records import Analysis, Span

WINDOW_S = 10.0
MAX_WINDOWS = 8
SAMPLE_RATE = 16_000
"""Hz; of all encoders that come as packages."""
MOST_PATCHES = 2 * N_SEGMENTS
"""Of a longer track every other one is left out, and so on: 10 to 20 are spread evenly over it."""

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


@dataclass(frozen=True)
class Sound:
    """What a network hears: windows of `n_fft` samples every `hop`, `n_mels` bands up to 8 kHz.

    `n_frames` make a patch.
    """

    n_fft: int
    hop: int
    n_mels: int
    n_frames: int


class PatchStream:
    """Patches of samples that arrive in blocks, of which never many are kept.

    Frames are centred, with the samples mirrored at either end of the clip. Patches do not overlap;
    a clip shorter than one is repeated.
    """

    def __init__(self, sound: Sound) -> None:
        self._margin = sound.n_fft // 2
        self._mel = MelStream(SAMPLE_RATE, sound.n_fft, sound.hop, sound.n_mels, centred=False)
        self._patches = WindowStream(sound.n_frames, sound.n_frames, MOST_PATCHES)
        self._size = sound.n_frames
        self._last: Array = np.zeros(0, np.float32)
        self._begun = False

    def push(self, samples: Array) -> None:
        """Take the next samples, (n,)."""
        waiting = np.concatenate([self._last, samples])
        keep = self._margin + 1
        if len(waiting) <= keep:
            self._last = waiting
            return
        if not self._begun:
            self._patches.push(self._mel.push(waiting[self._margin : 0 : -1]))
            self._begun = True
        self._patches.push(self._mel.push(waiting[:-keep]))
        self._last = waiting[-keep:]

    def finish(self) -> Array:
        """The patches, (n_patches, n_frames, n_mels); of a clip of a second or more."""
        self._patches.push(self._mel.push(np.concatenate([self._last, self._last[-2::-1]])))
        patches = self._patches.finish()
        return np.stack([np.resize(one, (self._size, one.shape[1])) for one in patches])


def encode_file(path: str, names: Sequence[str], span: Span | None = None) -> Analysis:
    """Decode a file (or a part of it) once for all encoders; never raises for a bad file.

    Features of the result are those of `names`, (n_segments, n_features), float16.
    """
    networks = {name: load_network(name) for name in names}
    streams = {name: PatchStream(network.sound) for name, network in networks.items()}
    sum_squares, n_samples = 0.0, 0

    def push(samples: Array) -> None:
        nonlocal sum_squares, n_samples
        sum_squares += float(np.dot(samples, samples))
        n_samples += len(samples)
        for stream in streams.values():
            stream.push(samples)

    if (failure := push_blocks(path, SAMPLE_RATE, span, push)) is not None:
        return Analysis(failure=failure)
    loudness = (sum_squares / n_samples) ** 0.5
    found = {name: networks[name](streams[name].finish(), loudness) for name in names}
    if not all(np.isfinite(vectors).all() for vectors in found.values()):
        return Analysis(failure="its encoding is not finite; export the file again")
    # Half precision: its error, a 2,000th of a number, is far below what tells songs apart.
    return Analysis({name: segment_means(v).astype(np.float16) for name, v in found.items()})


def segment_means(vectors: Array) -> Array:
    """Means of up to ten groups of neighbouring patches, as equal as can be, (n_segments, d)."""
    parts = np.array_split(vectors, min(N_SEGMENTS, len(vectors)))
    return np.stack([part.mean(axis=0) for part in parts])
