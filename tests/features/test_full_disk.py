"""A full disk, a folder that can't be written: one line, nothing lost, and the next run goes on."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from songscape.cli import FAILED, main
from songscape.errors import SongscapeError
from songscape.features.analyse import RECIPES, analyse_file
from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.library import Library
from songscape.results import ResultsFolder, write_atomically


@pytest.fixture
def folder(tmp_path: Path, write_song: Callable[..., Path]) -> Path:
    for n in range(6):
        write_song(tmp_path / "songs" / f"s{n}.flac", 2.0, 22_050, seed=n)
    return tmp_path / "songs"


def digests(path: Path) -> dict:
    with Library.open(path) as library:
        return {name: library.feature_digests(name) for name in RECIPES}


def test_a_disk_that_fills_up_keeps_what_was_written(folder, tmp_path):
    with Library.open(tmp_path / "whole.db") as library:
        (empty,) = library._db.execute("PRAGMA page_count").fetchone()
        extract(library, read_collection(folder), workers=1)
        (whole,) = library._db.execute("PRAGMA page_count").fetchone()
    with Library.open(tmp_path / "a.db") as library:
        # SQLite says "full" by itself at this size, as it does where a disk is.
        library._db.execute(f"PRAGMA max_page_count = {(empty + whole) // 2}")
        with pytest.raises(SongscapeError) as caught:
            extract(library, read_collection(folder), workers=1)
    assert str(caught.value).endswith("(database or disk is full); check disk and rights")
    with Library.open(tmp_path / "a.db") as library:
        done = library.counts().analysed
        assert 0 < done < 6
        assert library._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        extract(library, read_collection(folder), workers=1)
    assert digests(tmp_path / "a.db") == digests(tmp_path / "whole.db")


def test_a_full_temporary_folder_is_no_fault_of_the_file(folder, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", full)
    analysis = analyse_file(str(folder / "s0.flac"))
    assert analysis.transient
    assert str(analysis.failure).endswith("No space left on device; is there free space?")


def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_no_rest(tmp_path):
    (tmp_path / "table.csv").write_text("old")

    def fill(path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "table.csv", fill)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "old"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_errors_of_the_results_folder_are_one_line(folder, tmp_path, capsys, monkeypatch, number):
    def broken(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / "out" / ".lock"))

    monkeypatch.setattr(ResultsFolder, "locked", broken)
    assert main(["run", str(folder), "--out", str(tmp_path / "out")]) == FAILED
    error = capsys.readouterr().err
    assert os.strerror(number) in error
    assert str(tmp_path / "out") in error
    assert error.count("\n") == 1
