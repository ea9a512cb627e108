"""Posterior spreads are kept; they and the border are put beside the company that songs lose."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from songscape.benchmark.calibration import calibrate
from songscape.benchmark.measure import Subject
from songscape.benchmark.summary import ModelEvidence, compare
from songscape.experiment import fit as representations
from songscape.experiment.calibrations import calibration_table, calibrations
from songscape.experiment.fit import represent
from songscape.experiment.gather import tracks_table
from songscape.features.views import View, Views
from songscape.models.saving import load_model
from songscape.results import ResultsFolder, has_key

N = 100
HEADLINE = ("kmeans", 2)
OPTIONS = {"dense-vae": {"epochs": 2, "hidden": (4,)}, "autoencoder": {"epochs": 2, "hidden": (4,)}}


@pytest.fixture(scope="module")
def views() -> Views:
    rng = np.random.default_rng(0)
    there = np.ones(12, bool)
    return Views(
        tuple(f"t{i:02}" for i in range(12)),
        {
            name: View(rng.normal(size=shape).astype(np.float32), there)
            for name, shape in (("mfcc", (12, 6)), ("lyrics", (12, 5)), ("timbre", (12, 4)))
        },
    )


def test_a_kept_representation_gives_back_the_spread_of_its_model(
    views: Views, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ResultsFolder(tmp_path)
    first = represent(views, "dense-vae", 0, folder, options=OPTIONS["dense-vae"])
    assert first.ok, first.summary
    assert first.spread is not None
    model = load_model(folder.model("dense-vae", 0))
    wanted = model.uncertainty(views.select(["mfcc"]))
    np.testing.assert_allclose(first.spread, wanted, rtol=1e-6)
    path = folder.spread("dense-vae", 0)
    assert has_key(path, first.key)
    assert list(pd.read_parquet(path)["track_id"]) == list(views.track_ids)
    with monkeypatch.context() as patch:
        patch.setattr(representations, "_train", None)
        again = represent(views, "dense-vae", 0, folder, options=OPTIONS["dense-vae"])
    np.testing.assert_array_equal(again.spread, first.spread)
    assert again.spread.dtype == first.spread.dtype
    path.unlink()
    trained = represent(views, "dense-vae", 0, folder, options=OPTIONS["dense-vae"])
    np.testing.assert_array_equal(trained.spread, first.spread)
    assert has_key(path, first.key)


@pytest.mark.parametrize("name", ["autoencoder", "balanced-pca"])
def test_models_without_a_posterior_have_no_spread(
    name: str, views: Views, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ResultsFolder(tmp_path)
    left = folder.spread(name, 0)
    left.parent.mkdir(parents=True)
    left.touch()
    assert represent(views, name, 0, folder, options=OPTIONS.get(name)).ok
    assert not left.exists(), "what an earlier model of this name left is not its spread"
    monkeypatch.setattr(representations, "_train", None)
    again = represent(views, name, 0, folder, options=OPTIONS.get(name))
    assert again.ok
    assert again.spread is None


def subject() -> Subject:
    groups = np.arange(N) // 2
    genre = np.array(["a", "b"] * (N // 2), dtype=object)
    return Subject(labels={"genre": genre}, nuisances={}, artists=None, groups=groups)


def evidence_of(model: str, samples: dict[str, Any], n_seeds: int = 2) -> ModelEvidence:
    rng = np.random.default_rng(1)
    partitions = {
        HEADLINE: rng.integers(0, 2, (n_seeds, N)),
        ("ward", 2): np.ones((n_seeds, N), int),
    }
    rows = [
        {"axis": "health", "metric": "n_clusters", "column": "", "value": 2.0, "seed": seed}
        | {"clusterer": "kmeans", "k": 2, "chance": None, "null_95": None, "p_value": None}
        for seed in range(n_seeds)
    ]
    return ModelEvidence(model, "vae", rows, samples, partitions)


def test_every_model_has_a_row_per_figure_and_kind() -> None:
    rng = np.random.default_rng(0)
    unsure, other = rng.uniform(size=(1, N)), rng.uniform(size=(1, N))
    spread = np.vstack([unsure[0] ** 2, rng.uniform(size=N)])
    border = rng.uniform(size=(2, N)) + 0.5 * unsure
    knows = {"spread": spread, "unsure:kmeans|2": unsure, "unsure:ward|2": other}
    knows |= {"border:kmeans|2": border, "border:ward|2": rng.uniform(size=(2, N))}
    evidence = [
        evidence_of("knows", knows),
        evidence_of("one seed", {"spread": spread[:1], "unsure:kmeans|2": unsure}, n_seeds=1),
        evidence_of("failed clusters", {"spread": spread, "unsure:ward|2": other}),
        evidence_of("no posterior", {"unsure:kmeans|2": unsure, "border:kmeans|2": border}),
        evidence_of("nothing known", {"unsure:kmeans|2": unsure}),
    ]
    found = calibrations(evidence, subject(), HEADLINE)
    assert list(found) == [
        ("knows", "border", "subsamples"),
        ("knows", "border", "seeds"),
        ("knows", "spread", "subsamples"),
        ("knows", "spread", "seeds"),
        ("one seed", "spread", "subsamples"),
        ("failed clusters", "spread", "seeds"),
        ("no posterior", "border", "subsamples"),
        ("no posterior", "border", "seeds"),
    ]
    assert found["knows", "spread", "subsamples"].spearman.estimate == pytest.approx(1.0), (
        "the spread of the first seed, whose clusters are made again"
    )
    wanted = calibrate(border[0], unsure[0], subject().groups)
    table = calibration_table(found, HEADLINE)
    assert table is not None
    first = table.iloc[0]
    named = ["model", "figure", "kind", "k", "n_tracks"]
    assert tuple(first[named]) == ("knows", "border", "subsamples", 2, N)
    assert first["error"] == wanted.error
    assert first["expected_p10"] < first["expected"] < first["expected_p90"]
    tracks = tracks_table(evidence, subject(), [str(i) for i in range(N)], found, HEADLINE)
    np.testing.assert_array_equal(tracks["knows|kmeans|2|expected"], wanted.expected)
    np.testing.assert_array_equal(tracks["knows|spread"], spread[0])
    np.testing.assert_array_equal(tracks["knows|kmeans|2|border"], border[0])
    assert [name for name in tracks if name.startswith("no posterior")] == [
        *("no posterior|kmeans|2", "no posterior|kmeans|2|border"),
        "no posterior|kmeans|2|expected",
    ]
    assert "failed clusters|kmeans|2|expected" not in tracks
    assert calibration_table({}, HEADLINE) is None


def test_a_spread_is_no_agreement() -> None:
    """It stands among the samples per track, and changes nothing that is compared."""
    rng = np.random.default_rng(0)
    knn = {"knn:genre": rng.uniform(size=(2, N))}
    with_spread = knn | {name: rng.uniform(size=(2, N)) for name in ("spread", "border:kmeans|2")}
    one, other = (
        compare(
            [evidence_of("pca", knn), evidence_of("vae", of)],
            subject(),
            baseline="pca",
            headline=HEADLINE,
        )
        for of in (knn, with_spread)
    )
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.differences, other.differences)
