"""Descriptors say what a person would hear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from songscape.features.analyse import analyse_file
from songscape.features.descriptors import DESCRIPTORS, DescriptorStream, tempo_of

RATE = 22_050
Sound = NDArray[np.float64]


def described(sound: Sound, tmp_path: Path) -> dict[str, float]:
    path = tmp_path / "sound.wav"
    sf.write(path, sound, RATE, subtype="FLOAT")
    analysis = analyse_file(str(path), ["descriptors"])
    assert analysis.failure is None
    return dict(zip(DESCRIPTORS, map(float, analysis.features["descriptors"])))


def seconds(n: float) -> Sound:
    return np.arange(int(n * RATE)) / RATE


def clicks(bpm: float, length: float = 15.0) -> Sound:
    rng = np.random.default_rng(0)
    sound = np.zeros(int(length * RATE))
    for beat in np.arange(0.1, length - 0.2, 60.0 / bpm):
        at = int(beat * RATE)
        sound[at : at + 1_000] += rng.normal(size=1_000) * np.exp(-np.arange(1_000) / 200)
    return 0.3 * sound


def chord(semitones_above_a: tuple[int, ...], length: float = 4.0) -> Sound:
    t = seconds(length)
    notes = [220.0 * 2 ** (s / 12) for s in semitones_above_a]
    return 0.1 * np.sum([np.sin(2 * np.pi * f * t) for f in notes], axis=0)


@pytest.mark.parametrize("bpm", [72.0, 100.0, 128.0, 160.0])
def test_the_tempo_of_a_metronome_is_found_and_sure(bpm: float, tmp_path: Path) -> None:
    found = described(clicks(bpm), tmp_path)
    # Half and double are the same pulse.
    octaves = np.log2(found["tempo_bpm"] / bpm)
    assert abs(octaves - round(octaves)) < 0.03
    assert found["tempo_confidence"] > 0.25
    assert found["steadiness"] > 0.5


def test_noise_has_no_sure_tempo(tmp_path: Path) -> None:
    found = described(0.1 * np.random.default_rng(0).normal(size=15 * RATE), tmp_path)
    assert found["tempo_confidence"] < 0.2
    assert found["steadiness"] < 0.3


def test_ten_decibels_more_are_ten_decibels_more_and_nothing_else(tmp_path: Path) -> None:
    soft, loud = described(clicks(110.0) / 10**0.5, tmp_path), described(clicks(110.0), tmp_path)
    assert loud["loudness_db"] - soft["loudness_db"] == pytest.approx(10.0, abs=0.1)
    for name in ("tempo_bpm", "percussive", "brightness_hz", "dynamics_db"):
        assert loud[name] == pytest.approx(soft[name], rel=0.02), name


def test_a_high_tone_is_brighter_and_its_brightness_is_its_frequency(tmp_path: Path) -> None:
    t = seconds(4.0)
    for hz in (440.0, 3_000.0):
        found = described(0.3 * np.sin(2 * np.pi * hz * t), tmp_path)
        assert found["brightness_hz"] == pytest.approx(hz, rel=0.05)


def test_strokes_are_percussive_and_held_notes_are_not(tmp_path: Path) -> None:
    strokes, held = described(clicks(120.0), tmp_path), described(chord((0, 4, 7)), tmp_path)
    assert strokes["percussive"] > 1.5 * held["percussive"]


def test_a_crescendo_has_dynamics(tmp_path: Path) -> None:
    t = seconds(8.0)
    flat = 0.3 * np.sin(2 * np.pi * 440.0 * t)
    assert described(flat * 10 ** (-1.5 * (1 - t / 8.0)), tmp_path)["dynamics_db"] > 15
    assert described(flat, tmp_path)["dynamics_db"] < 1


@pytest.mark.parametrize(
    ("root", "third", "key", "mode"), [(0, 4, 9, 1), (3, 3, 0, 0), (10, 4, 7, 1)]
)
def test_the_key_of_a_cadence(root: int, third: int, key: int, mode: int, tmp_path: Path) -> None:
    triads = [(root, root + third, root + 7), (root + 5, root + 5 + third, root + 12)]
    triads += [(root + 7, root + 11, root + 14), triads[0]]
    found = described(np.concatenate([chord(t, 2.0) for t in triads]), tmp_path)
    assert (found["key"], found["mode"]) == (key, mode)
    assert found["key_confidence"] > 0.1


def test_nothing_is_all_zero_and_very_short_clips_are_described(tmp_path: Path) -> None:
    assert not DescriptorStream(RATE, 43.0).finish(np.zeros((0, 120), np.float32)).any()
    assert tempo_of(np.ones(20, np.float32), 43.0) == (0.0, 0.0, 0.0)
    assert np.isfinite(list(described(clicks(120, 1.2), tmp_path).values())).all()
