"""Baselines against scikit-learn, and what their names promise."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.preprocessing import StandardScaler

from songscape.features.views import Views
from songscape.models import principal_axes as axes_module
from songscape.models.linear import BlockPCA
from songscape.models.principal_axes import principal_axes
from songscape.models.references import RandomLatents, ViewOnly


def up_to_sign(ours: np.ndarray, reference: np.ndarray, atol: float = 1e-4) -> None:
    signs = np.sign((ours * reference).sum(axis=0))
    np.testing.assert_allclose(ours * signs, reference, atol=atol)


@pytest.mark.parametrize("shape", [(50, 9), (20, 60)], ids=["tall", "wide"])
def test_principal_axes_agree_with_scikit_learn(shape: tuple[int, int]) -> None:
    X = np.random.default_rng(0).standard_normal(shape) * np.arange(1, shape[1] + 1)
    axes = principal_axes(X.__getitem__, *shape, 5)
    up_to_sign(axes.project(X), PCA(5, svd_solver="full").fit_transform(X), atol=1e-8)


def test_randomised_axes_agree_with_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 4)) @ rng.standard_normal((4, 70)) * 5
    X += rng.standard_normal(X.shape)
    exact = principal_axes(X.__getitem__, *X.shape, 4)
    monkeypatch.setattr(axes_module, "EXACT_LIMIT", 10)
    quick = principal_axes(X.__getitem__, *X.shape, 4)
    np.testing.assert_allclose(quick.squares, exact.squares, rtol=1e-6)
    np.testing.assert_allclose(quick.directions, exact.directions, atol=1e-3)


def test_timbre_pca_is_pca_of_standardised_columns(views: Views) -> None:
    ours = BlockPCA(("timbre",), n_components=5).fit_transform(views)
    standardised = StandardScaler().fit_transform(views["timbre"].values.astype(np.float64))
    reference = PCA(5).fit_transform(standardised)
    up_to_sign(ours, reference / np.sqrt(reference.var(axis=0).sum()))


def test_tfidf_is_truncated_svd_of_the_lyrics_present(views: Views) -> None:
    lyrics = views["lyrics"]
    ours = BlockPCA(("lyrics",), n_components=4).fit_transform(views)[lyrics.present]
    words = sp.csr_matrix(lyrics.values[lyrics.present].astype(np.float64))
    reference = TruncatedSVD(4, algorithm="arpack").fit_transform(words)
    reference = reference - reference.mean(axis=0)
    up_to_sign(ours, reference / np.sqrt(reference.var(axis=0).sum()))


def test_balanced_blocks_have_unit_total_variance_where_present(views: Views) -> None:
    ours = BlockPCA(("timbre", "lyrics"), n_components=4).fit_transform(views)
    present = views["lyrics"].present
    assert ours[:, :4].var(axis=0).sum() == pytest.approx(1.0, rel=1e-5)
    assert ours[present, 4:].var(axis=0).sum() == pytest.approx(1.0, rel=1e-5)
    assert not ours[~present, 4:].any(), "a missing lyric stands at the average"


def test_joint_pca_is_pca_of_all_columns(views: Views) -> None:
    complete = views.take(np.flatnonzero(views["lyrics"].present))
    ours = BlockPCA(("timbre", "lyrics"), joint=True, n_components=5).fit_transform(complete)
    columns = np.hstack([complete["timbre"].values, complete["lyrics"].values.toarray()])
    reference = PCA(5).fit_transform(StandardScaler().fit_transform(columns.astype(np.float64)))
    up_to_sign(ours, reference, atol=1e-3)


@pytest.mark.parametrize("n_tracks", [20, 48], ids=["wide", "tall"])
def test_raw_keeps_every_distance(views: Views, n_tracks: int) -> None:
    some = views.take(np.flatnonzero(views["lyrics"].present)[:n_tracks])
    ours = BlockPCA(("timbre", "lyrics"), joint=True, n_components=None).fit_transform(some)
    columns = np.hstack([some["timbre"].values, some["lyrics"].values.toarray()])
    reference = StandardScaler().fit_transform(columns.astype(np.float64))
    np.testing.assert_allclose(pdist(ours), pdist(reference), rtol=1e-4)


def test_random_latents_are_gaussian_and_belong_to_the_track(views: Views) -> None:
    model = RandomLatents(n_components=200).fit(views)
    latents = model.transform(views)
    np.testing.assert_array_equal(model.transform(views.take([9, 2])), latents[[9, 2]])
    assert abs(latents.mean()) < 0.05
    assert latents.std() == pytest.approx(1.0, abs=0.05)
    assert not np.allclose(
        RandomLatents(n_components=200, random_state=1).fit_transform(views), latents
    )


def test_language_only_is_the_composition(views: Views) -> None:
    language = views["language"]
    ours = ViewOnly("language").fit_transform(views)
    np.testing.assert_array_equal(ours, language.values)
    assert not ours[~language.present].any()


def test_has_lyrics_only_is_presence(views: Views) -> None:
    ours = ViewOnly("lyrics", presence=True).fit_transform(views)
    np.testing.assert_array_equal(ours[:, 0], views["lyrics"].present)


def test_order_changes_nothing(views: Views) -> None:
    order = np.random.default_rng(0).permutation(views.n_tracks)
    model = BlockPCA(("timbre", "lyrics"), n_components=4)
    expected = model.fit_transform(views)
    np.testing.assert_array_equal(model.fit_transform(views.take(order)), expected[order])
