"""Priors over the latents: standard normal, and mixture of Gaussians (VaDE)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


def normal_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, variance) from N(0, 1), per dimension (Kingma & Welling 2014, B)."""
    return 0.5 * (mean.square() + torch.exp(log_variance) - 1.0 - log_variance)


def normal_log_density(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Log-density of diagonal Gaussians, summed over the last axis."""
    squared = (z - mean).square() * torch.exp(-log_variance)
    return -0.5 * (squared + log_variance + math.log(2.0 * math.pi)).sum(-1)


class StandardNormal(nn.Module):
    """N(0, I); its KL divergence is exact and has one value per dimension."""

    def kl(self, mean: Tensor, log_variance: Tensor, z: Tensor) -> Tensor:
        """Shape (n, latent_dim)."""
        return normal_kl(mean, log_variance)


class MixturePrior(nn.Module):
    """A learned mixture of diagonal Gaussians, as in VaDE (Jiang et al. 2017).

    Until `initialise` has seen latents it is the standard normal: an untrained mixture pulls every
    track into one component. The divergence is estimated with the sample at hand.
    """

    def __init__(self, n_components: int, latent_dim: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_components))
        self.means = nn.Parameter(torch.zeros(n_components, latent_dim))
        self.log_variances = nn.Parameter(torch.zeros(n_components, latent_dim))

    def initialise(self, latents: NDArray[Any], seed: int, variances: NDArray[Any]) -> None:
        """Start from a Gaussian mixture fitted to posterior means; both are (n, latent_dim).

        To each component the mean posterior variance of its tracks is added, for the prior has to
        cover the posteriors: an unused dimension has means at 0 and variance 1, and a component
        fitted to its means alone would be so narrow that all tracks are pulled away from it, often
        into one component.
        """
        from sklearn.mixture import GaussianMixture

        points = latents.astype(np.float64)
        n_components = min(self.means.shape[0], len(points))
        mixture = GaussianMixture(
            n_components, covariance_type="diag", reg_covar=1e-3, n_init=3, random_state=seed
        ).fit(points)
        shares = mixture.predict_proba(points)
        weights = np.maximum(shares.sum(axis=0), 1e-9)
        within = shares.T @ variances.astype(np.float64) / weights[:, None]
        spread = mixture.covariances_ + within
        with torch.no_grad():
            self.logits.fill_(-10.0)
            self.logits[:n_components] = torch.as_tensor(np.log(mixture.weights_))
            self.means[:n_components] = torch.as_tensor(mixture.means_)
            self.log_variances[:n_components] = torch.as_tensor(np.log(spread))

    def component_log_density(self, z: Tensor) -> Tensor:
        """log p(component) + log p(z | component), shape (n, n_components)."""
        log_weights = torch.log_softmax(self.logits, 0)
        return log_weights + normal_log_density(z[:, None], self.means, self.log_variances)

    def log_density(self, z: Tensor) -> Tensor:
        return torch.logsumexp(self.component_log_density(z), 1)

    def responsibilities(self, z: Tensor) -> Tensor:
        """p(component | z), shape (n, n_components): soft memberships."""
        return torch.softmax(self.component_log_density(z), 1)

    def kl(self, mean: Tensor, log_variance: Tensor, z: Tensor) -> Tensor:
        """One-sample estimate of the divergence, shape (n, 1)."""
        return (normal_log_density(z, mean, log_variance) - self.log_density(z))[:, None]
