"""Tags: read right in every format, beside the table, and never at the cost of a file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from audio_files import FORMATS, write_tagged

from songscape.data_tables import read_table
from songscape.ingest import read_collection
from songscape.ingest.reading import read_batch
from songscape.ingest.tags import read_tags
from songscape.library import FileStamp, Library, Tags

RECORDING = "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"
TAGS = {
    "title": "Sång ünder 東京",
    "artist": "Árvíz",
    "album_artist": "Various Artists",
    "album": "Das Album",
    "composer": "B. Writer",
    "lyricist": "A. Poet",
    "track": "7",
    "disc": "2",
    "date": "2011-05-06",
    "originaldate": "1987-01-02",
    "genre": "Folk;Indie Rock",
    "language": "deu",
    "bpm": "120.00",
    "TBPM": "120",
    "initialkey": "Am",
    "script": "Latn",
    "lyrics": "erste Zeile der Welt\nzweite Zeile der Welt",
    "MUSICBRAINZ_TRACKID": RECORDING,
    "REPLAYGAIN_TRACK_GAIN": "-7.03 dB",
}
CELLS = {
    "title": "Sång ünder 東京",
    "artist": "Árvíz",
    "albumartist": "Various Artists",
    "album": "Das Album",
    "composer": "B. Writer",
    "lyricist": "A. Poet",
    "tracknumber": "7",
    "discnumber": "2",
    "year": "1987",
    "genre": "Folk",
    "genres_all": "Folk; Indie Rock",
    "language": "German",
    "bpm": "120",
    "key": "Am",
    "script": "Latn",
    "musicbrainz_recordingid": RECORDING,
    "replaygain_track_gain": "-7.03 dB",
}
BASIC = ("title", "artist", "albumartist", "album", "composer", "genre", "genres_all")


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_field_is_read_right(tmp_path, suffix):
    path = write_tagged(tmp_path / f"x.{suffix}", TAGS)
    before = path.read_bytes(), FileStamp.of(path)
    tags = read_tags(path, path.name)
    expected = CELLS
    if suffix == "m4a":  # FFmpeg writes only the fields of iTunes
        expected = {name: CELLS[name] for name in (*BASIC, "tracknumber", "discnumber")}
    if suffix == "wav":
        names = ("title", "artist", "album", "tracknumber", "genre", "genres_all", "language")
        expected = {name: CELLS[name] for name in names}
    if suffix in ("m4a", "wav"):
        expected |= {"year": "2011"}
    assert dict(tags.cells) == expected
    assert tags.remark == ""
    if suffix != "wav":
        assert tags.lyrics is not None
        assert tags.lyrics.text == TAGS["lyrics"]
    assert (path.read_bytes(), FileStamp.of(path)) == before


def test_the_page_of_formats_names_every_field():
    page = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
    if not page.exists():
        pytest.skip("the pages are not part of an installed package")
    text = page.read_text(encoding="utf-8")
    whole = set(read_table("ingest/data", "tags")) - {
        "lyrics",
        "syncedlyrics",
        "originaldate",
        "date",
        "cuesheet",
    }
    families = {name.split("_")[0] for name in whole}
    assert [name for name in sorted(families) if name not in text] == []


def id3(*frames: tuple[bytes, bytes], version: int = 4) -> bytes:
    data = b""
    for name, content in frames:
        size = len(content)
        if version == 2:
            data += name + size.to_bytes(3, "big") + content
            continue
        if version == 4:
            size = (size >> 7 << 8) | (size & 127)
        data += name + struct.pack(">IH", size, 0) + content
    size = len(data)
    header = b"ID3" + bytes([version, 0, 0, 0, 0, size >> 7, size & 127])
    return header + data + b"\xff\xfb\x90\x64" * 200


def cells(tmp_path, data: bytes) -> dict[str, str]:
    path = tmp_path / "x.mp3"
    path.write_bytes(data)
    return dict(read_tags(path, "x.mp3").cells)


def test_several_values_are_told_apart(tmp_path):
    found = cells(
        tmp_path,
        id3(
            (b"TPE1", b"\x03Ann\0Bob"),
            (b"TCON", b"\x03Folk\0(17)\0folk\0Other"),
            (b"TLAN", b"\x03engfra"),
            (b"TXXX", b"\x03MusicBrainz Artist Id\0" + f"{RECORDING}\0not one".encode()),
            (b"UFID", b"http://musicbrainz.org\0" + RECORDING.encode()),
        ),
    )
    assert found == {
        "artist": "Ann; Bob",
        "genre": "Folk",
        "genres_all": "Folk; Rock",
        "language": "English; French",
        "musicbrainz_artistid": RECORDING,
        "musicbrainz_recordingid": RECORDING,
    }


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "gb18030", "utf-8", "cp1252"])
def test_latin_1_that_is_another_encoding_is_read_as_meant(tmp_path, encoding):
    meant = {
        "cp1251": ("Во поле берёза стояла", "Народный хор", "Русские песни"),
        "shift_jis": ("夜の海でふたり", "うたう人たち", "はじまりのアルバム"),
        "gb18030": ("月亮代表我的心", "人民的歌手", "我们的音乐专辑"),
        "utf-8": ("Über den Wolken", "Björk", "Été"),
        "cp1252": ("Don’t go – não", "Sigur Rós", "Été"),
    }[encoding]
    names = (b"TIT2", b"TPE1", b"TALB")
    frames = [(name, b"\x00" + text.encode(encoding)) for name, text in zip(names, meant)]
    found = cells(tmp_path, id3(*frames, version=3))
    assert found == dict(zip(("title", "artist", "album"), meant))


@pytest.mark.parametrize("text", ["Çà et là", "ÄÖÜ", "Ýmir Ólafsson", "é", "Ça fût à Nîmes"])
def test_latin_1_that_is_meant_stays(tmp_path, text):
    assert cells(tmp_path, id3((b"TIT2", b"\x00" + text.encode("latin-1")))) == {"title": text}


@pytest.mark.parametrize("version", [3, 4])
def test_tags_made_safe_for_old_players_are_read(tmp_path, version):
    frames = [(b"TIT2", b"\x01" + "Ночь ÿ".encode("utf-16")), (b"TPE1", b"\x03Ann")]
    if version == 4:  # each frame by itself, with the size that it then has
        frames = [(name, content.replace(b"\xff", b"\xff\0")) for name, content in frames]
    data = id3(*frames, version=version)
    size = data[8] << 7 | data[9]
    tag = data[10 : 10 + size].replace(b"\xff", b"\xff\0") if version == 3 else data[10 : 10 + size]
    sizes = bytes([len(tag) >> 7, len(tag) & 127])
    data = data[:5] + b"\x80\0\0" + sizes + tag + data[10 + size :]
    first = b"TAG" + bytes(90) + b"1977" + bytes(30) + b"\x11"
    found = cells(tmp_path, data + first)
    assert found == {"title": "Ночь ÿ", "artist": "Ann", "year": "1977", "genre": "Rock"}


def test_a_credit_stays_whole_beside_the_names_in_it(tmp_path):
    frames = (b"TPE1", b"\x03Ann feat. Bob"), (b"TXXX", b"\x03ARTISTS\0Ann\0Bob")
    assert cells(tmp_path, id3(*frames)) == {"artist": "Ann feat. Bob", "artists": "Ann; Bob"}


@pytest.mark.parametrize("version", [2, 3, 4])
def test_every_version_of_id3_is_read(tmp_path, version):
    names = (b"TT2", b"TP1", b"TYE") if version == 2 else (b"TIT2", b"TPE1", b"TYER")
    values = (b"\x01" + "Ночь".encode("utf-16"), b"\x00Bj\xf6rk", b"\x001999")
    found = cells(tmp_path, id3(*zip(names, values), version=version))
    assert found == {"title": "Ночь", "artist": "Björk", "year": "1999"}


def test_id3v1_and_apev2_at_the_end_of_a_file_are_read(tmp_path):
    items = b""
    for name, value in (("Title", "Long title of a song"), ("Artist", "Ann\0Bob"), ("BPM", "0")):
        text = value.encode()
        items += struct.pack("<II", len(text), 0) + name.encode() + b"\0" + text
    items += struct.pack("<II", 3, 2) + b"Cover Art (Front)\0abc"
    footer = struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(items) + 32, 4, 0)
    first = b"TAG" + b"".join(
        text.ljust(length, b"\0") for text, length in ((b"Short", 30), (b"", 30), (b"LP", 30))
    )
    first += b"1977" + bytes(30) + b"\x11"
    audio = b"\xff\xfb\x90\x64" * 200
    ape = {"title": "Long title of a song", "artist": "Ann; Bob"}
    old = {"title": "Short", "album": "LP", "year": "1977", "genre": "Rock"}
    assert cells(tmp_path, audio + items + footer) == ape
    assert cells(tmp_path, audio + first) == old
    assert cells(tmp_path, audio + items + footer + first) == {**ape, **old}
    assert cells(tmp_path, b"MPCK" + bytes(40) + items + footer) == ape


def test_a_tag_that_says_no_words_are_sung_is_believed(tmp_path):
    path = tmp_path / "x.mp3"
    path.write_bytes(id3((b"TLAN", b"\x03zxx")))
    tags = read_tags(path, "x.mp3")
    assert tags.cells == {}
    assert tags.lyrics is not None
    assert (tags.lyrics.status, tags.lyrics.text) == ("ok", None)
    assert "instrumental" in tags.lyrics.reason


@pytest.mark.parametrize(
    ("language", "first"), [("ger", "Über"), ("eng", "Above"), ("jpn", "Above"), (None, "Above")]
)
def test_of_embedded_words_in_several_languages_those_of_the_song_are_taken(
    tmp_path, language, first
):
    texts = {
        b"eng": "Above the clouds the wind sings on\nand nobody listens to him anymore",
        b"deu": "Über den Wolken singt der Wind\nund niemand hört ihm zu, dem armen Wind",
    }
    frames = [(b"USLT", b"\x03" + code + b"\0" + text.encode()) for code, text in texts.items()]
    synced = b"\x03eng\2\1\0" + b"a\0\0\0\0\1" + b"bove\0\0\0\0\2"
    tag = [] if language is None else [(b"TLAN", b"\x03" + language.encode())]
    path = tmp_path / "x.mp3"
    path.write_bytes(id3((b"SYLT", synced), *frames, *tag))
    lyrics = read_tags(path, "x.mp3").lyrics
    assert lyrics is not None
    assert (lyrics.text or "").startswith(f"{first} ")
    assert lyrics.language == {"Über": "German", "Above": "English"}[first]


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize(("language", "first"), [("ger", "la la b"), ("fre", "la la a")])
def test_of_words_that_do_not_tell_their_language_those_of_the_frame_are_taken(
    tmp_path, version, language, first
):
    words, spoken = (b"ULT", b"TLA") if version == 2 else (b"USLT", b"TLAN")
    frames = [
        (words, b"\0" + code + b"\0la la " + text)
        for code, text in ((b"fra", b"a"), (b"deu", b"b"))
    ]
    path = tmp_path / "x.mp3"
    path.write_bytes(id3((spoken, b"\0" + language.encode()), *frames, version=version))
    lyrics = read_tags(path, "x.mp3").lyrics
    assert lyrics is not None
    assert lyrics.text == first


def test_a_frame_of_no_language_keeps_its_words(tmp_path):
    path = tmp_path / "x.mp3"
    for code in (b"XXX", b"\0\0\0", b"1-2"):
        path.write_bytes(id3((b"USLT", b"\3" + code + b"\0some words of a song")))
        lyrics = read_tags(path, "x.mp3").lyrics
        assert lyrics is not None
        assert (lyrics.text, lyrics.language) == ("some words of a song", "")


# -- beside the table ------------------------------------------------------------------------------


def tagged(path: Path, **values: str) -> None:
    names = {"title": b"TIT2", "artist": b"TPE1", "genre": b"TCON", "language": b"TLAN"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(id3(*((names[k], b"\x03" + v.encode()) for k, v in values.items())))


def test_a_library_without_a_table_has_the_columns_of_its_tags(tmp_path):
    tagged(tmp_path / "Ann" / "LP" / "01 a.mp3", title="One", artist="Ann", genre="Folk")
    tagged(tmp_path / "Ann" / "LP" / "02 b.mp3", title="Two", artist="Ann")
    collection = read_collection(tmp_path, read=read_batch)
    assert collection.label_columns == ("title", "artist", "genre")
    assert [dict(track.labels) for track in collection.tracks] == [
        {"title": "One", "artist": "Ann", "genre": "Folk"},
        {"title": "Two", "artist": "Ann"},
    ]
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection)
        assert library.columns()["genre"].tolist() == ["Folk", None]
        known = library.read_before()
    assert known == collection.files

    def read_nothing(tasks):
        assert tasks == []
        return []

    assert read_collection(tmp_path, known=known, read=read_nothing) == collection


def test_the_table_wins_tags_fill_and_what_differs_is_noted(tmp_path):
    tagged(tmp_path / "a.mp3", title="Uno", artist="Ann", genre="Pop", language="ger")
    tagged(tmp_path / "b.mp3", title="Two", artist="Bob", genre="Pop", language="ger")
    table = "id,audio,Track Title,artist,language\na,a.mp3,One,ANN,en\nb,b.mp3,,bob,de\n"
    (tmp_path / "tracks.csv").write_text(table)
    collection = read_collection(tmp_path, read=read_batch)
    assert collection.label_columns == ("Track Title", "artist", "language", "genre")
    assert [dict(track.labels) for track in collection.tracks] == [
        {"Track Title": "One", "artist": "ANN", "language": "en", "genre": "Pop"},
        {"Track Title": "Two", "artist": "bob", "language": "de", "genre": "Pop"},
    ]
    (row,) = (row for row in collection.problems if row.stage == "tags")
    assert (row.track_id, row.status) == ("a", "ok")
    assert row.reason == (
        "a.mp3: the table wins over its tags: Track Title 'One', not 'Uno'; "
        "language 'en', not 'German'"
    )


def test_a_table_that_names_the_audio_as_lyrics_is_told_so(tmp_path):
    tagged(tmp_path / "a.mp3", title="One")
    (tmp_path / "tracks.csv").write_text("id,audio,lyrics\na,a.mp3,a.mp3\n")
    collection = read_collection(tmp_path, read=read_batch)
    assert [(track.id, track.lyrics) for track in collection.tracks] == [("a", None)]
    (row,) = collection.problems
    assert (row.stage, row.status) == ("lyrics", "failed")


def test_tags_bring_no_artist_where_the_table_names_the_composer(tmp_path):
    tagged(tmp_path / "a.mp3", title="One", artist="A Choir")
    (tmp_path / "tracks.csv").write_text("id,audio,composer\na,a.mp3,Schubert\n")
    assert read_collection(tmp_path, read=read_batch).label_columns == ("composer", "title")


def test_words_in_the_tags_are_those_of_a_track_that_has_no_lyric_file(tmp_path):
    for name in ("a", "b", "c"):
        write_tagged(tmp_path / f"{name}.flac", {"lyrics": "words in the tags"})
    (tmp_path / "b.txt").write_text("words beside the song")
    (tmp_path / "c.txt").write_bytes(b"\0\1\2")
    collection = read_collection(tmp_path, read=read_batch)
    assert {t.id: t.lyrics for t in collection.tracks} == {
        "a": "words in the tags",
        "b": "words beside the song",
        "c": "words in the tags",
    }
    (row,) = (row for row in collection.problems if row.stage == "lyrics")
    assert (row.track_id, row.status) == ("c", "warning")
    assert row.reason.endswith("; the lyrics in the tags are taken")


def test_of_lyrics_in_several_languages_those_in_the_songs_are_taken(tmp_path):
    tagged(tmp_path / "a.mp3", title="Lied", language="ger")
    tagged(tmp_path / "b.mp3", title="Song", language="fre")
    for name in ("a.en.lrc", "a.de.lrc", "a.de.txt", "b.en.lrc", "b.de.lrc"):
        (tmp_path / name).write_text(f"[00:01.00]words of {name}")
    collection = read_collection(tmp_path, read=read_batch)
    assert {t.id: t.lyrics for t in collection.tracks} == {"a": "words of a.de.lrc", "b": None}
    (row,) = collection.problems
    assert (row.track_id, row.status) == ("b", "skipped")
    assert row.reason.startswith("b.de.lrc, b.en.lrc: which of them has the lyrics?")


# -- damaged files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "m4a", "wma", "wav", "aiff", "mka"])
def test_no_damage_stops_the_reader(tmp_path, suffix):
    whole = write_tagged(tmp_path / f"x.{suffix}", TAGS).read_bytes()
    rng = np.random.default_rng(len(suffix))
    path = tmp_path / f"y.{suffix}"
    for n in range(40):
        data = bytearray(whole)
        for at in rng.integers(0, min(len(data), 2000), rng.integers(1, 30)):
            data[at] = rng.integers(256)
        path.write_bytes(data[: rng.integers(len(data))] if n % 2 else data)
        (outcome,) = read_batch([("tags", str(path), path.name)])
        assert isinstance(outcome, Tags)
        assert (
            outcome.remark == ""
            or outcome.remark == f"{path.name}: its tags are damaged; write them again"
        )


def test_a_damaged_tag_is_a_warning_and_the_track_stays(tmp_path):
    (tmp_path / "x.ogg").write_bytes(b"OggS\1 damaged")
    collection = read_collection(tmp_path, read=read_batch)
    assert [track.id for track in collection.tracks] == ["x"]
    (row,) = collection.problems
    assert (row.track_id, row.stage, row.status) == ("x", "tags", "warning")
    assert row.reason == "x.ogg: its tags are damaged; write them again"
