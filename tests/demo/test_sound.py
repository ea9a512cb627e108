"""The sound of the demo songs: in tune, at level, and deaf to the language."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from songscape.demo.files import with_ogg_serial
from songscape.demo.frame import Frame, degree_pitch, melody, triad
from songscape.demo.plan import plan_collection
from songscape.demo.song import compose_song, draw_tempo
from songscape.demo.styles import STYLES
from songscape.demo.synthesis import (
    INSTRUMENTS,
    SYNTHESIS_RATE,
    Colour,
    Player,
    drum,
    hertz,
    smooth,
)

PLANS = plan_collection(60, 4)
LENGTH = (2.0, 3.0)


def one_of_style(style: str):
    return next(plan for plan in PLANS if plan.style == style and not plan.instrumental)


@pytest.mark.parametrize("style", STYLES)
def test_songs_are_at_level_without_offset_or_clipping(style):
    plan = one_of_style(style)
    samples = compose_song(plan, 4, LENGTH)[0]
    assert samples.dtype == np.float32
    assert samples.shape[0] == plan.channels
    assert 2.0 <= samples.shape[1] / SYNTHESIS_RATE <= 3.0
    assert np.isfinite(samples).all()
    peak = 20 * np.log10(np.abs(samples).max())
    assert -12 <= peak <= -1
    assert abs(samples.mean()) < 1e-3
    assert np.sqrt(np.mean(samples**2)) > 0.01


def test_the_sound_does_not_depend_on_language_or_words():
    plan = one_of_style("reggae")
    other = replace(plan, languages=("Japanese", "Arabic"), theme="city", lyrics_match=False)
    np.testing.assert_array_equal(
        compose_song(plan, 4, LENGTH)[0], compose_song(other, 4, LENGTH)[0]
    )


def test_the_mood_and_the_artist_change_the_sound():
    plan = one_of_style("ballad")
    base = compose_song(plan, 4, LENGTH)[0]
    for change in ({"mood": "sea" if plan.mood != "sea" else "city"}, {"artist": plan.artist + 1}):
        changed = compose_song(replace(plan, **change), 4, LENGTH)[0]
        assert not np.array_equal(base, changed)


@pytest.mark.parametrize("style", STYLES)
def test_tempo_lies_in_the_style_s_range(style):
    low, high = STYLES[style]["tempo"]
    tempos = [draw_tempo(plan, 0) for plan in plan_collection(200) if plan.style == style]
    assert min(tempos) >= low
    assert max(tempos) <= high
    assert max(tempos) / min(tempos) > 1.15


def autocorrelation_pitch(samples, low: float, high: float) -> float:
    """Frequency in Hz whose period the signal repeats best, the peak refined by a parabola."""
    spectrum = np.abs(np.fft.rfft(samples, 2 * len(samples))) ** 2
    similarity = np.fft.irfft(spectrum)[: len(samples)] / np.arange(len(samples), 0, -1)
    lags = np.arange(int(SYNTHESIS_RATE / high), int(SYNTHESIS_RATE / low) + 2)
    lag = lags[np.argmax(similarity[lags])]
    before, peak, after = similarity[lag - 1 : lag + 2]
    return SYNTHESIS_RATE / (lag + 0.5 * (before - after) / (before - 2 * peak + after))


@pytest.mark.parametrize("name", sorted(set(INSTRUMENTS) - {"bell"}))
@pytest.mark.parametrize("pitch", [45.0, 57.0, 69.0])
def test_instruments_are_in_tune(name, pitch):
    note = Player(name, Colour(), np.random.default_rng(0)).note(pitch, 0.8)
    assert np.isfinite(note).all()
    heard = autocorrelation_pitch(
        note[1500:7500].astype(float), low=hertz(pitch) / 1.5, high=hertz(pitch) * 1.5
    )
    cents = 1200 * np.log2(heard / hertz(pitch))
    assert abs(cents) < 20


def test_the_bell_has_its_pitch_among_inharmonic_partials():
    note = Player("bell", Colour(), np.random.default_rng(0)).note(69.0, 0.8)
    spectrum = np.abs(np.fft.rfft(note * np.hanning(len(note)), 1 << 17))
    strongest = np.argmax(spectrum) * SYNTHESIS_RATE / (1 << 17)
    assert strongest == pytest.approx(440.0, rel=0.005)


@pytest.mark.parametrize(
    "name",
    [
        "kick",
        "snare",
        "clap",
        "hat",
        "open hat",
        "shaker",
        "rim",
        "tom",
        "brush",
        "tambourine",
        "na",
        "ge",
    ],
)
def test_drums_start_and_die_away(name):
    hit = drum(name, np.random.default_rng(0), 1.0, 1.0, 0.5)
    assert np.isfinite(hit).all()
    third = len(hit) // 3
    assert np.mean(hit[:third] ** 2) > 10 * np.mean(hit[-third:] ** 2)


def test_smooth_is_a_centred_mean():
    values = np.random.default_rng(0).normal(size=500)
    half = round(0.5 * 0.002 * SYNTHESIS_RATE)
    expected = [values[k - half : k + half + 1].mean() for k in range(half, 500 - half)]
    np.testing.assert_allclose(smooth(values, 0.002)[half:-half], expected, atol=1e-12)


def frame(**changes) -> Frame:
    settings = {
        "rng": np.random.default_rng(1), "seconds": 20.0, "beat": 0.5, "beats_per_bar": 4,
        "swing": 0.5, "tonic": 60, "scale": (0, 2, 4, 5, 7, 9, 11), "progression": (0, 3, 4, 0),
        "levels": (2,) * 10, "taste": dict.fromkeys(INSTRUMENTS, 0.0), "register": 0.0,
        "energy": 0.0,
    }  # fmt: skip
    return Frame(**(settings | changes))


def test_c_major_is_spelt_as_c_major():
    song = frame()
    assert [degree_pitch(song, k) for k in range(8)] == [60, 62, 64, 65, 67, 69, 71, 72]
    assert degree_pitch(song, -1) == 59
    assert {p % 12 for p in triad(song, 4)} == {7, 11, 2}


def test_swing_moves_the_off_beat_only():
    shuffled = frame(swing=2 / 3)
    assert shuffled.time(1, 0) == pytest.approx(2.0)
    assert shuffled.time(0, 0.5) == pytest.approx(0.5 * 2 / 3)
    assert shuffled.time(0, 1) == pytest.approx(0.5)


def test_melodies_stay_in_the_scale_and_do_not_overlap():
    notes = melody(frame(), near=67, grid=2, density=0.5)
    assert len(notes) > 10
    assert {int(note.pitch) % 12 for note in notes} <= {0, 2, 4, 5, 7, 9, 11}
    for first, second in pairwise(notes):
        assert first.start + first.duration <= second.start + 1e-9


def test_a_stream_that_is_no_ogg_is_refused():
    with pytest.raises(ValueError, match="no Ogg page"):
        with_ogg_serial(b"RIFF" + bytes(60), 1)
