"""Harmony against librosa, brute force and transposed pieces."""

from __future__ import annotations

import itertools

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from songscape.features import harmony
from songscape.features.analyse import analyse_file

SR = 22_050
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
DEGREES = ((0, 2, 4), (5, 7, 9), (3, 5, 7), (4, 6, 8))  # I vi IV V


def tone(semitone: float, seconds: float) -> np.ndarray:
    """A decaying note, semitones above A = 220 Hz, with five partials."""
    time = np.arange(int(seconds * SR)) / SR
    hz = 220.0 * 2 ** (semitone / 12)
    partials = sum(np.sin(2 * np.pi * hz * k * time) / k**1.5 for k in range(1, 6))
    return np.exp(-2 * time) * partials


def piece(scale: tuple[int, ...], up: float = 0.0) -> np.ndarray:
    """Four chords with a broken-chord tune above them, twice, transposed by `up` semitones."""
    parts = []
    for degrees in DEGREES * 2:
        notes = [scale[d % 7] + 12 * (d // 7) for d in degrees]
        chord = sum(tone(note - 12 + up, 1.0) for note in notes)
        tune = np.concatenate([tone(note + 12 + up, 0.25) for note in (*notes, notes[1])])
        parts.append(chord[: len(tune)] + tune)
    return (0.05 * np.concatenate(parts)).astype(np.float32)


def histogram_of(y: np.ndarray) -> np.ndarray:
    stream = harmony.PitchStream(SR)
    blocks = [stream.push(y[i : i + 30_000]) for i in range(0, len(y), 30_000)]
    return np.concatenate([*blocks, stream.finish()])


def view_of(y: np.ndarray) -> np.ndarray:
    return harmony.harmony_summary(histogram_of(y))


profiles = arrays(np.float64, (7, 12), elements=st.floats(0.01, 1.0)).map(
    lambda rows: rows / rows.sum(axis=1, keepdims=True)
)


def test_transposing_changes_less_than_major_to_minor():
    original = view_of(piece(MAJOR))
    minor = np.linalg.norm(view_of(piece(MINOR)) - original)
    moved = [np.linalg.norm(view_of(piece(MAJOR, up)) - original) for up in range(-6, 7)]
    assert max(moved) < 0.6 * minor
    assert np.median(moved) < 0.4 * minor


def test_tuning_changes_less_than_major_to_minor():
    original = view_of(piece(MAJOR))
    minor = np.linalg.norm(view_of(piece(MINOR)) - original)
    for up in (-0.4, 0.2, 0.5):
        assert np.linalg.norm(view_of(piece(MAJOR, up)) - original) < 0.5 * minor


@pytest.mark.parametrize("gain", [0.02, 9.0])
def test_level_changes_nothing(gain):
    y = piece(MAJOR)
    np.testing.assert_allclose(view_of(gain * y), view_of(y), atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(profiles, st.integers(0, 11))
def test_turning_the_profiles_changes_no_share(rows, up):
    turned = np.roll(rows, up, axis=1)
    for share in (harmony.interval_profile, harmony.trichord_profile):
        np.testing.assert_allclose(share(turned), share(rows), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(profiles)
def test_shares_are_counts_of_pairs_and_triples(rows):
    pairs, triples = np.zeros(12), np.zeros(len(harmony.TRICHORDS))
    for row in rows:
        for p, q in itertools.product(range(12), repeat=2):
            pairs[(q - p) % 12] += row[p] * row[q] / len(rows)
        for i, (a, b) in enumerate(harmony.TRICHORDS):
            triples[i] += sum(row[p] * row[(p + a) % 12] * row[(p + b) % 12] for p in range(12))
    np.testing.assert_allclose(pairs.sum(), 1.0)
    np.testing.assert_allclose(harmony.interval_profile(rows), pairs[:7], atol=1e-12)
    np.testing.assert_allclose(harmony.trichord_profile(rows), triples / len(rows), atol=1e-12)


def test_there_are_nineteen_trichords():
    # Burnside: (220 + 2 * 4) / 12 orbits; only the augmented triad maps onto itself.
    assert len(harmony.TRICHORDS) == 19
    assert {(4, 7), (3, 7), (3, 6), (4, 8)} <= set(harmony.TRICHORDS)


def test_pairs_cannot_tell_major_from_minor_and_triples_can():
    major, minor = np.zeros((1, 12)), np.zeros((1, 12))
    major[0, [0, 4, 7]] = minor[0, [0, 3, 7]] = 1 / 3
    np.testing.assert_allclose(
        harmony.interval_profile(major), harmony.interval_profile(minor), atol=1e-12
    )
    index = harmony.TRICHORDS.index((4, 7))
    assert harmony.trichord_profile(major)[index] == pytest.approx(1 / 27)
    assert harmony.trichord_profile(minor)[index] == 0


@settings(max_examples=20, deadline=None)
@given(profiles)
def test_tonal_centroid_is_librosas(rows):
    expected = librosa.feature.tonnetz(chroma=rows.T, sr=SR).T
    np.testing.assert_allclose(harmony.tonal_centroid(rows), expected, atol=1e-6)


@pytest.mark.parametrize("cents", [-40, -15, 0, 25, 45])
def test_tuning_is_found(cents):
    y = piece(MAJOR, cents / 100)
    assert harmony.tuning(histogram_of(y)) == pytest.approx(cents / 100, abs=0.03)


def test_chroma_agrees_with_librosa():
    for scale in (MAJOR, MINOR):
        y = piece(scale, 3)
        ours = harmony.chroma(histogram_of(y)).mean(axis=0)
        frames = librosa.feature.chroma_stft(y=y, sr=SR, n_fft=8192, hop_length=4096, tuning=0)
        theirs = frames.mean(axis=1)  # from C upwards
        assert np.corrcoef(np.roll(ours, -3), theirs)[0, 1] > 0.8


def test_a_chord_has_its_notes():
    y = sum(tone(note, 3.0) for note in (0, 4, 7)).astype(np.float32)
    profile = harmony.chroma(histogram_of(y)).mean(axis=0)
    assert set(np.argsort(profile)[-3:]) == {0, 4, 7}


def test_steps_have_a_direction():
    up = np.concatenate([tone(note, 0.4) for note in range(0, 24, 2)]).astype(np.float32)
    lag = slice(harmony.N_FEATURES - 30, harmony.N_FEATURES - 18)
    rising, falling = view_of(up)[lag], view_of(up[::-1].copy())[lag]
    assert rising[2] > rising[10]
    assert falling[2] < falling[10]


@pytest.mark.parametrize("n_samples", [22_050, 30_000, 100_001])
def test_short_clips_and_noise_are_finite(n_samples):
    y = np.random.default_rng(0).standard_normal(n_samples).astype(np.float32)
    view = view_of(y)
    assert view.shape == (harmony.N_FEATURES,)
    assert np.isfinite(view).all()
    assert not view_of(np.zeros(n_samples, np.float32)).any()


def test_blocks_of_any_size_give_the_same_view(write_song, tmp_path):
    path = write_song(tmp_path / "x.flac", 6.0, SR, channels=1)
    stored = analyse_file(str(path), ["harmony"]).features
    assert list(stored) == ["harmony"]
    y, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(stored["harmony"], view_of(y), atol=1e-5)
