"""Folders and tables -> tracks."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest

from songscape.errors import SongscapeError, UsageError
from songscape.ingest import read_collection


@pytest.fixture
def put(tmp_path):
    def write(name: str, content: str | bytes = b"\0") -> Path:
        path = tmp_path / "c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    (tmp_path / "c").mkdir()
    return write


def read(tmp_path: Path):
    return read_collection(tmp_path / "c")


def ids(collection) -> list[str]:
    return [track.id for track in collection.tracks]


def lyrics(collection) -> dict[str, str | None]:
    return {track.id: track.lyrics for track in collection.tracks}


def problems(collection) -> dict[str, tuple[str, str]]:
    return {row.track_id: (row.status, row.reason) for row in collection.problems}


def test_folders_are_searched_and_ids_are_paths(tmp_path, put):
    names = [
        *("b.mp3", "a/x.FLAC", "a/b/deep.ogg", "My Song (live).v2.wav"),
        *("🎵 emoji.mp3", "x.feat. y.m4a"),
    ]
    for name in names:
        put(name)
    put("cover.jpg")
    put("readme.txt", "hello")
    put(".DS_Store")
    collection = read(tmp_path)
    assert ids(collection) == sorted(name.rsplit(".", 1)[0] for name in names)
    assert collection.problems == ()
    assert all(track.audio.is_file() for track in collection.tracks)


@pytest.mark.parametrize(
    ("audio", "sidecar"),
    [
        ("x.mp3", "x.txt"),
        ("x.mp3", "x.lrc"),
        ("x.mp3", "x.LRC"),
        ("x.mp3", "lyrics/x.txt"),
        ("a/b/x.mp3", "a/b/lyrics/x.txt"),
        ("audio/x.mp3", "lyrics/x.txt"),
        ("audio/x.mp3", "Lyrics/x.lrc"),
        ("audio/de/x.mp3", "lyrics/de/x.txt"),
        ("de/x.mp3", "lyrics/de/x.txt"),
        ("a.b c.mp3", "a.b c.txt"),
        (
            unicodedata.normalize("NFD", "é.mp3"),
            unicodedata.normalize("NFC", "é.txt"),
        ),
    ],
)
def test_sidecars_are_found(tmp_path, put, audio, sidecar):
    put(audio)
    put(sidecar, "la la la")
    put("other.txt", "something else")
    assert list(lyrics(read(tmp_path)).values()) == ["la la la"]


def test_the_nearest_sidecar_wins_and_text_comes_before_lrc(tmp_path, put):
    put("a/x.mp3")
    put("a/x.lrc", "[00:01.00]near")
    put("lyrics/a/x.txt", "far")
    assert lyrics(read(tmp_path)) == {"a/x": "near"}
    put("a/x.txt", "nearest")
    assert lyrics(read(tmp_path)) == {"a/x": "nearest"}


def test_ids_are_nfc_whatever_the_file_system_says(tmp_path, put):
    put(unicodedata.normalize("NFD", "Séculaire.mp3"))
    assert ids(read(tmp_path)) == [unicodedata.normalize("NFC", "Séculaire")]


def test_one_stem_in_two_formats_keeps_both(tmp_path, put):
    put("x.mp3")
    put("x.flac")
    put("y.mp3")
    assert ids(read(tmp_path)) == ["x.flac", "x.mp3", "y"]


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system folds them")
def test_two_spellings_of_one_name_keep_both(tmp_path, put):
    put(unicodedata.normalize("NFD", "é.mp3"))
    put(unicodedata.normalize("NFC", "é.mp3"))
    assert len(set(ids(read(tmp_path)))) == 2


def test_links_in_a_circle_end(tmp_path, put):
    put("a/x.mp3")
    os.symlink(tmp_path / "c", tmp_path / "c" / "a" / "again", target_is_directory=True)
    os.symlink(tmp_path / "c" / "a", tmp_path / "c" / "same", target_is_directory=True)
    assert ids(read(tmp_path)) == ["a/x"]


def test_a_link_to_nowhere_is_a_failed_track(tmp_path, put):
    put("x.mp3")
    os.symlink(tmp_path / "gone.mp3", tmp_path / "c" / "y.mp3")
    collection = read(tmp_path)
    assert ids(collection) == ["x"]
    assert problems(collection)["y"][0] == "failed"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system of bytes")
def test_names_that_are_not_utf_8(tmp_path, put):
    put("x.mp3")
    with open(os.fsencode(tmp_path / "c") + b"/b\xe9la.mp3", "wb"):
        pass
    assert ids(read(tmp_path)) == ["b\ufffdla", "x"]


def test_no_audio_is_an_error(tmp_path, put):
    put("a.txt", "words")
    with pytest.raises(SongscapeError, match="no audio files found"):
        read(tmp_path)


def test_wrong_paths_are_usage_errors(tmp_path, put):
    with pytest.raises(UsageError, match="no such folder"):
        read_collection(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="not a folder and not a csv"):
        read_collection(put("x.mp3"))


TABLE = "id,audio,lyrics,language,title\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_in_any_dress(tmp_path, put, delimiter, encoding):
    put("audio/1.mp3")
    put("lyrics/1.txt", "গান")
    text = TABLE + '1,audio/1.mp3,lyrics/1.txt,Bangla,"Für, Élise; x"\n'
    if delimiter != ",":
        text = text.replace('"Für, Élise; x"', "TITLE").replace(",", delimiter)
        text = text.replace("TITLE", f'"Für{delimiter} Élise; x"')
    put("tracks.csv", text.encode(encoding))
    (track,) = read(tmp_path).tracks
    assert (track.id, track.lyrics) == ("1", "গান")
    assert track.labels["language"] == "Bangla"
    assert track.labels["title"].endswith("Élise; x")
    assert read_collection(tmp_path / "c" / "tracks.csv").tracks == (track,)


def test_label_columns_keep_their_order_and_empty_cells_are_missing(tmp_path, put):
    put("1.mp3")
    put("tracks.csv", TABLE + "1,1.mp3,,,\n")
    collection = read(tmp_path)
    assert collection.label_columns == ("language", "title")
    assert collection.tracks[0].labels == {}
    assert collection.tracks[0].lyrics is None


def test_rows_that_cannot_be_used_are_named(tmp_path, put):
    for name in ("1.mp3", "2.mp3", "extra.mp3"):
        put(name)
    put(
        "tracks.csv",
        TABLE
        + "1,1.mp3,,,\n"
        + "1,2.mp3,,,twice\n"
        + ",2.mp3,,,nameless\n"
        + "4,audio/4.mp3,,,\n"
        + "5,,,,\n"
        + "\n"
        + "6,2.mp3,,,a,b\n"
        + "7,2.mp3,lyrics/7.txt,,\n",
    )
    collection = read(tmp_path)
    assert ids(collection) == ["1", "7"]
    assert problems(collection) == {
        "1 (line 3)": ("failed", "tracks.csv line 3: id '1' is taken by line 2; rename one"),
        "tracks.csv line 4": ("failed", "tracks.csv line 4: the id is empty; give it one"),
        "4": ("failed", "audio/4.mp3: listed in tracks.csv but not there"),
        "5": ("skipped", "tracks.csv line 6: names no audio"),
        "tracks.csv line 8": ("failed", "tracks.csv line 8: 6 cells for 5 columns; quote the cell"),
        "7": ("failed", "lyrics/7.txt: listed in tracks.csv but not there"),
        "extra.mp3": ("skipped", "extra.mp3: not listed in tracks.csv"),
    }


def test_a_table_without_ids_or_lyrics_takes_paths_and_sidecars(tmp_path, put):
    put("audio/x.mp3")
    put("lyrics/x.txt", "la")
    put("tracks.csv", "Audio,genre\naudio\\x.mp3,pop\n")
    (track,) = read(tmp_path).tracks
    assert (track.id, track.lyrics, track.labels) == ("audio/x", "la", {"genre": "pop"})


def test_a_table_and_files_in_two_unicode_forms_meet(tmp_path, put):
    put(unicodedata.normalize("NFD", "é.mp3"))
    put("tracks.csv", "id,audio\n1," + unicodedata.normalize("NFC", "é.mp3") + "\n")
    collection = read(tmp_path)
    assert ids(collection) == ["1"]
    assert collection.problems == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"id,audio,genre,genre\n1,x.mp3,a,b\n", "column 'genre' occurs twice"),
        (b"PK\x03\x04\0\0\0", r"not text \(looks like a ZIP\)"),
        (b'id,audio\n1,"x.mp3\n2,y.mp3\n', "not a proper csv"),
    ],
)
def test_useless_tables_are_one_line_errors(tmp_path, put, content, message):
    put("x.mp3")
    put("tracks.csv", content)
    with pytest.raises(SongscapeError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_table_in_windows_1252_is_read_with_a_remark(tmp_path, put):
    put("1.mp3")
    put("tracks.csv", "id,audio,title\n1,1.mp3,Frühling\n".encode("cp1252"))
    collection = read(tmp_path)
    assert collection.tracks[0].labels == {"title": "Frühling"}
    assert problems(collection)["tracks.csv"][0] == "warning"


@pytest.mark.parametrize("folder", ["artsong", "recorded", "songtraditions"])
def test_the_example_collections_are_read_without_a_problem(folder):
    root = Path(__file__).parents[3] / "shared" / "data" / folder
    if not root.is_dir():
        pytest.skip("no example songs here")
    collection = read_collection(root)
    assert len(collection.tracks) == len(list((root / "audio").iterdir()))
    assert sum(t.lyrics is not None for t in collection.tracks) == len(
        list((root / "lyrics").iterdir())
    )
    assert collection.problems == ()
