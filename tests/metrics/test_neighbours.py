"""Neighbours and the artist filter against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from songscape.errors import SongscapeError
from songscape.metrics.neighbours import nearest_neighbors, without_groups


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
