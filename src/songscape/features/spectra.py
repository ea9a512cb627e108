"""Samples -> mel spectra -> MFCC: plain array functions, equal to librosa's with its defaults."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

N_FFT = 2048
HOP_LENGTH = 512
N_MELS = 128
N_MFCC = 40
TOP_DB = 80.0
AMIN = 1e-10
DELTA_WIDTH = 9
_CHUNK = 128  # frames at a time: their spectra (1 MB) stay in the second-level cache
_MELS_PER_BAND = 16
_BLOCK_VALUES = 1 << 20

Array = NDArray[np.float32]


def hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale: linear to 1 kHz, logarithmic above (Auditory Toolbox, 1998)."""
    logarithmic = 15.0 + np.log(np.maximum(hz, 1e-9) / 1000.0) * 27.0 / np.log(6.4)
    return np.where(hz < 1000.0, hz * 3.0 / 200.0, logarithmic)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of `hz_to_mel`."""
    above = 1000.0 * np.exp(np.log(6.4) / 27.0 * (mel - 15.0))
    return np.where(mel < 15.0, mel * 200.0 / 3.0, above)


def mel_filterbank(sr: float, n_fft: int = N_FFT, n_mels: int = N_MELS) -> Array:
    """Triangular filters of unit area on Slaney's mel scale from 0 Hz to `sr` / 2.

    Power per FFT bin -> power per mel band, (n_mels, n_fft / 2 + 1), float32;
    `librosa.filters.mel`.
    """
    bins = np.fft.rfftfreq(n_fft, 1.0 / sr)
    limits = hz_to_mel(np.array([0.0, sr / 2.0]))
    edges = mel_to_hz(np.linspace(limits[0], limits[1], n_mels + 2))
    width = np.diff(edges)
    ramps = edges[:, None] - bins[None, :]
    rising = -ramps[:-2] / width[:-1, None]
    falling = ramps[2:] / width[1:, None]
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return weights.astype(np.float32)


@lru_cache(maxsize=4)
def _bands(sr: float, n_fft: int, n_mels: int) -> tuple[tuple[slice, slice, Array], ...]:
    """The filter bank cut into groups of neighbouring filters, each with its own few bins."""
    weights = mel_filterbank(sr, n_fft, n_mels)
    bands = []
    for start in range(0, n_mels, _MELS_PER_BAND):
        group = weights[start : start + _MELS_PER_BAND]
        used = np.flatnonzero(group.any(axis=0))
        bins = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
        mels = slice(start, start + len(group))
        bands.append((mels, bins, np.ascontiguousarray(group[:, bins].T)))
    return tuple(bands)


def hann(size: int) -> Array:
    """Hann's window of `size` samples: periodic, as for spectral analysis."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def frames_of(samples: Array, size: int, hop: int) -> Array:
    """All whole frames of `size` samples, one every `hop`, (n_frames, size), without a copy."""
    if len(samples) < size:
        return np.empty((0, size), np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]


class MelStream:
    """Mel power spectra of samples that arrive in blocks, at `sr` Hz.

    Windows of `n_fft` samples begin every `hop` samples. Where frames are `centred`, half a window
    of zeros stands before the first and after the last sample.
    """

    def __init__(
        self,
        sr: float,
        n_fft: int = N_FFT,
        hop: int = HOP_LENGTH,
        n_mels: int = N_MELS,
        *,
        centred: bool = True,
    ) -> None:
        self._n_fft, self._hop, self._n_mels = n_fft, hop, n_mels
        self._bands = _bands(sr, n_fft, n_mels)
        self._window = hann(n_fft)
        self._waiting: Array = np.zeros(n_fft // 2 if centred else 0, np.float32)
        self._frames = np.empty((_CHUNK, n_fft), np.float32)
        self._power = np.empty((_CHUNK, n_fft // 2 + 1), np.float32)

    def push(self, samples: Array) -> Array:
        """Take the next samples (n,); return the frames they complete, (n_frames, n_mels)."""
        n_fft, hop = self._n_fft, self._hop
        waiting = np.concatenate([self._waiting, samples])
        frames = frames_of(waiting, n_fft, hop)
        mel = np.empty((len(frames), self._n_mels), np.float32)
        for start in range(0, len(frames), _CHUNK):
            some = frames[start : start + _CHUNK]
            windowed = np.multiply(some, self._window, out=self._frames[: len(some)])
            spectrum = scipy.fft.rfft(windowed, axis=1, overwrite_x=True)
            parts = spectrum.view(np.float32)  # real and imaginary, one after the other
            np.multiply(parts, parts, out=parts)
            power = np.add(parts[:, ::2], parts[:, 1::2], out=self._power[: len(some)])
            for mels, bins, weights in self._bands:
                mel[start : start + len(some), mels] = power[:, bins] @ weights
        self._waiting = waiting[len(frames) * hop :]
        return mel

    def finish(self) -> Array:
        """Return the last frames, (n_frames, n_mels); 1 + n_samples // hop in all."""
        return self.push(np.zeros(self._n_fft // 2, np.float32))


def mel_power(y: Array, sr: float) -> Array:
    """Mel power spectrogram of samples (n,) at `sr` Hz; shape (1 + n // hop, n_mels)."""
    stream = MelStream(sr)
    return np.concatenate([stream.push(np.asarray(y, np.float32)), stream.finish()])


def power_to_db(power: Array, peak: float | None = None) -> Array:
    """Power -> dB re 1, no lower than 80 dB under the loudest value.

    `peak` is the largest power of the whole clip where `power` is only a part of it.
    """
    db = np.log10(np.maximum(power, np.float32(AMIN)))
    db *= np.float32(10.0)
    if db.size:
        loudest = float(db.max()) if peak is None else 10.0 * np.log10(max(peak, AMIN))
        np.maximum(db, np.float32(loudest - TOP_DB), out=db)
    return np.asarray(db, np.float32)


def mfcc_from_db(db: Array) -> Array:
    """MFCC of mel levels in dB, (n_frames, n_mels) -> (n_mfcc, n_frames), float32."""
    # By FFT and not as a matrix product: adding 128 numbers of -60 dB one after the other costs
    # the third decimal.
    cepstra = scipy.fft.dct(db, type=2, axis=1, norm="ortho")
    return np.ascontiguousarray(cepstra[:, :N_MFCC].T)


def delta(values: Array) -> Array:
    """Slope per frame of a straight line fitted to nine frames (Savitzky and Golay, 1964).

    Along the last axis of `values` (n, n_frames), with nine frames or more; at the ends, where the
    window would stick out, the slope of the first or last full window.
    """
    half = DELTA_WIDTH // 2
    n_full = values.shape[1] - 2 * half
    if n_full < 1:
        raise ValueError(f"{values.shape[1]} frames, and a slope needs {DELTA_WIDTH}")
    slopes = np.zeros((len(values), n_full), np.float32)
    for lag in range(1, half + 1):
        ahead = values[:, half + lag : half + lag + n_full]
        slopes += np.float32(lag) * (ahead - values[:, half - lag : half - lag + n_full])
    slopes /= np.float32(2.0 * sum(lag * lag for lag in range(1, half + 1)))
    return np.pad(slopes, ((0, 0), (half, half)), mode="edge")


def timbre_summary(coefficients: Array) -> Array:
    """Mean, standard deviation, delta deviation and median of every coefficient over the clip.

    (n_mfcc, n_frames) -> (4 * n_mfcc,), float32: the four statistics one after the other.
    """
    parts = [
        np.array([*_moments(rows, delta(rows)), np.median(rows, axis=1)])
        for rows in _few_rows(coefficients)
    ]
    return np.concatenate(parts, axis=1).astype(np.float32).ravel()


def segment_summary(coefficients: Array, n_segments: int = 10) -> Array:
    """Mean, standard deviation and delta deviation in equal parts of the clip.

    (n_mfcc, n_frames), with `n_segments` frames or more -> (n_segments, 3 * n_mfcc), float32.
    """
    bounds = (np.arange(n_segments + 1) * coefficients.shape[1] // n_segments).tolist()
    parts = []
    for rows in _few_rows(coefficients):
        slopes = delta(rows)
        parts.append(
            np.array([_moments(rows[:, a:b], slopes[:, a:b]) for a, b in pairwise(bounds)])
        )
    return np.concatenate(parts, axis=2).reshape(n_segments, -1).astype(np.float32)


def _moments(rows: Array, slopes: Array) -> list[NDArray[np.float64]]:
    return [
        rows.mean(axis=1, dtype=np.float64),
        rows.std(axis=1, dtype=np.float64),
        slopes.std(axis=1, dtype=np.float64),
    ]


def _few_rows(coefficients: Array) -> Iterator[Array]:
    """Blocks of rows: statistics take several times the memory of what they are taken of."""
    step = max(1, _BLOCK_VALUES // coefficients.shape[1])
    for start in range(0, len(coefficients), step):
        yield coefficients[start : start + step]


class SegmentMeans:
    """Mean of every column in equal parts of a clip of `n_frames` that arrive in blocks."""

    def __init__(self, n_frames: int, n_columns: int = N_MELS, n_segments: int = 10) -> None:
        self._bounds = np.arange(n_segments + 1) * n_frames // n_segments
        self._sums = np.zeros((n_segments, n_columns))
        self._seen = 0

    def push(self, frames: Array) -> None:
        """Take the next frames, (n, n_columns)."""
        for segment, (start, stop) in enumerate(pairwise((self._bounds - self._seen).tolist())):
            part = frames[max(start, 0) : max(stop, 0)]
            self._sums[segment] += part.sum(axis=0, dtype=np.float64)
        self._seen += len(frames)

    def finish(self) -> Array:
        """The means, (n_segments, n_columns), float32."""
        return (self._sums / np.diff(self._bounds)[:, None]).astype(np.float32)
