"""The library file: what it keeps, what it refuses, what it counts."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from songscape.errors import SongscapeError
from songscape.library import Analysis, Collection, Counts, LedgerRow, Library, Track
from songscape.library.database import transaction

ROOT = Path("/music")


def collection(*tracks: Track, problems: tuple[LedgerRow, ...] = (), columns=()) -> Collection:
    return Collection(ROOT, tracks, problems, columns)


def track(track_id: str, **labels: str) -> Track:
    return Track(track_id, ROOT / f"{track_id}.mp3", f"words of {track_id}", labels)


def analysis(value: float = 1.0) -> Analysis:
    features = {
        "timbre": np.full(160, value, np.float32),
        "mfcc": np.arange(80, dtype=np.float32).reshape(40, 2),
    }
    return Analysis(features, {"duration_s": 3.0, "sample_rate": 44_100})


def store(library: Library, track_id: str, result: Analysis) -> None:
    library.store(track_id, result, size=1, mtime_ns=2, recipe="r")


def test_tracks_come_back_as_they_went_in_sorted_by_id(tmp_path):
    tracks = (track("b", genre="pop", language="বাংলা"), track("a", language="de"), track("ö"))
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(*tracks, columns=("language", "genre", "mood")))
    with Library.open(tmp_path / "x.db", must_exist=True) as library:
        assert library.tracks() == [tracks[1], tracks[0], tracks[2]]
        frame = library.labels()
    assert list(frame.columns) == ["language", "genre", "mood"]
    assert frame.index.name == "id"
    assert frame.loc["b"].tolist() == ["বাংলা", "pop", None]
    assert frame.loc["ö"].tolist() == [None, None, None]


def test_features_come_back_bit_for_bit(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.standard_normal((3, 4)).astype(np.float32),
        "b": np.array(5.0),
        "c": rng.integers(0, 9, (2, 0, 3)),
        "d": rng.standard_normal((4, 5)).T.astype(">f8"),
    }
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(track("t")))
        store(library, "t", Analysis(arrays))
        for name, values in arrays.items():
            back = library.features(name)["t"]
            assert back.shape == values.shape
            np.testing.assert_array_equal(back, values)


def test_every_found_track_has_one_outcome(tmp_path):
    problems = (
        LedgerRow("gone", "scan", "failed", "not there"),
        LedgerRow("extra.mp3", "scan", "skipped", "not listed"),
        LedgerRow("a", "lyrics", "failed", "not text"),
        LedgerRow("tracks.csv", "scan", "warning", "not UTF-8"),
    )
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(*(track(i) for i in "abcd"), problems=problems))
        assert library.counts() == Counts(6, 0, 1, 1, 4, 1, 1)
        store(library, "a", analysis())
        store(library, "b", Analysis(failure="silent"))
        store(library, "c", Analysis(analysis().features, {}, ("truncated",)))
        counts = library.counts()
        assert counts == Counts(6, 2, 1, 2, 1, 2, 1)
        assert counts.found == counts.analysed + counts.skipped + counts.failed + counts.pending
        assert library.track_ids("analysed") == ["a", "c"]
        assert library.track_ids("failed") == ["b", "gone"]
        assert [t.id for t in library.tracks("pending")] == ["d"]
        assert list(library.features("timbre")) == ["a", "c"]
        assert library.audio_facts().index.tolist() == ["a"]
        assert {(r.track_id, r.status) for r in library.ledger()} == {
            *(("gone", "failed"), ("extra.mp3", "skipped"), ("a", "failed"), ("a", "ok")),
            *(("b", "failed"), ("c", "ok"), ("c", "warning"), ("tracks.csv", "warning")),
        }


def test_storing_is_all_or_nothing(tmp_path):
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(track("t")))
        store(library, "t", analysis(1.0))
        broken = Analysis({"timbre": np.zeros(3, np.float32)}, {"duration_s": object()})
        with pytest.raises(sqlite3.Error):
            store(library, "t", broken)
        assert library.features("timbre")["t"][0] == 1.0
        assert library.counts().analysed == 1


def test_features_of_an_unknown_track_are_refused(tmp_path):
    with Library.open(tmp_path / "x.db") as library, pytest.raises(sqlite3.IntegrityError):
        store(library, "nobody", analysis())


def test_a_new_scan_replaces_remarks_and_labels_and_keeps_features(tmp_path):
    with Library.open(tmp_path / "x.db") as library:
        remark = (LedgerRow("a", "lyrics", "warning", "empty"),)
        library.update(collection(track("a", genre="pop"), track("b"), problems=remark))
        store(library, "a", analysis())
        library.update(collection(track("a", genre="rock")))
        assert library.labels().loc["a", "genre"] == "rock"
        assert library.ledger("warning") == []
        assert library.ledger("skipped") == [
            LedgerRow("b", "scan", "skipped", "no longer in the collection")
        ]
        assert list(library.features("timbre")) == ["a"]


def test_paths_move_with_the_collection(tmp_path):
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(track("a")))
        moved = Path("/elsewhere")
        library.update(Collection(moved, (Track("a", moved / "a.mp3"),)))
        assert library.tracks()[0].audio == moved / "a.mp3"
        assert library.root == moved


def test_names_that_are_not_utf_8_are_kept(tmp_path):
    name = os.fsdecode(b"b\xe9la.mp3")
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(Track("b", ROOT / name)))
        assert library.tracks()[0].audio == ROOT / name


def test_any_sqlite_tool_can_read_it(tmp_path):
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(track("a", genre="pop")))
        store(library, "a", analysis())
    with sqlite3.connect(tmp_path / "x.db") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        (blob,) = db.execute("SELECT data FROM features WHERE name = 'timbre'").fetchone()
    assert np.frombuffer(blob, "<f4").tolist() == [1.0] * 160


def test_other_files_are_refused_in_one_line(tmp_path):
    (tmp_path / "tracks.csv").write_text("id,audio\n" * 500)
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE photos (id)")
    cases = {
        tmp_path / "tracks.csv": "not a SQLite file",
        tmp_path / "other.db": "another program's database",
        tmp_path: "is a folder",
        tmp_path / "no" / "x.db": "does not exist",
    }
    for path, message in cases.items():
        with pytest.raises(SongscapeError, match=message) as caught:
            Library.open(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(SongscapeError, match="no library here"):
        Library.open(tmp_path / "x.db", must_exist=True)
    assert not (tmp_path / "x.db").exists()


def test_a_newer_schema_is_refused_untouched(tmp_path):
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(track("a")))
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(SongscapeError, match=r"newer Songscape \(schema 99"):
        Library.open(tmp_path / "x.db")


def test_readers_see_the_last_commit_while_a_writer_is_at_work(tmp_path):
    with Library.open(tmp_path / "x.db") as writer, Library.open(tmp_path / "x.db") as reader:
        writer.update(collection(track("a"), track("b")))
        with transaction(writer._db) as db:
            db.execute("UPDATE tracks SET outcome = 'ok'")
            assert reader.counts().pending == 2
        assert reader.counts().analysed == 2
