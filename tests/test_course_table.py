"""The course's table: published figures beside what a run measured."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from by_path import load_module

SCRIPT = Path(__file__).parent.parent / "experiments" / "course_table.py"


@pytest.fixture(scope="module")
def script() -> Any:
    return load_module(SCRIPT)


def rows(
    model: str, clusterer: str, k: int | None, seed: int, silhouette: float
) -> list[dict[str, Any]]:
    where = {"model": model, "clusterer": clusterer, "k": k, "seed": seed, "column": ""}
    measured = {
        ("own space", "silhouette"): silhouette,
        ("own space", "davies_bouldin"): 1.0,
        ("structure", "silhouette"): 9.0,
        ("health", "n_clusters"): 7.0,
        ("health", "noise_share"): 0.25,
    }
    return [
        where | {"axis": axis, "metric": metric, "value": value}
        for (axis, metric), value in measured.items()
    ]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    seeds = [
        rows("pca", "kmeans", 5, seed, silhouette) for seed, silhouette in enumerate((0.1, 0.3))
    ]
    dbscan = rows("conv1d-vae", "dbscan", None, 0, -0.5)
    return pd.DataFrame([*seeds[0], *seeds[1], *dbscan]).astype({"k": "Int64"})


def test_our_figures_are_means_over_seeds_beside_the_published_ones(
    script: Any, table: pd.DataFrame
) -> None:
    published = [
        {"method": "PCA", "model": "pca", "clusterer": "kmeans", "silhouette": 0.0471},
        {"method": "DBSCAN", "model": "conv1d-vae", "clusterer": "dbscan"},
        {"method": "Missing", "model": "raw", "clusterer": "kmeans", "davies_bouldin": 3.0},
    ]
    found = script.course_table(table, published).set_index("Method")
    assert found.loc["PCA", "Silhouette"] == pytest.approx(0.2)
    assert found.loc["PCA", "Claimed silhouette"] == 0.0471
    assert found["k"].tolist()[:2] == [5, 7], "where no k is given, the clusters that were found"
    assert found.loc["DBSCAN", "Noise share"] == 0.25
    assert pd.isna(found.loc["Missing", "Silhouette"])
    assert found.loc["Missing", "Claimed Davies-Bouldin"] == 3.0


def test_the_script_prints_the_task_that_a_folder_is_of(
    script: Any, table: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results").mkdir()
    table.to_csv(tmp_path / "results" / "table.csv", index=False)
    assert script.main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "ConvVAE + K-Means" in printed
    assert "0.2000" in printed
    assert "-0.3183" in printed
    assert script.main([str(tmp_path), "--task", "easy"]) == 0
    assert "Basic VAE" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        script.main([str(tmp_path / "nowhere")])
