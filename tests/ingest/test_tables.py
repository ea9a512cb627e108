"""tracks.csv: read whole whatever stands in its cells, or refused in one line."""

from __future__ import annotations

import csv
import os
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from songscape.errors import SongscapeError
from songscape.ingest import read_collection
from songscape.ingest.csv_text import cell_text
from songscape.ingest.reading import read_batch


def read(tmp_path: Path):
    return read_collection(tmp_path / "c", read=read_batch)


def ids(collection) -> list[str]:
    return [track.id for track in collection.tracks]


def problems(collection) -> dict[str, tuple[str, str]]:
    return {row.track_id: (row.status, row.reason) for row in collection.problems}


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


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_only_line_ends_end_a_row(tmp_path, put, character, delimiter):
    put("1.mp3")
    put("2.mp3")
    title = f"one{character}two"
    rows = ["id,audio,title", f"1,1.mp3,{title}", f"2,2.mp3,{title}"]
    put("tracks.csv", "\n".join(rows).replace(",", delimiter))
    collection = read(tmp_path)
    assert ids(collection) == ["1", "2"]
    assert [track.labels["title"] for track in collection.tracks] == [title, title]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\r\r\n"])
def test_rows_may_end_as_on_any_system(tmp_path, put, ending):
    put("1.mp3")
    put("2.mp3")
    rows = ["id,audio,title,genre", '1,1.mp3,"one, two",pop', '2,2.mp3,"a ""b""",', ""]
    put("tracks.csv", ending.join(rows))
    tracks = read(tmp_path).tracks
    assert [track.labels for track in tracks] == [
        {"title": "one, two", "genre": "pop"},
        {"title": 'a "b"'},
    ]


def test_cells_may_be_of_any_length(tmp_path, put):
    put("1.mp3")
    for length in (131_073, 3_000_000):
        put("tracks.csv", f"id,audio,comment\n1,1.mp3,{'x' * length}\n")
        (track,) = read(tmp_path).tracks
        assert len(track.labels["comment"]) == length


def test_what_excel_puts_around_a_table_is_no_row(tmp_path, put):
    put("1.mp3")
    put("tracks.csv", "\ufeffsep=;\n\nid;audio;genre;;\n1;1.mp3;pop;;\n;;;;\n")
    collection = read(tmp_path)
    assert collection.label_columns == ("genre",)
    assert collection.tracks[0].labels == {"genre": "pop"}


def test_the_index_of_a_frame_is_no_label(tmp_path, put):
    for name in "abc":
        put(f"{name}.mp3")
    frame = pd.DataFrame({"audio": ["a.mp3", "b.mp3", "c.mp3"], "genre": ["x", None, "y"]})
    frame.to_csv(tmp_path / "c" / "tracks.csv")
    collection = read(tmp_path)
    assert collection.label_columns == ("genre",)
    assert [track.labels for track in collection.tracks] == [{"genre": "x"}, {}, {"genre": "y"}]


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, pd.NaT])
def test_missing_values_are_missing_however_pandas_writes_them(tmp_path, put, value):
    put("1.mp3")
    frame = pd.DataFrame({"id": ["1"], "audio": ["1.mp3"], "lyrics": [value], "genre": [value]})
    for written in (frame, frame.astype(str), frame.astype(object).fillna("NA")):
        written.to_csv(tmp_path / "c" / "tracks.csv", index=False)
        (track,) = read(tmp_path).tracks
        assert (track.lyrics, track.labels) == (None, {})


def test_a_column_of_lyrics_may_hold_the_words(tmp_path, put):
    words = {
        "1": "I walk along the river\nand think of you tonight\n",
        "2": "[Chorus]\nOne line of a song\n",
        "3": "Only one line",
        "4": "first line\\nsecond line",
        "5": "Instrumental",
        "6": "x" * 400,
        "7": "words/with a slash",
    }
    for name in words:
        put(f"{name}.mp3")
    frame = pd.DataFrame({"id": list(words), "audio": [f"{n}.mp3" for n in words]})
    frame["lyrics"] = list(words.values())
    frame.to_csv(tmp_path / "c" / "tracks.csv", index=False)
    collection = read(tmp_path)
    assert {track.id: track.lyrics for track in collection.tracks} == {
        "1": "I walk along the river\nand think of you tonight",
        "2": "One line of a song",
        "3": "Only one line",
        "4": "first line\nsecond line",
        "5": None,
        "6": "x" * 400,
        "7": "words/with a slash",
    }
    reason = "lyrics in the table: says that the song is instrumental"
    assert problems(collection) == {"5": ("ok", reason)}


def test_a_lyric_file_that_is_not_there_is_short_in_the_ledger(tmp_path, put):
    put("1.mp3")
    put("2.mp3")
    name = "lyrics/" + "a" * 200 + ".txt"
    put("tracks.csv", f"id,audio,lyrics\n1,1.mp3,{name}\n2,2.mp3,2.lrc\n")
    reasons = [row.reason for row in read(tmp_path).problems]
    assert all("listed in tracks.csv but not there" in reason for reason in reasons)
    assert max(map(len, reasons)) < 120


def test_audio_is_found_whatever_the_case_and_the_slashes(tmp_path, put):
    put("Audio/One.MP3")
    put("tracks.csv", "id,audio\n1,audio\\one.mp3\n")
    collection = read(tmp_path)
    assert ids(collection) == ["1"]
    assert collection.problems == ()


@pytest.mark.parametrize("name", ["pipe.mp3", "folder.mp3", "gone.mp3"])
def test_audio_that_is_no_file_says_so(tmp_path, put, name):
    put("1.mp3")
    os.mkfifo(tmp_path / "c" / "pipe.mp3")
    (tmp_path / "c" / "folder.mp3").mkdir()
    put("tracks.csv", f"id,audio\n1,1.mp3\n2,{name}\n")
    status, reason = problems(read(tmp_path))["2"]
    expected = {"pipe": "(a named pipe)", "folder": "(a folder)", "gone": "not there"}
    assert status == "failed"
    assert expected[name.split(".")[0]] in reason


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id,audio,genre,genre\n1,x.mp3,a,b\n",
        b"PK\x03\x04\0\0\0",
        b'id,audio\n1,"x.mp3\n2,y.mp3\n',
        b'id,audio\n1,"x".mp3\n',
        b"id,audio,title\n1,x.mp3,a\0b\n",
    ],
)
def test_a_table_that_cannot_be_read_names_a_way_out(tmp_path, put, content):
    put("x.mp3")
    put("tracks.csv", content)
    with pytest.raises(SongscapeError, match=r"or rename it to read the folder without it$"):
        read(tmp_path)
    with pytest.raises(SongscapeError, match=r"^[^\n]*$") as caught:
        read_collection(tmp_path / "c" / "tracks.csv")
    assert "rename it to read" not in str(caught.value)


def test_a_table_that_is_no_file_is_refused(tmp_path, put):
    put("x.mp3")
    os.mkfifo(tmp_path / "c" / "tracks.csv")
    with pytest.raises(SongscapeError, match=r"not a file \(a named pipe\)"):
        read(tmp_path)


# -- tables of other programs --------------------------------------------------------------------

FOREIGN = {
    "Exportify": '"Track URI","Track Name","Track Number"\n"spotify:track:x","Foo","1"\n',
    "iTunes": "Name\tArtist\tLocation\nFoo\tBar\tMacintosh HD:Users:me:Foo.mp3\n",
    "FMA": ",album,track\n,title,title\ntrack_id,,\n2,Foo,Bar\n",
    "MusicBrainz": "recording_mbid,artist_credit_name\nb1a9,Bar\n",
    "nothing": "Thoughts on music\n",
    "twice": "artist,artist,title\na,b,c\n",
}


@pytest.mark.parametrize("program", sorted(FOREIGN))
def test_a_table_of_another_program_does_not_lock_the_folder(tmp_path, put, program):
    put("a/1.mp3")
    put("a/1.txt", "la la la")
    put("2.mp3")
    put("tracks.csv", FOREIGN[program])
    collection = read(tmp_path)
    assert ids(collection) == ["2", "a/1"]
    assert collection.tracks[1].lyrics == "la la la"
    assert collection.label_columns == ()
    status, reason = problems(collection)["tracks.csv"]
    assert status == "warning"
    assert reason.endswith("names the audio files here; it is not used")
    with pytest.raises(SongscapeError, match="add a column audio"):
        read_collection(tmp_path / "c" / "tracks.csv")


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("file", ["a/1.mp3", "2.mp3"]),
        ("Location", ["file:///home/me/Music/a/1.mp3", "file:///home/me/Music/2.mp3"]),
        ("Path", ["C:\\Music\\a\\1.mp3", "C:\\Music\\2.MP3"]),
        ("filename", ["1.mp3", "2.mp3"]),
        ("anything", ["./a/1.mp3", "2.mp3"]),
        ("track_path", ["/srv/a/1.mp3", "/srv/2.mp3"]),
    ],
)
def test_a_table_that_names_files_in_its_own_way_gives_them_its_labels(
    tmp_path, put, column, cells
):
    put("a/1.mp3")
    put("2.mp3")
    put("3.mp3")
    frame = pd.DataFrame({"Genre": ["x", "y", "z"], column: [*cells, "elsewhere/9.mp3"]})
    frame.to_csv(tmp_path / "c" / "tracks.csv", index=False)
    collection = read(tmp_path)
    assert {t.id: dict(t.labels) for t in collection.tracks} == {
        "2": {"Genre": "y"},
        "3": {},
        "a/1": {"Genre": "x"},
    }
    assert problems(collection)["tracks.csv"] == (
        "warning",
        f"tracks.csv: of another program; its column {column!r} names 2 of 3 audio files, "
        "1 rows name none",
    )


def test_names_that_fit_two_files_fit_none(tmp_path, put):
    for name in ("a/1.mp3", "b/1.mp3", "2.mp3"):
        put(name)
    put("tracks.csv", "file,genre\n1.mp3,pop\n2.mp3,rock\n")
    labels = {track.id: dict(track.labels) for track in read(tmp_path).tracks}
    assert labels == {"2": {"genre": "rock"}, "a/1": {}, "b/1": {}}


# -- whatever pandas writes ----------------------------------------------------------------------

cells = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.text("\"',;\t\r\n|= \u2028\x85\x0b\x1e\\ab", max_size=8),
    st.sampled_from(["nan", "a\rb", "x\r", "\r\n", '"', "sep=;", "\ufeff", "=1+1", "a" * 200_000]),
    st.integers().map(str),
)
names = st.text("abcdefghij_ ", min_size=1, max_size=6).map(lambda name: f"label {name}".strip())


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.integers(1, 5).flatmap(
        lambda n: st.dictionaries(names, st.lists(cells, min_size=n, max_size=n), max_size=3)
    ),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
)
@example({"label": ["a\rb", None]}, ",", "utf-8", csv.QUOTE_MINIMAL, "\n")
@example({"label": ["a\r", "\r"]}, "\t", "utf-8", csv.QUOTE_MINIMAL, "\n")
def test_any_frame_that_pandas_writes_is_read_back(
    tmp_path, columns, separator, encoding, quoting, ending
):
    folder = tmp_path / "c"
    folder.mkdir(exist_ok=True)
    n = len(next(iter(columns.values()), [None]))
    for i in range(n):
        (folder / f"{i}.mp3").write_bytes(b"\0")
    audio = [f"{i}.mp3" for i in range(n)]
    frame = pd.DataFrame({"id": [f"t{i}" for i in range(n)], "audio": audio}).assign(**columns)
    table = folder / "tracks.csv"
    frame.to_csv(
        table, index=False, sep=separator, encoding=encoding, quoting=quoting, lineterminator=ending
    )
    try:
        collection = read_collection(table, read=read_batch)
    except SongscapeError as refusal:
        said = str(refusal)
        assert "\n" not in said
        assert "NUL" in said or "control characters" in said
        return
    assert ids(collection) == sorted(frame["id"])
    assert collection.label_columns == tuple(columns)
    for row, track in zip(frame.to_dict("records"), collection.tracks):
        expected = {name: cell_text(str(row[name])) for name in columns if row[name] is not None}
        assert track.labels == {name: value for name, value in expected.items() if value}


def test_a_trimmed_cell_is_the_cell():
    assert cell_text("  a b\n") == "a b"
    assert cell_text(unicodedata.normalize("NFD", "é")) == "é"
    assert [cell_text(each) for each in ("nan", "NA", "<NA>", "None", "none of it")] == [
        *("", "", "", "", "none of it")
    ]
