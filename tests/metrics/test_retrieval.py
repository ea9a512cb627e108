"""Retrieval against scikit-learn's average precision, and what copies may not do."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from songscape.metrics.neighbours import nearest_neighbors, without_groups
from songscape.metrics.retrieval import (
    average_precision_chance,
    average_precision_samples,
    hit_samples,
    undefined_retrieval,
)


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


@pytest.mark.parametrize("with_copies", [False, True])
def test_average_precision_by_chance_is_what_random_spaces_give(with_copies):
    rng = np.random.default_rng(0)
    artists = [None if value == 9 else str(value) for value in rng.integers(0, 10, 60)]
    copies = rng.integers(0, 40, 60) if with_copies else None
    found = [
        np.nanmean(average_precision_samples(rng.normal(size=(60, 8)), artists, copies=copies))
        for _ in range(300)
    ]
    chance = average_precision_chance(artists, copies)
    assert np.mean(found) == pytest.approx(chance, abs=4 * np.std(found) / 300**0.5)
    assert math.isnan(average_precision_chance(list("abc")))


def test_retrieval_counts_only_artists_with_two_tracks():
    X = np.array([[0.0], [1.0], [5.0], [20.0]])
    artists = ["a", "a", "b", None]
    hits = hit_samples(nearest_neighbors(X, 1), artists, k=1)
    np.testing.assert_array_equal(hits, [1, 1, np.nan, np.nan])
    np.testing.assert_array_equal(average_precision_samples(X, artists), [1, 1, np.nan, np.nan])
    assert np.isnan(hit_samples(nearest_neighbors(X, 1), list("abcd"))).all()


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


def test_sampled_queries_are_some_of_all_and_their_mean_is_near():
    rng = np.random.default_rng(0)
    X, artist = rng.normal(size=(400, 4)), rng.integers(0, 100, 400)
    full = average_precision_samples(X, artist)
    part = average_precision_samples(X, artist, max_queries=150)
    drawn = np.isfinite(part)
    assert drawn.sum() == 150
    np.testing.assert_array_equal(part[drawn], full[drawn])
    error = np.nanstd(full) / 150**0.5
    assert abs(np.nanmean(part) - np.nanmean(full)) < 4 * error


def test_retrieval_that_no_space_could_fail_or_pass_is_named():
    two = ["a", "a", "b", "b"] * 6
    assert "one artist" in undefined_retrieval(["a"] * 24, None, 10)
    assert "two tracks" in undefined_retrieval([f"artist {i}" for i in range(24)], None, 10)
    assert "two tracks" in undefined_retrieval(two[:2] + list("cdefgh"), [0, 0, *range(1, 7)], 3)
    assert "more than 10 others" in undefined_retrieval(two[:11], None, 10)
    assert undefined_retrieval(two, None, 10) == ""
    assert undefined_retrieval(two[:11], None, None) == "", "the whole ranking says something"
    assert undefined_retrieval(["a", "a", None] * 8, None, 10) == "", "others may be near"
