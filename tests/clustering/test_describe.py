"""Descriptions name what was planted in a cluster."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import fisher_exact

from songscape.clustering import describe
from songscape.features.views import View, Views

WORDS = ("love", "sea", "আকাশ", "the")


@pytest.fixture
def collection():
    """Cluster 0 sings of the sea, cluster 1 of the sky; both say "the"; one has no lyrics."""
    labels = np.array([0] * 6 + [1] * 4 + [-1] * 2)
    counts = np.zeros((12, 4))
    counts[:, 3] = 3
    counts[:6, 1] = 2
    counts[6:10, 2] = 2
    counts[5] = 0
    present = counts.sum(axis=1) > 0
    views = Views(
        tuple(f"t{i}" for i in range(12)),
        {
            "lyrics": View(sp.csr_array(counts), present, feature_names=WORDS),
        },
    )
    return labels, views


def test_a_description_names_words_labels_and_medoids(collection):
    labels, views = collection
    X = np.array([0, 1, 2, 3, 4, 20, 100, 101, 102, 130, 55, 56], float)[:, None]
    columns = {"genre": ["folk"] * 5 + ["pop"] * 5 + [None, "pop"], "language": ["en"] * 12}
    first, second = describe.describe_clusters(labels, X, views, columns)
    assert (first["cluster"], first["size"], first["share"]) == (0, 6, 0.5)
    assert first["typical"] == "t2; t3; t1; t4; t0"
    assert second["typical"] == "t7; t8; t6; t9"
    assert first["words"].split("; ")[0] == "sea"
    assert second["words"].split("; ")[0] == "আকাশ"
    assert first["labels"] == "genre=folk 83%"
    assert second["labels"].startswith("genre=pop ")


def test_lift_and_p_value_are_fishers():
    labels = np.array([0] * 10 + [1] * 20)
    genre = ["a"] * 7 + ["b"] * 3 + ["a"] * 4 + ["b"] * 16
    found = describe.label_shares(labels, genre, "genre")[0]
    assert [s.label for s in found] == ["a"]
    assert found[0].share == pytest.approx(0.7)
    assert found[0].lift == pytest.approx(0.7 / (11 / 30))
    expected = fisher_exact([[7, 3], [4, 16]], alternative="greater").pvalue
    assert found[0].p_value == pytest.approx(expected)


def test_class_tfidf_by_hand():
    view = View(
        sp.csr_array(np.array([[2.0, 0, 2], [0, 1, 3]])),
        np.ones(2, bool),
        feature_names=("x", "y", "z"),
    )
    found = describe.class_tfidf([0, 1], view)
    # Of x and z in the first: 2/4 log(1 + 4/2), 2/4 log(1 + 4/5); of y and z in the second:
    # 1/4 log(1 + 4/1), 3/4 log(1 + 4/5).
    assert found == {0: ["x", "z"], 1: ["z", "y"]}


def test_the_medoid_of_many_is_near_the_mean(monkeypatch):
    X = np.random.default_rng(0).normal(size=(300, 3))
    exact = describe.medoids(X)[:20]
    distances = np.linalg.norm(X[:, None] - X[None], axis=2).sum(axis=1)
    assert (exact == np.argsort(distances)[:20]).all()
    monkeypatch.setattr(describe, "_EXACT_MEDOID_UP_TO", 10)
    assert describe.medoids(X)[0] in exact


def test_without_views_or_labels_there_is_still_a_description(collection):
    labels, views = collection
    bare = describe.describe_clusters(labels, np.arange(12.0)[:, None], views.select([]), {})
    assert [row["size"] for row in bare] == [6, 4]
    assert bare[0]["words"] == bare[0]["labels"] == ""


@pytest.mark.filterwarnings("error")
def test_where_all_is_noise_there_is_nothing_to_describe(collection):
    _, views = collection
    noise = np.full(views.n_tracks, -1)
    assert describe.describe_clusters(noise, np.zeros((views.n_tracks, 2)), views, {}) == []
