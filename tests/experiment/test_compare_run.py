"""`songscape compare` from end to end: everything is there, and a kill costs nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songscape.cli import DONE, main

MODELS = "balanced-pca,timbre-pca,dense-vae"
OPTIONS = ["--models", MODELS, "--clusterers", "kmeans,dbscan", "--k", "2", "--seeds", "0,1"]


@pytest.fixture(scope="module")
def library(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library made by `run`, without the slow pictures."""
    from songscape.experiment.dataset import read_library
    from songscape.settings import Settings

    out = tmp_path_factory.mktemp("library ü")
    read_library(collection, out / "songscape.db", Settings(), workers=1).close()
    return out


@pytest.fixture(scope="module")
def compared(library: Path) -> Path:
    assert main(["compare", str(library), *OPTIONS, "--workers", "1"]) == DONE
    return library / "compare" / "results"


def test_every_table_and_the_page_are_there(compared: Path) -> None:
    for name in ("table", "summary", "differences"):
        frames = [
            pd.read_csv(compared / f"{name}.csv"),
            pd.read_parquet(compared / f"{name}.parquet"),
        ]
        assert len(frames[0]) == len(frames[1]) > 0
    assert r"\toprule" in (compared / "table.tex").read_text(encoding="utf-8")
    assert len(pd.read_csv(compared / "clusters.csv")) > 0
    page = (compared / "report.html").read_text(encoding="utf-8")
    for model in ("balanced-pca", "random", "language-only", "has-lyrics-only"):
        assert model in page
    assert "own space" in page


def test_every_song_says_how_near_the_border_it_is_and_what_company_it_loses(
    compared: Path,
) -> None:
    tracks = pd.read_csv(compared / "tracks.csv").set_index("track_id")
    for seed in (0, 1):
        kept = pd.read_parquet(compared / "spread" / f"dense-vae-seed{seed}.parquet")
        same = np.float32(tracks["dense-vae|spread"]) == kept["spread"].to_numpy()
        assert same.all() == (seed == 0), "those of the first seed"
    # Every song of this collection has lyrics, so that reference has nothing to tell them by.
    measured = set(pd.read_csv(compared / "models.csv")["model"]) - {"has-lyrics-only"}
    for model in measured:
        assert tracks[f"{model}|border@kmeans|2"].between(0, 2).all()
        assert tracks[f"{model}|unsure@kmeans|2"].between(0, 1).all()
    assert [name for name in tracks if name.endswith("|spread")] == ["dense-vae|spread"]
    assert not (compared / "calibration.csv").exists()


def test_the_references_stand_in_every_table(compared: Path) -> None:
    table = pd.read_csv(compared / "table.csv", keep_default_na=False)
    for axis in ("agreement", "leakage", "structure"):
        models = set(table[table["axis"] == axis]["model"])
        assert {"random", "language-only", "balanced-pca"} <= models, axis


def test_nothing_ranks_by_its_own_space(compared: Path) -> None:
    differences = pd.read_csv(compared / "differences.csv")
    assert set(differences["axis"]) <= {"agreement", "leakage"}


def test_killed_and_started_again_it_gives_the_same_table(
    compared: Path, library: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    command = [sys.executable, "-m", "songscape", "compare", str(library), *OPTIONS]
    command += ["--workers", "1", "--out", str(out)]
    first = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    cells = out / "cells"
    waited_until = time.monotonic() + 300
    while len(list(cells.glob("[!.]*.json"))) < 2 and time.monotonic() < waited_until:
        assert first.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = {path: path.stat().st_mtime_ns for path in cells.glob("[!.]*.json")}
    assert kept
    assert subprocess.run(command, capture_output=True, check=False).returncode == DONE
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for name in ("table", "summary"):
        again = pd.read_csv(out / "results" / f"{name}.csv")
        pd.testing.assert_frame_equal(again, pd.read_csv(compared / f"{name}.csv"))


def test_json_names_the_report_and_the_verdicts(
    compared: Path, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["compare", str(library), *OPTIONS, "--workers", "1", "--json"])
    assert code == DONE
    printed = json.loads(capsys.readouterr().out)
    assert Path(printed["report"]).exists()
    assert printed["verdicts"]
    [left_out] = printed["failed"]
    assert left_out.startswith("has-lyrics-only (seeds 0, 1): ")
    assert "same for every track" in left_out


def test_a_model_that_fails_is_named_and_does_not_stop_the_rest(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(
        """
        models = ["balanced-pca", "dense-vae"]
        clusterers = ["kmeans"]
        k = [2]
        seeds = [0]
        [model_options.dense-vae]
        learning_rate = 1e30
        epochs = 2
        """
    )
    out = tmp_path / "out"
    assert main(["compare", str(library), "--config", str(config), "--out", str(out)]) == DONE
    models = pd.read_csv(out / "results" / "models.csv").set_index("model")
    assert models.loc["dense-vae", "status"] == "failed"
    assert isinstance(models.loc["dense-vae", "reason"], str)
    assert models.loc["balanced-pca", "status"] == "ok"
    assert "5 measured + 1 not" in capsys.readouterr().out
    assert "dense-vae (seed 0): training diverged" in (out / "results" / "report.html").read_text()
