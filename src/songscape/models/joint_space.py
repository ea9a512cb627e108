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

__all__ = ["latent_factor", "linear_coordinates"]

LATENT_WEIGHT = 0.7
"""Of the latents beside the linear coordinates, whose sound and words have a weight of 1 each."""


def linear_coordinates(
    names: Iterable[str], n_components: int, covariates: Sequence[str] | None, seed: int
) -> BlockPCA:
    """The linear model beside the latents, unfitted: "balanced-lda", or "neutral-lda"."""
    return BlockPCA(
        list(names),
        n_components=n_components,
        word_components=WORD_COMPONENTS,
        within_song=True,
        covariates=list(covariates or ())[:1] or None,
        neutral=bool(covariates),
        random_state=seed,
    )


def latent_factor(latents: NDArray[np.float64]) -> float:
    """What gives latents their weight beside a space with a total variance of 1."""
    variance = float(latents.var(axis=0).sum())
    return LATENT_WEIGHT * variance**-0.5 if variance > 0 else 0.0
