"""Differences are claimed only where whoever is ahead has something to be ahead with."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import stats

from songscape.benchmark.claims import above_chance, withhold
from songscape.benchmark.measure import Subject, partition_rows
from songscape.benchmark.metric_table import Measured
from songscape.benchmark.summary import ModelEvidence, compare

N = 120
GENRE = np.arange(N) % 3


def by_dbscan(model: str, kind: str, clusters: Any, subject: Subject) -> ModelEvidence:
    rng = np.random.default_rng(0)
    rows = partition_rows(clusters, rng.normal(size=(len(clusters), 2)), subject)
    rows = [row | {"seed": 0, "clusterer": "dbscan", "k": None} for row in rows]
    return ModelEvidence(model, kind, rows, {}, {("dbscan", None): clusters[None, :]})


@pytest.mark.parametrize(("kept", "word"), [(0.3, "not distinguishable from"), (1, "better than")])
def test_clusters_for_the_easy_songs_alone_are_better_than_nothing(kept: float, word: str) -> None:
    rng = np.random.default_rng(1)
    subject = Subject({"genre": GENRE}, {}, None, np.arange(N))
    plain, unrelated = rng.integers(0, 3, N), rng.integers(0, 3, N)
    refusing = np.where(np.arange(N) < kept * N, GENRE, -1)
    evidence = [
        by_dbscan("balanced-pca", "baseline", plain, subject),
        by_dbscan("timbre-pca", "baseline", unrelated, subject),
        by_dbscan("refusing", "vae", refusing, subject),
        by_dbscan("refusing-pca", "baseline", refusing, subject),
    ]
    result = compare(evidence, subject, headline=("dbscan", None))
    ami = result.table[(result.table["metric"] == "ami") & (result.table["model"] == "refusing")]
    assert ami["estimate"].iloc[0] == pytest.approx(1)
    tests = result.differences.set_index("model")
    assert tests.loc["refusing", "difference"] > 0.9
    assert tests.loc["refusing", "verdict"] == word
    assert tests.loc["refusing", "withheld"] == ("mostly noise" if kept < 1 else "")
    # And it is nobody's yardstick.
    assert (tests.loc["timbre-pca", "best_baseline"] == "refusing-pca") == (kept == 1)


@pytest.mark.parametrize("n_tests", [1, 20])
@pytest.mark.parametrize("n_groups", [12, float("nan")])
def test_above_chance_is_a_one_sided_test_corrected_for_all_tests(n_tests, n_groups):
    law = stats.norm if np.isnan(n_groups) else stats.t(n_groups - 1)
    value, error = 0.5, 0.01
    row = {"estimate": value, "low": value - error * law.ppf(0.975)}
    edge = value - error * law.ppf(1 - 0.025 / n_tests)
    for chance in (edge - 1e-9, edge + 1e-9):
        said = above_chance(row | {"chance": chance}, "knn", n_tests=n_tests, n_groups=n_groups)
        assert said == (chance < edge)


def test_a_value_just_above_chance_among_many_tests_is_no_win(made: ModuleType) -> None:
    """Where the baseline is below chance, one of twenty values clears it by luck."""
    shown = {"low": 0.1597, "high": 0.214, "chance": 0.1594}
    rows = [made.row("tidy-vae", "agreement", "knn_balanced", "genre", 0.186, **shown)]
    tests = [made.outcome("tidy-vae", "better than", "knn_balanced", "genre")]
    others = [
        made.outcome(f"{number}-vae", "not distinguishable from", "knn_balanced", "genre")
        for number in range(19)
    ]
    for given, word in ((tests, "better than"), (tests + others, "not distinguishable from")):
        _, differences, _ = made.tables(rows, given)
        measured = Measured(made.tables(rows, [])[0])
        found = withhold(differences, measured, ("kmeans", 4))
        assert found["verdict"].iloc[0] == word
        assert (found["withheld"].iloc[0] == "no better than chance") == (len(given) > 1)
        again = withhold(found, measured, ("kmeans", 4))
        assert again.equals(found)


def test_whoever_is_at_chance_gives_nothing_away(made: ModuleType) -> None:
    """The baseline is below chance (a nuisance dealt evenly): noise has no more to give away."""
    shown = {"axis": "leakage", "metric": "knn", "column": "language"}
    values = {"balanced-pca": 0.84, "random": 0.889, "poet": 0.95}
    rows = [made.row(name, value=v, chance=0.889, **shown) for name, v in values.items()]
    tests = [made.outcome(name, "worse than", **shown) for name in ("random", "poet")]
    table, differences, _ = made.tables(rows, tests)
    found = withhold(differences, Measured(table), ("kmeans", 4), {"random"})
    assert list(found["verdict"]) == ["not distinguishable from", "worse than"]


def test_clusters_that_follow_artists_are_no_better_on_labels_dealt_to_artists() -> None:
    """AMI of two things that are clumped by artist is above 0 by chance; the baseline's isn't."""
    claimed = {"ahead": 0, "better": 0}
    for run in range(30):
        rng = np.random.default_rng(run)
        artist = rng.permutation(np.repeat(np.arange(20), 6))
        by_artist, dealt = rng.integers(0, 6, 20)[artist], rng.integers(0, 4, 20)[artist]
        subject = Subject({"genre": dealt}, {}, None, artist)
        evidence = [
            by_dbscan("balanced-pca", "baseline", rng.integers(0, 6, N), subject),
            by_dbscan("timbre-pca", "baseline", by_artist, subject),
        ]
        test = compare(evidence, subject, headline=("dbscan", None)).differences.iloc[0]
        claimed["ahead"] += test["adjusted_p"] <= 0.05 and test["difference"] > 0
        claimed["better"] += test["verdict"] == "better than"
    assert claimed["ahead"] > 10, "without the guard there would be nothing to withhold"
    assert claimed["better"] <= 3
