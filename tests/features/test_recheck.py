"""A library of an earlier version: only what this version decodes otherwise is analysed again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.features.analyse import MAX_FRAMES, RECIPES, analyse_file
from songscape.features.decode import load_mono
from songscape.features.extract import extract
from songscape.features.spectra import mfcc
from songscape.ingest import read_collection
from songscape.library import Library
from songscape.library.records import FileStamp

SR = 22_050


@pytest.fixture
def folder(song, write_song, tmp_path) -> Path:
    folder = tmp_path / "songs"
    tune = song(9.0, SR)
    write_song(folder / "plain.flac", 9.0, SR, seed=1)
    write_song(folder / "plain.mp3", 9.0, SR, seed=2)
    write_song(folder / "plain.ogg", 9.0, SR, seed=3)
    soundfile.write(folder / "quiet.flac", tune * np.linspace(0.05, 1, len(tune))[:, None], SR)
    soundfile.write(folder / "hushed.flac", np.concatenate([np.zeros((8 * SR, 2)), tune]), SR)
    soundfile.write(folder / "loud.wav", tune * 32768.0, SR, subtype="FLOAT")
    (folder / "joined.ogg").write_bytes((folder / "plain.ogg").read_bytes() * 2)
    return folder


def store_as_before(library: Library, folder: Path) -> None:
    """What the earlier version left: first recordings, unscaled, the view from the first frame."""
    collection = read_collection(folder)
    library.update(collection)
    for track in collection.tracks:
        source = folder / "plain.ogg" if track.id == "joined" else track.audio
        analysis = analyse_file(str(source))
        facts = dict(analysis.facts)
        if track.id == "loud":
            facts["peak_dbfs"] += 20 * np.log10(32768)
        whole = mfcc(load_mono(source), SR)[:, :MAX_FRAMES]
        features = dict(analysis.features) | {"mfcc": whole}
        stamp = FileStamp.of(track.audio)
        library.store(
            track.id,
            type(analysis)(features, facts),
            stamp=stamp,
            recipe=RECIPES["timbre"],
            recipes=RECIPES,
        )


def run(library: Library, folder: Path) -> list[str]:
    done: list[str] = []
    extract(library, read_collection(folder), workers=1, progress=lambda _, __, i: done.append(i))
    return sorted(filter(None, done))


def test_only_what_would_come_out_otherwise_is_analysed_again_and_once(folder, tmp_path):
    with Library.open(tmp_path / "a.db") as library:
        store_as_before(library, folder)
        assert run(library, folder) == ["hushed", "joined", "loud"]
        assert run(library, folder) == []
        assert library.audio_facts().duration_s["joined"] == 18.0
        assert library.audio_facts().peak_dbfs["loud"] < 0
        assert library.features("mfcc")["hushed"][:, :100].std(axis=1).min() > 0
    with Library.open(tmp_path / "b.db") as library:
        run(library, folder)
        assert run(library, folder) == []


def test_an_ordinary_library_is_not_analysed_again(folder, tmp_path):
    for name in ("hushed.flac", "loud.wav", "joined.ogg"):
        (folder / name).unlink()
    with Library.open(tmp_path / "a.db") as library:
        store_as_before(library, folder)
        assert run(library, folder) == []
