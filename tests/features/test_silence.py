"""Silence and constants: no view describes them, and what holds nothing else is refused."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from songscape.features.analyse import MAX_FRAMES, analyse_file, first_sound
from songscape.features.decode import load_mono
from songscape.features.spectra import mel_power, mfcc_from_db, power_to_db

SR = 22_050
RNG = np.random.default_rng(0)


@pytest.fixture
def analyse(tmp_path):
    def run(*parts: np.ndarray, subtype: str = "PCM_16", suffix: str = "wav"):
        path = tmp_path / f"x.{suffix}"
        y = np.concatenate(parts)
        soundfile.write(path, y, SR, **({"subtype": subtype} if suffix == "wav" else {}))
        return analyse_file(str(path)), mfcc_from_db(power_to_db(mel_power(load_mono(path), SR)))

    return run


def seconds(n: float) -> int:
    return int(n * SR)


def is_same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal but for the last bits: the clip is described in blocks, and the reference at once."""
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=2e-3)


def quiet(kind: str, n: float) -> np.ndarray:
    size = seconds(n)
    return {
        "zeros": np.zeros(size),
        "dither": RNG.integers(-1, 2, size) / 32768,
        "a constant level": np.full(size, 0.1),
        "hum": 1e-4 * np.sin(np.arange(size) * 2 * np.pi * 50 / SR),
    }[kind].astype(np.float32)


@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac", "ogg"])
@pytest.mark.parametrize("kind", ["zeros", "dither", "a constant level", "hum"])
def test_the_view_begins_with_the_first_sound(analyse, song, kind, suffix):
    if (kind, suffix) == ("a constant level", "ogg"):
        pytest.skip("Vorbis turns a constant level into a tone at -56 dB")
    tune = 3 * song(6.0, SR, channels=1)[:, 0]
    analysis, whole = analyse(quiet(kind, 8.0), tune, suffix=suffix)
    start = round(8.0 * SR / 512)
    view = analysis.features["mfcc"]
    around = range(start - 4, start + 4)  # codecs smear the beginning
    assert any(is_same(view, whole[:, at : at + MAX_FRAMES]) for at in around)
    assert any("begins with silence: the view mfcc starts at" in w for w in analysis.warnings)


@pytest.mark.parametrize("n", [0.0, 0.05, 0.9, 1.9])
def test_up_to_two_seconds_of_silence_stays(analyse, song, n):
    analysis, whole = analyse(np.zeros(seconds(n)), song(9.0, SR, channels=1)[:, 0])
    assert is_same(analysis.features["mfcc"], whole[:, :MAX_FRAMES])
    assert analysis.warnings == ()


def test_a_click_before_long_silence_is_not_the_first_sound(analyse, song):
    click = np.zeros(seconds(8.0))
    click[2000:2100] = 0.5
    analysis, whole = analyse(click, song(8.0, SR, channels=1)[:, 0])
    start = round(8.0 * SR / 512)
    view = analysis.features["mfcc"]
    assert any(is_same(view, whole[:, at : at + MAX_FRAMES]) for at in range(start - 4, start + 4))


def test_a_quiet_beginning_is_no_silence(analyse, song):
    tune = song(12.0, SR, channels=1)[:, 0]
    tune[: seconds(8.0)] *= 10 ** (-40 / 20)
    analysis, whole = analyse(tune)
    assert is_same(analysis.features["mfcc"], whole[:, :MAX_FRAMES])


def test_silence_in_the_middle_and_at_the_end_moves_nothing(analyse, song):
    tune = song(4.0, SR, channels=1)[:, 0]
    analysis, whole = analyse(tune, np.zeros(seconds(30.0)), tune, np.zeros(seconds(10.0)))
    assert is_same(analysis.features["mfcc"], whole[:, :MAX_FRAMES])
    assert analysis.warnings == ()


def test_other_views_still_describe_the_whole_clip(analyse, song, tmp_path):
    from songscape.features.spectra import segment_summary, timbre_summary

    analysis, whole = analyse(np.zeros(seconds(8.0)), song(6.0, SR, channels=1)[:, 0])
    assert is_same(analysis.features["timbre"], timbre_summary(whole))
    assert is_same(analysis.features["segments"], segment_summary(whole))


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        (
            np.zeros((seconds(3), 2)),
            "silent: no sample above -84 dBFS; export it again or remove it",
        ),
        (
            RNG.integers(-1, 2, (seconds(3), 1)) / 32768,
            "silent: no sample above -84 dBFS; export it again or remove it",
        ),
        (
            np.full((seconds(3), 2), 0.25),
            "silent: a constant level of 0.25, and no sound; export it again",
        ),
        (
            np.full((seconds(3), 1), -0.25),
            "silent: a constant level of -0.25, and no sound; export it again",
        ),
        (
            np.outer(np.sin(np.arange(seconds(3)) * 0.05), [0.5, -0.5]),
            "silent: its channels cancel each other out; invert one of them",
        ),
    ],
)
def test_what_holds_no_sound_is_refused_with_its_reason(tmp_path, y, reason):
    soundfile.write(tmp_path / "x.wav", y, SR)
    assert analyse_file(str(tmp_path / "x.wav")).failure == reason


def test_one_short_sound_in_long_silence_is_named(analyse, song):
    tune = song(0.3, SR, channels=1)[:, 0]
    analysis, _ = analyse(np.zeros(seconds(20.0)), tune, np.zeros(seconds(10.0)))
    assert analysis.warnings[0].startswith("nearly silent: 0.4 of 30.3 s sound")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 400)), min_size=1, max_size=6))
def test_the_view_holds_as_much_sound_as_it_can(runs):
    is_sound = np.concatenate([np.full(n, sounds) for sounds, n in runs])
    is_sound = np.concatenate([is_sound, np.zeros(max(44 - len(is_sound), 0), bool)])
    start = first_sound(is_sound)
    assert start == 0 or is_sound[start : start + 44].any() or not is_sound[: start + 1].any()
    assert len(is_sound) - start >= 43

    def share(at: int) -> float:
        return float(is_sound[at : at + MAX_FRAMES].mean())

    possible = [at for at in range(len(is_sound) - 42) if is_sound[at]]
    if possible:
        assert share(start) >= min(0.5, max(map(share, possible)) * 0.5)
    if share(0) >= 0.5 and is_sound[:86].any():
        assert start == 0
