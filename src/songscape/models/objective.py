"""The objective: the ELBO of a batch, the views that its posterior leaves out, the penalties."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from songscape.models.networks import Batch, SongNetwork
from songscape.models.parameters import Objective


@dataclass(frozen=True)
class Terms:
    """Both parts of the ELBO per track, (n,) and (n, latent_dim) or (n, 1), and the latents."""

    reconstruction: Tensor
    kl: Tensor
    z: Tensor


def negative_elbo(terms: Terms, beta: float) -> Tensor:
    """Mean per track, with a weighted KL divergence."""
    return beta * terms.kl.mean(0).sum() - terms.reconstruction.mean()


def loss(terms: Terms, objective: Objective, beta: float, covariates: Tensor | None) -> Tensor:
    """The negative ELBO at this `beta`, and the penalties."""
    total = negative_elbo(terms, beta)
    if objective.independence > 0 and covariates is not None:
        total = total + objective.independence * hsic_penalty(terms.z, covariates)
    return total


def elbo_terms(network: SongNetwork, prior: nn.Module, batch: Batch, noise: Tensor | None) -> Terms:
    """Reconstruction and KL divergence of a batch; `noise` is None for a deterministic autoencoder.

    Whatever experts `batch.keep` leaves out, every view that is present is reconstructed.
    """
    mean, log_variance = network.encode(batch)
    if noise is None:
        z, kl = mean, torch.zeros_like(mean)
    else:
        z = mean + torch.exp(0.5 * log_variance) * noise
        kl = prior.kl(mean, log_variance, z)  # type: ignore[operator]
    outputs = network.decode(z, batch.covariates)
    return Terms(network.log_likelihood(batch, outputs), kl, z)


def leave_out(
    network: SongNetwork, batch: Batch, share: float, generator: torch.Generator
) -> Batch:
    """Leave a random part of the evidence out of the posterior, never all of it.

    Every view is left out with probability `share`; of a set of steps, a uniformly random number
    is kept.
    """
    weights = network.expert_weights(batch)
    keep = {}
    for name, weight in weights.items():
        n_tracks, n_steps = weight.shape
        if n_steps == 1:
            chosen = torch.rand(n_tracks, 1, generator=generator) >= share
        else:
            rank = torch.rand(n_tracks, n_steps, generator=generator).argsort(1).argsort(1)
            chosen = rank < torch.randint(0, n_steps + 1, (n_tracks, 1), generator=generator)
        keep[name] = weight * chosen.to(weight)
    nothing = torch.stack([kept.sum(1) for kept in keep.values()]).sum(0) == 0
    restored = {name: torch.where(nothing[:, None], weights[name], keep[name]) for name in keep}
    return replace(batch, keep=restored)


def hsic_penalty(z: Tensor, covariates: Tensor) -> Tensor:
    """How much the latents of a batch depend on the covariates: 0 not at all, 1 entirely.

    The Hilbert-Schmidt independence criterion (Gretton et al. 2005) with a Gaussian kernel on the
    latents and a linear one on the covariates, normalised by both (Kornblith et al. 2019); as a
    penalty on a VAE see Lopez et al. 2018.
    """
    distances = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist").square()
    latent_kernel = _centred(torch.exp(-distances / (2.0 * z.shape[1])))
    covariate_kernel = _centred(covariates @ covariates.T)
    norms = latent_kernel.norm() * covariate_kernel.norm()
    shared: Tensor = (latent_kernel * covariate_kernel).sum() / norms.clamp_min(1e-12)
    return shared


def _centred(kernel: Tensor) -> Tensor:
    return kernel - kernel.mean(0) - kernel.mean(1, keepdim=True) + kernel.mean()
