"""CUE sheets: an album in one file is its tracks, by their times."""

from __future__ import annotations

import struct

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
    assert row.reason.endswith("; its album is read as one track")


# -- in the file itself ----------------------------------------------------------------------------


def flac_block(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + len(content).to_bytes(3, "big") + content


def with_blocks(flac: bytes, *blocks: bytes) -> bytes:
    """A FLAC file with more blocks behind the first (RFC 9639)."""
    assert not flac[4] & 128, "the first block is the last"
    return flac[:42] + b"".join(blocks) + flac[42:]


def comments(sheet: str) -> bytes:
    text = f"CUESHEET={sheet}".encode()
    return flac_block(4, struct.pack("<III", 0, 1, len(text)) + text)


def sheet_block() -> bytes:
    """The three tracks of `SHEET` and a track of data, in samples."""
    content = bytes(128) + bytes(8) + b"\x80" + bytes(258) + bytes([5])
    for number, start in enumerate((*STARTS, 12.0), 1):
        flags, begin = 0x80 if number == 4 else 0, max(round(start * RATE) - 441, 0)
        content += struct.pack(">QB12sB13xB", begin, number, b"", flags, 2)
        content += struct.pack(">QB3xQB3x", 0, 0, round(start * RATE) - begin, 1)
    content += struct.pack(">QB12sB13xB", 15 * RATE, 170, b"", 0, 0)
    return flac_block(5, content)


@pytest.mark.parametrize("named", [True, False])
def test_a_sheet_in_a_comment_tells_the_tracks(tmp_path, album, named):
    sheet = SHEET.format(suffix="flac")
    if not named:
        sheet = "".join(line for line in sheet.splitlines(True) if "FILE" not in line)
    path = album / "album.flac"
    path.write_bytes(with_blocks(path.read_bytes(), comments(sheet)))
    collection = read(tmp_path)
    assert [(t.id, t.labels["title"]) for t in collection.tracks] == [
        ("The Band/album#01", "One"),
        ("The Band/album#02", "Two – ü"),
        ("The Band/album#03", "Track 3"),
    ]
    assert [t.span for t in collection.tracks] == list(zip(STARTS, (*STARTS[1:], None)))
    assert {t.labels["album"] for t in collection.tracks} == {"An Album"}
    assert collection.problems == ()


def test_a_block_of_flac_tells_the_tracks(tmp_path, album):
    path = album / "album.flac"
    path.write_bytes(with_blocks(path.read_bytes(), sheet_block()))
    tracks = read(tmp_path).tracks
    assert [t.id[-2:] for t in tracks] == ["01", "02", "03"]
    spans = [(*STARTS[:2],), STARTS[1:], (STARTS[2], None)]
    for track, span in zip(tracks, spans):
        assert track.span == pytest.approx(span, abs=1 / 75)


def test_titles_of_a_comment_go_before_a_block(tmp_path, album):
    path = album / "album.flac"
    sheet = comments(SHEET.format(suffix="flac"))
    path.write_bytes(with_blocks(path.read_bytes(), sheet_block(), sheet))
    assert [t.labels["title"] for t in read(tmp_path).tracks] == ["One", "Two – ü", "Track 3"]


def test_a_sheet_in_an_ape_tag_tells_the_tracks(tmp_path, album):
    text = SHEET.format(suffix="mp3").encode()
    item = struct.pack("<II", len(text), 0) + b"Cuesheet\0" + text
    foot = b"APETAGEX" + struct.pack("<IIII8x", 2000, 32 + len(item), 1, 0)
    soundfile.write(album / "other.mp3", np.random.default_rng(1).normal(0, 0.1, 15 * RATE), RATE)
    (album / "album.flac").unlink()
    path = album / "other.mp3"
    path.write_bytes(path.read_bytes() + item + foot)
    assert [t.id for t in read(tmp_path).tracks] == [f"The Band/other#0{n}" for n in (1, 2, 3)]


def test_a_sheet_beside_the_file_goes_before_one_in_it(tmp_path, album):
    path = album / "album.flac"
    path.write_bytes(with_blocks(path.read_bytes(), sheet_block()))
    (album / "album.cue").write_text(SHEET.format(suffix="flac").replace("One", "Eins"))
    assert [t.labels["title"] for t in read(tmp_path).tracks] == ["Eins", "Two – ü", "Track 3"]


def test_a_row_of_a_table_is_one_track_whatever_its_file_says(tmp_path, album):
    path = album / "album.flac"
    path.write_bytes(with_blocks(path.read_bytes(), sheet_block()))
    (tmp_path / "c" / "tracks.csv").write_text("id,audio\nall,The Band/album.flac\n")
    assert [(t.id, t.span) for t in read(tmp_path).tracks] == [("all", None)]


@pytest.mark.parametrize("cut", [0, 10, 395, 396, 420, 445])
def test_a_damaged_block_leaves_the_file_whole(tmp_path, album, cut):
    path, block = album / "album.flac", sheet_block()
    short = block[:1] + cut.to_bytes(3, "big") + block[4 : 4 + cut]
    path.write_bytes(with_blocks(path.read_bytes(), short))
    assert [t.id for t in read(tmp_path).tracks] == ["The Band/album"]


def test_two_tracks_of_one_number_are_one(tmp_path, album):
    sheet = SHEET.format(suffix="flac").replace("TRACK 03", "TRACK 01")
    (album / "album.cue").write_text(sheet)
    assert [t.id[-2:] for t in read(tmp_path).tracks] == ["01", "02"]
