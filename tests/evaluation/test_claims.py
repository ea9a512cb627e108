"""Differences are claimed only where whoever is ahead has something to be ahead with."""

from typing import Any

import numpy as np
import pytest

from songscape.evaluation.compare import ModelEvidence, compare
from songscape.evaluation.evidence import Subject, partition_rows

N = 120
GENRE = np.arange(N) % 3


def by_dbscan(model: str, kind: str, clusters: Any, subject: Subject) -> ModelEvidence:
    rng = np.random.default_rng(0)
    rows = partition_rows(clusters, rng.normal(size=(N, 2)), subject)
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
