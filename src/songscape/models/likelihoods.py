"""Likelihoods: log-probabilities of a track's numbers given what was decoded, summed."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["gaussian_log_likelihood", "gaussian_log_normaliser", "multinomial_log_likelihood"]


def gaussian_log_normaliser(log_scale: Tensor, weight: Tensor, like: Tensor) -> Tensor:
    """Sum over the dimensions that are data of -log(scale * sqrt(2 pi)), shape (n,)."""
    per_dimension = -(log_scale + 0.5 * math.log(2.0 * math.pi))
    return (per_dimension * weight.expand_as(like)).flatten(1).sum(1)


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
    return gaussian_log_normaliser(log_scale, weight, x) - 0.5 * squared.flatten(1).sum(1)


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
