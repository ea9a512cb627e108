"""The library file: what it keeps, what it refuses, what it counts."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from songscape.errors import SongscapeError
from songscape.library import (
    Analysis,
    Collection,
    Counts,
    FileStamp,
    LedgerRow,
    Library,
    Lyrics,
    Track,
)
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
    library.store(track_id, result, stamp=FileStamp("x", 1, 2, 3), recipe="r")


def test_tracks_come_back_as_they_went_in_sorted_by_id(tmp_path):
    tracks = (track("b", genre="pop", language="বাংলা"), track("a", language="de"), track("ö"))
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(*tracks, columns=("language", "genre", "mood")))
    with Library.open(tmp_path / "x.db", must_exist=True) as library:
        assert library.tracks() == [tracks[1], tracks[0], tracks[2]]
        frame = library.columns()
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
        assert library.columns().loc["a", "genre"] == "rock"
        assert library.ledger("warning") == []
        assert library.ledger("skipped") == []
        assert library.ledger("gone") == [
            LedgerRow("b", "scan", "gone", "no longer in the collection")
        ]
        assert library.counts() == Counts(1, 1, 0, 0, 0, 0, 0, gone=1)
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


ODD = [
    "\udce9 lone surrogate",
    "NUL \0 inside",
    "\ud83d half a pair",
    "বাংলা",
    "\u2028",
    "'; --",
    " ",
]


def test_any_text_and_number_comes_back_as_it_was(tmp_path):
    tracks = tuple(Track(odd, ROOT / "x.mp3", odd, {"a": odd, "b": odd}) for odd in ODD)
    numbers = {"nan": float("nan"), "inf": float("-inf"), "huge": 10**40, "text": ODD}
    with Library.open(tmp_path / "x.db") as library:
        remarks = tuple(LedgerRow(odd, "lyrics", "warning", odd) for odd in ODD)
        library.update(Collection(ROOT, tracks, remarks, ("b", "a")))
        for odd in ODD:
            library.store(
                odd,
                Analysis({odd: np.ones(2)}, {"size_bytes": 10**30}, (odd,)),
                stamp=FileStamp(odd, 2**70, 2**70, None),
                recipe=odd,
            )
        library.store_facts(ODD[0], {odd: (odd, numbers) for odd in ODD})
    with Library.open(tmp_path / "x.db") as library:
        assert {t.id: t for t in library.tracks()} == {t.id: t for t in tracks}
        assert set(library.track_ids("analysed")) == set(ODD)
        assert set(library.ledger("warning")) == {
            *remarks,
            *(LedgerRow(odd, "audio", "warning", odd) for odd in ODD),
        }
        columns = library.columns()
        assert list(columns) == ["b", "a"]
        assert all(columns.loc[odd].tolist() == [odd, odd] for odd in ODD)
        facts = library.audio_facts()
        assert set(facts.index) == set(ODD)
        assert set(facts["size_bytes"]) == {2**63 - 1}
        for odd in ODD:
            assert list(library.features(odd)) == list(library.feature_digests(odd)) == [odd]
            assert library.feature_recipes([odd]) == {odd: {odd: odd}}
            assert library.analysed_files()[odd].stamp == FileStamp(odd, 2**70, 2**70, None)
            recipe, value = library.facts(ODD[0])[odd]
            assert recipe == odd
            assert (value["huge"], value["inf"], value["text"]) == (10**40, float("-inf"), ODD)
            assert value["nan"] != value["nan"]


def test_a_file_of_the_year_2300_can_be_stored(tmp_path):
    file = tmp_path / "song.mp3"
    file.write_bytes(b"x")
    os.utime(file, (10_413_792_000, 10_413_792_000))
    stamp = FileStamp.of(file)
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(track("t")))
        library.store("t", analysis(), stamp=stamp, recipe="r")
        before = library.analysed_files()["t"].stamp
        assert before is not None
        assert before.is_state_of(FileStamp.of(file))


def test_nothing_is_written_where_nothing_changed(tmp_path):
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(track("a", genre="pop"), track("b")))
        before = library._db.total_changes
        library.update(collection(track("a", genre="pop"), track("b")))
        assert library._db.total_changes == before
        library.update(collection(track("a", genre="pop"), track("b", genre="pop")))
        assert library._db.total_changes > before
        assert library.columns()["genre"].tolist() == ["pop", "pop"]


def test_lyric_files_are_known_in_the_state_that_they_were_read_in(tmp_path):
    stamp = FileStamp("/music/a.txt", 3, 4, 5)
    files = {stamp: Lyrics("la", "warning", "not UTF-8"), FileStamp("/b", 0, 0, 0): Lyrics(None)}
    with Library.open(tmp_path / "x.db") as library:
        library.update(Collection(ROOT, (track("a"),), files=files))
        assert library.read_before() == files
        library.update(Collection(ROOT, (track("a"),), files={stamp: files[stamp]}))
        assert library.read_before() == {stamp: files[stamp]}
        lost = {FileStamp.of(tmp_path / "lost.txt"): Lyrics(None, "failed", "not there")}
        library.update(Collection(ROOT, (track("a"),), files=lost))
        assert library.read_before() == {}


def test_what_no_scan_stored_is_called_damage(tmp_path):
    stamp = FileStamp("/music/a.txt", 3, 4, 5)
    with Library.open(tmp_path / "x.db") as library:
        library.update(Collection(ROOT, (track("a"),), files={stamp: Lyrics("la")}))
        library._db.execute("UPDATE file_facts SET value = '[1]'")
        with pytest.raises(SongscapeError, match="is damaged"):
            library.read_before()


def test_facts_are_kept_with_their_recipes(tmp_path):
    with Library.open(tmp_path / "x.db") as library:
        library.store_facts("language", {"a": ("1", {"German": 1.0}), "b": ("1", {})})
        library.store_facts("language", {"b": ("2", None)})
        assert library.facts("language") == {"a": ("1", {"German": 1.0}), "b": ("2", None)}
        assert library.facts("copies") == {}
        library.store_arrays("words", "1", {"x": np.arange(4).reshape(2, 2)})
        library.store_arrays("words", "2", {"x": np.ones(3, np.float32), "y": np.array(["a"])})
        with pytest.raises(TypeError, match="nothing is pickled"):
            library.store_arrays("words", "2", {"x": np.array([{}], dtype=object)})
        assert library.arrays("words", "1") is None
        stored = library.arrays("words", "2")
        assert stored["x"].dtype == np.float32
        assert stored["y"].tolist() == ["a"]


def test_digests_tell_features_apart_and_are_made_up_where_they_lack(tmp_path):
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection(track("a"), track("b"), track("c")))
        for track_id, value in zip("abc", (1.0, 2.0, 1.0)):
            store(library, track_id, analysis(value))
        digests = library.feature_digests("timbre")
        assert digests["a"] == digests["c"] != digests["b"]
        library._db.execute("DELETE FROM facts")
        assert library.feature_digests("timbre") == digests
        library.add_features("a", {"timbre": np.zeros(160, np.float32)}, {"timbre": "s"})
        assert library.feature_digests("timbre")["a"] != digests["a"]


def everything(library: Library) -> None:
    for name in ("tracks", "columns", "ledger", "counts", "audio_facts", "analysed_files"):
        getattr(library, name)()
    for name in ("timbre", "mfcc"):
        library.features(name)
        library.feature_digests(name)
    library.facts("language")
    library.read_before()


@pytest.mark.parametrize("kind", ["half", "a page", "noise", "zeros", "header only", "empty"])
def test_a_damaged_library_says_what_to_do(tmp_path, kind):
    path = tmp_path / "songscape.db"
    with Library.open(path) as library:
        library.update(collection(*(track(f"t{i}", genre="pop") for i in range(80))))
        for i in range(80):
            store(library, f"t{i}", analysis())
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    size = len(whole)
    damaged = {
        "half": whole[: size // 2],
        "a page": whole[:8192] + rng.bytes(size - 3 * 8192) + whole[-2 * 8192 :],
        "noise": rng.bytes(size),
        "zeros": bytes(size),
        "header only": whole[:100],
        "empty": b"",
    }
    path.write_bytes(damaged[kind])
    with pytest.raises(SongscapeError) as caught, Library.open(path, must_exist=True) as library:
        everything(library)
    said = str(caught.value)
    assert said.startswith(f"{path}: is damaged; restore it from a backup, or move it away and run")
    assert "\n" not in said


@pytest.mark.parametrize("seed", range(8))
def test_a_few_wrong_bytes_are_never_a_traceback(tmp_path, seed):
    path = tmp_path / "songscape.db"
    with Library.open(path) as library:
        library.update(collection(*(track(f"t{i}", genre="pop") for i in range(20))))
        for i in range(20):
            store(library, f"t{i}", analysis())
            library.store_facts("language", {f"t{i}": ("1", {"German": 1.0})})
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for position in rng.integers(0, len(data), 400):
        data[position] = rng.integers(256)
    path.write_bytes(bytes(data))
    with suppress(SongscapeError), Library.open(path, must_exist=True) as library:
        everything(library)


def test_a_locked_library_is_one_line(tmp_path, monkeypatch):
    path = tmp_path / "x.db"
    with Library.open(path) as library:
        library.update(collection(track("a")))
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            library._db.execute("PRAGMA busy_timeout = 1")
            with pytest.raises(SongscapeError, match="another program writes to it; wait"):
                library.update(collection(track("b")))
        assert library.track_ids() == ["a"]


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
