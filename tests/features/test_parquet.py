"""Features as Parquet files: workers write them once, and models read them in batches."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.errors import SongscapeError
from songscape.features.extract import extract
from songscape.features.loading import load_views
from songscape.features.parquet import ParquetFeatures, extract_to_parquet
from songscape.features.views import Views
from songscape.ingest import read_collection
from songscape.library import Library

RATE = 22_050
N = 20
NAMES = ["segments", "timbre", "mel", "rhythm"]


@pytest.fixture(scope="module")
def music(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("music") / "Songs"
    folder.mkdir()
    for n in range(N):
        noise = np.random.default_rng(n).normal(0, 0.1 + 0.01 * (n % 3), int((2 + n / 10) * RATE))
        soundfile.write(folder / f"{n:02}.flac", noise, RATE)
    (folder / "03.txt").write_text("words of a song")
    (folder / "broken.flac").write_bytes(b"fLaC" + bytes(3000))
    return folder


@pytest.fixture(scope="module")
def usual(music, tmp_path_factory) -> Views:
    with Library.open(tmp_path_factory.mktemp("db") / "a.db") as library:
        extract(library, read_collection(music), workers=2)
        return load_views(library, NAMES)


@pytest.fixture(scope="module")
def folder(music, tmp_path_factory) -> str:
    out = str(tmp_path_factory.mktemp("out") / "features")
    counts = extract_to_parquet(read_collection(music), out, per_file=6, workers=2)
    assert (counts.found, counts.analysed, counts.failed) == (N + 1, N, 1)
    return out


def test_files_hold_what_a_library_holds_in_the_order_of_ids(folder, usual):
    batches = list(ParquetFeatures(folder).batches(NAMES))
    assert len(batches) > 1
    assert tuple(i for batch in batches for i in batch.track_ids) == usual.track_ids
    for name in NAMES:
        together = np.concatenate([batch[name].values for batch in batches])
        np.testing.assert_array_equal(together, usual[name].values)
        if usual[name].mask is not None:
            masks = np.concatenate([batch[name].mask for batch in batches])
            np.testing.assert_array_equal(masks, usual[name].mask)
            assert batches[0][name].step_axis == usual[name].step_axis


def test_a_model_trained_on_batches_from_disk_is_that_of_the_same_views_in_memory(
    folder, usual, tmp_path
):
    from songscape.models.presets import make_model

    names = ["segments", "rhythm"]
    on_disk = ParquetFeatures(folder).views(names, tmp_path)
    assert isinstance(on_disk["segments"].values, np.memmap)
    for preset, options in (("balanced-lda", {}), ("song-vae", {"epochs": 2})):
        model = make_model(preset, views=names, **options)
        ours = model.fit(on_disk).transform(on_disk)
        theirs = model.fit(usual.select(names)).transform(usual.select(names))
        np.testing.assert_array_equal(ours, theirs)


def test_new_tracks_are_placed_batch_by_batch(folder, usual):
    from songscape.models.presets import make_model

    model = make_model("balanced-lda", views=["segments", "rhythm"]).fit(usual)
    parts = [model.transform(b) for b in ParquetFeatures(folder).batches(["segments", "rhythm"])]
    np.testing.assert_allclose(np.concatenate(parts), model.transform(usual), atol=1e-5)


def stamps(folder: str) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in Path(folder).glob("part-*")}


def test_what_is_written_stays_and_a_new_track_changes_one_file(music, tmp_path):
    here = tmp_path / "Songs"
    here.mkdir()
    for path in sorted(music.iterdir()):
        os.link(path, here / path.name)
    out = str(tmp_path / "out")

    def run():
        return extract_to_parquet(read_collection(here), out, per_file=6, workers=2)

    run()
    before = stamps(out)
    next(iter(Path(out).glob("part-*"))).unlink()  # as if it had been stopped
    run()
    after = stamps(out)
    assert before.keys() == after.keys()
    assert sum(before[name] != after[name] for name in before) == 1
    soundfile.write(here / "03b.flac", np.random.default_rng(99).normal(0, 0.1, 2 * RATE), RATE)
    assert run().analysed == N + 1
    assert len(stamps(out).keys() - after.keys()) <= 2
    assert all(stamps(out)[name] == after[name] for name in stamps(out).keys() & after.keys())
    ids = [i for batch in ParquetFeatures(out).batches(["timbre"]) for i in batch.track_ids]
    assert ids == sorted(ids)
    assert "03b" in ids


def test_other_programs_can_read_it(folder):
    import pandas as pd

    table = pd.read_parquet(folder)
    assert len(table) == N + 1
    row = table.set_index("id").loc["03"]
    assert (row["status"], row["lyrics"]) == ("analysed", "words of a song")
    assert table.set_index("id").loc["broken", "status"] == "failed"
    assert table.set_index("id").loc["broken", "reason"]


def test_a_folder_that_cannot_be_written_or_read_is_one_line(music, tmp_path):
    (tmp_path / "file").touch()
    reason = r"cannot be written .*; check address, permissions and free space"
    with pytest.raises(SongscapeError, match=reason):
        extract_to_parquet(read_collection(music), str(tmp_path / "file" / "x"), workers=2)
    with pytest.raises(SongscapeError, match="no features here; extract_to_parquet writes them"):
        ParquetFeatures(str(tmp_path / "nothing"))
