"""Metrics agree with scikit-learn, leave noise out, and give nothing a perfect score."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestCentroid

from songscape.metrics import clusters as metrics
from songscape.metrics import neighbours
from songscape.metrics import silhouette as silhouettes

AGREEMENT = {
    "ari": reference.adjusted_rand_score,
    "ami": reference.adjusted_mutual_info_score,
    "nmi": reference.normalized_mutual_info_score,
    "homogeneity": reference.homogeneity_score,
    "completeness": reference.completeness_score,
    "v_measure": reference.v_measure_score,
}
INTERNAL = {
    "silhouette": reference.silhouette_score,
    "davies_bouldin": reference.davies_bouldin_score,
    "calinski_harabasz": reference.calinski_harabasz_score,
}


@st.composite
def partitions(draw, clusters=6, smallest=3):
    n = draw(st.integers(smallest, 60))
    k = draw(st.integers(1, clusters))
    return np.array(draw(st.lists(st.integers(-1, k - 1), min_size=n, max_size=n)))


def n_of(labels):
    return len(np.unique(labels))


@settings(deadline=None)
@given(st.data())
def test_agreement_is_scikit_learns_on_clustered_labelled_tracks(data):
    labels = data.draw(partitions())
    n = len(labels)
    names = st.lists(st.sampled_from(["a", "b", "ক", "", None]), min_size=n, max_size=n)
    truth = data.draw(names)
    ours = metrics.agreement(labels, truth)
    kept = np.array([c >= 0 and t not in ("", None) for c, t in zip(labels, truth, strict=True)])
    clusters, classes = labels[kept], np.array(truth, dtype=object)[kept].astype(str)
    assert ours["n_used"] == kept.sum()
    assert ours["n_missing"] == sum(t in ("", None) for t in truth)
    defined = min(n_of(clusters), n_of(classes)) > 1
    defined = defined and max(n_of(clusters), n_of(classes)) < len(clusters)
    for name, function in AGREEMENT.items():
        if defined:
            assert ours[name] == pytest.approx(function(classes, clusters), abs=1e-6)
        else:
            assert math.isnan(ours[name])
    if defined:
        table = reference.cluster.contingency_matrix(classes, clusters)
        assert ours["purity"] == pytest.approx(table.max(axis=0).sum() / len(clusters))
        assert (metrics.contingency(clusters, classes) == table.T).all()


@settings(deadline=None)
@given(partitions(), st.integers(1, 5), st.integers(0, 1000), st.sampled_from([1e-2, 1.0, 1e4]))
def test_internal_metrics_are_scikit_learns_on_clustered_tracks(labels, d, seed, scale):
    X = scale * np.random.default_rng(seed).normal(size=(len(labels), d)) + 3 * scale
    ours = metrics.internal_metrics(X, labels)
    kept = labels >= 0
    assert ours["noise_share"] == pytest.approx(np.mean(~kept))
    assert ours["n_clusters"] == n_of(labels[kept])
    defined = 2 <= n_of(labels[kept]) < kept.sum()
    for name, function in INTERNAL.items():
        if defined:
            value = function(X[kept], labels[kept])
            assert ours[name] == pytest.approx(value, rel=1e-6, abs=1e-6)
        else:
            assert math.isnan(ours[name])


@pytest.mark.parametrize("k", [2, 7, 600])
def test_silhouettes_are_scikit_learns_across_chunks(k, monkeypatch):
    monkeypatch.setattr(silhouettes, "_CACHED_NUMBERS", 100_000)
    rng = np.random.default_rng(k)
    X = rng.normal(size=(1500, 8)) + 50
    labels = rng.integers(0, k, 1500)
    X[:, 0] += labels
    expected = reference.silhouette_samples(X, labels)
    space, codes, sizes, _ = silhouettes.clustered_rows(X, labels)
    ours = silhouettes.silhouettes_of(space, codes, sizes, np.arange(len(X)))
    np.testing.assert_allclose(ours, expected, atol=1e-6)
    assert silhouettes.silhouette(X, labels) == (pytest.approx(expected.mean(), abs=1e-6), 0)


def test_simplified_silhouette_looks_at_centres_alone(monkeypatch):
    monkeypatch.setattr(neighbours, "_CHUNK_NUMBERS", 256)
    rng = np.random.default_rng(4)
    X, labels = rng.normal(size=(300, 3)), rng.integers(-1, 4, 300)
    kept = labels >= 0
    centres = NearestCentroid().fit(X[kept], labels[kept]).centroids_
    distances = reference.pairwise.euclidean_distances(X[kept], centres)
    own = distances[np.arange(kept.sum()), labels[kept]]
    other = np.where(np.arange(4) == labels[kept, None], np.inf, distances).min(axis=1)
    found = silhouettes.simplified_silhouette(X, labels)
    np.testing.assert_allclose(found[kept], (other - own) / np.maximum(own, other))
    assert np.isnan(found[~kept]).all(), "noise has no place in a cluster"
    assert (found[kept] < 0).any(), "nearer to another centre"
    for one_cluster in (np.zeros(300, int), np.full(300, -1)):
        assert np.isnan(silhouettes.simplified_silhouette(X, one_cluster)).all()
    assert silhouettes.simplified_silhouette([[0.0], [0.0], [0.0]], [0, 0, 1]).tolist() == [0.0] * 3


def test_sampled_silhouette_is_exact_when_everything_is_drawn():
    rng = np.random.default_rng(1)
    X, labels = rng.normal(size=(300, 4)), rng.integers(0, 5, 300)
    value, error = metrics.silhouette(X, labels, n_samples=300)
    assert value == pytest.approx(reference.silhouette_score(X, labels), abs=1e-9)
    assert error == 0


def test_the_stated_sampling_error_is_the_real_one():
    rng = np.random.default_rng(1)
    X, labels = rng.normal(size=(2000, 3)), rng.integers(0, 3, 2000)
    X[:, 0] += 2 * labels
    exact = reference.silhouette_score(X, labels)
    draws = [metrics.silhouette(X, labels, n_samples=200, random_state=s) for s in range(200)]
    deviation = np.array([(value - exact) / error for value, error in draws])
    assert abs(deviation.mean()) < 0.25
    assert 0.85 < deviation.std() < 1.15


def test_big_collections_are_sampled_and_say_so():
    rng = np.random.default_rng(1)
    X, labels = rng.normal(size=(3000, 3)), rng.integers(0, 3, 3000)
    ours = metrics.internal_metrics(X, labels, exact_up_to=2000)
    assert ours["silhouette_error"] > 0
    assert metrics.internal_metrics(X, labels)["silhouette_error"] == 0


@pytest.mark.parametrize(
    "labels",
    [[0] * 6, [-1] * 6, list(range(6)), [-1, -1, -1, -1, 0, 1]],
    ids=["one cluster", "all noise", "each its own", "noise but for two"],
)
def test_a_partition_that_says_nothing_has_no_score(labels):
    X = np.random.default_rng(0).normal(size=(6, 2))
    inside = metrics.internal_metrics(X, labels)
    outside = metrics.agreement(labels, list("aabbcc"))
    values = [inside[name] for name in INTERNAL]
    values += [outside[name] for name in [*AGREEMENT, "purity"]]
    assert all(math.isnan(value) for value in values)


def test_one_big_cluster_is_visible():
    labels = [0] * 97 + [1] * 2 + [-1]
    ours = metrics.internal_metrics(np.random.default_rng(0).normal(size=(100, 2)), labels)
    assert ours["largest_cluster_share"] == pytest.approx(97 / 99)
    assert ours["noise_share"] == 0.01


def test_coinciding_centroids_are_not_a_perfect_davies_bouldin():
    X = np.array([[-1.0], [1.0], [-2.0], [2.0]])
    assert math.isnan(metrics.davies_bouldin(X, [0, 0, 1, 1]))
    assert math.isnan(metrics.calinski_harabasz(np.ones((4, 1)), [0, 0, 1, 1]))


def test_noise_has_no_silhouette():
    X = np.array([[0.0], [0.1], [5.0], [5.1], [99.0]])
    value, _ = metrics.silhouette(X, [0, 0, 1, 1, -1])
    assert value == pytest.approx(reference.silhouette_score(X[:4], [0, 0, 1, 1]))


def test_missing_labels_come_in_every_costume():
    codes, classes = metrics.encode_labels(["b", None, "", float("nan"), "a", " ", "b"])
    assert codes.tolist() == [1, -1, -1, -1, 0, -1, 1]
    assert classes == ("a", "b")
    assert metrics.encode_labels([3.0, np.nan, 1.0])[0].tolist() == [1, -1, 0]
    assert metrics.encode_labels([2, -1, 0])[0].tolist() == [1, -1, 0]
    assert metrics.encode_labels([])[0].tolist() == []


def test_lengths_must_match():
    with pytest.raises(ValueError, match="one per track"):
        metrics.ari([0, 1], ["a"])
    with pytest.raises(ValueError, match="one per row"):
        metrics.silhouette(np.eye(3), [0, 1])


def test_one_class_is_pure_as_in_scikit_learn():
    two, one = np.array([[[3, 1], [1, 3]]]), np.array([[[4, 0], [4, 0]]])
    tables = np.concatenate([two, one])
    clusters, classes = np.repeat([0, 1], 4), np.zeros(8)
    for metric, expected in (("homogeneity", 1), ("completeness", 0)):
        assert AGREEMENT[metric](classes, clusters) == expected
        assert metrics.score_tables(metric, tables)[1] == expected
