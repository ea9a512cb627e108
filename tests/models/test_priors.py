"""Priors: a mixture starts from what the posteriors are, not from their means alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from song_vae import song_vae

from songscape.models.priors import MixturePrior, StandardNormal, normal_kl


def posteriors(rng: np.random.Generator, n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances: three groups in two dimensions, and six dimensions that tell nothing."""
    places = np.array([[-1.2, 0.0], [0.6, 1.0], [0.6, -1.0]])
    used = places[rng.integers(0, 3, n)] + 0.2 * rng.standard_normal((n, 2))
    means = np.concatenate([used, 0.01 * rng.standard_normal((n, 6))], axis=1)
    return means, np.where(np.arange(8) < 2, rng.uniform(0.02, 0.1, (n, 8)), 0.98)


def test_mixture_starts_with_the_moments_of_all_posteriors_together() -> None:
    means, variances = posteriors(np.random.default_rng(0))
    prior = MixturePrior(3, 8).double()
    prior.initialise(means, 0, variances)
    weights = torch.softmax(prior.logits, 0).detach().numpy()[:, None]
    centres = prior.means.detach().numpy()
    spread = prior.log_variances.detach().exp().numpy()
    centre = (weights * centres).sum(0)
    total = (weights * (spread + (centres - centre) ** 2)).sum(0)
    np.testing.assert_allclose(centre, means.mean(0), atol=1e-3)
    # The mixture's fit adds 0.001 to every variance.
    np.testing.assert_allclose(total, means.var(0) + variances.mean(0), atol=2e-3)


def test_posteriors_are_nearer_to_a_mixture_made_for_them_than_to_the_standard_normal() -> None:
    rng = np.random.default_rng(1)
    means, variances = posteriors(rng)
    prior = MixturePrior(3, 8).double()
    prior.initialise(means, 0, variances)
    mean, log_variance = torch.as_tensor(means), torch.as_tensor(np.log(variances))
    draws = torch.as_tensor(rng.standard_normal(means.shape))
    z = mean + torch.exp(0.5 * log_variance) * draws
    kl = prior.kl(mean, log_variance, z).mean()
    assert StandardNormal().kl(mean, log_variance, z).equal(normal_kl(mean, log_variance))
    assert 0 < kl < normal_kl(mean, log_variance).sum(1).mean()


def test_mixture_finds_the_groups_of_the_means() -> None:
    means, variances = posteriors(np.random.default_rng(2))
    prior = MixturePrior(3, 8).double()
    prior.initialise(means, 0, variances)
    found = prior.responsibilities(torch.as_tensor(means)).argmax(1).numpy()
    truth = np.where(means[:, 0] < -0.3, 0, np.where(means[:, 1] > 0, 1, 2))
    pairs = set(zip(found.tolist(), truth.tolist()))
    assert len(pairs) == 3


@pytest.mark.parametrize("seed", [1, 2])
def test_training_goes_on_evenly_when_the_mixture_starts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 4, 600)
    latents = 3.0 * rng.normal(size=(4, 3))[group] + rng.normal(size=(600, 3))
    X = latents @ rng.normal(size=(3, 40)) + 2.0 * rng.normal(size=(600, 40))
    model = song_vae(prior="mixture", n_components=4, patience=0, epochs=30, random_state=seed)
    model.fit(X.astype(np.float32))
    kl = [row["kl"] for row in model.history_]
    # The mixture starts after the warm-up, of 6 epochs; 13 of 16 dimensions tell nothing.
    assert kl[6] < kl[5]
    assert len(np.unique(model.memberships(X).argmax(1))) == 4


def test_a_mixture_with_one_used_component_is_told() -> None:
    rng = np.random.default_rng(0)
    songs = rng.standard_normal((60, 6)).astype(np.float32)
    options = {"latent_dim": 2, "hidden": (8,), "epochs": 3, "n_components": 1}
    with pytest.warns(UserWarning, match="all tracks in one of its 1 components"):
        model = song_vae(prior="mixture", **options).fit(songs)
    assert any("mixture prior" in sentence for sentence in model.diagnostics_.warnings)
