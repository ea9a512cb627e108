"""Neighbour agreement by hand, by chance and with the artist filter."""

import numpy as np
import pytest

from songscape.metrics.neighbour_agreement import (
    knn_agreement_samples,
    knn_chance,
    knn_label_agreement,
)
from songscape.metrics.neighbours import nearest_neighbors


def test_neighbour_agreement_by_hand():
    X = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])
    labels = ["a", "a", "b", None, "b"]
    values = knn_agreement_samples(nearest_neighbors(X, 2), labels)
    # Neighbours: 1 2 | 0 2 | 1 0 | 2 1 | 3 2; the unlabelled fourth neither asks nor answers.
    np.testing.assert_array_equal(values, [0.5, 0.5, 0.0, np.nan, 1.0])
    result = knn_label_agreement(nearest_neighbors(X, 4), labels, k=2)
    assert result["mean"] == pytest.approx(0.5)
    assert result["balanced"] == pytest.approx((0.5 + 0.5) / 2)
    assert (result["n_used"], result["n_missing"]) == (4, 1)


def test_random_neighbours_agree_by_chance():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 3000, p=[0.6, 0.2, 0.15, 0.05])
    result = knn_label_agreement(nearest_neighbors(rng.normal(size=(3000, 8)), 10), labels)
    assert result["mean"] == pytest.approx(result["chance"], abs=0.01)
    assert result["balanced"] == pytest.approx(result["balanced_chance"], abs=0.02)


def test_the_artist_filter_unmasks_a_method_that_only_knows_artists():
    rng = np.random.default_rng(0)
    artist = np.repeat(np.arange(60), 10)
    genre = rng.integers(0, 3, 60)[artist]
    X = 10 * rng.normal(size=(60, 6))[artist] + rng.normal(size=(600, 6))
    near = nearest_neighbors(X, 20)
    assert knn_label_agreement(near, genre, k=9)["mean"] > 0.9
    filtered = knn_label_agreement(near, genre, k=9, artists=artist, X=X)
    assert filtered["mean"] == pytest.approx(filtered["chance"], abs=0.12)


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
