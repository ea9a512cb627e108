"""Maps keep neighbours, repeat themselves, and fall back where UMAP has nothing to work with."""

import warnings

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

from songscape.report.maps import keep_places, map_method, umap_map


def test_few_songs_are_laid_out_by_pca():
    X = np.random.default_rng(0).normal(size=(14, 5))
    assert map_method(X) == "PCA"
    expected = PCA(2).fit_transform(X)
    np.testing.assert_allclose(np.abs(umap_map(X)), np.abs(expected), atol=1e-5)


def test_wide_few_songs_are_laid_out_by_pca():
    X = np.random.default_rng(0).normal(size=(9, 400))
    np.testing.assert_allclose(np.abs(umap_map(X)), np.abs(PCA(2).fit_transform(X)), atol=1e-4)


@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (3, 1), (50, 3)])
def test_degenerate_latents_have_a_map(shape):
    xy = umap_map(np.ones(shape))
    assert xy.shape == (shape[0], 2)
    assert np.isfinite(xy).all()


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        umap_map(np.full((20, 2), np.nan))


def test_umap_separates_groups_and_repeats_itself_quietly():
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 20)
    X = rng.normal(size=(60, 80)) + 8 * np.eye(80)[group]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = umap_map(X, 3), umap_map(X, 3)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)
    distance = np.linalg.norm(first[:, None] - first[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (group[distance.argmin(axis=1)] == group).mean() > 0.95


@pytest.fixture(scope="module")
def grown():
    """Three groups in 16 dimensions: latents, ids, and the map of the first 80 of 100 tracks."""
    rng = np.random.default_rng(1)
    group = rng.permutation(np.arange(100) % 3)
    X = rng.normal(size=(100, 16)) + 8 * np.eye(16)[group]
    return X, [f"t{i:03}" for i in range(100)], umap_map(X[:80]), group


def test_old_tracks_stay_and_new_ones_lie_beside_their_neighbours(grown):
    X, ids, old, group = grown
    order = np.random.default_rng(2).permutation(100)
    kept = keep_places(X[order], [ids[i] for i in order], ids[:80], old)
    places = np.empty_like(kept)
    places[order] = kept
    np.testing.assert_array_equal(places[:80], old)
    for new in range(80, 100):
        distance = np.linalg.norm(X[:80] - X[new], axis=1)
        nearest = np.argsort(distance)[:5]
        mean = np.average(old[nearest], axis=0, weights=1 / distance[nearest])
        np.testing.assert_allclose(places[new], mean, rtol=1e-4)
        assert group[np.linalg.norm(old - places[new], axis=1).argmin()] == group[new]


def test_latents_that_are_turned_and_scaled_move_nothing(grown):
    X, ids, old, _ = grown
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(16, 16)))[0]
    np.testing.assert_array_equal(keep_places(3 * X[:80] @ turn, ids[:80], ids[:80], old), old)


def test_a_map_that_no_longer_tells_who_is_near_whom_is_drawn_anew(grown):
    X, ids, old, _ = grown
    shuffled = np.random.default_rng(4).permutation(X)
    assert keep_places(shuffled, ids, ids[:80], old) is None


def test_a_map_of_less_than_two_thirds_is_drawn_anew(grown):
    X, ids, old, _ = grown
    assert keep_places(X, ids, ids[:67], old[:67]) is not None
    assert keep_places(X, ids, ids[:66], old[:66]) is None


def test_a_map_by_pca_is_drawn_anew_once_there_are_enough_tracks_for_umap():
    X = np.random.default_rng(5).normal(size=(16, 3))
    ids = [str(i) for i in range(16)]
    old = umap_map(X[:13])
    np.testing.assert_array_equal(keep_places(X[:14], ids[:14], ids[:13], old)[:13], old)
    assert keep_places(X, ids, ids[:13], old) is None


@pytest.mark.parametrize("width", [3, 40])
def test_copies_do_not_hide_each_other(width):
    X = np.random.default_rng(6).normal(size=(10, width))
    ids = [str(i) for i in range(14)]
    latents, old = np.vstack([X, X[[0, 0, 0, 1]]]), umap_map(X)
    places = keep_places(latents, ids, ids[:10], old)
    extent = np.ptp(old, axis=0).max()
    assert pdist(places).min() > 2e-4 * extent
    assert np.abs(places[10:] - old[[0, 0, 0, 1]]).max() < 0.01 * extent
    np.testing.assert_array_equal(places, keep_places(latents, ids, ids[:10], old))


def test_tracks_that_are_all_alike_have_places():
    ids = [str(i) for i in range(12)]
    places = keep_places(np.ones((12, 3)), ids, ids[:10], np.zeros((10, 2)))
    assert places is not None
    assert np.isfinite(places).all()


@pytest.mark.parametrize("damage", ["short", "wide", "nan", "twice"])
def test_what_is_no_map_is_drawn_anew(grown, damage):
    X, ids, old, _ = grown
    old, old_ids = old.copy(), ids[:80]
    if damage == "short":
        old = old[:79]
    elif damage == "wide":
        old = np.hstack([old, old])
    elif damage == "nan":
        old[3, 1] = np.nan
    else:
        old_ids = [*ids[:79], ids[0]]
    assert keep_places(X, ids, old_ids, old) is None
