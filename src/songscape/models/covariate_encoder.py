"""Covariates: what a track is known to be (languages, source), as shares that sum to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.views import Views

# A covariate of large numbers is learned before the latents are, which then need not carry what it
# explains. At the scale of shares, a few hundred steps leave the language in the latents.
SCALE = np.float32(4.0)


@dataclass(frozen=True, eq=False)
class CovariateEncoder:
    """Covariate views as one centred and scaled vector per track.

    Centring gives zero two meanings at once: the average track of the training collection, and
    nothing known. `categories` are the columns of each view that some training track has, `average`
    the mean shares over the training tracks, all views side by side.
    """

    names: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    average: NDArray[np.float32]

    def encode(self, views: Views) -> NDArray[np.float32]:
        """Own values of every track, shape (n_tracks, n_covariates).

        A track whose categories no training track had is as unknown as one that lacks the view.
        """
        blocks = []
        ends = np.cumsum([len(categories) for categories in self.categories])
        averages = np.split(self.average, ends[:-1])
        for name, categories, average in zip(self.names, self.categories, averages):
            view = views[name]
            block = view.in_columns(categories).astype(np.float32)
            known = view.present & (block > 0).any(axis=1)
            blocks.append(np.where(known[:, None], SCALE * (block - average), np.float32(0)))
        return np.concatenate(blocks, axis=1)


def fit_covariates(views: Views, names: Sequence[str], rows: NDArray[Any]) -> CovariateEncoder:
    """Learn categories and their average over the given rows."""
    averages, categories = [], []
    for name in names:
        view = views[name]
        if not view.feature_names:
            raise SongscapeError(
                f"covariate {name!r} has no column names; build it with features.covariates"
            )
        known = rows[view.present[rows]]
        if not len(known):
            raise SongscapeError(
                f"covariate {name!r} is unknown for every track; leave it out of the model"
            )
        shares = view.values[known].mean(axis=0)
        # A decoder knows nothing of categories that no training track has.
        seen = np.flatnonzero(shares > 0)
        averages.append(shares[seen])
        categories.append(tuple(view.feature_names[i] for i in seen))
    average = np.concatenate(averages).astype(np.float32)
    return CovariateEncoder(tuple(names), tuple(categories), average)
