"""`Benchmark` on the latents of a comparison gives the figures of that comparison."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from by_path import load_module
from threadpoolctl import threadpool_limits

import songscape as ss
from songscape.results import read_latents

traps = load_module(Path(__file__).with_name("traps.py"))
COLUMNS = ["genre", "language", "artist"]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a comparison of two seeds, and the benchmark of its latents."""
    songs = traps.honest_songs()
    options = {"models": ("balanced-pca", "timbre-pca"), "seeds": (0, 1)}
    found = traps.compared(songs, tmp_path_factory.mktemp("compared") / "songs", **options)
    folder = found.summary.report.parent
    latents: dict[str, list[Any]] = {}
    for model in pd.read_csv(folder / "models.csv")["model"].unique():
        for seed in (0, 1):
            ids, X = read_latents(folder / "latents" / f"{model}-seed{seed}.parquet")
            latents.setdefault(model, []).append(X)
    # Trials run on one thread each; where points coincide, sums in another order decide ties.
    with threadpool_limits(1):
        return folder, ss.Benchmark(songs.labels.loc[list(ids)], latents, k=3).run()


def same_rows(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows that both have, in one order."""
    kept = frame[frame["column"].isin(COLUMNS) | frame["axis"].isin(["own space", "health"])]
    kept = kept[kept["axis"] != "stability"]
    text = ["clusterer", "column", "reason"]
    kept = kept.assign(
        **{
            name: kept[name].astype(object).where(kept[name].notna(), "")
            for name in text
            if name in kept
        }
    )
    return kept.sort_values(keys).reset_index(drop=True)


@pytest.mark.parametrize(
    ("name", "more"), [("table", ["seed"]), ("summary", []), ("differences", [])]
)
def test_benchmark_has_the_figures_of_compare(both: Any, name: str, more: list[str]) -> None:
    folder, bench = both
    keys = ["model", "axis", "metric", "column", "clusterer", *more]
    theirs = same_rows(pd.read_csv(folder / f"{name}.csv"), keys)
    ours = same_rows(getattr(bench, name), keys)
    assert len(ours) == len(theirs) > 20
    for column in theirs.columns:
        if theirs[column].dtype.kind == "f":
            assert ours[column].astype(float).to_numpy() == pytest.approx(
                theirs[column].to_numpy(), nan_ok=True, rel=1e-12
            )
    assert (ours[keys].astype(str) == theirs[keys].astype(str)).all(axis=None)
    if name == "differences":
        assert list(ours["verdict"].astype(str)) == list(theirs["verdict"])
