"""Rhythm: how strongly, and how fast, the level of each frequency band goes up and down."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from songscape.features.spectra import hann

N_BANDS = 10
N_RATES = 16
LOWEST_RATE, HIGHEST_RATE = 0.5, 10.0
"""Hz; from a bar's length at a slow tempo up to the fastest rolls (30 to 600 per minute)."""
WINDOW = 384  # frames: 8.9 s at 512 samples and 22,050 Hz, four periods of the slowest rate
N_FFT = 1024
_WINDOWS_AT_ONCE = 128  # 9.5 minutes
FLOOR_DB = 60.0
"""Under the loudest moment; deeper, a rest and a digital silence would be worlds apart."""

Array = NDArray[np.float32]


def rates() -> NDArray[np.float64]:
    """The modulation frequencies in Hz, evenly spaced in log frequency."""
    return np.geomspace(LOWEST_RATE, HIGHEST_RATE, N_RATES)


def band_power(mel: Array) -> Array:
    """Mean power of `N_BANDS` groups of neighbouring mel bands, (n_frames, n_mels) -> (…, 10)."""
    return mel @ _groups(mel.shape[1])


def band_levels(power: Array) -> Array:
    """Band power (n_frames, n_bands) -> dB under the loudest value, no lower than -60 dB.

    A clip that is played louder or softer gives the same numbers.
    """
    floor = np.float32(10.0 ** (-FLOOR_DB / 10.0))
    relative = power / max(float(power.max()), float(np.finfo(np.float32).tiny))
    return np.asarray(10.0 * np.log10(np.maximum(relative, floor)), np.float32)


def modulation_spectrum(levels: Array, frame_rate: float) -> Array:
    """Modulation depth of every band at every rate: Welch's method (1967) on levels in dB.

    Hann windows of 384 frames (or the whole clip, where it is shorter) that overlap by about half
    and reach from the first frame to the last, their mean removed, periodograms averaged; power
    is collected by triangles in log frequency that add up to one between neighbouring rates.

    Levels (n_frames, n_bands) at `frame_rate` Hz -> (n_bands, n_rates), float32: root mean squares
    in the units of `levels`, so a sine of amplitude a gives a / sqrt(2) in all.
    """
    n_frames = len(levels)
    width = min(WINDOW, n_frames)
    n_windows = 1 + -(-(n_frames - width) // (WINDOW // 2))
    starts = np.linspace(0, n_frames - width, n_windows).round().astype(int)
    taper = hann(width)
    density = np.zeros((1, N_FFT // 2 + 1, levels.shape[1]), np.float32)
    for some in (
        starts[at : at + _WINDOWS_AT_ONCE] for at in range(0, n_windows, _WINDOWS_AT_ONCE)
    ):
        windows = np.stack([levels[start : start + width] for start in some])
        centred = (windows - windows.mean(axis=1, keepdims=True)) * taper[None, :, None]
        spectrum = scipy.fft.rfft(centred, N_FFT, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        density = np.concatenate([density, power]).sum(axis=0, keepdims=True)
    density = density[0] / np.float32(n_windows)
    density *= 2.0 / (N_FFT * np.square(taper, dtype=np.float64).sum())
    power = _triangles(frame_rate) @ density
    return np.asarray(np.sqrt(power.T), np.float32)


def rhythm_summary(power: Array, frame_rate: float) -> Array:
    """The `rhythm` view of one clip: ln(1 + depth in dB), band after band, shape (160,), float32.

    Of what `band_power` gives, (n_frames, n_bands), at `frame_rate` frames per second.
    """
    depth = modulation_spectrum(band_levels(power), frame_rate)
    return np.asarray(np.log1p(depth).ravel(), np.float32)


@lru_cache(maxsize=4)
def _groups(n_mels: int) -> Array:
    bounds = np.arange(N_BANDS + 1) * n_mels // N_BANDS
    weights = np.zeros((n_mels, N_BANDS), np.float32)
    for band in range(N_BANDS):
        weights[bounds[band] : bounds[band + 1], band] = 1.0 / (bounds[band + 1] - bounds[band])
    return weights


@lru_cache(maxsize=4)
def _triangles(frame_rate: float) -> NDArray[np.float64]:
    """Weights of FFT bins in each rate, (n_rates, 1 + N_FFT // 2)."""
    step = np.log(HIGHEST_RATE / LOWEST_RATE) / (N_RATES - 1)
    bins = np.fft.rfftfreq(N_FFT, 1.0 / frame_rate)
    bins[0] = 1e-9  # no rate reaches it
    away = np.abs(np.log(bins)[None, :] - np.log(rates())[:, None]) / step
    return np.asarray(np.maximum(0.0, 1.0 - away))
