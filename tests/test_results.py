"""The results folder: nothing half-written, nothing stale taken for fresh."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songscape.errors import SongscapeError
from songscape.results import (
    ResultsFolder,
    has_key,
    read_latents,
    write_atomically,
    write_json,
    write_latents,
)


def test_latents_read_back_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    path = tmp_path / "deep" / "z.parquet"
    write_latents(path, tuple("abcde"), values, ["z0", "z1", "z2"], "key")
    ids, read = read_latents(path)
    assert ids == tuple("abcde")
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize("damage", ["not there", "cut", "text", "other columns", "no numbers"])
def test_damaged_latents_are_told_in_one_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "z.parquet"
    write_latents(path, ("a", "b"), np.zeros((2, 1), np.float32), ["z0"], "key")
    if damage == "not there":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "text":
        path.write_text("no latents")
    else:
        name = {"other columns": "tempo", "no numbers": "track_id"}[damage]
        pd.DataFrame({name: ["a"], "z0": ["loud"]}).to_parquet(path)
    with pytest.raises(SongscapeError, match=r"z\.parquet: can't be read; delete it and run again"):
        read_latents(path)
    assert not has_key(path, "key")


def test_a_key_fits_only_what_it_was_written_for(tmp_path: Path) -> None:
    path = tmp_path / "z.parquet"
    assert not has_key(path, "key")
    write_latents(path, ("a",), np.zeros((1, 1), np.float32), ["z0"], "key")
    assert has_key(path, "key")
    assert not has_key(path, "other")
    path.write_bytes(b"cut off")
    assert not has_key(path, "key")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "old"


def test_a_folder_is_locked_for_others_until_the_process_ends(tmp_path: Path) -> None:
    holder = (
        "import sys, time; from pathlib import Path; from songscape.results import ResultsFolder\n"
        "with ResultsFolder(Path(sys.argv[1])).locked():\n"
        "    (Path(sys.argv[1]) / 'held').touch(); print(flush=True); time.sleep(600)"
    )
    folder = ResultsFolder(tmp_path / "out")
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(folder.root)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(SongscapeError, match="another songscape"), folder.locked():
            pass
        process.kill()
    with folder.locked():
        assert (folder.root / "held").exists()


def test_a_lock_leaves_no_folder_behind_where_nothing_was_done(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path / "out")
    with pytest.raises(ValueError, match="nothing"), folder.locked():
        raise ValueError("nothing")
    assert not folder.root.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_paths_need_not_be_utf_8(tmp_path: Path) -> None:
    folder = ResultsFolder(Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xe9sultats")))
    path, values = folder.latents("pca", 0), np.eye(2, dtype=np.float32)
    write_latents(path, ("a", "b"), values, ["z0", "z1"], "key")
    assert has_key(path, "key")
    assert np.array_equal(read_latents(path)[1], values)
    write_json(folder.tables / "experiment.json", {"title": str(folder.root)})
    assert folder.read_document() == {"title": str(folder.root)}
