"""Spectra against librosa, scipy and closed forms."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from scipy.signal import savgol_filter

from songscape.features import spectra
from songscape.features.analyse import analyse_file

REAL = Path(__file__).parents[3] / "shared" / "data"
SR = 22_050


def mfcc(y: np.ndarray) -> np.ndarray:
    return spectra.mfcc_from_db(spectra.power_to_db(spectra.mel_power(y, SR)))


def test_mel_filterbank_is_librosas():
    for sr in (22_050, 16_000, 44_100):
        ours = spectra.mel_filterbank(sr)
        np.testing.assert_allclose(ours, librosa.filters.mel(sr=sr, n_fft=2048), atol=1e-8)


def test_mfcc_agrees_with_librosa_on_a_made_song(song):
    y = song(sr=SR, channels=1)[:, 0]
    expected = librosa.feature.mfcc(y=y, sr=SR, n_mfcc=40)
    ours = mfcc(y)
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() < 1e-3


@pytest.mark.parametrize(
    "pattern", ["recorded/audio/*.mp3", "artsong/audio/*.mp3", "songtraditions/audio/*.mp3"]
)
def test_mfcc_agrees_with_librosa_on_real_songs(pattern):
    files = sorted(REAL.glob(pattern))[::40]
    if not files:
        pytest.skip("no example songs here")
    for path in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y, _ = librosa.load(path, sr=SR)
        expected = librosa.feature.mfcc(y=y, sr=SR, n_mfcc=40)
        assert np.abs(mfcc(y) - expected).max() < 1e-3, path.name


def test_loud_moment_raises_the_floor_of_the_whole_clip():
    # The dB scale ends 80 dB under the clip's maximum, wherever that is.
    rng = np.random.default_rng(1)
    y = (1e-5 * rng.standard_normal(SR * 2)).astype(np.float32)
    y[-2000:] += 0.5 * np.sin(np.arange(2000) * 0.3).astype(np.float32)
    expected = librosa.feature.mfcc(y=y, sr=SR, n_mfcc=40)
    stream = spectra.MelStream(SR)
    parts = [stream.push(y[i : i + 7001]) for i in range(0, len(y), 7001)] + [stream.finish()]
    peak = max(float(part.max()) for part in parts if part.size)
    ours = np.concatenate(
        [spectra.mfcc_from_db(spectra.power_to_db(p, peak)) for p in parts if p.size], axis=1
    )
    assert np.abs(ours - expected).max() < 1e-3


@pytest.mark.parametrize("n_samples", [1, 511, 512, 513, 2048, 22_050, 33_333])
def test_frame_count_is_librosas(n_samples):
    y = np.ones(n_samples, np.float32)
    assert spectra.mel_power(y, SR).shape == (1 + n_samples // 512, 128)


def test_blocks_of_any_size_give_the_same_spectrum(song):
    y = song(2.0, sr=SR, channels=1)[:, 0]
    whole = spectra.mel_power(y, SR)
    for size in (100, 512, 5000, 40_000):
        stream = spectra.MelStream(SR)
        parts = [stream.push(y[i : i + size]) for i in range(0, len(y), size)]
        ours = np.concatenate([*parts, stream.finish()])
        np.testing.assert_allclose(ours, whole, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("n_frames", [9, 10, 44, 300])
def test_delta_agrees_with_librosa_and_savitzky_golay(n_frames):
    values = np.random.default_rng(2).standard_normal((40, n_frames)).astype(np.float32)
    ours = spectra.delta(values)
    np.testing.assert_allclose(ours, librosa.feature.delta(values), atol=1e-6)
    expected = savgol_filter(values, 9, polyorder=1, deriv=1, axis=1, mode="interp")
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_delta_of_a_straight_line_is_its_slope():
    line = np.outer([1.0, -2.5], np.arange(50)).astype(np.float32)
    np.testing.assert_allclose(spectra.delta(line), [[1.0] * 50, [-2.5] * 50], rtol=1e-6)


def test_delta_of_too_few_frames_is_refused():
    with pytest.raises(ValueError, match="8 frames, and a slope needs 9"):
        spectra.delta(np.zeros((40, 8), np.float32))


def test_timbre_is_mean_deviation_delta_deviation_median():
    values = np.random.default_rng(3).standard_normal((40, 200)).astype(np.float32)
    slopes = librosa.feature.delta(values)
    expected = [values.mean(1), values.std(1), slopes.std(1), np.median(values, 1)]
    np.testing.assert_allclose(spectra.timbre_summary(values), np.concatenate(expected), atol=1e-5)


def test_segments_are_tenths_of_the_clip():
    values = np.repeat(np.arange(10, dtype=np.float32), 20)[None, :].repeat(40, axis=0)
    segments = spectra.segment_summary(values)
    assert segments.shape == (10, 120)
    np.testing.assert_allclose(segments[:, :40], np.arange(10)[:, None].repeat(40, axis=1))
    np.testing.assert_allclose(segments[:, 40:80], 0)


def test_segments_use_every_frame_once():
    values = np.random.default_rng(4).standard_normal((40, 97)).astype(np.float32)
    sizes = np.diff(np.arange(11) * 97 // 10)
    means = spectra.segment_summary(values)[:, :40]
    np.testing.assert_allclose(sizes @ means / 97, values.mean(axis=1), atol=1e-5)


def test_mel_segments_are_means_of_librosas_log_mel(write_song, tmp_path):
    path = write_song(tmp_path / "x.flac", 5.0, SR, channels=1)
    y, _ = soundfile.read(path, dtype="float32")
    mel = librosa.feature.melspectrogram(y=y, sr=SR, n_fft=2048, hop_length=512, n_mels=128)
    bounds = np.arange(11) * mel.shape[1] // 10
    parts = np.split(librosa.power_to_db(mel), bounds[1:-1], axis=1)
    expected = np.array([part.mean(axis=1) for part in parts])
    stored = analyse_file(str(path), ["mel"]).features
    assert list(stored) == ["mel"]
    np.testing.assert_allclose(stored["mel"], expected, atol=1e-3)


@pytest.mark.parametrize("sizes", [[97], [10, 87], [1] * 97, [0, 50, 0, 47]])
def test_segment_means_do_not_depend_on_the_blocks(sizes):
    frames = np.random.default_rng(5).standard_normal((97, 3)).astype(np.float32)
    means = spectra.SegmentMeans(97, n_columns=3)
    for start, size in zip(np.cumsum([0, *sizes]), sizes):
        means.push(frames[start : start + size])
    bounds = np.arange(11) * 97 // 10
    expected = [frames[a:b].mean(axis=0) for a, b in itertools.pairwise(bounds)]
    np.testing.assert_allclose(means.finish(), expected, atol=1e-6)
