"""Health and stability of what was compared: collapse in words, KL drawn, clusters judged."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songscape.report.comparison_health import (
    clusters_table,
    collapse_sentences,
    models_table,
)
from songscape.report.comparison_page import write_comparison_report
from songscape.report.comparison_read import ComparisonResults, read_comparison

KL = ([0.1, 4.0, 0.0, 2.0], [3.0, 0.0, 0.5, 1.0])


def with_kl(folder: Path, *, active: float, collapsed: bool) -> ComparisonResults:
    models = pd.read_csv(folder / "models.csv")
    mine = models["model"] == "song-vae"
    models["kl_per_dimension"] = pd.Series(index=models.index, dtype=object)
    models.loc[mine, "kl_per_dimension"] = [" ".join(map(str, one)) for one in KL]
    models.loc[mine, "n_latent"] = 4
    models.loc[mine, "active_units"] = active
    models.loc[mine, "collapsed"] = collapsed
    models.to_csv(folder / "models.csv", index=False)
    return read_comparison(folder)


def test_kl_is_averaged_by_rank_because_seeds_number_dimensions_differently(
    comparison_folder: Path,
) -> None:
    table = models_table(with_kl(comparison_folder, active=3, collapsed=False))
    column = next(i for i, c in enumerate(table.columns) if c.title.startswith("KL"))
    cells = {row[0].text: row[column] for row in (*table.rows, *table.references)}
    strip = cells["song-vae"].strip
    assert strip is not None
    mean = np.mean([sorted(one, reverse=True) for one in KL], axis=0)
    assert strip.heights == pytest.approx(100 * mean / mean[0])
    assert strip.n_marked == 3
    assert cells["song-vae"].sort == pytest.approx(mean.sum())
    assert cells["balanced-pca"].strip is None
    raw = write_comparison_report(comparison_folder).read_text(encoding="utf-8")
    drawn = re.findall(r'<svg class="strip".*?</svg>', raw, re.DOTALL)
    assert [svg.count("<rect") for svg in drawn] == [4]
    assert drawn[0].count('class="active"') == 3


def test_a_collapsed_model_is_named_in_words(comparison_folder: Path) -> None:
    assert collapse_sentences(with_kl(comparison_folder, active=3, collapsed=False)) == []
    [said] = collapse_sentences(with_kl(comparison_folder, active=0, collapsed=True))
    assert said.startswith("song-vae collapsed with seeds 0, 1: 0 of 4 dimensions")
    page = write_comparison_report(comparison_folder).read_text(encoding="utf-8")
    assert page.count(said) == 1


def test_clusters_of_the_recommended_method_are_judged_one_by_one(comparison_folder: Path) -> None:
    assert clusters_table(read_comparison(comparison_folder)) is None
    lines = [
        "model,clusterer,k,cluster,n_tracks,jaccard,commonest_genre,share_genre",
        "song-vae,kmeans,4,-1,3,,,",
        "song-vae,kmeans,4,0,500,0.76,1999,0.5",
        "song-vae,kmeans,4,1,300,0.90,folk,0.25",
        "song-vae,kmeans,4,2,197,0.59,folk,1.0",
        "tfidf,kmeans,4,0,1000,0.1,folk,0.4",
    ]
    (comparison_folder / "clusters.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = pd.read_csv(comparison_folder / "summary.csv")
    seeds = table[:1].assign(model="song-vae", clusterer="kmeans", k=4, axis="stability")
    seeds = seeds.assign(metric="cluster_jaccard_over_seeds", column="1", estimate=0.61)
    pd.concat([table, seeds]).to_csv(comparison_folder / "summary.csv", index=False)
    found = clusters_table(read_comparison(comparison_folder))
    assert found is not None
    assert found[0] == "song-vae + kmeans, k = 4"
    assert [[cell.text for cell in row] for row in found[1].rows] == [
        ["noise", "3", "–", "–", "–", "–"],
        ["0", "500", "0.76", "–", "✓ stable", "1999 50\u00a0%"],
        ["1", "300", "0.90", "0.61", "? doubtful", "folk 25\u00a0%"],
        ["2", "197", "0.59", "–", "✗ does not come back", "folk 100\u00a0%"],
    ]
    assert "does not come back" in write_comparison_report(comparison_folder).read_text("utf-8")
