"""The objective: the ELBO of a batch, what is left out of its evidence, and the penalties."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from songscape.models.networks import Batch, SongNetwork
from songscape.models.penalties import hsic_penalty, infonce_loss

__all__ = ["Objective", "Terms", "elbo_terms", "leave_out"]


@dataclass(frozen=True)
class Terms:
    """Both parts of the ELBO per track, (n,) and (n, latent_dim) or (n, 1), and the latents.

    `contrast`, where it was asked for, is the `infonce_loss` of whole views.
    """

    reconstruction: Tensor
    kl: Tensor
    z: Tensor
    contrast: Tensor | None = None


@dataclass(frozen=True)
class Objective:
    """What training minimises; `SongVAE` documents the weights."""

    beta: float = 1.0
    free_bits: float = 0.0
    independence: float = 0.0
    contrast: float = 0.0
    variational: bool = True

    def negative_elbo(self, terms: Terms, beta: float) -> Tensor:
        """Mean per track, with the KL divergence weighted by `beta`.

        With `free_bits`, that many nats of every latent dimension cost nothing.
        """
        kl = terms.kl.mean(0)
        if self.free_bits > 0:
            kl = kl.clamp_min(self.free_bits)
        return beta * kl.sum() - terms.reconstruction.mean()

    def loss(self, terms: Terms, beta: float, covariates: Tensor | None) -> Tensor:
        """The negative ELBO and the penalties."""
        loss = self.negative_elbo(terms, beta)
        if self.independence > 0 and covariates is not None:
            loss = loss + self.independence * hsic_penalty(terms.z, covariates)
        if terms.contrast is not None:
            loss = loss + self.contrast * terms.contrast
        return loss


def elbo_terms(
    network: SongNetwork,
    prior: nn.Module,
    batch: Batch,
    noise: Tensor | None,
    with_contrast: bool = False,
) -> Terms:
    """Reconstruction and KL divergence of a batch; `noise` is None for a deterministic autoencoder.

    Whatever experts `batch.keep` leaves out, every view that is present is reconstructed. With
    `with_contrast`, under a product of experts, the terms hold the `contrast` of whole views too.
    """
    contrast = None
    if with_contrast:
        experts = network.encode_experts(batch)
        mean, log_variance = network.fuse(experts, batch)
        evidence = network.evidence(experts, replace(batch, keep={}))
        contrast = infonce_loss(*evidence, batch.covariates)
    else:
        mean, log_variance = network.encode(batch)
    if noise is None:
        z, kl = mean, torch.zeros_like(mean)
    else:
        z = mean + torch.exp(0.5 * log_variance) * noise
        kl = prior.kl(mean, log_variance, z)  # type: ignore[operator]
    outputs = network.decode(z, batch.covariates)
    return Terms(network.log_likelihood(batch, outputs), kl, z, contrast)


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
