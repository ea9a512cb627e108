"""Maps keep neighbours, repeat themselves, and fall back where UMAP has nothing to work with."""

import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA

from songscape.report.maps import map_method, umap_map


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
