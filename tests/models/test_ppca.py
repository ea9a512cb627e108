"""A linear VAE is probabilistic PCA (Tipping & Bishop 1999; Lucas et al. 2019): a closed form."""

import numpy as np
import pytest
import scipy.stats
from song_vae import song_vae

from songscape.models.vae import SongVAE

N_LATENT = 2


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((400, N_LATENT))
    X = factors @ rng.standard_normal((N_LATENT, 12)) * 3 + rng.standard_normal((400, 12))
    return np.asarray((X - X.mean(0)) / X.std(0))


@pytest.fixture(scope="module")
def model(data: np.ndarray) -> SongVAE:
    return song_vae(
        latent_dim=N_LATENT,
        hidden=(),
        epochs=50,
        learning_rate=2e-2,
        weight_decay=0.0,
        validation_fraction=0.0,
    ).fit(data)


def closed_form(data: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean log-likelihood of the best PPCA with noise variance 1, and its principal axes."""
    values, vectors = np.linalg.eigh(data.T @ data / len(data))
    axes, values = vectors[:, ::-1][:, :N_LATENT], values[::-1][:N_LATENT]
    covariance = axes @ np.diag(np.maximum(values - 1, 0)) @ axes.T + np.eye(data.shape[1])
    density = scipy.stats.multivariate_normal(np.zeros(data.shape[1]), covariance)
    return float(density.logpdf(data).mean()), axes


def test_linear_vae_reaches_the_likelihood_of_ppca(data: np.ndarray, model: SongVAE) -> None:
    best, _ = closed_form(data)
    baseline = scipy.stats.norm.logpdf(data).sum(axis=1).mean()
    elbo = model.score(data)
    assert elbo <= best + 0.15, "an ELBO is a lower bound, up to the noise of one draw per track"
    assert best - elbo < 0.1 * (best - baseline)


def test_linear_vae_finds_the_subspace_of_ppca(data: np.ndarray, model: SongVAE) -> None:
    _, axes = closed_form(data)
    decoded = model.reconstruct(data)["x"]
    found = np.linalg.svd(decoded - decoded.mean(0), full_matrices=False)[2][:N_LATENT]
    cosines = np.linalg.svd(found @ axes)[1]
    assert cosines.min() > 0.995


def test_posterior_variance_is_that_of_ppca(data: np.ndarray, model: SongVAE) -> None:
    values = np.linalg.eigvalsh(data.T @ data / len(data))[::-1][:N_LATENT]
    _, spread = model.posterior(data)
    # The precisions are eigenvalues in units of the noise variance. The KL divergence makes
    # the diagonal posterior choose the principal basis.
    np.testing.assert_allclose(np.sort(spread.mean(0) ** -2), np.sort(values), rtol=0.1)
