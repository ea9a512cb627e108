"""What is read again, and what is not: failures, drives that go away, files that can't be seen."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from songscape.features import missing
from songscape.features.analyse import analyse_file
from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.library import Analysis, Counts, Library

TRIED: list[str] = []


@pytest.fixture
def folder(tmp_path: Path, write_song: Callable[..., Path]) -> Path:
    for n in range(3):
        write_song(tmp_path / "songs" / f"s{n}.flac", 2.0, 22_050, seed=n)
    (tmp_path / "songs" / "bad.flac").write_bytes(b"fLaC" + bytes(range(256)) * 40)
    return tmp_path / "songs"


def look(path: str, names: list[str], *_: str) -> Analysis:
    TRIED.append(Path(path).name)
    return analyse_file(path, names)


class Here:
    """An executor that runs everything at once, in this process."""

    def submit(self, limited, function, *arguments):
        from concurrent.futures import Future

        future: Future[Analysis] = Future()
        future.set_result(function(*arguments))
        return future


def run(folder: Path, path: Path, function: Callable[..., Analysis] = look) -> tuple[Counts, list]:
    """Counts, and which files were opened."""
    TRIED.clear()
    with pytest.MonkeyPatch.context() as patch, Library.open(path) as library:
        patch.setattr("songscape.features.extract.analyse_file", function)
        counts = extract(library, read_collection(folder), executor=Here())
    return counts, sorted(TRIED)


def test_a_failed_file_is_not_tried_twice(folder, tmp_path, monkeypatch):
    db = tmp_path / "a.db"
    counts, tried = run(folder, db)
    assert (counts.analysed, counts.failed, len(tried)) == (3, 1, 4)
    again, tried = run(folder, db)
    assert (again, tried) == (counts, [])
    with Library.open(db) as library:
        assert [row.track_id for row in library.ledger("failed")] == ["bad"]
    # ... until a decoder is installed,
    monkeypatch.setattr(missing, "installed_decoders", lambda: "a better one")
    assert run(folder, db)[1] == ["bad.flac"]
    assert run(folder, db)[1] == []
    # the file changes,
    os.utime(folder / "bad.flac", (1, 1))
    assert run(folder, db)[1] == ["bad.flac"]
    # or somebody asks.
    with Library.open(db) as library:
        library.forget_outcomes(library.track_ids("failed"))
    assert run(folder, db)[1] == ["bad.flac"]


def test_what_a_drive_did_is_tried_again(folder, tmp_path):
    def unreadable(path: str, names: list[str], *_: str) -> Analysis:
        TRIED.append(Path(path).name)
        return Analysis(failure="cannot be read (Input/output error)", transient=True)

    counts, _ = run(folder, tmp_path / "a.db", unreadable)
    assert (counts.analysed, counts.failed) == (0, 4)
    counts, tried = run(folder, tmp_path / "a.db")
    assert (counts.analysed, counts.failed, len(tried)) == (3, 1, 4)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN])
def test_errors_of_a_drive_say_nothing_about_the_file(folder, monkeypatch, number):
    def broken(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", broken)
    analysis = analyse_file(str(folder / "s0.flac"))
    assert analysis.transient
    assert os.strerror(number) in str(analysis.failure)


def test_a_drive_that_goes_while_a_file_is_read_gives_no_half_features(folder, monkeypatch):
    from songscape.features import analyse

    monkeypatch.setattr(analyse, "sound_digest", lambda path: None)
    analysis = analyse_file(str(folder / "s0.flac"))
    assert (analysis.transient, dict(analysis.features)) == (True, {})


def test_a_file_that_cannot_be_looked_at_keeps_its_features(folder, tmp_path, monkeypatch):
    db = tmp_path / "a.db"
    before, _ = run(folder, db)
    collection = read_collection(folder)
    (folder / "s1.flac").rename(tmp_path / "away.flac")  # after the scan
    TRIED.clear()
    with Library.open(db) as library:
        monkeypatch.setattr("songscape.features.extract.analyse_file", look)
        counts = extract(library, collection, executor=Here())
        remarks = {row.track_id: row.reason for row in library.ledger("warning")}
        assert sorted(library.features("timbre")) == ["s0", "s1", "s2"]
    assert (counts.analysed, TRIED) == (before.analysed, [])
    assert remarks["s1"].endswith("its features are kept; make it available again")
    (tmp_path / "away.flac").rename(folder / "s1.flac")
    counts, tried = run(folder, db)
    assert (counts.warnings, tried) == (before.warnings, [])
