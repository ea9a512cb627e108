"""Owners read first what their songs are, and what to be careful about."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from songscape.benchmark.keys import PartitionKey
from songscape.report.read import Partition, read_results
from songscape.report.sections import (
    collection,
    problems,
    short,
    song_name,
    stability,
    verdicts,
)


def change(folder: Path, name: str, **columns: object) -> None:
    """Set columns of one of the folder's tables."""
    frame = pd.read_csv(folder / f"{name}.csv", keep_default_na=False)
    frame.assign(**columns).to_csv(folder / f"{name}.csv", index=False)


def test_facts_are_the_commonest_values_genre_language_and_artist_first(run_folder: Path) -> None:
    found = collection(read_results(run_folder))["facts"]
    assert [column for column, _, _ in found] == ["genre", "language", "artist"]
    assert found[0][1] == "folk 52\u00a0% · <b>rock</b> & roll 48\u00a0%"
    assert [n_missing for _, _, n_missing in found] == [1, 0, 0]


def test_songs_are_called_by_title_and_artist_or_else_by_id(run_folder: Path) -> None:
    results = read_results(run_folder)
    assert song_name(results, "album/02") == "Ben – Song 02"
    assert song_name(results, "album/01") == "album/01"
    assert song_name(results, "not among the songs") == "not among the songs"


def test_unsure_songs_are_named_the_least_sure_first(compared_folder: Path) -> None:
    found = stability(read_results(compared_folder))["unsure"]
    assert found == [
        ("Ann – <script>alert('x')</script> 🎵 গান", "90\u00a0%"),
        ("Ben – Song 02", "30\u00a0%"),
    ]


def test_the_featured_partition_agrees_best_with_the_genre_in_a_run(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    figures = {"balanced-pca": 0.3, "tfidf": 0.2, "random": 0.9}
    rows = [row for m, ami in figures.items() for row in made.model_rows(m, genre_ami=ami)]
    results = read_results(write_results(tmp_path / "results", rows))
    assert results.featured == Partition("balanced-pca", PartitionKey("kmeans", 4))


@pytest.mark.parametrize("figures", [{"largest": 0.96}, {"noise": 0.7}, {"n_clusters": 0}])
def test_degenerate_partitions_are_not_featured(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path, figures: dict[str, float]
) -> None:
    rows = made.model_rows("song-vae", genre_ami=1.0, **figures) + made.model_rows("tfidf")
    results = read_results(write_results(tmp_path / "results", rows))
    assert results.featured is not None
    assert results.featured.model == "tfidf"


def test_collapsed_models_are_not_featured_and_are_named_first(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    rows = made.model_rows("song-vae", genre_ami=1.0) + made.model_rows("tfidf")
    folder = write_results(tmp_path / "results", rows, collapsed={"song_vae": True})
    results = read_results(folder)
    assert results.featured is not None
    assert results.featured.model == "tfidf"
    assert (True, "Failed or collapsed in training: song-vae.") in short(results)


def test_a_comparison_features_what_it_recommends(compared_folder: Path) -> None:
    results = read_results(compared_folder)
    assert results.featured == Partition("song-vae", PartitionKey("kmeans", 4))


def test_groups_that_follow_the_language_are_called_that_with_and_without_nulls(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    rows = made.model_rows("balanced-pca", genre_ami=0.1, language_ami=0.8)
    for tests in (None, []):
        results = read_results(write_results(tmp_path / str(tests), rows, tests))
        said = [text for careful, text in short(results) if careful]
        assert any(
            "follow the language (AMI 0.80) more than any label (genre: 0.10)" in s for s in said
        )
    rows = made.model_rows("balanced-pca", genre_ami=0.1, language_ami=0.0)
    results = read_results(write_results(tmp_path / "no language", rows))
    assert not any("language" in text for _, text in short(results))


def test_first_of_all_stand_the_number_of_groups_and_their_sizes(run_folder: Path) -> None:
    careful, text = short(read_results(run_folder))[0]
    assert not careful
    assert text.startswith("The songs are divided into 3 clusters of 7 to 8; 1 are in no cluster")


def test_problems_name_songs_that_are_not_ok_even_one_called_na(run_folder: Path) -> None:
    ledger = problems(read_results(run_folder))["ledger"]
    rows = [[cell.text for cell in row] for row in ledger.rows]
    assert [row[2] for row in rows] == ["warning", "failed"]
    assert rows[1][0] == "NA"
    change(run_folder, "ledger", status="ok")
    change(run_folder, "warnings", severity="note")
    assert problems(read_results(run_folder))["ledger"] is None


def test_every_method_has_a_line_of_where_it_is_better_and_worse(compared_folder: Path) -> None:
    table = verdicts(read_results(compared_folder))["table"]
    lines = {row[0].text: [cell.text for cell in row[1:4]] for row in table.rows}
    assert lines == {
        "balanced-pca": ["the baseline", "–", "0.55"],
        "tfidf": ["–", "▼ artist (hit@10)", "0.55"],
        "song-vae": ["▲ artist (hit@10)", "–", "0.55"],
    }
    notes = {row[0].text: (row[0].note, row[3].note) for row in table.rows}
    assert notes["song-vae"] == ("recommended", "less than the baseline")
    assert notes["tfidf"] == ("no training", "more than the baseline")
    assert [row[0].text for row in table.references] == ["random"]
