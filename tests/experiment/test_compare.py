"""`run` and `compare` are one experiment: one folder, nothing twice, nothing stale shown."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from songscape.cli import DONE, main
from songscape.experiment import fit
from songscape.experiment.experiment import compare, comparison_settings, run
from songscape.settings import Settings

RAN = Settings(
    models=("balanced-pca", "tfidf", "dense-vae"),
    clusterers=("kmeans", "gmm"),
    k=(2,),
    model_options={"dense-vae": {"epochs": 2}},
)
COMPARED = RAN.updated(
    models=("balanced-pca", "timbre-pca", "dense-vae"), clusterers=("kmeans",), seeds=(0, 1)
)
ALWAYS = {"random", "language-only", "has-lyrics-only", "balanced-pca-centred"}
ALWAYS |= {"balanced-lda", "neutral-lda"}


class Folder:
    """A results folder in which a run was followed by a comparison, and what each trained."""

    def __init__(self, collection: Path, out: Path, patch: pytest.MonkeyPatch) -> None:
        self.collection, self.out = collection, out
        self.trained: list[tuple[str, int]] = []
        train = fit._train

        def noted(views: Any, training: Any, *rest: Any) -> Any:
            self.trained.append((training.model, training.seed))
            return train(views, training, *rest)

        patch.setattr(fit, "_train", noted)

    def run(self, settings: Settings = RAN) -> Any:
        self.trained.clear()
        with ThreadPoolExecutor(1) as executor:
            return run(self.collection, self.out, settings, executor=executor)

    def compare(self, settings: Settings | None = COMPARED) -> Any:
        self.trained.clear()
        with ThreadPoolExecutor(1) as executor:
            return compare(self.out, settings=settings, executor=executor)

    def read(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.out / "results" / f"{name}.csv", keep_default_na=False)

    @property
    def page(self) -> str:
        return (self.out / "results" / "report.html").read_text(encoding="utf-8")

    @property
    def document(self) -> dict[str, Any]:
        path = self.out / "results" / "experiment.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def folder(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("songscape.report.maps.MIN_UMAP_TRACKS", 10**9)
        ours = Folder(collection, tmp_path_factory.mktemp("out ü"), patch)
        ours.run()
        ours.ran = list(ours.trained)
        ours.summary = ours.compare()
        ours.compared = list(ours.trained)
        yield ours


def test_a_comparison_trains_nothing_that_a_run_had_trained(folder: Any) -> None:
    assert folder.ran == [(model, 0) for model in RAN.models]
    wanted = {(m, s) for m in {*COMPARED.models, *ALWAYS} for s in COMPARED.seeds}
    assert set(folder.compared) == wanted - set(folder.ran)
    assert len(folder.compared) == len(set(folder.compared))


def test_every_table_and_the_page_are_there(folder: Any) -> None:
    results = folder.out / "results"
    for name in ("table", "summary", "differences"):
        assert len(folder.read(name)) == len(pd.read_parquet(results / f"{name}.parquet")) > 0
    assert r"\toprule" in (results / "table.tex").read_text(encoding="utf-8")
    for model in ("balanced-pca", *ALWAYS):
        assert model in folder.page
    assert "own space" in folder.page
    assert folder.summary.verdicts
    assert not list(folder.out.glob("compare")), "there is one folder"


def test_the_page_and_the_table_show_what_the_run_had_found_too(folder: Any) -> None:
    table = folder.read("table")
    assert {"tfidf", "timbre-pca"} <= set(table["model"])
    assert set(table["clusterer"]) == {"", "kmeans", "gmm"}
    assert "tfidf" in folder.page
    tested = table[(table["metric"] == "ami") & (table["axis"] == "agreement")]
    with_null = tested[tested["null_95"] != ""]
    assert set(with_null["clusterer"]) == {"kmeans"}, "what was only run has no null"
    assert "tfidf" not in set(with_null["model"])
    assert set(folder.read("clusters")["seed"]) == {0, 1}


def test_the_references_stand_in_every_table(folder: Any) -> None:
    table = folder.read("summary")
    for axis in ("agreement", "leakage", "structure"):
        assert {"random", "language-only", "balanced-pca"} <= set(
            table[table["axis"] == axis]["model"]
        ), axis


def test_nothing_ranks_by_its_own_space(folder: Any) -> None:
    assert set(folder.read("differences")["axis"]) <= {"agreement", "leakage"}


def test_border_and_posterior_spread_stand_beside_every_track(folder: Any) -> None:
    tracks = folder.read("tracks")
    for seed in (0, 1):
        path = folder.out / "results" / "spread" / f"dense-vae-seed{seed}.parquet"
        kept = pd.read_parquet(path)["spread"].to_numpy()
        same = tracks["dense-vae|spread"].to_numpy("float32") == kept
        assert same.all() == (seed == 0), "those of the first seed"
    for model in ("dense-vae", "balanced-pca"):
        assert tracks[f"{model}|border@kmeans|2"].between(0, 2).all()
        assert tracks[f"{model}|unsure@kmeans|2"].between(0, 1).all()
    assert [name for name in tracks if name.endswith("|spread")] == ["dense-vae|spread"]
    assert "spread" not in set(folder.read("table")["metric"])


def test_a_comparison_again_trains_and_tests_nothing(
    folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from songscape.benchmark import benchmark

    monkeypatch.setattr(benchmark, "evaluate", None)
    before = folder.read("differences")
    folder.compare()
    assert not folder.trained
    pd.testing.assert_frame_equal(folder.read("differences"), before)


def test_a_run_after_a_comparison_keeps_its_sections(folder: Any) -> None:
    before = folder.read("summary")
    summary = folder.run()
    assert not folder.trained
    assert not summary.notes
    pd.testing.assert_frame_equal(folder.read("summary"), before)
    assert summary.verdicts == folder.summary.verdicts
    assert folder.summary.verdicts[0] in folder.page.replace("&#39;", "'")


def test_a_run_of_changed_data_leaves_the_comparison_out_and_says_so(
    folder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, out = tmp_path / "copy", tmp_path / "out"
    shutil.copytree(folder.collection, copy)
    shutil.copytree(folder.out, out)
    (copy / "lyrics" / "t03.txt").write_text("entirely different words", encoding="utf-8")
    ours = Folder(copy, out, monkeypatch)
    summary = ours.run()
    assert ours.trained == [("balanced-pca", 0), ("tfidf", 0)], "only what reads lyrics"
    assert "earlier state" in summary.notes[0]
    assert summary.summary is None
    for name in ("summary.csv", "differences.csv", "table.tex", "tracks.csv"):
        assert not (out / "results" / name).exists(), name
    assert set(ours.read("table")["model"]) == set(RAN.models)
    assert "compare" not in ours.document
    assert "earlier state" in ours.run().notes[0], "until there is a new one"
    assert not ours.compare().notes
    assert not ours.run().notes


def test_a_run_with_other_options_leaves_the_comparison_out(
    folder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(folder.out, out)
    ours = Folder(folder.collection, out, monkeypatch)
    summary = ours.run(RAN.updated(model_options={"dense-vae": {"epochs": 3}}))
    assert ours.trained == [("dense-vae", 0)]
    assert summary.notes


def test_a_run_without_a_comparison_says_nothing_of_one(collection: Path, tmp_path: Path) -> None:
    settings = RAN.updated(models=("random",), clusterers=("kmeans",))
    with ThreadPoolExecutor(1) as executor:
        assert not run(collection, tmp_path, settings, executor=executor).notes


def test_a_comparison_goes_on_with_the_settings_of_the_run(folder: Any, tmp_path: Path) -> None:
    settings = comparison_settings(folder.out)
    assert settings.model_options == RAN.model_options
    assert settings.k == RAN.k
    assert {"song-vae", *RAN.models} <= set(settings.models)
    assert len(settings.seeds) == 10
    assert comparison_settings(tmp_path).k == ()


def test_a_quick_comparison_leaves_the_course_out_unless_the_run_had_it(
    folder: Any, tmp_path: Path
) -> None:
    quick, whole = (comparison_settings(tmp_path, quick=one) for one in (True, False))
    left_out = {"dense-vae", "fusion-dense-vae", "conv1d-vae", "autoencoder", "pca", "raw"}
    assert set(whole.models) - set(quick.models) == left_out
    assert len(quick.seeds) == 3
    # The run of this folder trained a dense autoencoder.
    again = comparison_settings(folder.out, quick=True)
    assert set(RAN.models) & left_out == set(again.models) & left_out == {"dense-vae"}


MODELS = "balanced-pca,timbre-pca,dense-vae"
OPTIONS = ["--models", MODELS, "--clusterers", "kmeans,dbscan", "--k", "2", "--seeds", "0,1"]


def test_killed_and_started_again_it_gives_the_same_table(folder: Any, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    shutil.copy(folder.out / "songscape.db", library)
    outs = [tmp_path / "once", tmp_path / "twice"]
    commands = [
        [sys.executable, "-m", "songscape", "compare", str(library), *OPTIONS, "--out", str(out)]
        for out in outs
    ]
    assert subprocess.run(commands[0], capture_output=True, check=False).returncode == DONE
    first = subprocess.Popen(commands[1], start_new_session=True, stderr=subprocess.DEVNULL)
    trials = outs[1] / "trials"
    waited_until = time.monotonic() + 300
    while len(list(trials.glob("*-seed*.bin"))) < 2 and time.monotonic() < waited_until:
        assert first.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = {path: path.stat().st_mtime_ns for path in trials.glob("*-seed*.bin")}
    assert kept
    assert subprocess.run(commands[1], capture_output=True, check=False).returncode == DONE
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    tables = [pd.read_csv(out / "results" / "table.csv") for out in outs]
    pd.testing.assert_frame_equal(*tables)


def test_json_names_the_report_and_the_verdicts(
    folder: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(folder.out, out)
    options = ["--models", "balanced-pca", "--seeds", "0,1", "--clusterers", "kmeans"]
    assert main(["compare", str(out), *options, "--json"]) == DONE
    printed = json.loads(capsys.readouterr().out)
    assert Path(printed["report"]) == out / "results" / "report.html"
    assert printed["verdicts"]
    (line,) = printed["unmeasured"]
    assert line.startswith("has-lyrics-only (seeds 0, 1)"), "every track has lyrics"


def test_a_model_that_fails_is_named_and_does_not_stop_the_rest(
    folder: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
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
    library = str(folder.out / "songscape.db")
    assert main(["compare", library, "--config", str(config), "--out", str(out)]) == DONE
    models = pd.read_csv(out / "results" / "models.csv").set_index("model")
    assert models.loc["dense-vae", "status"] == "failed"
    assert models.loc["balanced-pca", "status"] == "ok"
    assert "dense-vae (seed 0): training diverged" in capsys.readouterr().err
    assert "training diverged" in (out / "results" / "report.html").read_text(encoding="utf-8")
