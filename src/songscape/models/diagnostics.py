"""Diagnostics: is the model healthy, or did its posterior collapse?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Diagnostics", "active_units", "diagnose"]

ACTIVE_VARIANCE = 0.01


@dataclass(frozen=True)
class Diagnostics:
    """Health of a fitted autoencoder.

    Attributes
    ----------
    elbo : float
        Mean evidence lower bound per track (beta = 1), in nats; of held-out tracks where there are
        any, of the training tracks otherwise (`held_out` says which).
    kl_per_dimension : tuple of float
        Mean KL divergence from the standard normal of every latent dimension, in nats.
    active_units : int
        Dimensions whose posterior mean varies over tracks by more than 0.01 (Burda et al. 2016).
    n_latent : int
    collapsed : bool
        No more than one dimension in ten tells tracks apart, and at most one of fewer than ten.
    warnings : tuple of str
        Plain sentences for people.
    held_out : bool
    """

    elbo: float
    kl_per_dimension: tuple[float, ...]
    active_units: int
    n_latent: int
    collapsed: bool
    warnings: tuple[str, ...]
    held_out: bool = True

    def noting(self, sentences: Sequence[str]) -> Diagnostics:
        """The same with more warnings."""
        return replace(self, warnings=(*self.warnings, *sentences))


def active_units(means: NDArray[Any], threshold: float = ACTIVE_VARIANCE) -> int:
    """Number of latent dimensions with Var(E[z | x]) > threshold (Burda et al. 2016, eq. 10)."""
    return int((np.var(np.asarray(means, dtype=np.float64), axis=0) > threshold).sum())


def diagnose(
    means: NDArray[Any],
    kl_per_dimension: NDArray[Any],
    elbo: float,
    *,
    held_out: bool,
    wanted: bool = True,
    variational: bool = True,
) -> Diagnostics:
    """Judge a fitted model by its posterior means, shape (n_tracks, latent_dim).

    `wanted` is whether tracks should have been held out: who wants none is not told so.
    """
    n_latent = means.shape[1]
    active = active_units(means)
    few = max(1, n_latent // 10) if n_latent > 1 else 0
    collapsed = active <= few
    warnings = []
    if collapsed:
        cause = "lower beta or set free_bits" if variational else "train longer"
        warnings.append(
            f"The posterior collapsed: {active} of {n_latent} latent dimensions tell tracks apart, "
            f"so clusters of these latents mean nothing; {cause}."
        )
    elif active <= n_latent // 2:
        warnings.append(
            f"Only {active} of {n_latent} latent dimensions tell tracks apart; "
            "a smaller latent_dim would do."
        )
    if wanted and not held_out:
        warnings.append("Too few tracks to hold any out: the ELBO is that of the training tracks.")
    return Diagnostics(
        float(elbo),
        tuple(float(value) for value in kl_per_dimension),
        active,
        n_latent,
        collapsed,
        tuple(warnings),
        held_out,
    )
