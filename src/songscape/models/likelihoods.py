"""Likelihoods: log-probabilities of a track's numbers given what was decoded, summed."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def gaussian_log_likelihood(x: Tensor, mean: Tensor, log_scale: Tensor, weight: Tensor) -> Tensor:
    """Log-density of independent Gaussians, summed over the dimensions that are data: shape (n,).

    `mean`, `log_scale` (of the standard deviation) and `weight` broadcast to `x`; a weight is 1 for
    data, 0 for padding and absent tracks.
    """
    squared = ((x - mean) * torch.exp(-log_scale)).square() * weight
    normaliser = -(log_scale + 0.5 * math.log(2.0 * math.pi)) * weight.expand_as(x)
    return normaliser.flatten(1).sum(1) - 0.5 * squared.flatten(1).sum(1)


def multinomial_log_likelihood(
    x: Tensor, logits: Tensor, weight: Tensor, total: float = 0.0
) -> Tensor:
    """Log-probability of word counts, shape (n,), without the coefficient (constant in the model).

    Where `total` is positive, each track's words are scaled to this sum first, so that TF-IDF
    weights count as that many words and a long lyric counts no more than a short one.
    """
    if total > 0:
        x = x * (total / x.sum(1, keepdim=True).clamp_min(1e-12))
    return (x * torch.log_softmax(logits, dim=1) * weight).sum(1)


def von_mises_fisher_log_likelihood(
    x: Tensor, decoded: Tensor, log_scale: Tensor, weight: Tensor
) -> Tensor:
    """Log-density of directions on the unit sphere, shape (n,), whatever their lengths.

    The concentration is d * exp(-2 log_scale): about what independent Gaussian noise of that scale
    in every number of a standardised vector does to its direction. Mardia & Jupp, Directional
    Statistics, 2000, section 9.3.2. d must be at least 4.
    """
    size = x.shape[1]
    order = size / 2 - 1
    log_concentration = math.log(size) - 2.0 * log_scale
    concentration = torch.exp(log_concentration)
    log_normaliser = (
        order * log_concentration
        - 0.5 * size * math.log(2.0 * math.pi)
        - _log_bessel(order, concentration)
    )
    cosine = torch.nn.functional.cosine_similarity(x, decoded, dim=1)
    return (concentration * cosine + log_normaliser) * weight[:, 0]


def _log_bessel(order: float, x: Tensor) -> Tensor:
    """log I_order(x) for an order of 1 or more, by its uniform expansion (DLMF 10.41.3)."""
    z = x / order
    root = torch.sqrt(1.0 + z * z)
    exponent = order * (root + torch.log(z / (1.0 + root)))
    p = 1.0 / root
    series = (
        1.0
        + (3.0 * p - 5.0 * p**3) / (24.0 * order)
        + (81.0 * p**2 - 462.0 * p**4 + 385.0 * p**6) / (1152.0 * order**2)
    )
    scale = -0.5 * math.log(2.0 * math.pi * order) - 0.5 * torch.log(root)
    return exponent + scale + torch.log(series)
