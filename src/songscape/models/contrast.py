"""Contrast: how hard it is to tell which views belong to one song.

Under a product of experts two views of a song each say where its latents may be. How much better
both go together with one song than with two is a likelihood ratio in closed form; training that
maximises it among the songs of a batch makes sound and words of a song agree.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from songscape.models.covariates import SCALE

__all__ = ["confusion", "same_song"]

NEVER = -1e9
WIDTH = 0.375 * float(SCALE)
"""Standard deviation of the kernel. Two songs in different languages are sqrt(2) * SCALE apart and
have a weight of 0.0008; one in a language and one that is half in another have 0.17."""


def same_song(
    weighted: Tensor, precision: Tensor, other_weighted: Tensor, other_precision: Tensor
) -> Tensor:
    """Log-likelihood ratio of one song behind both pieces of evidence to two songs, (n, m).

    log of the integral of q(z | a) q(z | b) / p(z) under the prior p = N(0, 1): for Gaussian
    evidence what speaker recognition calls a PLDA score (Ioffe, Probabilistic Linear Discriminant
    Analysis, ECCV 2006).

    Parameters
    ----------
    weighted, precision : Tensor of shape (n, latent_dim)
        Means of the evidence times its precisions, and those, without the prior: zero where there
        is none (see `SongNetwork.evidence`).
    other_weighted, other_precision : Tensor of shape (m, latent_dim)
    """
    both = _log_evidence(
        weighted[:, None] + other_weighted[None], precision[:, None] + other_precision[None]
    )
    alone = _log_evidence(weighted, precision)[:, None]
    return both - alone - _log_evidence(other_weighted, other_precision)[None]


def _log_evidence(weighted: Tensor, precision: Tensor) -> Tensor:
    """log E exp(weighted z - precision z^2 / 2) of z ~ N(0, 1), summed over the last axis."""
    total = 1.0 + precision
    return 0.5 * (weighted.square() / total - torch.log(total)).sum(-1)


def confusion(weighted: Tensor, precision: Tensor, covariates: Tensor | None = None) -> Tensor:
    """Cross-entropy, in nats, of finding the rest of a song by one of its views, and the reverse.

    InfoNCE (van den Oord et al. 2018) between each view and all others together, with `same_song`
    as score; without covariates, log n is chance among n songs. Songs that lack the view, or every
    other view, are left out; with fewer than two songs left, or one view, it is zero. For contrast
    in multimodal VAEs see Shi et al., Relating by Contrasting, ICLR 2021.

    Parameters
    ----------
    weighted, precision : Tensor of shape (n, n_views, latent_dim)
        What `SongNetwork.evidence` gives.
    covariates : Tensor of shape (n, n_covariates), optional
        Encoded. Songs count as rivals by a Gaussian kernel of the distance between them: among all
        songs the language alone would tell many apart, and so come into the latents (Tsai et al.,
        Conditional Contrastive Learning with Kernel, ICLR 2022). A song of unknown language lies at
        the average, and is a rival of those in a language that most songs are in.
    """
    n_tracks, n_views, _ = weighted.shape
    songs = torch.arange(n_tracks, device=weighted.device)
    rivalry = weighted.new_zeros(n_tracks, n_tracks)
    if covariates is not None:
        apart = torch.cdist(covariates, covariates, compute_mode="donot_use_mm_for_euclid_dist")
        rivalry = -0.5 * (apart / WIDTH).square()
    total = weighted.new_zeros(())
    # Of two views, each is the other's rest.
    n_pairs = n_views if n_views > 2 else n_views - 1
    for view in range(n_pairs):
        others = [other for other in range(n_views) if other != view]
        one = weighted[:, view], precision[:, view]
        rest = weighted[:, others].sum(1), precision[:, others].sum(1)
        there = (one[1].sum(1) > 0) & (rest[1].sum(1) > 0)
        scores = same_song(*one, *rest) + rivalry
        scores = scores.masked_fill(~(there[:, None] & there[None, :]), NEVER)
        each = [cross_entropy(way, songs, reduction="none") for way in (scores, scores.T)]
        found = torch.where(there, 0.5 * (each[0] + each[1]), 0.0)
        total = total + found.sum() / there.sum().clamp_min(1)
    return total / max(n_pairs, 1)
