"""`status`, `forget` and `relocate` as an owner uses them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from songscape.cli import DONE, FAILED, USAGE, main
from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.library import Analysis, Library

TABLE = "audio,title,artist\nA/one.flac,Eins,Ada\nA/two.flac,Zwei,Ada\nbad.flac,,Bob\n"


def described(path: str, names: list[str], *_: str) -> Analysis:
    """In place of the audio: its name, so that a test needs no sound."""
    import numpy as np

    from songscape.ingest.sound_digest import sound_digest

    if path.endswith("bad.flac"):
        return Analysis(failure="looks like a FLAC, but is damaged (frame 12); copy it again")
    features = {name: np.zeros(2, np.float32) for name in names}
    return Analysis(features, {"file_digest": sound_digest(path)})


class Here:
    def submit(self, limited, function, *arguments):
        from concurrent.futures import Future

        future: Future[Analysis] = Future()
        future.set_result(function(*arguments))
        return future


def read(music: Path, out: Path) -> int:
    """Bring the library up to date; how many files were opened."""
    opened: list[int] = []
    out.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, Library.open(out / "songscape.db") as library:
        patch.setattr("songscape.features.extract.analyse_file", described)
        extract(
            library,
            read_collection(music),
            executor=Here(),
            progress=lambda _, total, __: opened.append(total),
        )
    return opened[0]


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "Music"
    for name in ("A/one.flac", "A/two.flac", "bad.flac"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"fLaC" + name.encode())
    (folder / "tracks.csv").write_text(TABLE)
    read(folder, tmp_path / "out")
    return folder


def test_status_says_what_became_of_every_file_and_why(music, tmp_path, capsys):
    assert main(["status", str(tmp_path / "out")]) == DONE
    printed = capsys.readouterr().out
    first = printed.splitlines()[0]
    assert first == "3 found = 2 analysed + 0 skipped + 1 failed"
    assert "looks like a FLAC, but is damaged (frame 12); copy it again" in printed
    assert "songscape run --retry" in printed
    assert main(["status", str(tmp_path / "out"), "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    counts = told["counts"]
    assert counts["found"] == counts["analysed"] + counts["skipped"] + counts["failed"] == 3
    assert [(r["status"], r["track_ids"]) for r in told["reasons"]] == [("failed", ["bad"])]
    assert told["in_use_by"] is None


def test_missing_tracks_are_kept_until_they_are_forgotten(music, tmp_path, capsys):
    out = tmp_path / "out"
    (music / "A" / "one.flac").unlink()
    (music / "tracks.csv").write_text(TABLE.replace("A/one.flac,Eins,Ada\n", ""))
    read(music, out)
    main(["status", str(out)])
    assert "; 1 missing" in capsys.readouterr().out.splitlines()[0]
    assert main(["forget", str(out)]) == DONE
    assert capsys.readouterr().out.splitlines()[-1].startswith("nothing was changed")
    with Library.open(out / "songscape.db") as library:
        assert library.track_ids("gone") == ["A/one"]
        assert "A/one" in library.facts("audio file")
    assert main(["forget", str(out), "--yes"]) == DONE
    assert capsys.readouterr().out.startswith("1 missing tracks forgotten")
    with Library.open(out / "songscape.db") as library:
        assert library.track_ids() == ["A/two", "bad"]
        assert "A/one" not in library.facts("audio file")
        assert library.counts().gone == 0
    assert main(["forget", str(out), "--yes"]) == DONE


def test_a_moved_library_is_told_so_and_no_file_is_read_again(music, tmp_path, capsys):
    out, new = tmp_path / "out", tmp_path / "New place" / "Music"
    new.parent.mkdir()
    shutil.copytree(music, new)  # with its times, as rsync and file managers do
    shutil.rmtree(music)
    (new / "A" / "two.flac").write_bytes(b"fLaC something else")
    command = ["relocate", str(music), str(new), "--out", str(out)]
    assert main([*command, "--dry-run"]) == DONE
    printed = capsys.readouterr().out
    assert printed.startswith("2 of 3 files are the same at the new place")
    assert "1 of another size or date" in printed
    with Library.open(out / "songscape.db") as library:
        assert library.root == music
    assert main(command) == DONE
    capsys.readouterr()
    with Library.open(out / "songscape.db") as library:
        assert library.root == new
        state = library.analysed_files()["A/one"].stamp
    assert state is not None
    assert Path(state.path) == new / "A" / "one.flac"
    assert read(new, out) == 1, "only what changed"


@pytest.mark.parametrize("empty", [True, False])
def test_a_wrong_place_changes_nothing(music, tmp_path, capsys, empty):
    wrong = tmp_path / "wrong"
    if empty:
        wrong.mkdir()
    old = music if empty else tmp_path / "elsewhere"
    assert main(["relocate", str(old), str(wrong), "--out", str(tmp_path / "out")]) == USAGE
    assert capsys.readouterr().err.count("\n") == 1
    with Library.open(tmp_path / "out" / "songscape.db") as library:
        assert library.root == music


@pytest.mark.parametrize("verb", ["status", "forget"])
def test_without_a_library_there_is_one_line_that_says_how_to_make_one(tmp_path, capsys, verb):
    (tmp_path / "empty").mkdir()
    assert main([verb, str(tmp_path / "empty")]) == FAILED
    error = capsys.readouterr().err
    assert "songscape run makes one" in error
    assert error.count("\n") == 1
    assert list((tmp_path / "empty").iterdir()) == []


HOLD = """import sys; from pathlib import Path; from songscape.results import ResultsFolder
with ResultsFolder(Path(sys.argv[1])).locked():
    print(flush=True); sys.stdin.readline()"""


@pytest.fixture
def holder(music, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_who_holds_the_folder_is_said(music, tmp_path, capsys, holder):
    assert main(["run", str(music), "--out", str(tmp_path / "out")]) == FAILED
    error = capsys.readouterr().err
    assert f"process {holder.pid} on {os.uname().nodename}, since 20" in error
    assert "--wait" in error
    assert error.count("\n") == 1
    main(["status", str(tmp_path / "out")])
    assert f"in use by another songscape: process {holder.pid}" in capsys.readouterr().out


def test_the_second_waits_if_told_to(music, tmp_path, capsys, holder):
    import threading

    threading.Timer(1.5, lambda: (holder.stdin.write("\n"), holder.stdin.flush())).start()
    # The collection is too small for a run, which is said once the folder is free.
    assert main(["run", str(music), "--out", str(tmp_path / "out"), "--wait"]) == FAILED
    error = capsys.readouterr().err
    assert error.startswith(f"{tmp_path / 'out'}: another songscape is using this folder")
    assert "waiting for it to end" in error
    assert "at least" in error.splitlines()[-1]


def test_retry_marks_the_failed_to_be_read_again(music, tmp_path, capsys):
    assert read(music, tmp_path / "out") == 0
    main(["run", str(music), "--out", str(tmp_path / "out"), "--retry"])
    with Library.open(tmp_path / "out" / "songscape.db") as library:
        assert library.track_ids("pending") == ["bad"]
