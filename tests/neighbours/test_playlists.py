"""Playlists in three formats, read back by rules that players have; a smooth order."""

from __future__ import annotations

import json
import os
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlparse
from xml.etree import ElementTree

import numpy as np
import pytest

from songscape.errors import SongscapeError, UsageError
from songscape.neighbours.order import rough_transitions, smooth_order, steps
from songscape.neighbours.playlists import Places, Playlist, file_name, place_for
from songscape.neighbours.songs import Song

NAMES = (
    "plain.mp3",
    "with space.mp3",
    "ü ß é.flac",
    "川の向こう.ogg",
    "🎵 emoji 🇩🇪.mp3",
    "#1 hit.mp3",
    "# comment.mp3",
    "a#b.mp3",
    " leading.mp3",
    "trailing.mp3 ",
    "50% off+more.mp3",
    "line\nbreak.mp3",
    "http:/x.mp3",
    "AC/DC/01. it's & <b>.mp3",
    "C: drive.mp3",
    "file://x.mp3",
    "%20.mp3",
    "?query=1&b.mp3",
    os.fsdecode(b"not utf-8 \xff.mp3"),
)


def songs_at(root: Path) -> tuple[Song, ...]:
    songs = []
    for i, name in enumerate(NAMES):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode("utf-8", "surrogateescape"))
        title = ("Ein\nTitel", "#EXTINF:0,fake", "", "☕️ & <b>\x00\x07</b>")[i % 4]
        mbid = f"8f3471b5-7e6a-48da-86a9-{i:012}"
        songs.append(Song(f"s{i}", title, "Ünï - Artist", file=file, seconds=61.4, recording=mbid))
    return tuple(songs)


def read_m3u8(path: Path) -> tuple[str, list[Path]]:
    """By Navidrome's rules (core/playlists): UTF-8; `#PLAYLIST:` names it; other lines that begin
    with # are skipped; file:// is decoded as in a query; relative paths start at the playlist."""
    text = path.read_bytes().decode("utf-8")
    assert text.startswith("#EXTM3U\n")
    name, files = "", []
    for line in re.split("[\r\n]+", text):
        line = line.strip()
        if line.startswith("#PLAYLIST:"):
            name = line.removeprefix("#PLAYLIST:")
        if not line or line.startswith("#"):
            continue
        if line.startswith("file://"):
            query = line.removeprefix("file://").replace("+", " ")
            files.append(Path(os.fsdecode(unquote_bytes(query))))
        else:
            files.append(Path(os.path.normpath(path.parent / line)))
    return name, files


def unquote_bytes(text: str) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode("utf-8"))


@pytest.mark.parametrize("inside", [True, False])
def test_m3u8_finds_every_file_again(tmp_path: Path, inside: bool) -> None:
    root = tmp_path / "Müsik #1"
    songs = songs_at(root)
    file = (root / "lists" if inside else tmp_path / "elsewhere") / "mix 🎧.m3u8"
    Playlist("Sunday\nmorning 🎧", songs).save(file, Places(root=root))
    name, files = read_m3u8(file)
    assert name == "Sunday morning 🎧"
    assert [f.read_bytes() for f in files] == [s.file.read_bytes() for s in songs if s.file]
    lines = file.read_text("utf-8").splitlines()
    assert sum(line.startswith("#EXTINF:61,") for line in lines) == len(songs)
    assert ("../plain.mp3" in lines) == inside
    assert (str(root / "plain.mp3") in lines) != inside


def test_paths_are_written_as_beets_writes_them(tmp_path: Path) -> None:
    song = Song("s", "T", file=tmp_path / "music" / "#a" / "b.mp3")
    playlist = Playlist("x", (song,))
    for places, line in (
        (Places(), str(song.file)),
        (Places(relative_to=tmp_path), "music/#a/b.mp3"),
        (Places(relative_to=tmp_path / "music"), "./#a/b.mp3"),
        (Places(relative_to=tmp_path / "music", prefix="/mnt/"), "/mnt/#a/b.mp3"),
        (Places(relative_to=tmp_path / "lists"), "../music/#a/b.mp3"),
    ):
        assert playlist.text(".m3u8", places=places).splitlines()[-1] == line


def test_a_part_of_a_file_has_its_times() -> None:
    song = Song("s", "T", file=Path("/a.flac"), span=(12.5, 100.0))
    lines = Playlist("x", (song,)).text(".m3u").splitlines()
    assert lines[-3:] == ["#EXTVLCOPT:start-time=12.500", "#EXTVLCOPT:stop-time=100.000", "/a.flac"]


XSPF = "{http://xspf.org/ns/0/}"
TRACK = ["location", "identifier", "title", "creator", "album", "duration"]


def check_uri(text: str | None) -> str:
    """An RFC 3986 URI reference, as the schema's xsd:anyURI and libxspf want it."""
    assert text
    assert re.fullmatch(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", text), text
    return text


def file_of(reference: str, base: Path) -> Path:
    parts = urlparse(reference)
    assert parts.scheme in ("", "file"), reference
    assert not parts.query
    assert not parts.fragment
    path = os.fsdecode(unquote_bytes(parts.path))
    return Path(os.path.normpath(path if parts.scheme else base / path))


@pytest.mark.parametrize("inside", [True, False])
def test_xspf_is_as_its_schema_says(tmp_path: Path, inside: bool) -> None:
    """The elements of xspf.org's RELAX NG schema that are used, their order and their types."""
    root = tmp_path / "Müsik #1"
    songs = songs_at(root)
    file = (root if inside else tmp_path) / "mix.xspf"
    Playlist("Sunday & <morning>", songs).save(file, Places(root=root))
    top = ElementTree.parse(file).getroot()
    assert (top.tag, top.attrib) == (f"{XSPF}playlist", {"version": "1"})
    assert [e.tag for e in top] == [f"{XSPF}{n}" for n in ("title", "creator", "trackList")]
    assert top[0].text == "Sunday & <morning>"
    assert len(top[2]) == len(songs)
    for track, song in zip(top[2], songs):
        assert track.tag == f"{XSPF}track"
        names = [e.tag.removeprefix(XSPF) for e in track]
        assert names == [name for name in TRACK if name in names]
        values = {e.tag.removeprefix(XSPF): e.text for e in track}
        assert song.file is not None
        found = file_of(check_uri(values["location"]), file.parent)
        assert found.read_bytes() == song.file.read_bytes()
        assert check_uri(values["identifier"]).endswith(song.recording)
        assert values["duration"] == "61400"


def test_jspf_is_as_its_schema_says(tmp_path: Path) -> None:
    songs = (*songs_at(tmp_path / "m"), Song("x", "No file", recording="not an id"))
    file = Playlist("Mix", songs).save(tmp_path / "mix.jspf", Places(root=tmp_path))
    document = json.loads(file.read_text("utf-8"))
    assert list(document) == ["playlist"]
    assert set(document["playlist"]) == {"title", "creator", "track"}
    for track, song in zip(document["playlist"]["track"], songs, strict=True):
        assert set(track) <= set(TRACK)
        for name, value in track.items():
            if name in ("location", "identifier"):
                assert [file_of(check_uri(v), tmp_path) for v in value if name == "location"] == [
                    song.file for _ in value if name == "location"
                ]
            else:
                assert isinstance(value, int if name == "duration" else str)
    last = document["playlist"]["track"][-1]
    assert last == {"title": "No file"}


def test_a_playlist_is_replaced_in_place_but_never_somebody_elses(tmp_path: Path) -> None:
    song = Song("s", "T", file=tmp_path / "a.mp3")
    for suffix in (".m3u8", ".xspf", ".jspf"):
        playlist = Playlist("Slow: mostly/Spanish", (song,), "g1")
        file = place_for(playlist, tmp_path, suffix)
        assert file.name == f"Slow_ mostly_Spanish{suffix}"
        playlist.save(file)
        assert place_for(playlist, tmp_path, suffix) == file
        file.write_text("#EXTM3U\nmine.mp3\n")
        with pytest.raises(UsageError, match="not written by Songscape"):
            place_for(playlist, tmp_path, suffix)


@pytest.mark.parametrize("name", ["", "...", "CON", "a/b\\c:d", "x" * 400, "ü" * 400, "\n", " é "])
def test_a_name_is_a_files_name_on_every_system(name: str) -> None:
    found = file_name(name)
    assert found
    assert not re.search(r'[<>:"/\\|?*\n]|[. ]$|^ ', found)
    assert len(found.encode()) <= 120
    assert found.upper() not in ("CON", "NUL")


def test_what_can_not_be_written_says_why(tmp_path: Path) -> None:
    song = Song("s", "T", file=tmp_path / "a.mp3")
    with pytest.raises(UsageError, match="not a playlist"):
        Playlist("x", (song,)).save(tmp_path / "x.txt")
    with pytest.raises(SongscapeError, match="no songs"):
        Playlist("x", ()).save(tmp_path / "x.m3u8")
    (tmp_path / "file").write_text("")
    with pytest.raises(SongscapeError, match="can't be written"):
        Playlist("x", (song,)).save(tmp_path / "file" / "x.m3u8")


def song(
    n: int,
    tempo: float | None = None,
    loud: float | None = None,
    key: int | None = None,
    minor: bool = False,
) -> Song:
    return Song(f"s{n}", tempo_bpm=tempo, loudness_db=loud, key=key, minor=minor)


def test_the_order_is_smooth() -> None:
    rng = np.random.default_rng(0)
    tempi = rng.permutation(np.geomspace(80, 150, 20))
    songs = [song(i, float(tempo), -12.0, 0) for i, tempo in enumerate(tempi)]
    order = smooth_order(songs, first=int(tempi.argmin()))
    assert list(tempi[order]) == sorted(tempi)


def test_an_order_has_every_song_once_and_is_never_rougher_than_the_given_one() -> None:
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 30, 310):
        songs = [
            song(i, *rng.uniform([60, -30], [180, -5]), int(rng.integers(12))) for i in range(n)
        ]
        order = smooth_order(songs)
        assert sorted(order) == list(range(n))
        assert order[0] == 0
        cost = steps(songs).sum(axis=2)
        given, found = (sum(cost[a, b] for a, b in pairwise(o)) for o in (range(n), order))
        assert found <= given + 1e-9


def test_related_keys_and_double_tempi_are_near() -> None:
    # C major; A minor; G major; F sharp major
    songs = [song(0, 80, key=0), song(1, 160, key=9, minor=True), song(2, key=7), song(3, key=6)]
    tempo, _, key = np.moveaxis(steps(songs), 2, 0)
    assert key[0].tolist() == [0, 0, 0.5, 3]
    assert tempo[0, 1] == 1


def test_rough_transitions_are_named() -> None:
    songs = [song(0, 80, -20, 0), song(1, 82, -19, 7), song(2, 121, -4, 6), song(3)]
    rough = rough_transitions(songs)
    assert [str(one) for one in rough] == [
        "s1 → s2: 82 to 121 beats a minute, 15 dB louder, keys far apart"
    ]
