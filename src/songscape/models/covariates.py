"""Covariates: what a track is known to be (languages, source), as shares that sum to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.columns import same_column
from songscape.errors import SongscapeError
from songscape.features.views import Views
from songscape.language_codes import language_name
from songscape.statistics.overlap import measure_overlap

__all__ = ["CovariateEncoder", "fit_covariates", "overlap_warnings"]

# A loud covariate is learned before the latents are: what it explains, they need not carry. At the
# scale of shares, a few hundred steps leave the language in the latents.
SCALE = np.float32(4.0)
LEAST_SHARE = 0.01
"""Of the training tracks: rarer categories have no part in the average."""


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
        Column names of each, those that training tracks are of.
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
        """Every track given the same value, shape (n_tracks, n_covariates).

        Parameters
        ----------
        category : str
            "average", or a category of the training tracks; all other covariates stay at their
            average. Of two covariates with a category of that name the first is meant, or the one
            named, as in "source=hymnal". Languages also go by their code or English name.
        n_tracks : int

        Raises
        ------
        SongscapeError
            If no training track was of that category; the message names those there are.
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
        found: list[tuple[float, NDArray[np.float32]]] = [(1.0, self.average * 0)]
        start = 0
        for categories in self.categories:
            part = slice(start, start + len(categories))
            longer = []
            for weight, vector in found:
                for column in range(part.start, part.stop):
                    share = weight * float(self.average[column])
                    if share >= LEAST_SHARE:
                        at = vector.copy()
                        at[part] = -SCALE * self.average[part]
                        at[column] += SCALE
                        longer.append((share, at))
            # Where all are rare, the covariate stays at its average.
            found = longer or found
            start = part.stop
        total = sum(weight for weight, _ in found)
        return tuple((weight / total, vector) for weight, vector in found)

    def _find(self, category: str) -> tuple[slice, int]:
        """The columns of a category's covariate, and the category's own."""
        covariate, _, value = category.partition("=")
        chosen = [covariate] if value and covariate in self.names else list(self.names)
        wanted = value if value and covariate in self.names else category
        for same in (_as_written, language_name):
            start = 0
            for name, categories in zip(self.names, self.categories):
                if name in chosen and same(wanted):
                    spelled = [same(each) for each in categories]
                    if same(wanted) in spelled:
                        part = slice(start, start + len(categories))
                        return part, start + spelled.index(same(wanted))
                start += len(categories)
        known = "; ".join(
            f"{name}: {', '.join(categories)}"
            for name, categories in zip(self.names, self.categories)
        )
        raise SongscapeError(
            f"at={category!r} is not known to the model; choose 'average', 'own' or one of {known}"
        )


def _as_written(tag: str | None) -> str | None:
    return tag


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
        # Only what training tracks are of: at anything else the decoder would make it up.
        seen = np.flatnonzero(shares > 0)
        averages.append(shares[seen])
        categories.append(tuple(view.feature_names[i] for i in seen))
    average = np.concatenate(averages).astype(np.float32)
    return CovariateEncoder(tuple(names), tuple(categories), average)


def overlap_warnings(views: Views, names: Sequence[str], labels: Any) -> tuple[str, ...]:
    """Sentences about labels that a model blind to these covariates can't see either.

    Parameters
    ----------
    views : Views
    names : sequence of str
        The covariate views.
    labels : DataFrame, Series or sequence of length n_tracks
        One label column or several.
    """
    if hasattr(labels, "columns"):
        columns = {str(name): list(labels[name]) for name in labels.columns}
    else:
        columns = {str(getattr(labels, "name", None) or "label"): list(labels)}
    return tuple(
        overlap.sentence
        for name in names
        for column, values in columns.items()
        if not same_column(column, name)
        and (overlap := measure_overlap(values, views[name], label=column, covariate=name)).poor
    )
