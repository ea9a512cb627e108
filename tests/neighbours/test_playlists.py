"""Playlists in three formats, read back by rules that players have; a smooth order."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import m3u8
import numpy as np
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from lxml import etree

from songscape.errors import SongscapeError, UsageError
from songscape.neighbours.order import rough_transitions, smooth_order, smooth_way, steps
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
    "#EXTINF:5,no.mp3",
    "-dash.mp3",
    "--sout=file.mp3",
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
    assert ((root / "plain.mp3").as_uri() in lines) != inside


def test_paths_are_written_as_beets_writes_them(tmp_path: Path) -> None:
    song = Song("s", "T", file=tmp_path / "music" / "#a" / "b.mp3")
    assert song.file is not None
    playlist = Playlist("x", (song,))
    for places, line in (
        (Places(), song.file.as_uri()),
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


def test_a_reader_of_the_package_index_finds_every_file(tmp_path: Path) -> None:
    """The package m3u8, which also says whether durations are numbers."""
    songs = songs_at(tmp_path / "Müsik #1")
    file = tmp_path / "mix.m3u8"
    Playlist("mix", songs).save(file, Places(relative_to=tmp_path))
    found = m3u8.loads(file.read_text("utf-8")).segments
    files = [
        file_of(one.uri, tmp_path) if "://" in one.uri else tmp_path / one.uri for one in found
    ]
    assert [f.read_bytes() for f in files] == [s.file.read_bytes() for s in songs if s.file]
    assert {one.duration for one in found} == {61}


def vlc() -> Any:
    """VLC's library; the command will not run as root."""
    name = ctypes.util.find_library("vlc")
    library = ctypes.CDLL(name) if name else None
    if library is None:
        pytest.skip("VLC is not installed")
    for function in ("new", "media_new_path", "media_subitems", "media_list_item_at_index"):
        getattr(library, f"libvlc_{function}").restype = ctypes.c_void_p
    library.libvlc_media_get_mrl.restype = ctypes.c_char_p
    return library


def read_by_vlc(file: Path) -> list[str]:
    """Addresses of what VLC finds in a playlist."""
    library = vlc()
    options = [b"--no-video", b"--quiet", b"--ignore-config"]
    player = ctypes.c_void_p(
        library.libvlc_new(len(options), (ctypes.c_char_p * len(options))(*options))
    )
    media = ctypes.c_void_p(library.libvlc_media_new_path(player, os.fsencode(file)))
    library.libvlc_media_parse_with_options(media, 0, 10_000)
    until = time.monotonic() + 10
    while not library.libvlc_media_get_parsed_status(media) and time.monotonic() < until:
        time.sleep(0.02)
    items = ctypes.c_void_p(library.libvlc_media_subitems(media))
    library.libvlc_media_list_lock(items)
    found = []
    for row in range(library.libvlc_media_list_count(items)):
        item = ctypes.c_void_p(library.libvlc_media_list_item_at_index(items, row))
        found.append(library.libvlc_media_get_mrl(item).decode())
    library.libvlc_media_list_unlock(items)
    return found


@pytest.mark.parametrize("suffix", [".m3u8", ".xspf"])
@pytest.mark.parametrize("inside", [True, False])
def test_vlc_finds_every_file(tmp_path: Path, suffix: str, inside: bool) -> None:
    root = tmp_path / "Müsik #1"
    songs = songs_at(root)
    file = (root if inside else tmp_path) / f"mix 🎧{suffix}"
    Playlist("mix", songs).save(file, Places(root=root))
    found = [file_of(address, tmp_path) for address in read_by_vlc(file)]
    assert [f.read_bytes() for f in found] == [s.file.read_bytes() for s in songs if s.file]


def file_of(reference: str, base: Path) -> Path:
    parts = urlparse(reference)
    assert parts.scheme in ("", "file"), reference
    assert not parts.query
    assert not parts.fragment
    path = os.fsdecode(unquote_bytes(parts.path))
    return Path(os.path.normpath(path if parts.scheme else base / path))


HERE = Path(__file__).parent
XSPF = etree.RelaxNG(file=str(HERE / "xspf.rng"))
JSPF = Draft202012Validator(
    json.loads((HERE / "jspf.json").read_text("utf-8")),
    format_checker=FormatChecker(["uri-reference", "date-time"]),
)


@pytest.mark.parametrize("inside", [True, False])
def test_xspf_is_valid_and_finds_every_file(tmp_path: Path, inside: bool) -> None:
    root = tmp_path / "Müsik #1"
    songs = (*songs_at(root), Song("x", "No file", recording="not an id"))
    file = (root if inside else tmp_path) / "mix.xspf"
    Playlist("Sunday & <morning>", songs).save(file, Places(root=root))
    document = etree.parse(file)
    XSPF.assertValid(document)
    found = {"x": "http://xspf.org/ns/0/"}
    assert document.xpath("string(/x:playlist/x:title)", namespaces=found) == "Sunday & <morning>"
    tracks = document.xpath("//x:track", namespaces=found)
    for track, song in zip(tracks, songs, strict=True):
        values = {etree.QName(e).localname: e.text for e in track}
        if song.file is None:
            assert values == {"title": "No file"}
            continue
        assert not list(
            JSPF.evolve(schema={"format": "uri-reference"}).iter_errors(values["location"])
        )
        assert file_of(values["location"], file.parent).read_bytes() == song.file.read_bytes()
        assert values["identifier"] == f"https://musicbrainz.org/recording/{song.recording}"
        assert values["duration"] == "61400"


def test_jspf_is_valid_and_finds_every_file(tmp_path: Path) -> None:
    songs = (*songs_at(tmp_path / "m"), Song("x", "No file", recording="not an id"))
    file = Playlist("Mix", songs).save(tmp_path / "mix.jspf", Places(root=tmp_path))
    document = json.loads(file.read_text("utf-8"))
    JSPF.validate(document)
    for track, song in zip(document["playlist"]["track"], songs, strict=True):
        if song.file is None:
            assert track == {"title": "No file"}
            continue
        (location,), (identifier,) = track["location"], track["identifier"]
        assert file_of(location, tmp_path) == song.file
        assert identifier == f"https://musicbrainz.org/recording/{song.recording}"
        assert track["duration"] == 61_400


def test_the_schemas_refuse_what_the_specifications_forbid() -> None:
    start = '<playlist version="1" xmlns="http://xspf.org/ns/0/">'
    good = f"{start}<trackList><track><title/></track></trackList></playlist>"
    assert XSPF.validate(etree.fromstring(good))
    for wrong in (
        good.replace('"1"', '"2"'),
        good.replace("ns/0/", "ns/1/"),
        good.replace("<title/>", "<title/><title/>"),
        good.replace("<title/>", "<duration>1.5</duration>"),
        good.replace("<title/>", "<artist/>"),
        f"{start}</playlist>",
    ):
        assert not XSPF.validate(etree.fromstring(wrong)), wrong
    assert JSPF.is_valid({"playlist": {"track": [{"title": "x"}]}})
    for track in (
        {"location": "a.mp3"},
        {"location": ["a b.mp3"]},
        {"duration": "61400"},
        {"duration": 1.5},
        {"artist": "x"},
    ):
        assert not JSPF.is_valid({"playlist": {"track": [track]}}), track


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
    tempi = np.geomspace(80, 150, 20)
    tempi[1:] = rng.permutation(tempi[1:])
    songs = [song(i, float(tempo), -12.0, 0) for i, tempo in enumerate(tempi)]
    order = smooth_order(songs, np.zeros((20, 20)))
    assert list(tempi[order]) == sorted(tempi)


def test_an_order_has_every_song_once_and_is_never_rougher_than_the_given_one() -> None:
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 30, 310):
        songs = [
            song(i, *rng.uniform([60, -30], [180, -5]), int(rng.integers(12))) for i in range(n)
        ]
        order = smooth_order(songs, np.zeros((n, n)))
        assert sorted(order) == list(range(n))
        assert order[0] == 0
        cost = steps(songs).sum(axis=2)
        given, found = (sum(cost[a, b] for a, b in pairwise(o)) for o in (range(n), order))
        assert found <= given + 1e-9


def test_a_way_keeps_its_ends_and_its_direction_and_is_smoother() -> None:
    rng = np.random.default_rng(2)
    tempi = np.geomspace(70, 170, 30)
    tempi[1:-1] *= rng.uniform(0.8, 1.25, 28)
    songs = [song(i, float(tempo), -12.0, 0) for i, tempo in enumerate(tempi)]
    order = smooth_way(songs)
    assert sorted(order) == list(range(30))
    assert (order[0], order[-1]) == (0, 29)
    assert max(abs(place - i) for place, i in enumerate(order)) <= 8
    before, after = (rough_transitions(s) for s in (songs, [songs[i] for i in order]))
    assert len(after) < len(before)


def test_related_keys_and_double_tempi_are_near() -> None:
    # C major; A minor; G major; F sharp major
    songs = [song(0, 80, key=0), song(1, 160, key=9, minor=True), song(2, key=7), song(3, key=6)]
    tempo, _, key = np.moveaxis(steps(songs), 2, 0)
    assert key[0].tolist() == [0, 0, 0.5, 3]
    assert tempo[0, 1] == 1


def test_rough_transitions_are_named() -> None:
    songs = [song(0, 80, -20, 0), song(1, 82, -19, 7), song(2, 121, -4, 6), song(3)]
    rough = rough_transitions(songs)
    assert rough == ["s1 → s2: 82 to 121 beats a minute, 15 dB louder, keys far apart"]
