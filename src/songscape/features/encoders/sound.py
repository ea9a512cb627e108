"""Audio files -> patches of mel power -> what encoders of audio make of them, in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songscape.features.encoders.registry import N_SEGMENTS, load_network
from songscape.features.spectra import MelStream
from songscape.features.windows import WindowStream, push_blocks
from songscape.library.records import Analysis, Span

SAMPLE_RATE = 16_000
"""Hz; of all encoders here."""
MOST_PATCHES = 2 * N_SEGMENTS
"""Of a longer track every other one is left out, and so on: 10 to 20 are spread evenly over it."""

Array = NDArray[np.float32]


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
