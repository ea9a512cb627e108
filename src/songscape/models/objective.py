"""The objective: the ELBO of a batch, what is left out of its evidence, and the penalties."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from songscape.models.covariates import SCALE
from songscape.models.networks import Batch, SongNetwork
from songscape.models.parameters import Objective

__all__ = [
    "Terms",
    "elbo_terms",
    "hsic_penalty",
    "infonce_loss",
    "leave_out",
    "loss",
    "negative_elbo",
    "same_song",
]

MASKED = -1e9
WIDTH = 0.375 * float(SCALE)
"""Standard deviation of the kernel. Two songs in different languages are sqrt(2) * SCALE apart and
have a weight of 0.0008; one in a language and one that is half in another have 0.17."""


@dataclass(frozen=True)
class Terms:
    """Both parts of the ELBO per track, (n,) and (n, latent_dim) or (n, 1), and the latents.

    `contrast`, where it was asked for, is the `infonce_loss` of whole views.
    """

    reconstruction: Tensor
    kl: Tensor
    z: Tensor
    contrast: Tensor | None = None


def negative_elbo(terms: Terms, beta: float, free_bits: float) -> Tensor:
    """Mean per track, with a weighted KL divergence.

    With `free_bits`, that many nats of every latent dimension cost nothing.
    """
    kl = terms.kl.mean(0)
    if free_bits > 0:
        kl = kl.clamp_min(free_bits)
    return beta * kl.sum() - terms.reconstruction.mean()


def loss(terms: Terms, objective: Objective, beta: float, covariates: Tensor | None) -> Tensor:
    """The negative ELBO at this `beta`, and the penalties."""
    total = negative_elbo(terms, beta, objective.free_bits)
    if objective.independence > 0 and covariates is not None:
        total = total + objective.independence * hsic_penalty(terms.z, covariates)
    if terms.contrast is not None:
        total = total + objective.contrast * terms.contrast
    return total


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


def same_song(
    weighted: Tensor, precision: Tensor, other_weighted: Tensor, other_precision: Tensor
) -> Tensor:
    """Log-likelihood ratio of one song behind both pieces of evidence to two songs, (n, m).

    log of the integral of q(z | a) q(z | b) / p(z) under the prior p = N(0, 1): for Gaussian
    evidence what speaker recognition calls a PLDA score (Ioffe, Probabilistic Linear Discriminant
    Analysis, ECCV 2006). Evidence is given by means times precisions, and precisions, of shape
    (n, latent_dim) and (m, latent_dim), without the prior: zero where there is none.
    """
    both = _log_evidence(
        weighted[:, None] + other_weighted[None], precision[:, None] + other_precision[None]
    )
    one = _log_evidence(weighted, precision)[:, None]
    return both - one - _log_evidence(other_weighted, other_precision)[None]


def _log_evidence(weighted: Tensor, precision: Tensor) -> Tensor:
    """log E exp(weighted z - precision z^2 / 2) of z ~ N(0, 1), summed over the last axis."""
    total = 1.0 + precision
    return 0.5 * (weighted.square() / total - torch.log(total)).sum(-1)


def infonce_loss(weighted: Tensor, precision: Tensor, covariates: Tensor | None = None) -> Tensor:
    """Cross-entropy, in nats, of finding the rest of a song by one of its views, and the reverse.

    InfoNCE (van den Oord et al. 2018) between each view and all others together, with `same_song`
    as score; without covariates, log n is chance among n songs. Songs that lack the view, or every
    other view, are left out; with fewer than two songs left, or one view, it is zero. For contrast
    in multimodal VAEs see Shi et al., Relating by Contrasting, ICLR 2021.

    Parameters
    ----------
    weighted, precision : Tensor of shape (n, n_views, latent_dim)
        From `SongNetwork.evidence`.
    covariates : Tensor of shape (n, n_covariates), optional
        Encoded. The weight of a song as a negative is a Gaussian kernel of its distance: among all
        songs the language alone would tell many apart, and so come into the latents (Tsai et al.,
        Conditional Contrastive Learning with Kernel, ICLR 2022). A song of unknown language lies at
        the average, and is a negative of those in a language that most songs are in.
    """
    n_tracks, n_views, _ = weighted.shape
    songs = torch.arange(n_tracks, device=weighted.device)
    log_kernel = weighted.new_zeros(n_tracks, n_tracks)
    if covariates is not None:
        apart = torch.cdist(covariates, covariates, compute_mode="donot_use_mm_for_euclid_dist")
        log_kernel = -0.5 * (apart / WIDTH).square()
    total = weighted.new_zeros(())
    # Of two views, each is the other's rest.
    n_pairs = n_views if n_views > 2 else n_views - 1
    for view in range(n_pairs):
        others = [other for other in range(n_views) if other != view]
        one = weighted[:, view], precision[:, view]
        rest = weighted[:, others].sum(1), precision[:, others].sum(1)
        has_both = (one[1].sum(1) > 0) & (rest[1].sum(1) > 0)
        scores = same_song(*one, *rest) + log_kernel
        scores = scores.masked_fill(~(has_both[:, None] & has_both[None, :]), MASKED)
        each = [cross_entropy(way, songs, reduction="none") for way in (scores, scores.T)]
        losses = torch.where(has_both, 0.5 * (each[0] + each[1]), 0.0)
        total = total + losses.sum() / has_both.sum().clamp_min(1)
    return total / max(n_pairs, 1)
