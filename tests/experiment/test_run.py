"""The main job on a small collection: complete, resumable, repeatable, honest about failures."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from songscape.cli import FAILED, SOME_FAILED, USAGE, main
from songscape.errors import SongscapeError, UsageError
from songscape.experiment import fit, request
from songscape.experiment.experiment import ExperimentSummary, run
from songscape.models.saving import load_model
from songscape.report.maps import umap_map
from songscape.results import TABLES, ResultsFolder, read_latents
from songscape.settings import Settings

N_TRACKS = 14
Write = Callable[[Path, list[int]], Path]
SETTINGS = Settings(
    models=("dense-vae", "fusion-dense-vae", "pca", "balanced-pca", "random"),
    clusterers=("kmeans", "ward", "dbscan"),
    k=(2,),
    model_options={"dense-vae": {"epochs": 2}, "fusion-dense-vae": {"epochs": 2}},
)
SMALL = Settings(models=("balanced-pca", "random"), clusterers=("kmeans",), k=(2,))


def run_here(source: Path, out: Path, settings: Settings = SETTINGS) -> ExperimentSummary:
    """Train in this process, where a test can look on."""
    with ThreadPoolExecutor(1) as executor:
        return run(source, out, settings, executor=executor)


@pytest.fixture(scope="module")
def done(
    collection: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ExperimentSummary]:
    out = tmp_path_factory.mktemp("out ü")
    return out, run(collection, out, SETTINGS, workers=2, command=["songscape", "run"])


@pytest.fixture
def no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a trial that is run is an error."""

    def refuse(tasks: Any, *_: Any) -> None:
        raise AssertionError(f"ran again: {list(tasks)}")

    monkeypatch.setattr(request, "run_trials", refuse)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Models that are trained from now on, in this process."""
    names: list[str] = []
    train = fit._train

    def noted(views: Any, training: Any, *rest: Any) -> Any:
        names.append(training.model)
        return train(views, training, *rest)

    monkeypatch.setattr(fit, "_train", noted)
    return names


def files_below(folder: Path) -> dict[str, bytes]:
    tables = [*folder.glob("results/*.csv"), *folder.glob("results/latents/*.parquet")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in tables}


def test_everything_promised_is_there(done: tuple[Path, ExperimentSummary]) -> None:
    out, summary = done
    results = out / "results"
    assert summary.counts.complete
    assert summary.counts.analysed == N_TRACKS
    table = pd.read_csv(results / "table.csv")
    assert list(table.columns) == list(TABLES["table"])
    partitions = table[table["clusterer"].notna()][["model", "clusterer"]].drop_duplicates()
    assert len(partitions) == len(SETTINGS.models) * len(SETTINGS.clusterers)
    own = table[table["axis"] == "own space"]
    assert set(own["metric"]) >= {"silhouette", "davies_bouldin"}
    assert set(table[table["axis"] == "agreement"]["column"]) == {"genre"}
    assert "language" in set(table[table["axis"] == "leakage"]["column"])
    clusters = pd.read_csv(results / "clusters.csv")
    assert clusters.groupby(["model", "clusterer"]).size().eq(N_TRACKS).all()
    pictures = {path.stem for path in (results / "pictures").glob("*.png")}
    for model in SETTINGS.models:
        assert f"map-{model}" in pictures
        assert f"heatmap-language-{model}" in pictures
        assert f"k-distance-{model}" in pictures
    for model in ("dense-vae", "fusion-dense-vae"):
        assert {f"training-{model}", f"reconstruction-{model}"} <= pictures
    assert "own space" in summary.report.read_text(encoding="utf-8")
    document = json.loads((results / "experiment.json").read_text(encoding="utf-8"))
    assert document["counts"]["found"] == N_TRACKS
    assert document["commands"] == [["songscape", "run"]]
    assert not list((out / "trials").glob(".inputs-*")), "what trials read is removed"


def test_the_table_is_the_same_in_every_format(done: tuple[Path, ExperimentSummary]) -> None:
    out, summary = done
    binary = pd.read_parquet(out / "results" / "table.parquet")
    pd.testing.assert_frame_equal(binary, summary.table, check_dtype=False)
    text = pd.read_csv(out / "results" / "table.csv")
    np.testing.assert_array_equal(text["value"], binary["value"])
    assert text["null_95"].isna().all(), "without a comparison nothing is permuted"


def test_every_cluster_is_described(done: tuple[Path, ExperimentSummary]) -> None:
    out, _ = done
    described = pd.read_csv(out / "results" / "descriptions.csv")
    clusters = pd.read_csv(out / "results" / "clusters.csv")
    described = described[described["clusterer"] == "kmeans"]
    assert set(described["model"]) == set(SETTINGS.models)
    assert described.groupby("model")["size"].sum().eq(N_TRACKS).all()
    for row in described.itertuples():
        here = (clusters["model"] == row.model) & (clusters["clusterer"] == "kmeans")
        members = set(clusters.loc[here & (clusters["cluster"] == row.cluster), "track_id"])
        assert row.size == len(members)
        assert set(row.typical.split("; ")) <= members
        assert row.words


def test_tables_and_latents_are_the_same_bytes_in_another_order_of_input(
    done: tuple[Path, ExperimentSummary], tmp_path: Path, write_collection: Write
) -> None:
    shuffled = [int(i) for i in np.random.default_rng(1).permutation(N_TRACKS)]
    other = write_collection(tmp_path / "shuffled", shuffled)
    run(other, tmp_path / "out", SETTINGS, workers=1)
    there, here = files_below(tmp_path / "out"), files_below(done[0])
    differing = {"results/models.csv"}  # how long it took
    assert {k: v for k, v in there.items() if k not in differing} == {
        k: v for k, v in here.items() if k not in differing
    }


def test_a_second_run_trains_nothing_draws_nothing_and_changes_nothing(
    collection: Path, done: tuple[Path, ExperimentSummary], no_trial: None
) -> None:
    before = files_below(done[0])
    pictures = {path: path.stat().st_mtime_ns for path in done[0].glob("results/pictures/*.png")}
    run(collection, done[0], SETTINGS, command=["songscape", "run"])
    assert files_below(done[0]) == before
    assert pictures
    assert {path: path.stat().st_mtime_ns for path in pictures} == pictures


def test_the_map_keeps_its_shape_when_tracks_are_added(
    write_collection: Write, collection: Path, tmp_path: Path
) -> None:
    out, fewer = tmp_path / "out", write_collection(tmp_path / "fewer", list(range(12)))
    path = ResultsFolder(out).map("balanced-pca", 0)
    run_here(fewer, out, SMALL)
    ids, before = read_latents(path)
    run_here(collection, out, SMALL)
    more, after = read_latents(path)
    rows = [more.index(track) for track in ids]
    assert (len(ids), len(more)) == (12, N_TRACKS)
    np.testing.assert_array_equal(after[rows], before)
    drawn = path.read_bytes()
    run_here(collection, out, SMALL)
    assert path.read_bytes() == drawn


def test_a_damaged_earlier_map_is_drawn_anew(
    write_collection: Write, collection: Path, tmp_path: Path
) -> None:
    out, fewer = tmp_path / "out", write_collection(tmp_path / "fewer", list(range(12)))
    path = ResultsFolder(out).map("balanced-pca", 0)
    run_here(fewer, out, SMALL)
    path.write_bytes(path.read_bytes()[:-40])
    run_here(collection, out, SMALL)
    ids, places = read_latents(path)
    assert len(ids) == N_TRACKS
    np.testing.assert_array_equal(
        places, umap_map(read_latents(ResultsFolder(out).latents("balanced-pca", 0))[1])
    )


def test_an_interrupted_run_keeps_the_models_that_were_done(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, trained = fit._train, []

    def interrupted_at_the_third(views: Any, training: Any, *rest: Any) -> Any:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(training.model)
        return train(views, training, *rest)

    monkeypatch.setattr(fit, "_train", interrupted_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run_here(collection, tmp_path)
    assert len(list((tmp_path / "results" / "latents").glob("*.parquet"))) == 2

    def continues(views: Any, training: Any, *rest: Any) -> Any:
        assert training.model not in trained
        return train(views, training, *rest)

    monkeypatch.setattr(fit, "_train", continues)
    assert run_here(collection, tmp_path).counts.complete


def test_other_lyrics_retrain_only_the_models_that_read_them(
    collection: Path, tmp_path: Path, trained: list[str]
) -> None:
    copy, out = tmp_path / "copy", tmp_path / "out"
    shutil.copytree(collection, copy)
    run_here(copy, out)
    trained.clear()
    (copy / "lyrics" / "t03.txt").write_text("entirely different words", encoding="utf-8")
    run_here(copy, out)
    assert trained == ["fusion-dense-vae", "pca", "balanced-pca"]


def test_another_clusterer_trains_nothing(
    collection: Path, tmp_path: Path, trained: list[str]
) -> None:
    run_here(collection, tmp_path, SMALL)
    trained.clear()
    more = SMALL.updated(clusterers=("kmeans", "ward"), k=(2, 3))
    summary = run_here(collection, tmp_path, more)
    assert not trained
    there = summary.table[["clusterer", "k"]].dropna().drop_duplicates()
    assert sorted(map(tuple, there.to_numpy())) == [
        *[("kmeans", 2), ("kmeans", 3), ("ward", 2), ("ward", 3)]
    ]


def test_nothing_of_an_earlier_run_is_left_in_the_report(collection: Path, tmp_path: Path) -> None:
    run_here(collection, tmp_path, SMALL)
    assert (tmp_path / "results" / "pictures" / "map-balanced-pca.png").exists()
    summary = run_here(collection, tmp_path, SMALL.updated(models=("random",), k=(3,)))
    pictures = [path.stem for path in (tmp_path / "results" / "pictures").glob("*.png")]
    assert pictures
    assert not [name for name in pictures if "pca" in name]
    assert set(summary.table["model"]) == {"random"}
    assert set(summary.table["k"].dropna()) == {3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--k", "500"], "k = 500: there are 14 tracks"),
        (["--labels", "nope"], "no label column 'nope'"),
        (["--nuisances", "nope"], "no nuisance column 'nope'"),
        (["--config", "CONFIG"], "kmeans: no option 'foo'"),
    ],
)
def test_a_mistake_costs_no_reading(
    collection: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("[clusterer_options.kmeans]\nfoo = 1\n", encoding="utf-8")
    chosen = [str(config) if option == "CONFIG" else option for option in options]
    assert main(["run", str(collection), "--out", str(tmp_path / "out"), *chosen]) == USAGE
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out" / "songscape.db").exists()


def test_a_collection_without_lyrics_keeps_its_baselines_and_says_what_needs_lyrics(
    collection: Path, tmp_path: Path
) -> None:
    audio = tmp_path / "audio"
    shutil.copytree(collection / "audio", audio)
    summary = run(audio, tmp_path / "out", SETTINGS)
    models = pd.read_csv(tmp_path / "out" / "results" / "models.csv").set_index("model")
    assert models.loc["fusion-dense-vae", "status"] == "skipped"
    assert "lyrics" in models.loc["fusion-dense-vae", "reason"]
    assert models.loc["dense-vae", "status"] == "ok"
    for baseline in ("pca", "balanced-pca"):
        assert models.loc[baseline, "status"] == "ok"
        assert "without lyrics" in models.loc[baseline, "summary"]
    assert any(line.startswith("fusion-dense-vae") for line in summary.left_out)


def test_broken_files_end_in_the_ledger_and_exit_3(collection: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken 🎵"
    shutil.copytree(collection, broken)
    (broken / "tracks.csv").unlink()
    (broken / "audio" / "empty.mp3").touch()
    (broken / "audio" / "text.mp3").write_text("not a sound")
    options = ["--models", "balanced-pca", "--clusterers", "kmeans", "--k", "2", "--workers", "1"]
    code = main(["run", str(broken), "--out", str(tmp_path / "out"), *options])
    assert code == SOME_FAILED
    ledger = pd.read_csv(tmp_path / "out" / "results" / "ledger.csv")
    failed = ledger[ledger["status"] == "failed"]
    assert len(failed) == 2
    assert failed["reason"].notna().all()


def test_one_model_that_cannot_train_does_not_stop_the_rest(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = fit._train

    def failing(views: Any, training: Any, *rest: Any) -> Any:
        if training.model == "balanced-pca":
            raise SongscapeError("balanced-pca: singular")
        return train(views, training, *rest)

    monkeypatch.setattr(fit, "_train", failing)
    summary = run_here(collection, tmp_path, SMALL)
    models = pd.read_csv(tmp_path / "results" / "models.csv").set_index("model")
    assert models.loc["balanced-pca", "reason"] == "balanced-pca: singular"
    assert summary.report.exists()
    assert read_latents(ResultsFolder(tmp_path).latents("random", 0))[1].any()
    monkeypatch.setattr(fit, "_train", train)
    run_here(collection, tmp_path, SMALL)
    models = pd.read_csv(tmp_path / "results" / "models.csv")
    assert models["status"].eq("ok").all(), "what failed is tried again"


def test_views_among_the_options_are_computed_and_modelled(
    collection: Path, tmp_path: Path
) -> None:
    asked = ["timbre", "harmony", "rhythm", "lyrics-counts"]
    settings = Settings(
        models=("balanced-pca",),
        clusterers=("kmeans",),
        k=(2,),
        model_options={"balanced-pca": {"views": asked, "n_components": 2}},
    )
    run_here(collection, tmp_path, settings)
    models = pd.read_csv(tmp_path / "results" / "models.csv")
    assert models["status"].tolist() == ["ok"]
    assert models["n_latent"].tolist() == [8]


def test_an_unknown_view_is_refused_before_anything_is_read(
    collection: Path, tmp_path: Path
) -> None:
    options = {"balanced-pca": {"views": ["timbre", "tempo"]}}
    with pytest.raises(SongscapeError, match="no view 'tempo'; there are timbre"):
        run(collection, tmp_path, Settings(models=("balanced-pca",), model_options=options))
    assert not (tmp_path / "songscape.db").exists()


@pytest.mark.parametrize("options", [{"epoch": 3}, {"epochs": -1}])
def test_impossible_options_are_refused_before_anything_is_read(
    collection: Path, tmp_path: Path, options: dict[str, int]
) -> None:
    settings = Settings(models=("dense-vae",), model_options={"dense-vae": options})
    with pytest.raises(UsageError, match=r"model_options\.dense-vae: .*epoch"):
        run(collection, tmp_path, settings)
    assert not (tmp_path / "songscape.db").exists()


def test_columns_can_be_covariates(collection: Path, tmp_path: Path) -> None:
    options = {"covariates": ["language", "genre"], "epochs": 2}
    settings = Settings(
        models=("neutral-vae",),
        clusterers=("kmeans",),
        k=(2,),
        model_options={"neutral-vae": options},
    )
    run_here(collection, tmp_path, settings)
    given = load_model(next((tmp_path / "models").glob("neutral-vae*"))).covariates_
    categories = dict(zip(given.names, given.categories))
    assert categories == {"genre": ("g0", "g1"), "language": ("English", "German")}


def test_a_covariate_that_is_no_column_is_named(collection: Path, tmp_path: Path) -> None:
    options = {"neutral-vae": {"covariates": ["tuning"]}}
    with pytest.raises(SongscapeError, match="no column 'tuning' for a covariate; there are: "):
        run(collection, tmp_path, Settings(models=("neutral-vae",), model_options=options))


def test_a_results_folder_that_is_deleted_meanwhile_is_no_success(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    real = request.run_trials

    def and_delete(*given: Any) -> Any:
        crashed = real(*given)
        (out / "songscape.db").unlink()
        return crashed

    monkeypatch.setattr(request, "run_trials", and_delete)
    with pytest.raises(SongscapeError, match=r"songscape\.db: "):
        run_here(collection, out, SMALL)


def test_a_collection_that_goes_away_is_named_and_not_k(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from songscape.features import extract

    copy = tmp_path / "copy"
    shutil.copytree(collection, copy)
    real = extract.extract

    def unplugged(*given: Any, **options: Any) -> Any:
        shutil.rmtree(copy)
        return real(*given, **options)

    monkeypatch.setattr(extract, "extract", unplugged)
    with pytest.raises(SongscapeError, match="the collection is gone, after 0 of 14 tracks"):
        run(copy, tmp_path / "out", SMALL.updated(k=()))


def test_metrics_has_the_figures_of_the_table_side_by_side(
    collection: Path, tmp_path: Path
) -> None:
    run_here(collection, tmp_path, SMALL)
    table = pd.read_csv(tmp_path / "results" / "table.csv").query("axis == 'own space'")
    metrics = pd.read_csv(tmp_path / "results" / "metrics.csv")
    where = ["model", "clusterer", "k", "seed"]
    beside = table[table["metric"] == "silhouette"].merge(metrics, on=where)
    assert len(beside) == len(metrics) > 0
    assert np.array_equal(beside["value"], beside["silhouette"], equal_nan=True)


def test_too_few_tracks_are_one_line_without_a_ledger(
    tmp_path: Path, collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for number in range(3):
        shutil.copy(collection / "audio" / f"t0{number}.wav", few)
    assert main(["run", str(few), "--out", str(tmp_path / "out")]) == FAILED
    err = capsys.readouterr().err
    assert "3 tracks: clustering needs at least 4" in err
    assert "ledger" not in err, "nothing stands there"
    assert err.count("\n") == 1
    assert not (tmp_path / "out" / "songscape.db").exists()


def test_four_tracks_are_enough(tmp_path: Path, collection: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for number in range(4):
        shutil.copy(collection / "audio" / f"t0{number}.wav", few)
    summary = run_here(few, tmp_path / "out", SMALL.updated(k=()))
    assert summary.k == (2,)
    assert "too few to choose k" in summary.k_reason
