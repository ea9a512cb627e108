"""Covariates: what a track is known to be (languages, source), as shares that sum to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.views import Views

__all__ = ["CovariateEncoder", "fit_covariates"]

# A loud covariate is learned before the latents are: what it explains, they need not carry. At the
# scale of shares, a few hundred steps leave the language in the latents.
SCALE = np.float32(4.0)


@dataclass(frozen=True, eq=False)
class CovariateEncoder:
    """Covariate views as one centred and scaled vector per track.

    Centring makes zero mean two things at once: the average track of the training collection, and
    nothing known.

    Attributes
    ----------
    names : tuple of str
        The covariate views.
    categories : tuple of tuple of str
        Column names of each.
    average : ndarray
        Mean shares over the training tracks, all views side by side.
    """

    names: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    average: NDArray[np.float32]

    def encode(self, views: Views) -> NDArray[np.float32]:
        """Own values of every track, shape (n_tracks, n_covariates)."""
        blocks = []
        for name, categories in zip(self.names, self.categories):
            view = views[name]
            block = np.zeros((views.n_tracks, len(categories)), np.float32)
            positions = {category: i for i, category in enumerate(categories)}
            known = np.zeros(views.n_tracks, dtype=bool)
            for column, category in enumerate(view.feature_names):
                if category in positions:
                    block[:, positions[category]] = view.values[:, column]
                    known |= view.values[:, column] > 0
            # A language that the model never saw is unknown to it.
            blocks.append((block, known & view.present))
        start, parts = 0, []
        for block, known in blocks:
            average = self.average[start : start + block.shape[1]]
            start += block.shape[1]
            parts.append(np.where(known[:, None], SCALE * (block - average), np.float32(0)))
        return np.concatenate(parts, axis=1)

    def at(self, category: str, n_tracks: int) -> NDArray[np.float32]:
        """Every track given the same value: "average", or one of the categories."""
        vector = np.zeros_like(self.average)
        if category != "average":
            start = 0
            for categories in self.categories:
                if category in categories:
                    part = slice(start, start + len(categories))
                    vector[part] = -self.average[part]
                    vector[start + categories.index(category)] += 1.0
                    break
                start += len(categories)
            else:
                known = ", ".join(name for group in self.categories for name in group)
                raise SongscapeError(
                    f"at={category!r} is not known to the model; choose 'average' or one of {known}"
                )
        return np.repeat(SCALE * vector[None], n_tracks, axis=0)


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
        averages.append(view.values[known].mean(axis=0))
        categories.append(view.feature_names)
    average = np.concatenate(averages).astype(np.float32)
    return CovariateEncoder(tuple(names), tuple(categories), average)
