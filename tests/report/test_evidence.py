"""The tables of the evidence: intervals to one scale, references apart, own spaces unranked."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from songscape.report.evidence import (
    SHAPE,
    STABILITY,
    by_model,
    by_partition,
    label_measures,
    models_table,
)
from songscape.report.page import write_page
from songscape.report.read import Results, read_results
from songscape.report.table_cells import Table


def label_table(results: Results) -> Table | None:
    return by_model(results, "agreement", "genre", "knn_balanced", "ami")


def language_table(results: Results) -> Table | None:
    return by_model(results, "leakage", "language", "knn", "ami", ascending=True)


def genre_partitions(results: Results) -> Table | None:
    return by_partition(results, label_measures("genre"))


def cells(table: Table | None, column: str) -> dict[str, object]:
    """Cells of a column by model."""
    assert table is not None
    place = next(i for i, c in enumerate(table.columns) if c.title.startswith(column))
    return {row[0].text: row[place] for row in (*table.rows, *table.references)}


def test_own_space_figures_cannot_be_sorted_on_and_rank_nothing(compared_folder: Path) -> None:
    table = by_partition(read_results(compared_folder), SHAPE)
    assert table is not None
    own = [i for i, column in enumerate(table.columns) if column.own]
    assert [table.columns[i].title for i in own] == ["Silhouette"]
    assert not any(table.columns[i].sortable for i in own)
    assert all("own space" in table.columns[i].note for i in own)
    assert all(row[i].sort is None for i in own for row in (*table.rows, *table.references))
    raw = write_page(compared_folder).read_text(encoding="utf-8")
    heads = re.findall(r"<th[^>]*>((?:(?!</th>).)*own space:(?:(?!</th>).)*)</th>", raw, re.DOTALL)
    assert heads
    assert not any("<button" in head for head in heads)


def test_references_stand_apart_from_methods(compared_folder: Path) -> None:
    table = label_table(read_results(compared_folder))
    assert table is not None
    assert {row[0].text for row in table.rows} == {"balanced-pca", "tfidf", "song-vae"}
    assert [row[0].text for row in table.references] == ["random"]
    assert '<tbody class="references">' in write_page(compared_folder).read_text("utf-8")


def test_every_figure_is_drawn_with_its_interval_and_written(compared_folder: Path) -> None:
    results = read_results(compared_folder)
    knn = cells(label_table(results), "kNN")["song-vae"]
    assert knn.text == "0.600"
    assert knn.note == "0.580 … 0.620, chance 0.250"
    drawn = knn.whisker
    assert drawn is not None
    assert drawn.chance < drawn.low < drawn.estimate < drawn.high <= 100
    scale = (drawn.high - drawn.low) / 0.04
    assert drawn.estimate - drawn.chance == pytest.approx(0.35 * scale)
    tests = cells(language_table(results), "Against balanced-pca")
    assert {model: cell.text for model, cell in tests.items()} == {
        "balanced-pca": "the baseline",
        "tfidf": "▼ worse",
        "song-vae": "▲ better",
        "random": "–",
    }
    assert cells(by_partition(results, STABILITY), "Other seeds")["tfidf"].text == "0.777"


def test_why_a_difference_is_not_claimed_stands_beside_it(compared_folder: Path) -> None:
    differences = pd.read_csv(compared_folder / "differences.csv")
    claimed = differences["verdict"] == "better"
    differences["withheld"] = np.where(claimed, "at chance", "")
    differences.loc[claimed, "verdict"] = "same"
    differences.to_csv(compared_folder / "differences.csv", index=False)
    test = cells(language_table(read_results(compared_folder)), "Against")["song-vae"]
    assert test.text == "= not distinguishable"
    assert test.note.endswith("; not claimed: no better than chance")


def test_the_best_baseline_is_named_with_its_own_verdict(compared_folder: Path) -> None:
    differences = pd.read_csv(compared_folder / "differences.csv")
    test = differences[differences["model"] == "song-vae"][:1]
    test = test.assign(metric="knn_balanced", column="genre")
    gap = {"difference": 0.012, "low": -0.01, "high": 0.03, "verdict": "same"}
    beside = test.assign(baseline="tfidf", rival="best", **gap)
    pd.concat([differences, test, beside]).to_csv(compared_folder / "differences.csv", index=False)
    table = label_table(read_results(compared_folder))
    assert cells(table, "Against balanced-pca")["song-vae"].text == "▲ better"
    best = cells(table, "Against the best")["song-vae"]
    assert best.text == "= not distinguishable from tfidf"
    assert best.note == "+0.012 (−0.010 … 0.030)"


def test_a_run_shows_the_same_figures_without_intervals(run_folder: Path) -> None:
    table = genre_partitions(read_results(run_folder))
    ami = cells(table, "AMI")["song-vae"]
    assert (ami.text, ami.note) == ("0.300", "chance 0.000")
    assert table is not None
    assert not any(column.note for column in table.columns)


def test_seeds_are_averaged_and_their_range_shown(run_folder: Path) -> None:
    table = pd.read_csv(run_folder / "table.csv")
    again = table.assign(seed=1, value=table["value"] - 0.1)
    pd.concat([table, again]).to_csv(run_folder / "table.csv", index=False)
    found = genre_partitions(read_results(run_folder))
    ami = cells(found, "AMI")["song-vae"]
    assert ami.text == "0.250"
    assert ami.note == "0.200 … 0.300, chance 0.000"
    assert found is not None
    assert found.columns[1].note == "range over seeds"


def test_partitions_that_follow_a_nuisance_or_are_degenerate_are_marked(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    rows = made.model_rows("balanced-pca", language_ami=0.9) + made.model_rows(
        "tfidf", largest=0.95
    )
    table = genre_partitions(read_results(write_results(tmp_path / "results", rows)))
    assert {model: cell.text for model, cell in cells(table, "Beware").items()} == {
        "balanced-pca": "finds the language",
        "tfidf": "one cluster holds nearly all",
    }


def test_a_collapsed_model_is_marked_and_not_recommended(compared_folder: Path) -> None:
    models = pd.read_csv(compared_folder / "models.csv")
    mine = models["model"] == "song-vae"
    models.loc[mine, ["n_latent", "active_units"]] = 4, 0
    models.loc[mine, "collapsed"] = True
    models.to_csv(compared_folder / "models.csv", index=False)
    results = read_results(compared_folder)
    table = models_table(results)
    assert cells(table, "Collapsed")["song-vae"].text == "yes (2 of 2)"
    assert cells(table, "Dimensions")["song-vae"].text == "0 of 4"
    assert results.assessment.recommendation.models == ("balanced-pca",)
    note = cells(label_table(results), "Model")["song-vae"].note
    assert note == "collapsed"
