"""Covariates: what a track is known to be (languages, source), as shares that sum to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.views import Views
from songscape.language_codes import language_name

__all__ = ["CovariateEncoder", "fit_covariates"]

# A covariate of large numbers is learned before the latents are, which then need not carry what it
# explains. At the scale of shares, a few hundred steps leave the language in the latents.
SCALE = np.float32(4.0)
LEAST_SHARE = 0.01
"""Of the training tracks: rarer categories have no part in the average."""


@dataclass(frozen=True, eq=False)
class CovariateEncoder:
    """Covariate views as one centred and scaled vector per track.

    Centring gives zero two meanings at once: the average track of the training collection, and
    nothing known.

    Attributes
    ----------
    names : tuple of str
        The covariate views.
    categories : tuple of tuple of str
        Column names of each that some training track has.
    average : ndarray
        Mean shares over the training tracks, all views side by side.
    """

    names: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    average: NDArray[np.float32]

    def encode(self, views: Views) -> NDArray[np.float32]:
        """Own values of every track, shape (n_tracks, n_covariates).

        A track whose categories no training track had is as unknown as one that lacks the view.
        """
        blocks = []
        for name, categories, part in zip(self.names, self.categories, self._parts):
            view = views[name]
            block = view.in_columns(categories).astype(np.float32)
            known = view.present & (block > 0).any(axis=1)
            centred = SCALE * (block - self.average[part])
            blocks.append(np.where(known[:, None], centred, np.float32(0)))
        return np.concatenate(blocks, axis=1)

    def at(self, category: str, n_tracks: int) -> NDArray[np.float32]:
        """The same value for every track, shape (n_tracks, n_covariates).

        `category` is "average", or a category of the training tracks, with all other covariates at
        their average. Of two covariates with a category of that name the first is meant, or the one
        named, as in "source=hymnal". Languages also go by their code or English name.

        Raises
        ------
        SongscapeError
            If no training track has that category; the message names the known ones.
        """
        vector = np.zeros_like(self.average)
        if category != "average":
            part, column = self._find(category)
            vector[part] = -self.average[part]
            vector[column] += 1.0
        return np.repeat(SCALE * vector[None], n_tracks, axis=0)

    def mixture(self, category: str) -> tuple[tuple[float, NDArray[np.float32]], ...]:
        """The covariates at which `at=category` decodes, with weights that add up to one.

        A category is one vector. "average" is every category of every covariate, weighted by its
        share of the training tracks (the product of the shares, where there are several
        covariates); what makes up less than a hundredth is left out.
        """
        if category != "average":
            return ((1.0, self.at(category, 1)[0]),)
        mixture: list[tuple[float, NDArray[np.float32]]] = [(1.0, self.average * 0)]
        for part in self._parts:
            longer = []
            for weight, vector in mixture:
                for column in range(part.start, part.stop):
                    share = weight * float(self.average[column])
                    if share >= LEAST_SHARE:
                        at = vector.copy()
                        at[part] = -SCALE * self.average[part]
                        at[column] += SCALE
                        longer.append((share, at))
            # Where all are rare, the covariate stays at its average.
            mixture = longer or mixture
        total = sum(weight for weight, _ in mixture)
        return tuple((weight / total, vector) for weight, vector in mixture)

    @property
    def _parts(self) -> list[slice]:
        """The columns of each covariate."""
        ends = np.cumsum([len(categories) for categories in self.categories]).tolist()
        return [slice(end - len(c), end) for end, c in zip(ends, self.categories)]

    def _find(self, category: str) -> tuple[slice, int]:
        """The columns of a category's covariate, and the category's own."""
        covariate, _, value = category.partition("=")
        is_named = bool(value) and covariate in self.names
        chosen = [covariate] if is_named else list(self.names)
        wanted = value if is_named else category
        for spelling in (str, language_name):
            for name, categories, part in zip(self.names, self.categories, self._parts):
                spelled = [spelling(each) for each in categories]
                if name in chosen and spelling(wanted) and spelling(wanted) in spelled:
                    return part, part.start + spelled.index(spelling(wanted))
        known = "; ".join(
            f"{name}: {', '.join(categories)}"
            for name, categories in zip(self.names, self.categories)
        )
        raise SongscapeError(
            f"at={category!r} is not known to the model; choose 'average', 'own' or one of {known}"
        )


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
