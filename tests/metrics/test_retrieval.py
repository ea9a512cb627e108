"""Retrieval against scikit-learn's average precision, and what copies may not do."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from songscape.metrics.neighbours import nearest_neighbors, without_groups
from songscape.metrics.retrieval import average_precision_samples, hit_samples, retrieval


@settings(deadline=None, max_examples=40)
@given(st.integers(4, 40), st.integers(1, 6), st.integers(0, 1000), st.booleans())
def test_average_precision_is_scikit_learns(n, artists, seed, ties):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (n, 2)).astype(float) if ties else rng.normal(size=(n, 3))
    artist = rng.integers(0, artists, n)
    ours = average_precision_samples(X, artist)
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
    result = retrieval(X, nearest_neighbors(X, 1), ["a", "a", "b", None], k=1)
    assert result == {"hit": 1.0, "map": 1.0, "map_error": 0.0, "n_used": 2}
    alone = retrieval(X, nearest_neighbors(X, 1), list("abcd"))
    assert math.isnan(alone["hit"])
    assert alone["n_used"] == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(6, 30), st.integers(1, 5), st.integers(0, 1000))
def test_the_copies_of_a_song_are_not_retrieved(n, artists, seed):
    rng = np.random.default_rng(seed)
    X, artist = rng.normal(size=(n, 3)), rng.integers(0, artists, n)
    copies = rng.integers(0, n // 2, n)
    near = without_groups(nearest_neighbors(X, n - 1), copies, 3, X)
    hits = hit_samples(near, artist, k=3, copies=copies)
    precision = average_precision_samples(X, artist, copies=copies)
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
    near = nearest_neighbors(X, 10)
    full = retrieval(X, near, artist)
    part = retrieval(X, near, artist, max_queries=150)
    assert full["map_error"] == 0
    assert abs(part["map"] - full["map"]) < 4 * part["map_error"]
