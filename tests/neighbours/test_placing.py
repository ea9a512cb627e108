"""A file that is in no library is placed where the same song in the library is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.cli import DONE, FAILED, USAGE, main
from songscape.features.extract import extract
from songscape.features.loading import load_views
from songscape.features.text import lyrics_view
from songscape.ingest import read_collection
from songscape.library import Library
from songscape.models.presets import DEFAULT_FREE, find_preset, make_model
from songscape.models.saving import save_model
from songscape.neighbours.collection import open_index
from songscape.neighbours.placing import Placer, as_rows_of
from songscape.results import ResultsFolder, write_latents

WORDS = ("river moon window", "moon moon bridge", "sand shell river", "train bridge night")
VIEWS = ("segments", "rhythm", "lyrics")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ResultsFolder:
    """Twelve songs of two seconds, analysed, and the default model of them."""
    root = tmp_path_factory.mktemp("placing")
    rng = np.random.default_rng(0)
    times = np.arange(2 * 22_050) / 22_050
    (root / "music").mkdir()
    for i in range(12):
        sound = 0.3 * np.sin(2 * np.pi * 110 * 2 ** (i / 4) * times) * (1 + np.sin(9 * i * times))
        sound += rng.normal(size=len(times)) * 0.02 * i
        soundfile.write(root / "music" / f"song {i}.wav", 0.3 * sound, 22_050)
        (root / "music" / f"song {i}.txt").write_text(
            f"{WORDS[i % 4]} word{i} {'river ' * (i % 3)}"
        )
    folder = ResultsFolder(root / "out")
    folder.root.mkdir()
    with Library.open(folder.library) as library:
        extract(library, read_collection(root / "music"), views=VIEWS, workers=1)
        views = load_views(library, VIEWS)
    assert set(VIEWS) <= set(find_preset(DEFAULT_FREE).modelled_views)
    model = make_model(DEFAULT_FREE, views=VIEWS)
    latents = model.fit_transform(views)
    save_model(model, folder.model(DEFAULT_FREE, 0))
    names = [f"z{i}" for i in range(latents.shape[1])]
    write_latents(folder.latents(DEFAULT_FREE, 0), views.track_ids, latents, names, "key")
    return folder


def test_a_copied_file_lies_where_its_song_lies(folder: ResultsFolder, tmp_path: Path) -> None:
    music = folder.root.parent / "music"
    for suffix in (".wav", ".txt"):
        shutil.copy(music / f"song 5{suffix}", tmp_path / f"new{suffix}")
    song, vector = Placer(folder, DEFAULT_FREE, 0).file(tmp_path / "new.wav")
    assert song.title == "new"
    index = open_index(folder)
    near = index.similar(vector, 2)
    assert near[0].id == "song 5"
    assert near[0].distance == pytest.approx(0, abs=1e-3)
    assert near[1].distance > 0.1
    (tmp_path / "new.txt").unlink()
    without = Placer(folder, DEFAULT_FREE, 0).file(tmp_path / "new.wav")[1]
    assert np.abs(without - vector).max() > 0.1


def test_words_of_another_song_are_weighed_as_those_of_the_library() -> None:
    texts = [*WORDS, None, "moon"]
    view = lyrics_view(texts)
    placed = as_rows_of(view, [*texts, "nothing known"])
    assert placed.present.tolist() == [*view.present, False]
    assert placed.values.toarray()[:-1] == pytest.approx(view.values.toarray())
    assert as_rows_of(lyrics_view([None]), ["moon"]).present.tolist() == [False]


def test_similar_takes_a_file_from_anywhere(
    folder: ResultsFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "Näw #1.wav"
    shutil.copy(folder.root.parent / "music" / "song 7.wav", new)
    assert main(["similar", str(new), "--in", str(folder.root), "--json", "-n", "3"]) == DONE
    assert len(json.loads(capsys.readouterr().out)["tracks"]) == 3
    with Library.open(folder.library) as library:
        assert library.counts().found == 12
    where = ["--in", str(folder.root)]
    assert main(["similar", str(new), *where, "--not-same-artist"]) == USAGE
    new.write_bytes(b"RIFF nothing")
    assert main(["similar", str(new), *where]) == FAILED
    assert "Traceback" not in capsys.readouterr().err
