"""A results folder that version 1 of the library wrote: it opens, and nothing is extracted again.

`version1.tar.xz` holds a collection of seven clips (an eighth was removed after the first run) and
what `songscape run` with schema 1 left of it, without its pictures.
"""

import os
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from songscape.cli import main
from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.library import Analysis, LedgerRow, Library

ARCHIVE = Path(__file__).with_name("version1.tar.xz")
EXTRACTED = [f"s{i}" for i in range(7)]


def refuse(path: str, names: list[str]) -> Analysis:
    """In the place of the function that reads audio."""
    return Analysis(failure="nothing was to be read")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The collection and its results, as if they had been written here."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    with closing(sqlite3.connect(db_of(tmp_path), isolation_level=None)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        root = str((tmp_path / "collection").resolve())
        db.execute("UPDATE meta SET value = ? WHERE key = 'root'", (root,))
        db.execute("UPDATE audio_facts SET codec = 'as it was'")
    return tmp_path


def db_of(folder: Path) -> Path:
    return folder / "results-folder" / "songscape.db"


def stored(path: Path) -> dict[tuple[str, str], bytes]:
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT track_id, name, data FROM features").fetchall()
    return {(track_id, name): data for track_id, name, data in rows}


def test_the_file_becomes_one_of_version_2_with_all_its_features(folder: Path) -> None:
    before = stored(db_of(folder))
    assert len({track_id for track_id, _ in before}) == 8
    with Library.open(db_of(folder)) as library:
        assert library.track_ids("analysed") == EXTRACTED
        assert library.tracks()[0].lyrics.startswith("We walk along the river")
        assert library.columns().loc["s6"].tolist() == [None, "rock", "artist 3"]
        assert list(library.feature_digests("timbre")) == EXTRACTED
    assert stored(db_of(folder)) == before
    with sqlite3.connect(db_of(folder)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_what_was_gone_is_kept_and_not_counted_as_found(folder: Path) -> None:
    with Library.open(db_of(folder)) as library:
        counts = library.counts()
        assert (counts.found, counts.analysed, counts.skipped, counts.gone) == (7, 7, 0, 1)
        gone = LedgerRow("s7", "scan", "gone", "no longer in the collection")
        assert library.ledger("gone") == [gone]
        assert library.ledger("skipped") == []


def test_nothing_is_extracted_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("songscape.features.extract.analyse_file", refuse)
    totals: list[int] = []
    collection = read_collection(folder / "collection")
    for _ in range(2):
        with Library.open(db_of(folder)) as library:
            counts = extract(
                library,
                collection,
                progress=lambda _, total, __: totals.append(total),
            )
        assert (counts.found, counts.analysed, counts.failed) == (7, 7, 0)
    assert totals == [0, 0]


def test_a_file_that_changed_is_extracted_again(folder: Path) -> None:
    audio = folder / "collection" / "audio"
    os.utime(audio / "s1.ogg", (1, 1))
    (audio / "s2.ogg").write_bytes((audio / "s3.ogg").read_bytes())
    with Library.open(db_of(folder)) as library:
        counts = extract(library, read_collection(folder / "collection"), workers=1)
        assert counts.analysed == 7
        facts = library.audio_facts()
    assert facts.index[facts["codec"] != "as it was"].tolist() == ["s1", "s2"]
    assert facts.loc["s2", "digest"] == facts.loc["s3", "digest"]


def test_features_are_not_taken_for_files_elsewhere(folder: Path) -> None:
    (folder / "collection").rename(folder / "moved")
    with Library.open(db_of(folder)) as library:
        extract(library, read_collection(folder / "moved"), workers=1)
        assert "as it was" not in set(library.audio_facts()["codec"])


def test_run_goes_on_with_the_results_folder(folder: Path) -> None:
    out = folder / "results-folder"
    arguments = ["--models", "balanced-pca,random", "--clusterers", "kmeans", "--k", "2"]
    assert main(["run", str(folder / "collection"), "--out", str(out), *arguments]) == 0
    with Library.open(db_of(folder), must_exist=True) as library:
        assert set(library.audio_facts()["codec"]) == {"as it was"}
        assert library.counts().analysed == 7
    assert (out / "results" / "report.html").exists()


def test_a_library_that_cannot_be_written_is_read_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = db_of(folder)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        with Library.open(path, must_exist=True) as library:
            assert library.track_ids("analysed") == EXTRACTED
            digests = library.feature_digests("timbre")
            library.store_facts("mood", {"s0": ("recipe", "glad")})
            assert library.facts("mood") == {"s0": ("recipe", "glad")}
            library.store_arrays("a", "r", {"x": np.arange(3)})
            arrays = library.arrays("a", "r")
            assert arrays is not None
            assert arrays["x"].tolist() == [0, 1, 2]
    assert path.read_bytes() == before
    with Library.open(path) as library:
        assert library.feature_digests("timbre") == digests
        assert library.facts("mood") == {}
