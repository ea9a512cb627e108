"""Regions come back, are as many as do, and neighbourhoods have a handy size."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from songscape.clustering import levels
from songscape.clustering.levels import find_levels
from songscape.clustering.neighbourhoods import divide
from songscape.clustering.smoothed import kmeans_runs, nearest, smooth
from songscape.errors import SongscapeError, UsageError

Floats = NDArray[np.float64]


def blobs(n: int, k: int, apart: float = 4.0, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=n)
    return rng.normal(size=(n, 12)) + apart * rng.normal(size=(k, 12))[truth], truth


def test_clear_groups_are_found_and_sure() -> None:
    X, truth = blobs(400, 6)
    found = find_levels(X)
    assert found.n_regions == 6
    assert adjusted_rand_score(truth, found.regions) > 0.99
    assert found.jaccard.min() > 0.95
    assert not found.between.any()
    assert found.level is not None
    assert found.level.comes_back
    assert found.level.jaccard > found.level.null + 0.1


def test_three_clear_groups_are_three_regions() -> None:
    X, truth = blobs(600, 3)
    found = find_levels(X)
    assert found.n_regions == 3
    assert adjusted_rand_score(truth, found.regions) > 0.99
    assert not found.between.any()


def test_no_region_holds_more_than_half_or_less_than_a_hundredth() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, 10)) * np.geomspace(3, 0.5, 10)
    X[:3] += 40.0  # a few songs far away from all others
    sizes = np.bincount(find_levels(X).regions) / len(X)
    assert sizes.max() <= 0.5
    assert sizes.min() >= 0.01


def test_a_cloud_without_groups_is_no_surer_than_its_null() -> None:
    X = np.random.default_rng(5).normal(size=(400, 10))
    level = find_levels(X).level
    assert level is not None
    assert level.jaccard < level.null + 0.1


def test_songs_half_way_between_two_groups_are_named() -> None:
    rng = np.random.default_rng(1)
    ends = np.array([[0.0] * 6, [9.0] + [0.0] * 5, [0.0, 9.0] + [0.0] * 4])
    X = np.vstack([end + rng.normal(size=(80, 6)) for end in ends])
    bridge = np.linspace(0.3, 0.7, 30)[:, None] * ends[1] + 0.5 * rng.normal(size=(30, 6))
    found = find_levels(np.vstack([X, bridge]), k=3)
    assert found.share[:240].mean() > 0.97
    middle = found.share[240:][10:20]
    assert middle.mean() < found.share[:240].mean()
    assert (found.second[found.between] >= 0).all()
    assert (found.second != found.regions).all()


def test_regions_do_not_depend_on_units_or_place_and_repeat_themselves() -> None:
    X, _ = blobs(300, 5, apart=1.5)
    first, again, moved = find_levels(X), find_levels(X), find_levels(3.0 * X + 50.0)
    assert (first.regions == again.regions).all()
    assert (first.neighbourhoods == again.neighbourhoods).all()
    assert adjusted_rand_score(first.regions, moved.regions) > 0.99


def test_many_songs_are_placed_by_landmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    X, truth = blobs(900, 5)
    monkeypatch.setattr(levels, "_LANDMARKS", 200)
    found = find_levels(X)
    assert adjusted_rand_score(truth, found.regions) > 0.99
    assert np.bincount(found.neighbourhoods).max() <= 60


@pytest.mark.parametrize("n", [1, 4, 19])
def test_few_songs_are_one_group(n: int) -> None:
    found = find_levels(np.random.default_rng(0).normal(size=(n, 4)))
    assert found.n_regions == 1
    assert found.level is None
    assert not found.between.any()


def test_songs_that_are_all_equal_are_grouped_without_complaint() -> None:
    assert find_levels(np.ones((60, 4))).n_regions >= 1


def test_a_number_of_groups_can_be_asked_for() -> None:
    X, _ = blobs(200, 5)
    assert find_levels(X, k=8).n_regions == 8
    with pytest.raises(UsageError, match="from 1 to 100"):
        find_levels(X, k=101)


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(SongscapeError, match="missing or infinite"):
        find_levels(np.full((30, 2), np.nan))


def test_groups_stay_when_a_tenth_of_the_songs_goes() -> None:
    X, _ = blobs(500, 7, apart=1.2, seed=2)
    before = find_levels(X)
    kept = np.sort(np.random.default_rng(0).permutation(500)[:450])
    previous = before.regions[kept], before.neighbourhoods[kept]
    after = find_levels(X[kept], previous=previous)
    assert after.n_regions == before.n_regions
    for region in range(before.n_regions):
        old = before.regions[kept] == region
        overlap = [(old & (after.regions == new)).sum() for new in range(after.n_regions)]
        assert max(overlap) > 0.8 * old.sum()


def test_neighbourhoods_lie_within_regions_and_have_a_handy_size() -> None:
    X, _ = blobs(700, 4, apart=1.0)
    found = find_levels(X)
    sizes = np.bincount(found.neighbourhoods)
    assert sizes.max() <= 60
    assert sizes.min() >= 15
    regions = [set(found.regions[found.neighbourhoods == i]) for i in range(len(sizes))]
    assert {len(one) for one in regions} == {1}


def test_a_small_region_is_one_neighbourhood() -> None:
    points = np.random.default_rng(0).normal(size=(70, 3)).astype(np.float32)
    regions = np.repeat([0, 1], [61, 9])
    sizes = np.bincount(divide(points, regions, np.full(70, -1)))
    assert len(sizes) == 3
    assert sizes[-1] == 9
    assert sizes.min() == 9


def test_nearest_agrees_with_scikit_learn() -> None:
    X = np.random.default_rng(0).normal(size=(300, 5))
    expected = NearestNeighbors(n_neighbors=7).fit(X).kneighbors(X, return_distance=False)
    assert (nearest(X, X, 7) == expected).all()
    assert np.allclose(smooth(X)[0], X[nearest(X, X, 15)[0]].mean(axis=0), atol=1e-5)


def test_runs_of_k_means_reach_scikit_learns_squares() -> None:
    X = blobs(300, 5, apart=2.0)[0].astype(np.float32)
    labels, cost = kmeans_runs(X, [5] * 20, 0)
    squares = [X[labels[0] == i] - X[labels[0] == i].mean(axis=0) for i in range(5)]
    assert cost[0] == pytest.approx(sum(np.square(one).sum() for one in squares), rel=1e-3)
    expected = KMeans(5, n_init=20, random_state=0).fit(X).inertia_
    assert cost.min() == pytest.approx(expected, rel=1e-3)
