"""Clusterers: the right clusters, canonical ids, determinism, errors that say what to do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import DBSCAN, AgglomerativeClustering
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from songscape.clustering.methods import (
    CLUSTERERS,
    NEEDS_K,
    OPTIONS,
    canonical_labels,
    check_clusterer_options,
    cluster,
    k_distance_curve,
    knee,
)
from songscape.clustering.trees import cut, ward_merges
from songscape.errors import SongscapeError, UsageError


@pytest.fixture(scope="module")
def blobs():
    return make_blobs([120, 90, 60, 30], n_features=6, cluster_std=0.5, random_state=3)


def run(name, X, k=4, **params):
    return cluster(name, X, k=k if name in NEEDS_K else None, **params)


@pytest.mark.parametrize("name", CLUSTERERS)
def test_every_clusterer_finds_separated_blobs(name, blobs):
    X, truth = blobs
    found = run(name, X)
    assert found.n_clusters == 4
    assert found.labels.dtype == np.int64
    kept = found.labels >= 0
    assert adjusted_rand_score(truth[kept], found.labels[kept]) == 1
    assert np.mean(~kept) < 0.1


@pytest.mark.parametrize("name", CLUSTERERS)
def test_same_seed_same_bytes(name, blobs):
    first, second = (run(name, blobs[0], random_state=5) for _ in range(2))
    assert first.labels.tobytes() == second.labels.tobytes()
    assert first.params == second.params


@pytest.mark.parametrize("name", CLUSTERERS)
def test_the_largest_cluster_is_0(name, blobs):
    labels = run(name, blobs[0]).labels
    sizes = np.bincount(labels[labels >= 0])
    assert (np.diff(sizes) <= 0).all()


@given(st.data())
def test_canonical_ids_depend_on_the_partition_only(data):
    n = data.draw(st.integers(1, 25))
    labels = np.array(data.draw(st.lists(st.integers(-1, 4), min_size=n, max_size=n)))
    X = np.random.default_rng(n).permutation(n)[:, None].astype(float)
    order = np.array(data.draw(st.permutations(range(n))))
    renamed = np.where(labels < 0, -1, np.array([7, 3, 11, 0, 5])[labels])
    first, second = canonical_labels(labels, X), canonical_labels(renamed[order], X[order])
    assert (first[order] == second).all()
    assert set(first[first >= 0]) == set(range(len(set(labels[labels >= 0]))))
    assert ((first < 0) == (labels < 0)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), st.integers(1, 5), st.integers(0, 10_000), st.booleans())
def test_ward_heights_are_scipys(n, d, seed, rounded):
    X = np.random.default_rng(seed).normal(size=(n, d))
    if rounded:  # many ties and duplicates; the tree may differ, its validity may not
        X = np.round(X)
    merges, heights = ward_merges(X)
    assert (np.diff(heights) >= 0).all()
    reference = linkage(X, "ward")
    for k in {1, min(3, n), n}:
        ours, theirs = cut(merges, k), fcluster(reference, k, "maxclust")
        assert len(np.unique(ours)) == k
        assert rounded or adjusted_rand_score(ours, theirs) == 1
    if not rounded:
        np.testing.assert_allclose(heights, reference[:, 2], rtol=1e-9)


@given(st.integers(1, 40), st.integers(1, 40))
def test_cutting_gives_exactly_k_clusters_despite_ties(n, k):
    X = np.zeros((max(n, k), 2))
    assert len(np.unique(cut(ward_merges(X)[0], k))) == k


@pytest.mark.parametrize("name", ["ward", "average"])
def test_agglomerative_is_scikit_learns(name):
    X = np.random.default_rng(0).normal(size=(150, 4))
    reference = AgglomerativeClustering(6, linkage=name).fit_predict(X)
    assert adjusted_rand_score(cluster(name, X, k=6).labels, reference) == 1


def test_dbscan_reports_its_curve_and_takes_eps_from_the_knee(blobs):
    X, _ = blobs
    found = cluster("dbscan", X)
    m, eps = found.params["min_samples"], found.params["eps"]
    curve = k_distance_curve(X, m)
    distances = np.sort(np.linalg.norm(X[:, None] - X[None], axis=2), axis=1)
    np.testing.assert_allclose(curve, np.sort(distances[:, m - 1]), atol=1e-6)
    assert eps in curve
    reference = DBSCAN(eps=eps, min_samples=m).fit_predict(X)
    assert adjusted_rand_score(found.labels, reference) == 1


def test_the_knee_of_two_lines_is_where_they_meet():
    assert knee(np.concatenate([np.linspace(0, 1, 81), np.linspace(1.5, 10, 20)])) == 80


@pytest.mark.parametrize("curve", [[2.0, 2.0, 2.0], [0.0, 1.0, 2.0, 3.0, 4.0], [1.0]])
def test_a_curve_without_a_knee_gives_its_middle(curve):
    assert knee(curve) == len(curve) // 2


@pytest.mark.parametrize("name", ["kmeans", "ward", "gmm", "average"])
@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_units_do_not_matter(name, scale, blobs):
    X, _ = blobs
    assert (run(name, X * scale).labels == run(name, X).labels).all()


@pytest.mark.parametrize("name", CLUSTERERS)
def test_missing_values_are_named(name):
    X = np.zeros((20, 2))
    X[7, 1] = np.nan
    with pytest.raises(SongscapeError, match=r"1 of 20 tracks .* row 7") as caught:
        run(name, X)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", CLUSTERERS)
def test_too_few_tracks_are_an_error_in_one_line(name):
    with pytest.raises(SongscapeError, match="3 tracks"):
        run(name, np.eye(3))


@pytest.mark.parametrize("name", sorted(NEEDS_K))
def test_one_track_is_one_cluster(name):
    assert cluster(name, [[1.0, 2.0]], k=1).labels.tolist() == [0]


@pytest.mark.parametrize("name", CLUSTERERS)
def test_identical_tracks_do_not_break_it(name):
    found = run(name, np.ones((30, 3)), k=2)
    assert found.n_clusters <= 2
    assert found.n_clusters > 0 or (found.labels == -1).all()


def test_unknown_names_and_parameters_are_usage_errors():
    with pytest.raises(UsageError, match="no clusterer 'kmean'; choose one of kmeans"):
        cluster("kmean", np.eye(4), k=2)
    with pytest.raises(UsageError, match="no option 'eps'; it has n_init, max_iter"):
        cluster("kmeans", np.eye(4), k=2, eps=1)
    with pytest.raises(UsageError, match="no option 'k'; it has none"):
        check_clusterer_options("ward", {"k": 3})
    with pytest.raises(UsageError, match="needs the number of clusters"):
        cluster("ward", np.eye(4))


@pytest.mark.parametrize(
    ("name", "option", "value", "wanted"),
    [
        ("dbscan", "eps", -1, "a number above 0"),
        ("dbscan", "eps", float("nan"), "a number above 0"),
        ("dbscan", "eps", "wide", "a number above 0"),
        ("dbscan", "eps", True, "a number above 0"),
        ("dbscan", "min_samples", 0, "a whole number from 1 on"),
        ("dbscan", "min_samples", 2.5, "a whole number from 1 on"),
        ("hdbscan", "min_cluster_size", 1, "a whole number from 2 on"),
        ("hdbscan", "cluster_selection_method", "best", "one of eom, leaf"),
        ("kmeans", "n_init", "many", "a whole number from 1 on"),
        ("gmm", "covariance_type", ["full"], "one of full, tied, diag, spherical"),
        ("average", "metric", "ward", "one of euclidean, "),
    ],
)
def test_a_wrong_option_is_refused_before_the_work(name, option, value, wanted):
    def clustered(name, options):
        return cluster(name, np.eye(9), k=2, **options)

    for check in (check_clusterer_options, clustered):
        with pytest.raises(UsageError) as caught:
            check(name, {option: value})
        assert str(caught.value).startswith(f"{name}: {option} = {value!r}; give {wanted}")


def test_options_are_those_of_the_clusterers_and_none_is_the_default(blobs):
    assert list(OPTIONS) == list(CLUSTERERS)
    X, _ = blobs
    for name, rows in OPTIONS.items():
        check_clusterer_options(name, {option: row.default for option, row in rows.items()})
        explicit = run(name, X, **{option: row.default for option, row in rows.items()})
        assert explicit.params == run(name, X).params
        assert set(rows) <= set(explicit.params)


@pytest.mark.parametrize("k", [0, -2, 2.5, "three"])
def test_a_wrong_number_of_clusters_is_a_usage_error(k):
    with pytest.raises(UsageError, match="a whole number from 1"):
        cluster("kmeans", np.eye(4), k=k)


def result_or_reason(name, X, k):
    try:
        return run(name, X, k=k)
    except SongscapeError as error:
        return str(error)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CLUSTERERS)
@pytest.mark.parametrize(
    "X",
    [
        np.arange(6.0).reshape(2, 3),
        np.zeros((2, 2)),
        np.ones((12, 1)),
        np.repeat(np.eye(3), 4, axis=0),
        np.random.default_rng(0).normal(size=(4, 50)),
        np.full((6, 2), 1e90) * [[1], [2], [3], [4], [5], [6]],
        np.full((6, 2), 1e200),
        np.full((6, 2), np.inf),
        np.empty((0, 2)),
        np.zeros(5),
        [["a", "b"], ["c", "d"]],
    ],
    ids=[
        *("two tracks", "two alike", "all alike", "three places", "wide", "huge", "too huge"),
        *("infinite", "no tracks", "no rows", "words"),
    ],
)
def test_odd_data_is_clustered_or_refused_in_one_line(name, X):
    for k in (1, 2, len(X)):
        found = result_or_reason(name, X, k)
        if isinstance(found, str):
            assert found.startswith(name)
            assert "\n" not in found
        else:
            assert found.labels.shape == (len(X),)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_a_metric_that_some_rows_do_not_have_is_refused(metric):
    with pytest.raises(SongscapeError, match=f"{metric} distances need rows"):
        cluster("average", np.vstack([np.eye(3), np.zeros((2, 3))]), k=2, metric=metric)


def test_average_linkage_refuses_what_would_not_fit(monkeypatch):
    monkeypatch.setattr("songscape.clustering.methods._MAX_AVERAGE_TRACKS", 10)
    with pytest.raises(SongscapeError, match="use ward or kmeans"):
        cluster("average", np.eye(11), k=2)


def test_dbscan_refuses_an_eps_that_joins_everything(monkeypatch, blobs):
    monkeypatch.setattr("songscape.clustering.methods._MAX_DBSCAN_PAIRS", 1000)
    with pytest.raises(SongscapeError, match="smaller eps"):
        cluster("dbscan", blobs[0], eps=1e6)
