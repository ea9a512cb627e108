"""The main job on a small collection: complete, resumable, repeatable, honest about failures."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songscape.cli import FAILED, SOME_FAILED, USAGE, main
from songscape.errors import SongscapeError
from songscape.experiment import fit as representations
from songscape.experiment.run import RunSummary, run
from songscape.models.saving import load_model
from songscape.results import read_latents
from songscape.settings import ClaimedRow, Settings

N_TRACKS = 14
Write = Callable[[Path, list[int]], Path]
SETTINGS = Settings(
    models=("dense-vae", "fusion-dense-vae", "pca", "balanced-pca", "random"),
    clusterers=("kmeans", "ward", "dbscan"),
    k=(2,),
    model_options={"dense-vae": {"epochs": 2}, "fusion-dense-vae": {"epochs": 2}},
    table=(ClaimedRow("PCA + K-Means", "pca", "kmeans", 0.5, 1.0),),
)


@pytest.fixture(scope="module")
def done(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    out = tmp_path_factory.mktemp("out ü")
    return out, run(collection, out, SETTINGS, workers=1, command=["songscape", "run"])


def files_below(folder: Path) -> dict[str, bytes]:
    tables = [*folder.glob("results/*.csv"), *folder.glob("results/latents/*.parquet")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in tables}


def test_everything_promised_is_there(done: tuple[Path, RunSummary]) -> None:
    out, summary = done
    assert summary.counts.complete
    assert summary.counts.analysed == N_TRACKS
    metrics = pd.read_csv(out / "results" / "metrics.csv")
    assert len(metrics) == len(SETTINGS.models) * len(SETTINGS.clusterers)
    assert metrics["space"].str.startswith("own space").all()
    assert {"language_ami", "genre_ari", "silhouette", "noise_share"} <= set(metrics.columns)
    clusters = pd.read_csv(out / "results" / "clusters.csv")
    assert clusters.groupby(["model", "clusterer"]).size().eq(N_TRACKS).all()
    pictures = {path.stem for path in (out / "results" / "pictures").glob("*.png")}
    for model in SETTINGS.models:
        assert f"map-{model}-seed0" in pictures
        assert f"heatmap-language-{model}-seed0" in pictures
        assert f"k-distance-{model}-seed0" in pictures
    for model in ("dense-vae", "fusion-dense-vae"):
        assert {f"training-{model}-seed0", f"reconstruction-{model}-seed0"} <= pictures
    page = summary.report.read_text(encoding="utf-8")
    assert "own space" in page
    assert json.loads((out / "results" / "run.json").read_text())["counts"]["found"] == N_TRACKS


def test_every_cluster_is_described(done: tuple[Path, RunSummary]) -> None:
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


def test_the_published_table_stands_beside_our_figures(done: tuple[Path, RunSummary]) -> None:
    out, summary = done
    metrics = pd.read_csv(out / "results" / "metrics.csv").set_index(["model", "clusterer"])
    (row,) = summary.table.to_dict(orient="records")
    assert row["Claimed silhouette"] == 0.5
    assert row["Silhouette"] == pytest.approx(metrics.loc[("pca", "kmeans"), "silhouette"])


def test_tables_and_latents_are_the_same_bytes_in_another_order_of_input(
    done: tuple[Path, RunSummary], tmp_path: Path, write_collection: Write
) -> None:
    shuffled = [int(i) for i in np.random.default_rng(1).permutation(N_TRACKS)]
    other = write_collection(tmp_path / "shuffled", shuffled)
    run(other, tmp_path / "out", SETTINGS, workers=2)
    assert files_below(tmp_path / "out") == files_below(done[0])


def test_a_second_run_trains_nothing_and_changes_nothing(
    collection: Path, done: tuple[Path, RunSummary], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_below(done[0])

    def refuse(*_args: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(representations, "_train", refuse)
    run(collection, done[0], SETTINGS, workers=1, command=["songscape", "run"])
    assert files_below(done[0]) == before


def test_an_interrupted_run_keeps_the_models_that_were_done(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, trained = representations._train, []

    def interrupted_at_the_third(views, model, *rest):  # type: ignore[no-untyped-def]
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(model)
        return train(views, model, *rest)

    monkeypatch.setattr(representations, "_train", interrupted_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run(collection, tmp_path, SETTINGS, workers=1)
    assert len(list((tmp_path / "results" / "latents").glob("*.parquet"))) == 2

    def continues(views, model, *rest):  # type: ignore[no-untyped-def]
        assert model not in trained
        return train(views, model, *rest)

    monkeypatch.setattr(representations, "_train", continues)
    assert run(collection, tmp_path, SETTINGS, workers=1).counts.complete


def test_other_lyrics_retrain_only_the_models_that_read_them(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, out = tmp_path / "copy", tmp_path / "out"
    shutil.copytree(collection, copy)
    run(copy, out, SETTINGS, workers=1)
    (copy / "lyrics" / "t03.txt").write_text("entirely different words", encoding="utf-8")
    trained = []
    train = representations._train

    def noted(views, model, *rest):  # type: ignore[no-untyped-def]
        trained.append(model)
        return train(views, model, *rest)

    monkeypatch.setattr(representations, "_train", noted)
    run(copy, out, SETTINGS, workers=1)
    assert trained == ["fusion-dense-vae", "pca", "balanced-pca"]


def test_nothing_of_an_earlier_run_is_left_in_the_report(collection: Path, tmp_path: Path) -> None:
    small = Settings(models=("pca", "random"), clusterers=("kmeans",), k=(2,), table=SETTINGS.table)
    run(collection, tmp_path, small, workers=1)
    assert (tmp_path / "results" / "course.csv").exists()
    smaller = Settings(models=("random",), clusterers=("kmeans",), k=(2,))
    run(collection, tmp_path, smaller, workers=1)
    pictures = [path.stem for path in (tmp_path / "results" / "pictures").glob("*.png")]
    assert pictures
    assert not [name for name in pictures if "pca" in name]
    assert not (tmp_path / "results" / "course.csv").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--k", "500"], "k = 500: the collection has 14 analysed tracks"),
        (["--labels", "nope"], "no label column 'nope'"),
        (["--config", "CONFIG"], "kmeans: no option 'foo'"),
    ],
)
def test_a_mistake_costs_no_training(
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
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "models").exists()


def test_a_collection_without_lyrics_keeps_its_baselines_and_says_what_needs_lyrics(
    collection: Path, tmp_path: Path
) -> None:
    audio = tmp_path / "audio"
    shutil.copytree(collection / "audio", audio)
    run(audio, tmp_path / "out", SETTINGS, workers=1)
    models = pd.read_csv(tmp_path / "out" / "results" / "models.csv").set_index("model")
    assert models.loc["fusion-dense-vae", "status"] == "skipped"
    assert "lyrics" in models.loc["fusion-dense-vae", "reason"]
    assert models.loc["dense-vae", "status"] == "ok"
    for baseline in ("pca", "balanced-pca"):
        assert models.loc[baseline, "status"] == "ok"
        assert "without lyrics" in models.loc[baseline, "summary"]


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


def test_too_few_tracks_are_one_line(
    tmp_path: Path, collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for name in ("t01.wav", "t02.wav"):
        shutil.copy(collection / "audio" / name, few)
    assert main(["run", str(few), "--out", str(tmp_path / "out"), "--k", "2"]) == FAILED
    err = capsys.readouterr().err
    assert "2 of 2 tracks could be analysed" in err
    assert err.count("\n") == 1


def test_one_seed_that_cannot_train_does_not_stop_the_rest(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = representations._train

    def failing(views, model, *rest):  # type: ignore[no-untyped-def]
        if model == "pca":
            raise SongscapeError("pca: singular")
        return train(views, model, *rest)

    monkeypatch.setattr(representations, "_train", failing)
    run(collection, tmp_path, SETTINGS, workers=1)
    models = pd.read_csv(tmp_path / "results" / "models.csv").set_index("model")
    assert models.loc["pca", "reason"] == "pca: singular"
    assert (tmp_path / "results" / "report.html").exists()
    assert read_latents(tmp_path / "results" / "latents" / "random-seed0.parquet")[1].any()


def test_views_among_the_options_are_computed_and_modelled(
    collection: Path, tmp_path: Path
) -> None:
    asked = ["timbre", "harmony", "rhythm", "chars"]
    settings = Settings(
        models=("balanced-pca",),
        clusterers=("kmeans",),
        k=(2,),
        model_options={"balanced-pca": {"views": asked, "n_components": 2}},
    )
    run(collection, tmp_path, settings, workers=1)
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


def test_columns_can_be_covariates(collection: Path, tmp_path: Path) -> None:
    options = {"covariates": ["language", "genre"], "epochs": 2}
    settings = Settings(
        models=("neutral-vae",),
        clusterers=("kmeans",),
        k=(2,),
        model_options={"neutral-vae": options},
    )
    run(collection, tmp_path, settings, workers=1)
    folder = next((tmp_path / "models").glob("neutral-vae*"))
    given = load_model(folder).covariates_
    categories = dict(zip(given.names, given.categories))
    assert categories == {"genre": ("g0", "g1"), "language": ("English", "German")}


def test_a_covariate_that_is_no_column_is_named(collection: Path, tmp_path: Path) -> None:
    options = {"neutral-vae": {"covariates": ["tuning"]}}
    with pytest.raises(SongscapeError, match="no column 'tuning' for a covariate; there are: "):
        run(collection, tmp_path, Settings(models=("neutral-vae",), model_options=options))
