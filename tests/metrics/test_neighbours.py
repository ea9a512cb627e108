"""Neighbours, the artist filter and agreement against brute force, by hand and by chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from songscape.errors import SongscapeError
from songscape.metrics.neighbours import (
    class_mean,
    knn_agreement_samples,
    knn_chance,
    nearest_neighbors,
    undefined_neighbours,
    uninformative,
    without_groups,
)


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
    found = nearest_neighbors(X, k)
    indices, distances = brute(X, min(k, n - 1))
    assert (found.indices == indices).all()
    np.testing.assert_allclose(found.distances, distances, rtol=1e-7)


@given(st.integers(5, 40), st.integers(0, 1000))
def test_duplicates_are_neighbours_and_nobody_is_their_own(n, seed):
    X = np.random.default_rng(seed).integers(0, 2, size=(n, 2)).astype(float)
    found = nearest_neighbors(X, 3)
    assert (found.indices != np.arange(n)[:, None]).all()
    np.testing.assert_allclose(found.distances, brute(X, 3)[1])


@settings(deadline=None)
@given(st.integers(3, 50), st.integers(1, 6), st.integers(1, 12), st.integers(0, 10**6))
def test_the_artist_filter_gives_the_nearest_strangers(n, artists, k, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    artist = rng.integers(-1, artists, n)
    found = without_groups(nearest_neighbors(X, 2), artist, k, X)
    allowed = (artist[:, None] != artist[None]) | (artist[:, None] < 0)
    indices, distances = brute(X, k, allowed)
    width = indices.shape[1]
    indices[np.isinf(distances)] = -1
    assert (found.indices[:, :width] == indices).all()
    assert (found.indices[:, width:] == -1).all()
    np.testing.assert_allclose(found.distances[:, :width], distances, rtol=1e-9)


def test_one_track_has_no_neighbours():
    with pytest.raises(SongscapeError, match="1 track has none"):
        nearest_neighbors(np.ones((1, 2)))
    with pytest.raises(SongscapeError, match="missing or infinite"):
        nearest_neighbors(np.full((3, 2), np.nan))


def test_neighbour_agreement_by_hand():
    X = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])
    labels = ["a", "a", "b", None, "b"]
    values = knn_agreement_samples(nearest_neighbors(X, 2), labels)
    # Neighbours: 1 2 | 0 2 | 1 0 | 2 1 | 3 2; the unlabelled fourth neither asks nor answers.
    np.testing.assert_array_equal(values, [0.5, 0.5, 0.0, np.nan, 1.0])
    assert np.nanmean(values) == pytest.approx(0.5)
    assert class_mean(values, labels) == pytest.approx((0.5 + 0.5) / 2)


def test_random_neighbours_agree_by_chance():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 3000, p=[0.6, 0.2, 0.15, 0.05])
    values = knn_agreement_samples(nearest_neighbors(rng.normal(size=(3000, 8)), 10), labels)
    chance, balanced = knn_chance(labels)
    assert values.mean() == pytest.approx(chance, abs=0.01)
    assert class_mean(values, labels) == pytest.approx(balanced, abs=0.02)


def test_the_artist_filter_unmasks_a_method_that_only_knows_artists():
    rng = np.random.default_rng(0)
    artist = np.repeat(np.arange(60), 10)
    genre = rng.integers(0, 3, 60)[artist]
    X = 10 * rng.normal(size=(60, 6))[artist] + rng.normal(size=(600, 6))
    near = nearest_neighbors(X, 20)
    assert knn_agreement_samples(near.first(9), genre).mean() > 0.9
    filtered = knn_agreement_samples(without_groups(near, artist, 9, X), genre)
    assert filtered.mean() == pytest.approx(knn_chance(genre)[0], abs=0.12)


def test_chance_with_an_artist_filter_is_what_random_neighbours_give() -> None:
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(20), 6)
    labels = np.array(["a", "b", "c"])[np.repeat(rng.integers(0, 3, 20), 6)]
    expected = []
    for i in range(len(labels)):
        others = np.flatnonzero(artists != artists[i])
        expected.append(np.mean(labels[others] == labels[i]))
    mean, balanced = knn_chance(labels, artists)
    assert mean == pytest.approx(np.mean(expected))
    assert balanced == pytest.approx(
        np.mean([np.mean(np.array(expected)[labels == name]) for name in "abc"])
    )


def test_agreement_that_no_space_could_fail_or_pass_is_named() -> None:
    alone, kinds = np.arange(24), np.arange(24) % 2
    pairs = alone // 2
    assert undefined_neighbours(kinds, alone, 10) == ""
    assert "same value" in undefined_neighbours(np.zeros(24, int), alone, 10)
    assert "no track has a value" in undefined_neighbours([None] * 24, alone, 10)
    assert "no two tracks share" in undefined_neighbours(alone, alone, 10)
    assert "two groups" in undefined_neighbours(pairs, pairs, 10), "an album within an artist"
    assert "two groups" in undefined_neighbours(kinds, np.zeros(24, int), 10)
    assert "more than 10 others" in undefined_neighbours(kinds[:11], alone[:11], 10)
    assert "more than 8 others" in undefined_neighbours(kinds[:16], alone[:16] // 8, 10)


def test_a_space_that_is_the_same_for_every_track_is_uninformative() -> None:
    rng = np.random.default_rng(0)
    constant = np.tile(rng.normal(size=5), (20, 1))
    assert "same for every track" in uninformative(constant)
    assert "same for every track" in uninformative(np.zeros((20, 3)))
    assert uninformative(np.zeros((0, 3)))
    jitter = constant.astype(np.float32) * (1 + 1e-7 * rng.choice([-1, 1], (20, 1)))
    assert uninformative(jitter.astype(np.float32)), "rounding is no information"
    constant[3, 2] += 1e-3
    assert uninformative(constant) == "", "one track that differs is information"
