"""Files tagged by the programs that people use: opusenc, metaflac, id3v2, vorbiscomment and others.

`.ci/run` installs them (Debian: flac opus-tools id3v2 vorbis-tools wavpack atomicparsley).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import write_tagged

from songscape.ingest.tags import read_tags

WORK = "0f5a0a3b-5a0d-3a4a-9c1e-0a1b2c3d4e5f"
RECORDING = "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"
WORDS = "Über den Wolken singt der Wind\nund niemand hört ihm zu"
VORBIS = {
    "TITLE": ["Sång 東京"],
    "ARTIST": ["Ann", "Bob"],
    "ALBUMARTIST": ["Various Artists"],
    "ALBUM": ["Das Album"],
    "TRACKNUMBER": ["7"],
    "DISCNUMBER": ["2"],
    "DATE": ["2011-05-06"],
    "ORIGINALDATE": ["1987"],
    "GENRE": ["Folk", "Indie Rock"],
    "LANGUAGE": ["deu"],
    "LYRICIST": ["A. Poet"],
    "COMPOSER": ["B. Writer"],
    "BPM": ["120"],
    "KEY": ["Am"],
    "SCRIPT": ["Latn"],
    "LYRICS": [WORDS],
    "MUSICBRAINZ_TRACKID": [RECORDING],
    "MUSICBRAINZ_WORKID": [WORK],
    "R128_TRACK_GAIN": ["-512"],
}
CELLS = {
    "title": "Sång 東京",
    "artist": "Ann; Bob",
    "albumartist": "Various Artists",
    "album": "Das Album",
    "tracknumber": "7",
    "discnumber": "2",
    "year": "1987",
    "genre": "Folk",
    "genres_all": "Folk; Indie Rock",
    "language": "German",
    "lyricist": "A. Poet",
    "composer": "B. Writer",
    "bpm": "120",
    "key": "Am",
    "script": "Latn",
    "musicbrainz_recordingid": RECORDING,
    "musicbrainz_workid": WORK,
    "r128_track_gain": "-512",
}


@pytest.fixture
def tool() -> Callable[..., None]:
    def run(name: str, *arguments: str | Path) -> None:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed; see the head of this file")
        subprocess.run([name, *map(str, arguments)], check=True, capture_output=True)

    return run


def sound(path: Path, **options: str) -> Path:
    y = np.random.default_rng(0).normal(0, 0.1, 24000).astype(np.float32)
    soundfile.write(path, y, 48000, **options)
    return path


def pairs() -> list[str]:
    return [f"{name}={value}" for name, values in VORBIS.items() for value in values]


def check(path: Path, **others: str | None) -> None:
    """Every field is read right, but for `others`: what the format can't hold is None."""
    tags = read_tags(path, path.name)
    expected = {name: value for name, value in {**CELLS, **others}.items() if value is not None}
    assert dict(tags.cells) == expected
    assert tags.remark == ""
    assert tags.lyrics is not None
    assert tags.lyrics.text == WORDS


def test_metaflac(tool, tmp_path):
    path = sound(tmp_path / "x.flac")
    tool("metaflac", "--remove-all-tags", *(f"--set-tag={pair}" for pair in pairs()), path)
    check(path)


def test_opusenc(tool, tmp_path):
    comments = [part for pair in pairs() for part in ("--comment", pair)]
    wav = sound(tmp_path / "x.wav")
    tool("opusenc", "--quiet", *comments, wav, tmp_path / "x.opus")
    check(tmp_path / "x.opus")


def test_vorbiscomment(tool, tmp_path):
    path = sound(tmp_path / "x.ogg")
    lines = tmp_path / "comments"
    lines.write_text("\n".join(pair.replace("\n", "\\n") for pair in pairs()))
    tool("vorbiscomment", "-w", "-R", "-e", "-c", lines, path)
    check(path)


def test_id3v2(tool, tmp_path):
    # The program writes ID3v2.3 in Latin-1, one value a frame.
    path = sound(tmp_path / "x.mp3")
    frames = ("-t", "Sång", "-a", "Ann", "-A", "Das Album", "-T", "7/12", "-y", "2011", "-g", "80")
    more = ("--TPE2", "Various Artists", "--TPOS", "2/2", "--TLAN", "deu", "--TEXT", "A. Poet")
    last = ("--TCOM", "B. Writer", "--TBPM", "120", "--TKEY", "Am", "--TORY", "1987")
    user = ("--TXXX", f"MusicBrainz Work Id:{WORK}", "--USLT", f":{WORDS}:deu")
    latin = [
        part if isinstance(part, bytes) else part.encode("latin-1")
        for part in (*frames, *more, *last, *user)
    ]
    if shutil.which("id3v2") is None:
        pytest.skip("id3v2 is not installed; see the head of this file")
    subprocess.run(["id3v2", *latin, str(path)], check=True, capture_output=True)
    only = {"script": None, "musicbrainz_recordingid": None, "r128_track_gain": None}
    check(path, title="Sång", artist="Ann", genres_all=None, **only)


def test_wvtag(tool, tmp_path):
    tool("wavpack", "-q", sound(tmp_path / "x.wav"), "-o", tmp_path / "x.wv")
    items = {
        "Title": "TITLE",
        "Artist": "ARTIST",
        "Album Artist": "ALBUMARTIST",
        "Album": "ALBUM",
        "Track": "TRACKNUMBER",
        "Disc": "DISCNUMBER",
        "Year": "DATE",
        "Composer": "COMPOSER",
        "Lyrics": "LYRICS",
        "ORIGINALYEAR": "ORIGINALDATE",
    }
    named = [f"{new}={VORBIS[old][0]}" for new, old in items.items()]
    rest = [pair for pair in pairs() if pair.partition("=")[0] not in items.values()]
    rest = [pair for pair in rest if not pair.startswith("GENRE=")]
    tags = [part for pair in (*named, *rest, "Genre=Folk;Indie Rock") for part in ("-w", pair)]
    tool("wvtag", "-q", *tags, tmp_path / "x.wv")
    check(tmp_path / "x.wv", artist="Ann")


def test_atomicparsley(tool, tmp_path):
    path = write_tagged(tmp_path / "x.m4a", {})
    plain = {"title": "TITLE", "artist": "ARTIST", "albumArtist": "ALBUMARTIST", "album": "ALBUM"}
    plain |= {"tracknum": "TRACKNUMBER", "disk": "DISCNUMBER", "year": "DATE", "bpm": "BPM"}
    plain |= {"composer": "COMPOSER", "lyrics": "LYRICS"}
    options = [part for new, old in plain.items() for part in (f"--{new}", VORBIS[old][0])]
    free = {"LANGUAGE": "LANGUAGE", "LYRICIST": "LYRICIST", "SCRIPT": "SCRIPT"}
    free |= {"ORIGINALDATE": "ORIGINALDATE", "initialkey": "KEY"}
    free |= {"MUSICBRAINZ_TRACKID": "MUSICBRAINZ_TRACKID"}  # it takes no blanks in a name
    free |= {"MUSICBRAINZ_WORKID": "MUSICBRAINZ_WORKID"}
    for new, old in free.items():
        options += ["--rDNSatom", VORBIS[old][0], f"name={new}", "domain=com.apple.iTunes"]
    tool("AtomicParsley", path, "--genre", "Folk;Indie Rock", *options, "--overWrite")
    check(path, artist="Ann", r128_track_gain=None)
