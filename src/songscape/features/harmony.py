"""Harmony: which intervals and chords sound and how they move, in whatever key and tuning.

Spectral peaks give a pitch-class profile per frame (chroma; Gómez 2006). Products of a profile with
itself, turned by every interval, do not change when the piece is transposed: pairs are intervals,
triples are three-note chords and tell major from minor, which pairs can't, and products over time
are melodic and harmonic steps.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from songscape.features.spectra import frames_of, hann

N_FFT = 8192
HOP_LENGTH = 4096
"""Samples at 22,050 Hz: 0.37 s tell semitones apart down to 190 Hz, in steps of 0.19 s."""
LOWEST_HZ, HIGHEST_HZ = 80.0, 2100.0
FADE_OCTAVES = 0.5
"""At both ends of that range, so that a note does not vanish by being moved a semitone."""
PEAK_DB, FRAME_DB = 40.0, 40.0
"""Peaks this far below the highest of a frame are left out, and frames below the loudest."""
STEPS = 10  # of 10 cents in a semitone
SMOOTH = 11  # frames: 2 s, a bar or two
LAGS = (2, 11)  # frames: 0.4 s and 2 s
N_FEATURES = 3 * 7 + 2 * 19 + 12 * len(LAGS) + 6

Array = NDArray[np.float32]
Float = NDArray[np.float64]


def _trichords() -> tuple[tuple[int, int], ...]:
    """Every three-note chord up to transposition, as intervals above a note, packed closely."""
    found: dict[frozenset[frozenset[int]], tuple[int, int]] = {}
    for b in range(2, 12):
        for a in range(1, b):
            orbit = frozenset(frozenset({p % 12, (p + a) % 12, (p + b) % 12}) for p in range(12))
            found.setdefault(orbit, (a, b))
    return tuple(found.values())


TRICHORDS = _trichords()
"""19 of them; (4, 7) is the major triad, (3, 7) the minor, (4, 8) the augmented."""


class PitchStream:
    """Histograms of the pitch classes of spectral peaks, of samples in blocks at `sr` Hz.

    Frames are centred: half a window of zeros stands before the first and after the last sample.
    """

    def __init__(self, sr: float) -> None:
        self.sr = sr
        self._bins = slice(int(LOWEST_HZ * N_FFT / sr) - 1, int(HIGHEST_HZ * N_FFT / sr) + 3)
        self._window = hann(N_FFT)
        self._waiting: Array = np.zeros(N_FFT // 2, np.float32)

    def push(self, samples: Array) -> Array:
        """Take the next samples (n,); return the frames they complete, (n_frames, 120).

        Columns are steps of 10 cents above A; the amplitudes of the peaks are added up.
        """
        waiting = np.concatenate([self._waiting, samples])
        frames = frames_of(waiting, N_FFT, HOP_LENGTH)
        self._waiting = waiting[len(frames) * HOP_LENGTH :]
        if not len(frames):
            return np.zeros((0, 12 * STEPS), np.float32)
        spectrum = scipy.fft.rfft(frames * self._window, axis=1, overwrite_x=True)
        return self._histogram(np.abs(spectrum[:, self._bins]))

    def finish(self) -> Array:
        """Return the last frames, (n_frames, 120)."""
        return self.push(np.zeros(N_FFT // 2, np.float32))

    def _histogram(self, magnitude: Array) -> Array:
        inner = magnitude[:, 1:-1]
        threshold = magnitude.max(axis=1, keepdims=True) * np.float32(10.0 ** (-PEAK_DB / 20.0))
        is_peak = (inner > magnitude[:, :-2]) & (inner >= magnitude[:, 2:]) & (inner > threshold)
        row, column = np.nonzero(is_peak)
        height = inner[row, column]
        # A parabola through the logarithms is close to exact for a Hann window.
        tiny = np.float32(1e-30)
        before = np.log(magnitude[row, column] + tiny)
        at = np.log(height + tiny)
        after = np.log(magnitude[row, column + 2] + tiny)
        shift = 0.5 * (before - after) / np.minimum(before - 2 * at + after, -tiny)
        hz = (self._bins.start + 1 + column + shift) * (self.sr / N_FFT)
        octaves = np.log2(np.maximum(hz, 1.0))
        inside = np.minimum(octaves - np.log2(LOWEST_HZ), np.log2(HIGHEST_HZ) - octaves)
        weight = height * np.clip(inside / FADE_OCTAVES, 0.0, 1.0)
        n_steps = 12 * STEPS
        step = np.rint(n_steps * (octaves - np.log2(440.0))).astype(np.int64) % n_steps
        counts = np.bincount(row * n_steps + step, weight, minlength=len(magnitude) * n_steps)
        return counts.reshape(-1, n_steps).astype(np.float32)


def tuning(histogram: Array) -> float:
    """How far the notes lie above the semitones of A = 440 Hz, in semitones from -0.5 to 0.5.

    The circular mean of all peaks of a histogram (n_frames, 120).
    """
    turn = np.exp(2j * np.pi * np.arange(12 * STEPS) / STEPS)
    return float(np.angle(histogram.sum(axis=0, dtype=np.float64) @ turn) / (2.0 * np.pi))


def chroma(histogram: Array) -> Float:
    """Pitch-class profiles of the frames that sound, (n_frames, 12) from A upwards; rows sum to 1.

    Of a histogram (n_frames, 120). Peaks between two semitones of the clip's own tuning count for
    both (squared cosine).
    """
    steps = np.arange(12 * STEPS)[:, None] - STEPS * (np.arange(12)[None, :] + tuning(histogram))
    away = (steps + 6 * STEPS) % (12 * STEPS) - 6 * STEPS
    fold = np.where(np.abs(away) < STEPS, np.cos(0.5 * np.pi * away / STEPS) ** 2, 0.0)
    energy = histogram.sum(axis=1)
    loudest = float(energy.max()) if len(energy) else 0.0
    sounding = energy > loudest * 10.0 ** (-FRAME_DB / 20.0)
    profiles = histogram[sounding] @ fold
    return np.asarray(profiles / profiles.sum(axis=1, keepdims=True), np.float64)


def interval_profile(profiles: Float) -> Float:
    """Share of note pairs 0 ... 6 semitones apart, mean over frames, shape (7,).

    The first half of the profiles' circular autocorrelation, whose twelve values sum to one.
    """
    return _correlation(profiles, profiles)[:7]


def trichord_profile(profiles: Float) -> Float:
    """Share of note triples that make each of `TRICHORDS`, mean over frames, shape (19,)."""
    shares = []
    for a, b in TRICHORDS:
        triples = profiles * np.roll(profiles, -a, axis=1) * np.roll(profiles, -b, axis=1)
        shares.append(triples.sum(axis=1).mean())
    return np.asarray(shares)


def tonal_centroid(profiles: Float) -> Float:
    """Positions on the circles of fifths, minor and major thirds, (n_frames, 6).

    Harte, Sandler & Gasser, Detecting harmonic change in musical audio, 2006.
    """
    angles = np.outer(np.arange(12), np.pi * np.array([7 / 6, 3 / 2, 2 / 3]))
    basis = np.stack([np.sin(angles), np.cos(angles)], axis=2) * np.array([1, 1, 0.5])[:, None]
    return np.asarray(profiles @ basis.reshape(12, 6))


def harmony_summary(histogram: Array) -> Array:
    """The `harmony` view of one clip, shape (89,), float32; zeros where nothing sounds.

    Square roots of the interval profile per frame; of intervals and trichords over 2 s and over
    the whole clip; of the steps (0 ... 11 semitones) from each frame to those 0.4 and 2 s later;
    then mean and deviation of the speed on the three circles of the tonal centroid.
    Of the histogram (n_frames, 120) of the whole clip.
    """
    profiles = chroma(histogram)
    if not len(profiles):
        return np.zeros(N_FEATURES, np.float32)
    smooth, whole = _smoothed(profiles), profiles.mean(axis=0, keepdims=True)
    shares = [
        interval_profile(profiles),
        interval_profile(smooth),
        trichord_profile(smooth),
        interval_profile(whole),
        trichord_profile(whole),
    ]
    for lag in LAGS:
        apart = min(lag, len(profiles) - 1)
        shares.append(_correlation(profiles[: len(profiles) - apart], profiles[apart:]))
    centroid = tonal_centroid(profiles)
    apart = min(LAGS[0], len(profiles) - 1)
    movement = centroid[apart:] - centroid[: len(centroid) - apart]
    speed = np.hypot(movement[:, ::2], movement[:, 1::2])
    roots = np.sqrt(np.maximum(np.concatenate(shares), 0.0))
    return np.concatenate([roots, speed.mean(axis=0), speed.std(axis=0)]).astype(np.float32)


def _correlation(first: Float, second: Float) -> Float:
    """Mean over frames of sum_p first[p] * second[p + k], for k = 0 ... 11."""
    cross = np.conj(scipy.fft.rfft(first, axis=1)) * scipy.fft.rfft(second, axis=1)
    return np.asarray(scipy.fft.irfft(cross.mean(axis=0), 12))


def _smoothed(profiles: Float) -> Float:
    """Moving average over 2 s, or over everything where there is less."""
    width = min(SMOOTH, len(profiles))
    sums = np.cumsum(np.concatenate([np.zeros((1, 12)), profiles]), axis=0)
    return np.asarray((sums[width:] - sums[:-width]) / width)
