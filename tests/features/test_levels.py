"""Samples that are not scaled to -1 to 1: read as the integers they are, and never in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import write_with_av

from songscape.features.analyse import RECIPES, analyse_file
from songscape.features.encoders.sound import read_windows

SR = 22_050


def write(path: Path, y: np.ndarray, subtype: str = "FLOAT") -> str:
    soundfile.write(path, y, SR, subtype=subtype)
    return str(path)


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_floats_in_the_range_of_an_integer_type_are_scaled_and_named(song, tmp_path, bits):
    y = 5 * song(3.0, SR)
    usual = analyse_file(write(tmp_path / "a.wav", y), tuple(RECIPES))
    large = analyse_file(write(tmp_path / "b.wav", y * 2.0 ** (bits - 1)), tuple(RECIPES))
    assert usual.warnings == ()
    assert large.warnings[0].endswith(f", not to 1: read as {bits}-bit integers")
    for name in RECIPES:
        np.testing.assert_array_equal(large.features[name], usual.features[name])
    for fact in ("digest", "loudness_dbfs", "peak_dbfs"):
        assert large.facts[fact] == pytest.approx(usual.facts[fact])


@pytest.mark.parametrize("name", ["x.wav", "x.aiff", "x.au", "x.caf", "x.w64", "x.rf64"])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_every_format_that_holds_floats(song, tmp_path, name, subtype):
    analysis = analyse_file(write(tmp_path / name, 5 * song(2.0, SR) * 2.0**15, subtype))
    assert "read as 16-bit integers" in analysis.warnings[0]
    assert analysis.facts["peak_dbfs"] < 4


def test_floats_by_the_second_decoder(song, tmp_path):
    path = write_with_av(tmp_path / "x.mka", song(2.0, SR) * 2.0**15, SR, "pcm_f32le")
    assert "read as 16-bit integers" in analyse_file(str(path)).warnings[0]


@pytest.mark.parametrize(("peak", "is_named"), [(0.9, False), (1.5, False), (3.0, True)])
def test_a_little_over_full_scale_is_usual_and_more_is_named(song, tmp_path, peak, is_named):
    y = song(2.0, SR, channels=1)
    analysis = analyse_file(write(tmp_path / "x.wav", y * peak / np.abs(y).max()))
    assert analysis.facts["peak_dbfs"] == pytest.approx(20 * np.log10(peak), abs=1e-3)
    assert analysis.warnings == (("samples up to 3, where 1 is full scale",) if is_named else ())


def test_windows_for_encoders_are_scaled_too(song, tmp_path):
    y = 5 * song(12.0, SR)
    usual = read_windows(write(tmp_path / "a.wav", y), SR)
    large = read_windows(write(tmp_path / "b.wav", y * 2.0**15), SR)
    np.testing.assert_array_equal(usual.features["windows"], large.features["windows"])


def test_what_fits_no_integer_type_is_refused(song, tmp_path):
    analysis = analyse_file(write(tmp_path / "x.wav", song(2.0, SR) * 1e20))
    assert "expected -1 to 1" in (analysis.failure or "")


def test_a_loud_click_in_usual_floats_does_not_silence_the_song(song, tmp_path):
    y = song(3.0, SR, channels=1)
    y[1000] = 40.0  # a broken sample: the song is scaled with it, and that is said
    analysis = analyse_file(write(tmp_path / "x.wav", y))
    assert analysis.failure is None
    assert "samples up to 40, not to 1" in analysis.warnings[0]
