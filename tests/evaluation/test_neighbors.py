"""Neighbours, artist filter, retrieval and mixing against independent references."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import chisquare
from sklearn.metrics import average_precision_score

from songscape.errors import SongscapeError
from songscape.evaluation import mixing
from songscape.evaluation import neighbors as nb

# The tests run with --import-mode=importlib, where neighbours in a folder are no modules.
SPEC = importlib.util.spec_from_file_location(
    "scib_reference", Path(__file__).with_name("scib_reference.py")
)
scib = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(scib)


def brute(X, k, allowed=None):
    distances = cdist(X, X)
    np.fill_diagonal(distances, np.inf)
    if allowed is not None:
        distances[~allowed] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(distances, order, axis=1)


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(1, 20), st.integers(1, 100), st.integers(0, 10**6))
def test_neighbours_are_the_nearest_others(n, d, k, seed):
    X = np.random.default_rng(seed).normal(size=(n, d)) + 100
    found = nb.nearest_neighbors(X, k)
    indices, distances = brute(X, min(k, n - 1))
    assert (found.indices == indices).all()
    np.testing.assert_allclose(found.distances, distances, rtol=1e-7)


@given(st.integers(5, 40), st.integers(0, 1000))
def test_duplicates_are_neighbours_and_nobody_is_their_own(n, seed):
    X = np.random.default_rng(seed).integers(0, 2, size=(n, 2)).astype(float)
    found = nb.nearest_neighbors(X, 3)
    assert (found.indices != np.arange(n)[:, None]).all()
    np.testing.assert_allclose(found.distances, brute(X, 3)[1])


@settings(deadline=None)
@given(st.integers(3, 50), st.integers(1, 6), st.integers(1, 12), st.integers(0, 10**6))
def test_the_artist_filter_gives_the_nearest_strangers(n, artists, k, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    artist = rng.integers(-1, artists, n)
    found = nb.without_groups(nb.nearest_neighbors(X, 2), artist, k, X)
    allowed = (artist[:, None] != artist[None]) | (artist[:, None] < 0)
    indices, distances = brute(X, k, allowed)
    width = indices.shape[1]
    indices[np.isinf(distances)] = -1
    assert (found.indices[:, :width] == indices).all()
    assert (found.indices[:, width:] == -1).all()
    np.testing.assert_allclose(found.distances[:, :width], distances, rtol=1e-9)


def test_neighbour_agreement_by_hand():
    X = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])
    labels = ["a", "a", "b", None, "b"]
    values = nb.knn_agreement_samples(nb.nearest_neighbors(X, 2), labels)
    # Neighbours: 1 2 | 0 2 | 1 0 | 2 1 | 3 2; the unlabelled fourth neither asks nor answers.
    np.testing.assert_array_equal(values, [0.5, 0.5, 0.0, np.nan, 1.0])
    result = nb.knn_label_agreement(nb.nearest_neighbors(X, 4), labels, k=2)
    assert result["mean"] == pytest.approx(0.5)
    assert result["balanced"] == pytest.approx((0.5 + 0.5) / 2)
    assert (result["n_used"], result["n_missing"]) == (4, 1)


def test_random_neighbours_agree_by_chance():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 3000, p=[0.6, 0.2, 0.15, 0.05])
    result = nb.knn_label_agreement(nb.nearest_neighbors(rng.normal(size=(3000, 8)), 10), labels)
    assert result["mean"] == pytest.approx(result["chance"], abs=0.01)
    assert result["balanced"] == pytest.approx(result["balanced_chance"], abs=0.02)


def test_the_artist_filter_unmasks_a_method_that_only_knows_artists():
    rng = np.random.default_rng(0)
    artist = np.repeat(np.arange(60), 10)
    genre = rng.integers(0, 3, 60)[artist]
    X = 10 * rng.normal(size=(60, 6))[artist] + rng.normal(size=(600, 6))
    near = nb.nearest_neighbors(X, 20)
    assert nb.knn_label_agreement(near, genre, k=9)["mean"] > 0.9
    filtered = nb.knn_label_agreement(near, genre, k=9, artists=artist, X=X)
    assert filtered["mean"] == pytest.approx(filtered["chance"], abs=0.12)


@settings(deadline=None, max_examples=40)
@given(st.integers(4, 40), st.integers(1, 6), st.integers(0, 1000), st.booleans())
def test_average_precision_is_scikit_learns(n, artists, seed, ties):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (n, 2)).astype(float) if ties else rng.normal(size=(n, 3))
    artist = rng.integers(0, artists, n)
    ours = nb.average_precision_samples(X, artist)
    # Integer coordinates: squared distances are exact, so equal ones are equal for both.
    squares = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    for row in range(n):
        others = np.arange(n) != row
        same = artist[others] == artist[row]
        if not same.any():
            assert math.isnan(ours[row])
        elif not ties:
            expected = average_precision_score(same, -squares[row][others])
            assert ours[row] == pytest.approx(expected, abs=1e-6)
        else:
            assert 0 < ours[row] <= 1


def test_retrieval_counts_only_artists_with_two_tracks():
    X = np.array([[0.0], [1.0], [5.0], [20.0]])
    result = nb.retrieval(X, nb.nearest_neighbors(X, 1), ["a", "a", "b", None], k=1)
    assert result == {"hit": 1.0, "map": 1.0, "map_error": 0.0, "n_used": 2}
    alone = nb.retrieval(X, nb.nearest_neighbors(X, 1), list("abcd"))
    assert math.isnan(alone["hit"])
    assert alone["n_used"] == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(6, 30), st.integers(1, 5), st.integers(0, 1000))
def test_the_copies_of_a_song_are_not_retrieved(n, artists, seed):
    rng = np.random.default_rng(seed)
    X, artist = rng.normal(size=(n, 3)), rng.integers(0, artists, n)
    copies = rng.integers(0, n // 2, n)
    near = nb.without_groups(nb.nearest_neighbors(X, n - 1), copies, 3, X)
    hits = nb.hit_samples(near, artist, k=3, copies=copies)
    precision = nb.average_precision_samples(X, artist, copies=copies)
    squares = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    for row in range(n):
        others = np.flatnonzero(copies != copies[row])
        same = artist[others] == artist[row]
        if not same.any():
            assert math.isnan(hits[row])
            assert math.isnan(precision[row])
            continue
        order = np.argsort(squares[row][others])
        assert hits[row] == same[order[:3]].any()
        expected = average_precision_score(same, -squares[row][others])
        assert precision[row] == pytest.approx(expected, abs=1e-6)


def test_sampled_queries_state_their_error():
    rng = np.random.default_rng(0)
    X, artist = rng.normal(size=(400, 4)), rng.integers(0, 100, 400)
    near = nb.nearest_neighbors(X, 10)
    full = nb.retrieval(X, near, artist)
    part = nb.retrieval(X, near, artist, max_queries=150)
    assert full["map_error"] == 0
    assert abs(part["map"] - full["map"]) < 4 * part["map_error"]


@pytest.mark.parametrize("n_neighbors", [16, 31])
def test_mixing_is_scib_metrics(n_neighbors):
    reference = json.loads(scib.TARGET.read_text())[str(n_neighbors)]
    X, batches = scib.example()
    near = nb.nearest_neighbors(X, n_neighbors - 1)  # scib-metrics counts the track itself
    perplexity = n_neighbors // 3
    lisi = mixing.lisi_samples(near, batches, perplexity=perplexity)
    np.testing.assert_allclose(lisi, reference["lisi"], atol=1e-6)
    value = mixing.ilisi(near, batches, perplexity=perplexity)
    assert value == pytest.approx(reference["ilisi"], abs=1e-6)
    assert mixing.kbet(near, batches) == pytest.approx(reference["kbet"], abs=1e-6)
    p_values = mixing.kbet_samples(near, batches)
    np.testing.assert_allclose(p_values, reference["kbet_p_values"], atol=1e-6)


def test_kbet_is_a_chi_squared_test_of_each_neighbourhood():
    rng = np.random.default_rng(2)
    X, batch = rng.normal(size=(90, 2)), rng.choice(3, 90, p=[0.5, 0.3, 0.2])
    near = nb.nearest_neighbors(X, 20)
    share = np.bincount(batch) / 90
    ours = mixing.kbet_samples(near, batch, include_self=False)
    for row in range(90):
        counts = np.bincount(batch[near.indices[row]], minlength=3)
        assert ours[row] == pytest.approx(chisquare(counts, 20 * share).pvalue)


def test_mixed_and_separated_batches_are_told_apart():
    rng = np.random.default_rng(0)
    X, batch = rng.normal(size=(600, 5)), rng.integers(0, 2, 600)
    mixed = nb.nearest_neighbors(X, 60)
    apart = nb.nearest_neighbors(X + 20 * batch[:, None], 60)
    assert mixing.ilisi(mixed, batch) > 0.8
    assert mixing.kbet(mixed, batch) > 0.9
    assert mixing.ilisi(apart, batch) == pytest.approx(0, abs=1e-9)
    assert mixing.kbet(apart, batch) == 0


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_mixing_survives_any_units(scale):
    rng = np.random.default_rng(0)
    X, batch = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)
    expected = mixing.ilisi(nb.nearest_neighbors(X, 60), batch)
    scaled = mixing.ilisi(nb.nearest_neighbors(X * scale, 60), batch)
    assert scaled == pytest.approx(expected, abs=1e-3)


def test_one_class_or_missing_values_have_no_mixing():
    near = nb.nearest_neighbors(np.random.default_rng(0).normal(size=(50, 2)), 20)
    assert math.isnan(mixing.ilisi(near, ["x"] * 50))
    assert math.isnan(mixing.kbet(near, ["x"] * 50))
    nuisance = ["x", "y", None, "x", ""] * 10
    missing = np.array([v in (None, "") for v in nuisance])
    assert (np.isnan(mixing.lisi_samples(near, nuisance)) == missing).all()
    assert (np.isnan(mixing.kbet_samples(near, nuisance)) == missing).all()


def test_one_track_has_no_neighbours():
    with pytest.raises(SongscapeError, match="1 track has none"):
        nb.nearest_neighbors(np.ones((1, 2)))
    with pytest.raises(SongscapeError, match="missing or infinite"):
        nb.nearest_neighbors(np.full((3, 2), np.nan))


def test_chance_with_an_artist_filter_is_what_random_neighbours_give() -> None:
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(20), 6)
    labels = np.array(["a", "b", "c"])[np.repeat(rng.integers(0, 3, 20), 6)]
    expected = []
    for i in range(len(labels)):
        others = np.flatnonzero(artists != artists[i])
        expected.append(np.mean(labels[others] == labels[i]))
    mean, balanced = nb.knn_chance(labels, artists)
    assert mean == pytest.approx(np.mean(expected))
    assert balanced == pytest.approx(
        np.mean([np.mean(np.array(expected)[labels == name]) for name in "abc"])
    )
