"""Likelihoods: log-probabilities of a track's numbers given what was decoded, summed."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = [
    "gaussian_log_likelihood",
    "multinomial_log_likelihood",
    "von_mises_fisher_log_likelihood",
]


def gaussian_log_likelihood(x: Tensor, mean: Tensor, log_scale: Tensor, weight: Tensor) -> Tensor:
    """Log-density of independent Gaussians, summed over the dimensions that are data.

    Parameters
    ----------
    x, mean : Tensor of shape (n, ...)
        `mean` may broadcast (one mean for all segments of a track).
    log_scale : Tensor
        Logarithm of the noise's standard deviation; broadcasts to `x`.
    weight : Tensor
        1 for data, 0 for padding and absent tracks; broadcasts to `x`.

    Returns
    -------
    Tensor of shape (n,)
    """
    squared = ((x - mean) * torch.exp(-log_scale)).square() * weight
    normaliser = -(log_scale + 0.5 * math.log(2.0 * math.pi)) * weight.expand_as(x)
    return normaliser.flatten(1).sum(1) - 0.5 * squared.flatten(1).sum(1)


def multinomial_log_likelihood(
    x: Tensor, logits: Tensor, weight: Tensor, total: float = 0.0
) -> Tensor:
    """Log-probability of word counts, without the multinomial coefficient (constant in the model).

    Parameters
    ----------
    x : Tensor of shape (n, n_words)
        Non-negative counts or weights.
    logits : Tensor of shape (n, n_words)
    weight : Tensor of shape (n, 1)
    total : float, default=0
        Where positive, each track's words are scaled to this sum first, so that TF-IDF weights
        count as that many words and a long lyric counts no more than a short one.

    Returns
    -------
    Tensor of shape (n,)
    """
    if total > 0:
        x = x * (total / x.sum(1, keepdim=True).clamp_min(1e-12))
    return (x * torch.log_softmax(logits, dim=1) * weight).sum(1)


def von_mises_fisher_log_likelihood(
    x: Tensor, decoded: Tensor, log_scale: Tensor, weight: Tensor
) -> Tensor:
    """Log-density of directions on the unit sphere, whatever the lengths of the vectors.

    The concentration is d * exp(-2 log_scale): about what independent Gaussian noise of that scale
    in every number of a standardised vector does to its direction. Mardia & Jupp, Directional
    Statistics, 2000, section 9.3.2.

    Parameters
    ----------
    x, decoded : Tensor of shape (n, d), d at least 4
    log_scale : Tensor of shape (1,)
    weight : Tensor of shape (n, 1)

    Returns
    -------
    Tensor of shape (n,)
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
