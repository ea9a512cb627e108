"""Files that hold more than their decoder's first recording: all of it is read, or it is said."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import bare_mp3, write_with_av

from songscape.features.analyse import analyse_file
from songscape.features.container import read_contents
from songscape.features.decode import load_mono

SUFFIXES = ["mp3", "ogg", "opus", "flac", "wav", "aiff", "m4a", "mka", "aac", "w64", "caf"]


@pytest.fixture
def write(song, write_song, tmp_path):
    def make(name: str, seconds: float, sr: int = 44_100, **keywords: int) -> Path:
        path = tmp_path / name
        if path.suffix in (".m4a", ".mka", ".aac"):
            return write_with_av(path, song(seconds, sr, **keywords), sr, "aac")
        if path.suffix == ".opus":
            sr = 48_000
        return write_song(path, seconds, sr, **keywords)

    return make


def join(*paths: Path, between: bytes = b"") -> Path:
    joined = paths[0].with_name(f"joined{paths[0].suffix}")
    joined.write_bytes(between.join(path.read_bytes() for path in paths))
    return joined


def assert_all_is_read(joined: Path, *parts: Path, rtol: float = 0.0) -> None:
    expected = np.concatenate([load_mono(part) for part in parts])
    analysis = analyse_file(str(joined))
    assert analysis.failure is None
    assert analysis.facts["duration_s"] == pytest.approx(len(expected) / 22_050, rel=1e-3 + rtol)
    if not rtol:
        np.testing.assert_array_equal(load_mono(joined), expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_recordings_end_to_end_are_both_read(write, suffix):
    first, second = write(f"a.{suffix}", 1.5), write(f"b.{suffix}", 3.0, seed=1)
    joined = join(first, second)
    # Raw AAC frames go on where the first recording ends; nothing marks the place.
    assert_all_is_read(joined, first, second, rtol=0.02 if suffix == "aac" else 0.0)
    if suffix != "aac":
        assert analyse_file(str(joined)).warnings == (
            f"2 recordings joined end to end: {len(load_mono(joined)) / 22_050:.1f} s in all",
        )


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac", "wav", "m4a"])
def test_rates_and_channels_may_differ(write, suffix):
    first = write(f"a.{suffix}", 2.0, 44_100)
    second = write(f"b.{suffix}", 2.0, 32_000 if suffix == "m4a" else 24_000, channels=1 + 1)
    third = write(f"c.{suffix}", 1.0, 22_050, seed=2)
    assert_all_is_read(join(first, second, third), first, second, third)


def test_many_recordings(write):
    parts = [write(f"{n}.ogg", 1.0, seed=n) for n in range(12)]
    assert_all_is_read(join(*parts), *parts)


@pytest.mark.parametrize("order", ["bare first", "bare second", "both bare", "another rate"])
def test_mp3_streams_without_a_length_header(write, tmp_path, order):
    first, second = write("a.mp3", 2.0), write("b.mp3", 3.0, seed=1)
    if order in ("bare first", "both bare"):
        first = bare_mp3(first, "a2.mp3")
    if order in ("bare second", "both bare"):
        second = bare_mp3(second, "b2.mp3")
    if order == "another rate":
        first = bare_mp3(first, "a2.mp3")
        second = bare_mp3(write("c.mp3", 3.0, 48_000), "c2.mp3")
    # One stream of frames, the second with the first's decoder delay: not the same to the bit.
    assert_all_is_read(join(first, second), first, second, rtol=0.02)


ID3V2 = b"ID3\x04\0\0" + bytes([0, 0, 10, 0]) + bytes(1280)
ID3V1 = b"TAG" + bytes(125)
APE = b"APETAGEX" + struct.pack("<IIII8x", 2000, 32, 0, 1 << 31)


@pytest.mark.parametrize("between", [ID3V2, ID3V1, ID3V1 + ID3V2, APE + ID3V1, bytes(5000)])
@pytest.mark.parametrize("suffix", ["mp3", "wav"])
def test_tags_and_padding_between_recordings_are_stepped_over(write, between, suffix):
    first, second = write(f"a.{suffix}", 1.5), write(f"b.{suffix}", 3.0, seed=1)
    assert_all_is_read(join(first, second, between=between), first, second)


@pytest.mark.parametrize("tail", [ID3V1, APE + ID3V1, bytes(20_000)])
@pytest.mark.parametrize("suffix", ["mp3", "flac", "wav", "ogg"])
def test_tags_at_the_end_are_no_recording(write, suffix, tail):
    path = write(f"a.{suffix}", 2.0)
    whole = load_mono(path)
    path.write_bytes(path.read_bytes() + tail)
    np.testing.assert_array_equal(load_mono(path), whole)
    if suffix != "ogg":  # where the last page is not at the end, the file may have been cut
        assert analyse_file(str(path)).warnings == ()


@pytest.mark.parametrize("names", ["a.wav b.mp3", "a.wav b.flac", "a.mp3 b.ogg", "a.aiff b.wav"])
def test_recordings_of_different_formats(write, names):
    first, second = (write(name, 2.0, seed=n) for n, name in enumerate(names.split()))
    assert_all_is_read(join(first, second), first, second)


def test_samples_behind_the_length_in_the_header_are_named(song, tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, song(4.5), 44_100, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at, length = data.find(b"data") + 4, int(1.5 * 44_100) * 4
    data[at : at + 4] = struct.pack("<I", length)
    data[4:8] = struct.pack("<I", at + 4 + length - 8)
    path.write_bytes(data)
    analysis = analyse_file(str(path))
    assert analysis.facts["duration_s"] == 1.5
    assert analysis.warnings[0].startswith("67 % of the file lies behind the end that its header")


def test_a_second_recording_that_is_broken_is_named(write, tmp_path):
    first, second = write("a.flac", 2.0), write("b.flac", 2.0, seed=1)
    second.write_bytes(second.read_bytes()[:42] + bytes(5000))
    analysis = analyse_file(str(join(first, second)))
    assert analysis.facts["duration_s"] == 2.0
    assert analysis.warnings[0].startswith("recording 2 of 2 in the file: ")


def test_a_second_recording_that_is_cut_short_is_named(write):
    first, second = write("a.flac", 2.0), write("b.flac", 4.0, seed=1)
    second.write_bytes(second.read_bytes()[: second.stat().st_size // 2])
    warnings = analyse_file(str(join(first, second))).warnings
    assert any(w.startswith("recording 2 of 2 in the file: truncated: ") for w in warnings)


def test_audio_tracks_beside_the_first_are_named(song, tmp_path):
    path = write_with_av(tmp_path / "x.mka", song(2.0), 44_100, "aac", n_tracks=2)
    assert "holds 2 audio tracks; only one of them is read" in analyse_file(str(path)).warnings


def test_ogg_tracks_that_play_at_once_are_one_recording(write):
    first, second = write("a.ogg", 2.0), write("b.ogg", 2.0, seed=1)
    one, two = first.read_bytes(), second.read_bytes()
    page = two.index(b"OggS", 4)
    # The first pages of both tracks stand at the beginning (RFC 3533).
    start = one.index(b"OggS", 4)
    first.write_bytes(one[:start] + two[:page] + one[start:] + two[page:])
    with first.open("rb") as file:
        contents = read_contents(file)
    assert len(contents.parts) == 1


def test_a_picture_in_a_tag_that_looks_like_a_recording_is_none(write):
    path, other = write("a.mp3", 2.0), write("b.mp3", 2.0, seed=1)
    whole = load_mono(path)
    picture = other.read_bytes()
    size = bytes(len(picture) >> shift & 127 for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x04\0\0" + size + picture + path.read_bytes())
    np.testing.assert_array_equal(load_mono(path), whole)
    assert analyse_file(str(path)).warnings == ()


def test_an_ordinary_file_is_one_recording(write):
    for suffix in SUFFIXES:
        path = write(f"a.{suffix}", 2.0)
        with path.open("rb") as file:
            contents = read_contents(file)
        assert (len(contents.parts), contents.n_trailing) == (1, 0), suffix
        assert contents.parts[0].start == 0
