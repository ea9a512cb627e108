"""CUE sheets: an album in one file is its tracks, by their times."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from songscape.features.decode import load_mono
from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.ingest.reading import read_batch
from songscape.library import Library

RATE = 22_050
SHEET = """REM GENRE Folk
REM DATE 1975
PERFORMER "The Band"
TITLE "An Album"
FILE "album.{suffix}" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Two – ü"
    PERFORMER "A Guest"
    INDEX 00 00:03:40
    INDEX 01 00:04:00
  TRACK 03 AUDIO
    INDEX 01 00:09:37
"""
STARTS = (0.0, 4.0, 9 + 37 / 75)


@pytest.fixture
def album(tmp_path):
    """15 s of noise in three parts of different loudness."""
    rng = np.random.default_rng(0)
    y = rng.normal(0, 0.1, 15 * RATE).astype(np.float32)
    y[4 * RATE : 9 * RATE] *= 2
    folder = tmp_path / "c" / "The Band"
    folder.mkdir(parents=True)
    soundfile.write(folder / "album.flac", y, RATE)
    return folder


def read(tmp_path):
    return read_collection(tmp_path / "c", read=read_batch)


@pytest.mark.parametrize("suffix", ["flac", "wav", "FLAC"])
def test_an_album_is_its_tracks(tmp_path, album, suffix):
    (album / "album.cue").write_text(SHEET.format(suffix=suffix), encoding="cp1252")
    collection = read(tmp_path)
    whole = {"album": "An Album", "albumartist": "The Band", "genre": "Folk", "year": "1975"}
    expected = {
        "The Band/album#01": ({"title": "One", "artist": "The Band"}, (0.0, 4.0)),
        "The Band/album#02": ({"title": "Two – ü", "artist": "A Guest"}, (4.0, STARTS[2])),
        "The Band/album#03": ({"title": "Track 3", "artist": "The Band"}, (STARTS[2], None)),
    }
    assert [track.id for track in collection.tracks] == list(expected)
    for track, (cells, span) in zip(collection.tracks, expected.values()):
        assert dict(track.labels) == {**cells, **whole, "tracknumber": track.id[-1]}
        assert track.span == pytest.approx(span)
    assert collection.problems == ()


def test_each_track_is_analysed_as_if_it_were_a_file(tmp_path, album):
    (album / "album.cue").write_text(SHEET.format(suffix="flac"))
    apart = tmp_path / "apart"
    apart.mkdir()
    y = load_mono(album / "album.flac")
    for number, (start, end) in enumerate(zip(STARTS, (*STARTS[1:], 15.0)), 1):
        part = y[round(start * RATE) : round(end * RATE)]
        np.testing.assert_array_equal(load_mono(album / "album.flac", span=(start, end)), part)
        soundfile.write(apart / f"{number}.wav", part, RATE, subtype="FLOAT")
    found = []
    for folder in (tmp_path / "c", apart):
        with Library.open(tmp_path / f"{folder.name}.db") as library:
            collection = read_collection(folder, read=read_batch)
            assert extract(library, collection, workers=1).analysed == 3
            facts = library.audio_facts()
            found.append((list(library.features("timbre").values()), facts["digest"].tolist()))
    for one, other in zip(found[0][0], found[1][0]):
        np.testing.assert_array_equal(one, other)
    assert found[0][1] == found[1][1]


def test_a_sheet_that_changes_makes_its_tracks_anew_and_only_these(tmp_path, album):
    sheet = album / "album.cue"
    done: list[str] = []

    def run() -> list[str]:
        done.clear()
        with Library.open(tmp_path / "x.db") as library:
            counts = extract(
                library, read(tmp_path), workers=1, progress=lambda *each: done.append(each[2])
            )
            assert counts.complete
            assert [track.span for track in library.tracks("analysed")] == [
                track.span for track in read(tmp_path).tracks
            ]
        return sorted(filter(None, done))

    assert run() == ["The Band/album"]
    sheet.write_text(SHEET.format(suffix="flac"))
    assert run() == [f"The Band/album#0{i}" for i in (1, 2, 3)]
    assert run() == []
    sheet.write_text(SHEET.format(suffix="flac").replace("00:04:00", "00:05:00"))
    assert run() == ["The Band/album#01", "The Band/album#02"]
    sheet.unlink()
    assert run() == []  # what was known of the whole album still is


@pytest.mark.parametrize(
    "sheet",
    [
        b"",
        b"FILE",
        b'FILE "album.flac" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n',
        SHEET.format(suffix="flac").replace("album", "other").encode(),
        b'FILE "album.flac" WAVE\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\n  TRACK x AUDIO\n',
        b'FILE "album.flac" WAVE\n' + b"TRACK 01 AUDIO\n  INDEX 01 00:00:00\n" * 3,
    ],
)
def test_a_sheet_without_tracks_leaves_the_file_whole(tmp_path, album, sheet):
    name = "x.cue" if b"other" in sheet else "album.cue"
    (album / name).write_bytes(sheet)
    assert [track.id for track in read(tmp_path).tracks] in (
        ["The Band/album"],
        ["The Band/album#01"],
    )


def test_a_line_that_is_no_line_of_a_sheet_is_passed_over(tmp_path, album):
    long = "TITLE" + " " * 500_000 + '"a"b\n'
    (album / "album.cue").write_text(long + SHEET.format(suffix="flac"))
    assert len(read(tmp_path).tracks) == len(STARTS)


def test_a_sheet_that_cannot_be_read_is_named(tmp_path, album):
    (album / "album.cue").write_bytes(b"\0\1\2\3")
    collection = read(tmp_path)
    assert [track.id for track in collection.tracks] == ["The Band/album"]
    (row,) = collection.problems
    assert row.reason.startswith("The Band/album.cue: not text")
    assert row.reason.endswith("; its album is taken as one track")
