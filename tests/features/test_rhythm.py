"""The modulation spectrum against Welch's method in scipy, Parseval and made beats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from songscape.features import rhythm, spectra

SR = 22_050
FRAME_RATE = SR / spectra.HOP_LENGTH


def view_of(y: np.ndarray) -> np.ndarray:
    power = rhythm.band_power(spectra.mel_power(y.astype(np.float32), SR))
    return rhythm.rhythm_summary(power, FRAME_RATE).reshape(rhythm.N_BANDS, rhythm.N_RATES)


def test_windows_are_averaged_as_welch_does():
    levels = np.random.default_rng(0).standard_normal((384 + 5 * 192, 3)).astype(np.float32)
    frequencies, density = welch(
        levels, FRAME_RATE, "hann", 384, 192, 1024, detrend="constant", axis=0
    )
    step = frequencies[1]
    grid = np.geomspace(0.5, 10.0, 16)
    ours = rhythm.modulation_spectrum(levels, FRAME_RATE)
    for i in range(16):
        ratio = grid[1] / grid[0]
        weights = np.interp(
            np.log(np.maximum(frequencies, 1e-9)),
            np.log([grid[i] / ratio, grid[i], grid[i] * ratio]),
            [0.0, 1.0, 0.0],
        )
        expected = np.sqrt((weights[:, None] * density).sum(axis=0) * step)
        np.testing.assert_allclose(ours[:, i], expected, rtol=1e-4)


@pytest.mark.parametrize("rate", [0.9, 2.0, 4.5, 7.7])
def test_a_sine_has_all_of_its_power_around_its_rate(rate):
    time = np.arange(1600) / FRAME_RATE
    levels = (3.0 * np.sin(2 * np.pi * rate * time))[:, None].astype(np.float32)
    depth = rhythm.modulation_spectrum(levels, FRAME_RATE)[0]
    np.testing.assert_allclose(np.sqrt((depth**2).sum()), 3.0 / np.sqrt(2.0), rtol=0.02)
    assert abs(np.argmax(depth) - np.abs(np.log(rhythm.rates() / rate)).argmin()) <= 1


def test_a_beat_shows_in_its_band_and_at_its_rate():
    rng = np.random.default_rng(1)
    time = np.arange(SR * 12) / SR
    high = np.diff(rng.standard_normal(len(time) + 1))
    y = 0.1 * np.sin(2 * np.pi * 200 * time) + 0.1 * high * (1 + 0.8 * np.sin(8 * np.pi * time))
    view = view_of(y)
    band, rate = np.unravel_index(view.argmax(), view.shape)
    assert rhythm.rates()[rate] == pytest.approx(4.0, rel=0.15)
    assert band >= 5
    assert view[0].max() < 0.3 * view.max()


@pytest.mark.parametrize("gain", [0.05, 7.0])
def test_level_changes_nothing(song, gain):
    y = song(10.0, sr=SR, channels=1)[:, 0]
    np.testing.assert_allclose(view_of(gain * y), view_of(y), atol=1e-4)


def test_a_faster_tempo_moves_the_peak():
    time = np.arange(SR * 12) / SR
    carrier = np.random.default_rng(2).standard_normal(len(time))
    peaks = []
    for beats in (1.0, 2.0, 4.0):
        y = 0.1 * carrier * np.exp(-8 * (time % (1 / beats)))
        peaks.append(rhythm.rates()[view_of(y).mean(axis=0).argmax()])
    assert peaks == sorted(set(peaks))
    np.testing.assert_allclose(peaks, [1.0, 2.0, 4.0], rtol=0.15)


@pytest.mark.parametrize("seconds", [1.0, 5.0, 8.9, 9.5, 31.7])
def test_clips_of_any_length_give_the_same_shape(seconds, song):
    y = song(seconds, sr=SR, channels=1)[:, 0]
    view = view_of(y)
    assert view.shape == (10, 16)
    assert view.dtype == np.float32
    assert np.isfinite(view).all()


def test_the_last_beats_count_as_well():
    y = 0.1 * np.random.default_rng(3).standard_normal(SR * 12)
    changed = y.copy()
    changed[-SR:] *= 1 + np.sin(2 * np.pi * 6 * np.arange(SR) / SR)
    assert np.abs(view_of(changed) - view_of(y)).max() > 0.02


def test_silence_has_no_rhythm():
    assert not rhythm.rhythm_summary(np.zeros((500, 10), np.float32), FRAME_RATE).any()
