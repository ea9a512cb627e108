"""Extraction: a crash costs one track, an interruption costs nothing, order changes nothing."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.errors import SongscapeError, UsageError
from songscape.features.analyse import RECIPES, analyse_file
from songscape.features.extract import complete, extract
from songscape.features.loading import load_views
from songscape.features.views import View
from songscape.ingest import read_collection
from songscape.library import Library

HERE = Path(__file__).parent


@pytest.fixture
def crashing(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("crashing")


@pytest.fixture
def folder(write_song, tmp_path) -> Path:
    for number in range(5):
        write_song(tmp_path / "songs" / f"s{number}.flac", 2.0 + number, 22_050, seed=number)
        (tmp_path / "songs" / f"s{number}.txt").write_text(f"sun moon word{number}")
    return tmp_path / "songs"


def run(folder: Path, db: Path, function=analyse_file, timeout_s: float = 120.0, **keywords):
    with pytest.MonkeyPatch.context() as patch, Library.open(db) as library:
        patch.setattr("songscape.features.extract.analyse_file", function)
        patch.setattr("songscape.features.jobs.TIME_LIMIT_S", timeout_s)
        return extract(library, read_collection(folder), workers=2, **keywords)


def digest(db: Path) -> str:
    with Library.open(db, must_exist=True) as library:
        return load_views(library).digest()


def test_views_have_the_agreed_names_and_shapes(folder, tmp_path):
    counts = run(folder, tmp_path / "a.db")
    assert (counts.found, counts.analysed, counts.complete) == (5, 5, True)
    with Library.open(tmp_path / "a.db") as library:
        views = load_views(library, max_frames=200)
    assert views.track_ids == ("s0", "s1", "s2", "s3", "s4")
    assert views["timbre"].shape == (5, 160)
    assert views["mfcc"].shape == (5, 40, 200)
    assert views["mfcc"].mask is not None
    n_frames = [min(200, 1 + int((2 + n) * 22_050) // 512) for n in range(5)]
    assert views["mfcc"].mask.sum(axis=1).tolist() == n_frames
    assert not views["mfcc"].values[0, :, n_frames[0] :].any()
    assert views["segments"].shape == (5, 10, 120)
    assert views["lyrics"].feature_names == ("moon", "sun", *(f"word{n}" for n in range(5)))
    assert all(view.values.dtype == np.float32 for view in views.values())


def test_a_second_run_does_nothing_and_a_changed_file_is_done_again(folder, tmp_path, write_song):
    done: list[str] = []

    def note(_: int, __: int, track_id: str) -> None:
        if track_id:
            done.append(track_id)

    run(folder, tmp_path / "a.db", progress=note)
    assert sorted(done) == ["s0", "s1", "s2", "s3", "s4"]
    done.clear()
    run(folder, tmp_path / "a.db", progress=note)
    assert done == []
    before = digest(tmp_path / "a.db")
    write_song(folder / "s3.flac", 3.0, 22_050, seed=99)
    run(folder, tmp_path / "a.db", progress=note)
    assert done == ["s3"]
    assert digest(tmp_path / "a.db") != before


def forget_views(db: Path, *names: str) -> None:
    """Make a library that was written before there were these views."""
    with sqlite3.connect(db) as connection:
        for name in names:
            connection.execute("DELETE FROM features WHERE name = ?", (name,))


def test_a_view_that_an_older_library_lacks_is_computed_alone(folder, tmp_path):
    extra = tuple(name for name in RECIPES if name not in ("timbre", "mfcc", "segments"))
    db = tmp_path / "a.db"
    run(folder, db, views=extra)
    with Library.open(db) as library:
        expected = load_views(library, RECIPES).digest()
    forget_views(db, *extra)
    seen: list[str] = []

    def note(_: int, __: int, track_id: str) -> None:
        seen.append(track_id)

    run(folder, db, progress=note)
    assert seen == [""], "nobody asked for more"
    with sqlite3.connect(db) as connection:
        # Shows that what is there stays: it would be mended if the whole track were done again.
        connection.execute("UPDATE audio_facts SET codec = 'as it was'")
    counts = run(folder, db, views=extra, progress=note)
    assert sorted(seen) == ["", "", "s0", "s1", "s2", "s3", "s4"]
    assert counts.analysed == 5
    with Library.open(db) as library:
        assert load_views(library, RECIPES).digest() == expected
        assert set(library.audio_facts()["codec"]) == {"as it was"}
        recipes = library.feature_recipes(RECIPES)
    assert all(set(recipes[name].values()) == {RECIPES[name]} for name in RECIPES)


def test_a_view_that_cannot_be_computed_later_costs_no_other(folder, tmp_path, crashing):
    db = tmp_path / "a.db"
    run(folder, db)
    with Library.open(db) as library:
        before = load_views(library).digest()
    forget_views(db, "rhythm")

    assert run(folder, db, views=["rhythm"], function=crashing.fail_on_some).analysed == 5
    with Library.open(db) as library:
        assert load_views(library).digest() == before
        views = load_views(library, ["rhythm"])
        rows = [row for row in library.ledger("warning") if row.stage == "features"]
    assert views["rhythm"].present.tolist() == [True, False, False, True, True]
    assert [row.track_id for row in rows] == ["s1", "s2"]
    assert "rhythm cannot be computed now; what was computed before is kept" in rows[0].reason
    run(folder, db, views=["rhythm"])
    with Library.open(db) as library:
        assert load_views(library, ["rhythm"])["rhythm"].present.all()
        assert not library.ledger("warning")


def test_missing_views_are_completed_without_the_collection(folder, tmp_path):
    db = tmp_path / "a.db"
    run(folder, db)
    with Library.open(db) as library:
        expected = load_views(library, ["rhythm"]).digest()
    forget_views(db, "rhythm")
    (folder / "s4.flac").rename(tmp_path / "s4.flac")
    with Library.open(db) as library:
        with pytest.raises(SongscapeError, match="'rhythm' was not computed for this library"):
            load_views(library, ["rhythm"])
        complete(library, ["rhythm", "lyrics"])
        present = load_views(library, ["rhythm"])["rhythm"].present
        assert present.tolist() == [True, True, True, True, False]
    (tmp_path / "s4.flac").rename(folder / "s4.flac")
    with Library.open(db) as library:
        complete(library, ["rhythm"])
        assert load_views(library, ["rhythm"]).digest() == expected


def test_features_of_another_recipe_are_made_anew(folder, tmp_path):
    run(folder, tmp_path / "a.db")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("UPDATE features SET recipe = 'old' WHERE name = 'rhythm'")
    seen: list[int] = []
    run(folder, tmp_path / "a.db", views=["rhythm"], progress=lambda _, n, __: seen.append(n))
    assert seen[0] == 5


def test_a_new_file_gets_everything_that_is_cheap(folder, tmp_path):
    run(folder, tmp_path / "a.db")
    with Library.open(tmp_path / "a.db") as library:
        assert all(len(library.features(name)) == 5 for name in RECIPES)


def test_number_of_workers_and_order_of_tracks_change_no_byte(folder, tmp_path):
    run(folder, tmp_path / "a.db")
    collection = read_collection(folder)
    shuffled = replace(collection, tracks=collection.tracks[::-1])
    with Library.open(tmp_path / "b.db") as library:
        extract(library, shuffled, workers=1)
    assert digest(tmp_path / "a.db") == digest(tmp_path / "b.db")


def test_a_crash_or_a_hang_costs_one_track(folder, tmp_path, crashing):
    for name in ("segfault", "exit", "hang", "raise", "print"):
        shutil.copy(folder / "s0.flac", folder / f"{name}.flac")
    started = time.monotonic()
    counts = run(folder, tmp_path / "a.db", function=crashing.misbehave, timeout_s=5.0)
    assert time.monotonic() - started < 60
    assert (counts.found, counts.analysed, counts.failed) == (10, 6, 4)
    with Library.open(tmp_path / "a.db") as library:
        reasons = {row.track_id: row.reason for row in library.ledger("failed")}
        analysed = library.track_ids("analysed")
    assert reasons == {
        "segfault": "its process crashed (signal 11, SIGSEGV); convert it or remove it",
        "exit": "its process crashed (exit code 7); convert it or remove it",
        "hang": "took longer than 5 s; convert it or remove it",
        "raise": "RuntimeError: no such thing; convert it or remove it",
    }
    assert analysed == ["print", "s0", "s1", "s2", "s3", "s4"]


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_any_executor_serves_and_a_crash_in_it_costs_one_track(folder, tmp_path, crashing, kind):
    run(folder, tmp_path / "whole.db")
    shutil.copy(folder / "s0.flac", folder / "segfault.flac")
    shutil.copy(folder / "s0.flac", folder / "hang.flac")
    pool = (
        ThreadPoolExecutor(2)
        if kind == "threads"
        else ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    )
    with pool:
        keywords = {"function": crashing.misbehave, "timeout_s": 5.0, "executor": pool}
        counts = run(folder, tmp_path / "a.db", **keywords)
    assert (counts.found, counts.analysed, counts.failed) == (7, 5, 2)
    assert digest(tmp_path / "a.db") == digest(tmp_path / "whole.db")


def test_a_broken_executor_is_one_line(folder, tmp_path):
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    with pool, pytest.raises(BrokenExecutor):
        pool.submit(os._exit, 1).result()
    with pytest.raises(SongscapeError, match="the executor broke"):
        run(folder, tmp_path / "a.db", executor=pool)


def test_workers_are_light_and_single_threaded(folder, tmp_path, crashing):
    run(folder, tmp_path / "a.db", function=crashing.surroundings)
    with sqlite3.connect(tmp_path / "a.db") as db:
        rows = db.execute("SELECT container, codec FROM audio_facts").fetchall()
    assert set(rows) == {("", "1")}
    with Library.open(tmp_path / "a.db") as library:
        assert max(int(m[0]) for m in library.features("memory").values()) < 110e6


def test_failed_tracks_are_tried_again_and_can_be_mended(folder, tmp_path, write_song):
    (folder / "s1.flac").write_bytes(b"")
    assert run(folder, tmp_path / "a.db").failed == 1
    write_song(folder / "s1.flac", 2.0, 22_050)
    counts = run(folder, tmp_path / "a.db")
    assert (counts.failed, counts.analysed) == (0, 5)
    with Library.open(tmp_path / "a.db") as library:
        assert library.ledger("failed") == []


def test_a_file_that_breaks_later_loses_its_features(folder, tmp_path):
    run(folder, tmp_path / "a.db")
    (folder / "s1.flac").write_bytes(b"")
    run(folder, tmp_path / "a.db")
    with Library.open(tmp_path / "a.db") as library:
        assert "s1" not in load_views(library).track_ids
        assert "s1" not in library.audio_facts().index


def test_vanished_tracks_are_skipped_and_come_back_without_work(folder, tmp_path):
    run(folder, tmp_path / "a.db")
    (folder / "s2.flac").rename(tmp_path / "s2.flac")
    counts = run(folder, tmp_path / "a.db")
    assert (counts.found, counts.analysed, counts.skipped, counts.gone) == (4, 4, 0, 1)
    with Library.open(tmp_path / "a.db") as library:
        assert [r.reason for r in library.ledger("gone")] == ["no longer in the collection"]
        assert "s2" not in load_views(library).track_ids
    (tmp_path / "s2.flac").rename(folder / "s2.flac")
    total: list[int] = []
    counts = run(folder, tmp_path / "a.db", progress=lambda _, n, __: total.append(n))
    assert (counts.analysed, total) == (5, [0])


def audio_digests(db):
    with Library.open(db) as library:
        return library.audio_facts()["digest"].tolist()


def of_one_size_and_date(folder, seed):
    folder.mkdir()
    for i in range(3):
        noise = np.random.default_rng([seed, i]).normal(0, 0.1, 30_000)
        soundfile.write(folder / f"s{i}.wav", noise, 22_050)
        os.utime(folder / f"s{i}.wav", (1_600_000_000,) * 2)


def test_features_are_never_those_of_another_file_of_the_same_size_and_date(tmp_path):
    of_one_size_and_date(tmp_path / "first", 1)
    of_one_size_and_date(tmp_path / "second", 2)
    run(tmp_path / "second", tmp_path / "fresh.db")
    db = tmp_path / "a.db"
    run(tmp_path / "first", db)
    first = audio_digests(db)
    run(tmp_path / "second", db)
    assert audio_digests(db) == audio_digests(tmp_path / "fresh.db") != first
    # In the same place: put there by a copy that keeps dates.
    for i in range(3):
        shutil.copy2(tmp_path / "first" / f"s{i}.wav", tmp_path / "second" / f"s{i}.wav")
    run(tmp_path / "second", db)
    assert audio_digests(db) == first


@pytest.mark.parametrize("change", ["moved", "copied", "touched", "linked", "rights"])
def test_the_same_bytes_are_not_extracted_twice(folder, tmp_path, change):
    db = tmp_path / "a.db"
    run(folder, db)
    expected = digest(db)
    place = tmp_path / "elsewhere"
    if change == "moved":
        folder.rename(place)
    elif change == "copied":
        shutil.copytree(folder, place, copy_function=shutil.copyfile)
    elif change == "linked":
        place.symlink_to(folder, target_is_directory=True)
    else:
        place = folder
        for file in folder.glob("*.flac"):
            os.utime(file) if change == "touched" else file.chmod(0o600)
    totals: list[int] = []
    for _ in range(2):
        counts = run(place, db, progress=lambda _, n, __: totals.append(n))
        assert counts.analysed == 5
    assert totals == [0, 0]
    assert digest(db) == expected


def test_renamed_files_keep_their_features(folder, tmp_path):
    db = tmp_path / "a.db"
    run(folder, db)
    with Library.open(db) as library:
        before = library.features("timbre")
    for old, new in (("s0", "z0"), ("s1", "z1"), ("s2", "z2")):
        (folder / f"{old}.flac").rename(folder / f"{new}.flac")
    (folder / "sub").mkdir()
    (folder / "s3.flac").rename(folder / "sub" / "s3.flac")
    shutil.copy(folder / "s4.flac", folder / "copy.flac")
    seen: list[str] = []
    counts = run(folder, db, progress=lambda _, __, track_id: seen.append(track_id))
    assert seen == ["", "copy"], "s4 is still there: its copy is another track"
    assert (counts.found, counts.analysed, counts.gone) == (6, 6, 0)
    names = {"s0": "z0", "s1": "z1", "s2": "z2", "s3": "sub/s3", "s4": "s4"}
    with Library.open(db) as library:
        after = library.features("timbre")
        assert all((after[new] == before[old]).all() for old, new in names.items())
        assert set(library.audio_facts().index) == {*names.values(), "copy"}
        assert library.ledger("gone") == library.ledger("failed") == []
    with sqlite3.connect(db) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_interrupted_and_run_again_gives_the_same_library(folder, tmp_path):
    run(folder, tmp_path / "whole.db")

    def interrupt(done: int, _: int, __: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder, tmp_path / "a.db", progress=interrupt)
    with Library.open(tmp_path / "a.db") as library:
        counts = library.counts()
    assert (counts.analysed, counts.pending, counts.complete) == (2, 3, False)
    seen: list[int] = []
    run(folder, tmp_path / "a.db", progress=lambda _, n, __: seen.append(n))
    assert seen[0] == 3
    assert digest(tmp_path / "a.db") == digest(tmp_path / "whole.db")


SCRIPT = """
import signal, sys
# Started from a job in the background, Python would not listen to it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {here!r})
import crashing
from songscape.features import extract
from songscape.ingest import read_collection
from songscape.library import Library
extract.analyse_file = crashing.slow
with Library.open({db!r}) as library:
    extract.extract(library, read_collection({folder!r}), workers=2,
            progress=lambda done, n, track: print(done, flush=True))
"""


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_in_the_middle_it_goes_on_and_leaves_no_process(folder, tmp_path, write_song, how):
    for number in range(5, 20):
        write_song(folder / f"s{number:02d}.flac", 2.0, 22_050, seed=number)
    db = tmp_path / "a.db"
    script = SCRIPT.format(here=str(HERE), db=str(db), folder=str(folder))
    # No `if __name__ == "__main__"`: workers never import the caller's script.
    (tmp_path / "script.py").write_text(script)
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "3":
            assert process.poll() is None
        workers = children_of(process.pid)
        assert len(workers) == 2
        process.send_signal(how)
        process.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in workers):
        assert time.monotonic() < deadline, "workers outlived their parent"
        time.sleep(0.05)
    with Library.open(db) as library:
        before = library.counts()
    assert before.analysed >= 3
    assert before.pending > 0
    run(folder, db)
    run(folder, tmp_path / "whole.db")
    assert digest(db) == digest(tmp_path / "whole.db")


def test_another_process_can_read_while_it_is_written(folder, tmp_path):
    seen: list[int] = []

    def look(done: int, _: int, __: str) -> None:
        with Library.open(tmp_path / "a.db", must_exist=True) as other:
            seen.append(other.counts().analysed)

    run(folder, tmp_path / "a.db", progress=look)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_a_collection_that_vanishes_is_one_line_and_costs_nothing(folder, tmp_path):
    def unplug(done: int, _: int, __: str) -> None:
        if done == 1:
            folder.rename(tmp_path / "unplugged")

    with (
        Library.open(tmp_path / "a.db") as library,
        pytest.raises(SongscapeError, match="songs: the collection is gone, after"),
    ):
        extract(library, read_collection(folder), workers=1, progress=unplug)
    (tmp_path / "unplugged").rename(folder)
    assert run(folder, tmp_path / "a.db").failed == 0
    run(folder, tmp_path / "whole.db")
    assert digest(tmp_path / "a.db") == digest(tmp_path / "whole.db")


@pytest.mark.skipif(os.name != "posix", reason="open files cannot be deleted")
def test_a_library_that_is_deleted_meanwhile_is_no_success(folder, tmp_path):
    def delete(done: int, _: int, __: str) -> None:
        if done == 2:
            (tmp_path / "a.db").unlink()

    with (
        Library.open(tmp_path / "a.db") as library,
        pytest.raises(SongscapeError, match="deleted while it was being written"),
    ):
        extract(library, read_collection(folder), workers=1, progress=delete)


def test_a_worker_that_cannot_start_stops_the_run(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [p for p in sys.path if "nothing" in p])
    with pytest.raises(SongscapeError, match="could not start: ModuleNotFoundError"):
        run(folder, tmp_path / "a.db")


def test_unknown_view_and_too_many_frames_are_usage_errors(folder, tmp_path):
    run(folder, tmp_path / "a.db")
    with Library.open(tmp_path / "a.db") as library:
        with pytest.raises(UsageError, match="no view 'tempo'; there are timbre"):
            load_views(library, ["tempo"])
        with pytest.raises(UsageError, match="up to 300"):
            load_views(library, max_frames=301)


def test_views_of_an_empty_library_are_refused(tmp_path):
    with (
        Library.open(tmp_path / "a.db") as library,
        pytest.raises(SongscapeError, match="no analysed tracks"),
    ):
        load_views(library)


def test_a_folder_of_broken_files_is_finished_and_every_one_is_named(
    folder, tmp_path, song, write_song
):
    """The broken files that real collections have, each with its reason."""
    (folder / "empty.mp3").touch()
    (folder / "text.mp3").write_text("these are the words\n" * 50)
    whole = write_song(tmp_path / "whole.mp3", 20.0)
    data = whole.read_bytes()
    (folder / "truncated.mp3").write_bytes(data[: len(data) * 2 // 5])
    write_song(folder / "short.wav", 0.1)
    soundfile.write(folder / "silent.wav", np.zeros(44_100 * 3), 44_100)
    y = song(2.0)
    y[5000:6000] = np.nan
    soundfile.write(folder / "nan.wav", y, 44_100, subtype="FLOAT")
    (folder / "s0.txt").write_bytes("Frühling für Élise, là-bas".encode("latin-1"))
    (folder / "s1.txt").write_bytes(b"PK\x03\x04" + bytes(range(256)))

    counts = run(folder, tmp_path / "a.db")
    assert (counts.found, counts.analysed, counts.skipped, counts.failed) == (11, 6, 0, 5)
    assert counts.found == counts.analysed + counts.skipped + counts.failed
    assert not counts.complete
    with Library.open(tmp_path / "a.db") as library:
        rows = {r.track_id: (r.stage, r.status, r.reason) for r in library.ledger("failed")}
        warned = {r.track_id: (r.stage, r.reason) for r in library.ledger("warning")}
        lyrics = {track.id: track.lyrics for track in library.tracks()}
        views = load_views(library)
    assert rows["empty"] == ("audio", "failed", "empty file (0 bytes); copy it again or remove it")
    assert rows["text"] == ("audio", "failed", "not audio (looks like text); remove it")
    assert rows["short"][2].startswith("too short: 0.10 s")
    assert rows["silent"][2].startswith("silent")
    assert rows["nan"][2].startswith("2,000 of 176,400 samples are NaN")
    assert rows["s1"] == (
        "lyrics",
        "failed",
        "s1.txt: not text (looks like a ZIP); rename or remove it",
    )
    assert warned["s0"] == ("lyrics", "s0.txt: not UTF-8; read as Windows-1252")
    assert warned["truncated"][1].startswith("truncated: ")
    assert "of 20.0 s decoded" in warned["truncated"][1]
    assert set(rows) | set(warned) == {
        *("empty", "text", "short", "silent", "nan", "s1", "s0", "truncated")
    }
    assert lyrics["s0"] == "Frühling für Élise, là-bas"
    assert lyrics["s1"] is None
    assert views.track_ids == ("s0", "s1", "s2", "s3", "s4", "truncated")
    assert np.isfinite(views["timbre"].values).all()


def test_a_view_says_what_it_is_made_from_and_whether_columns_are_standardised(folder, tmp_path):
    with Library.open(tmp_path / "a.db") as library:
        extract(library, read_collection(folder), workers=1)
        views = load_views(library)
    assert {name: view.modality for name, view in views.items()} == {
        **dict.fromkeys(("timbre", "mfcc", "segments"), "audio"),
        "lyrics": "text",
    }
    assert [name for name, view in views.items() if not view.standardise] == ["lyrics"]


def test_steps_that_are_no_data_are_not_part_of_the_mean():
    values = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    mask = np.array([[True, True, False], [False, False, False]])
    along = View(values, mask.any(axis=1), mask=mask).pooled()
    np.testing.assert_array_equal(along.values, [values[0, :2].mean(axis=0), np.zeros(4)])
    frames = View(values.transpose(0, 2, 1), mask.any(axis=1), mask=mask, step_axis=2).pooled()
    np.testing.assert_array_equal(frames.values, along.values)
    assert along.pooled() is along
