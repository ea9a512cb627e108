"""Files under any name that a file system takes: analysed, shown in one line, tags and words."""

from __future__ import annotations

import os
import sys
import unicodedata

import pytest
from audio_files import write_tagged

from songscape.columns import display_title
from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.ingest.reading import read_batch
from songscape.library import Library

NAMES = [
    "🎵 emoji 👩‍👩‍👧",
    unicodedata.normalize("NFD", "Ångström é"),
    "n" * 246,
    "গান " * 20,
    "-rf dash",
    "trailing space ",
    " leading",
    "100 % %s %d",
    "quote \" ' ` $HOME",
    "semi;colon#hash?&",
    "..dots",
    "مرحبا\u202e",
]
if sys.platform == "linux":
    NAMES += ["line\nbreak", "tab\there", "back\\slash", os.fsdecode(b"caf\xe9 \xff")]


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """A tagged song and its words under each of the names."""
    folder = tmp_path_factory.mktemp("names")
    song = write_tagged(folder / "x.flac", {"title": "A Song", "artist": "Ann"}, 1.5)
    data = song.read_bytes()
    song.unlink()
    for name in NAMES:
        (folder / f"{name}.flac").write_bytes(data)
        (folder / f"{name}.txt").write_text(f"words of {NAMES.index(name)}")
    return folder


def test_every_file_is_analysed_and_has_its_words_and_tags(collection, tmp_path):
    found = read_collection(collection, read=read_batch)
    assert len(found.tracks) == len(NAMES)
    assert {track.lyrics for track in found.tracks} == {f"words of {i}" for i in range(len(NAMES))}
    assert {tuple(track.labels.items()) for track in found.tracks} == {
        (("title", "A Song"), ("artist", "Ann"))
    }
    assert found.problems == ()
    with Library.open(tmp_path / "x.db") as library:
        assert extract(library, found, workers=2).analysed == len(NAMES)
        known = library.read_before()
        assert {track.audio for track in library.tracks()} == {t.audio for t in found.tracks}
    again = read_collection(collection, known=known, read=lambda tasks: [1 / 0 for _ in tasks])
    assert again == found


def test_every_name_is_shown_in_one_line(collection):
    for track in read_collection(collection, read=read_batch).tracks:
        for shown in (track.id, display_title(track.id)):
            assert shown
            assert len(shown.splitlines()) == 1
            assert shown.encode()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_what_is_no_text_in_a_name_costs_nothing_of_its_title(collection):
    shown = {display_title(track.id) for track in read_collection(collection).tracks}
    assert {"line\ufffdbreak", "tab\ufffdhere", "caf\ufffd \ufffd"} <= shown
