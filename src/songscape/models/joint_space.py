"""Joint space: linear coordinates and latents side by side.

Linear coordinates tell most of genre and artist where every view is there; the latents add what
views share, and say of a track that lacks one which complete tracks it is like.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from songscape.models.linear import BlockPCA
from songscape.models.parameters import WORD_COMPONENTS

Floats = NDArray[np.float64]
LATENT_WEIGHT = 0.7
"""Weight of the latents, where sound and words of the linear coordinates have 1 each."""


def linear_coordinates(
    names: Iterable[str], n_components: int, covariates: Sequence[str] | None, seed: int
) -> BlockPCA:
    """The linear model that joins the latents, unfitted: "balanced-lda", or "neutral-lda"."""
    return BlockPCA(
        list(names),
        n_components=n_components,
        word_components=WORD_COMPONENTS,
        within_song=True,
        covariates=list(covariates or ())[:1] or None,
        neutral=bool(covariates),
        random_state=seed,
    )


def latent_weights(means: Floats, log_variances: Floats) -> Floats:
    """Factors of the latents when joined to a space with a total variance of 1, (latent_dim,).

    In units of what is usually left uncertain of them: the prior gives every used dimension about
    the same variance, however surely the views tell it. From posterior means and log-variances,
    (n_tracks, latent_dim).
    """
    weights = np.exp(-0.5 * np.median(log_variances, axis=0))
    variance = float((weights * means).var(axis=0).sum())
    return np.asarray(LATENT_WEIGHT * weights * variance**-0.5 if variance > 0 else 0.0 * weights)
