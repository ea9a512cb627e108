"""Alignment: every language's tracks moved, and turned, to where those of the others lie.

Categories (languages) enter as shares: a song half in one and half in another is moved half by
each. A track of unknown category is moved by the average of all, and not turned. How far sound and
words must be aligned is read off neighbours and languages; no genre, no artist is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.features.views import View
from songscape.metrics.neighbours import (
    Neighbors,
    knn_agreement_samples,
    knn_chance,
    nearest_neighbors,
    without_groups,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
FEWEST = 5
"""Tracks of a category, to turn them."""
RIDGE = 0.1
WEIGHTS = (1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.0)
"""Weights of the words that are tried; the sound has 1."""
CLOSE = 0.02
N_NEIGHBORS = 10
MOST_TRACKS = 1500


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where each category's tracks lie, and how they are turned.

    `average` holds the mean shares of the tracks of known category; `means` has shape
    (n_categories, n_dimensions), and coordinates are multiplied by `maps` after centring, unless
    those are None.
    """

    categories: tuple[str, ...]
    average: Floats
    means: Floats
    maps: Floats | None = None

    def apply(self, coordinates: NDArray[Any], composition: View) -> Floats:
        """Aligned coordinates of tracks with these shares, (n_tracks, n_dimensions)."""
        # Of the categories that the alignment knows, adding up to 1.
        shares = composition.in_columns(self.categories).astype(np.float64)
        total = shares.sum(axis=1)
        known = composition.present & (total > 0)
        shares /= np.where(known, total, 1.0)[:, None]
        moved = coordinates - np.where(known[:, None], shares, self.average) @ self.means
        if self.maps is None:
            return np.asarray(moved)
        turned = np.einsum("nk,nd,kde->ne", shares, moved, self.maps, optimize=True)
        return np.where(known[:, None], turned, moved)


def fit_alignment(
    coordinates: NDArray[Any],
    present: NDArray[np.bool_],
    composition: View,
    parts: Sequence[NDArray[np.intp]] = (),
) -> Alignment:
    """Category means by least squares on the shares, and the turning of each part of the columns.

    A category's covariance around its mean becomes that of all tracks around theirs: correlation
    alignment (Sun, Feng & Saenko, Return of Frustratingly Easy Domain Adaptation, AAAI 2016). Both
    have a ridge, and those of small categories are drawn towards the common one. `present` says
    which coordinates are data; the columns of one of the `parts` are turned together.
    """
    known = composition.present
    seen = np.flatnonzero(composition.values[known].sum(axis=0) > 0)
    shares = composition.values[known][:, seen].astype(np.float64)
    own = coordinates[known].astype(np.float64)
    means = np.zeros((shares.shape[1], own.shape[1]))
    patterns, pattern = np.unique(present[known], axis=1, return_inverse=True)
    for number, rows in enumerate(patterns.T):
        columns = np.flatnonzero(pattern.ravel() == number)
        if rows.any():
            means[:, columns] = np.linalg.lstsq(shares[rows], own[np.ix_(rows, columns)])[0]
    maps: Floats | None = None
    if parts:
        away = np.where(present[known], own - shares @ means, 0.0)
        maps = np.tile(np.eye(own.shape[1]), (shares.shape[1], 1, 1))
        for part in parts:
            rows = present[known][:, part].any(axis=1)
            maps[:, part[:, None], part] = _turned(away[np.ix_(rows, part)], shares[rows])
    categories = tuple(composition.feature_names[i] for i in seen)
    return Alignment(categories, shares.mean(axis=0), means, maps)


def _turned(away: Floats, shares: Floats) -> Floats:
    """For each category the matrix from its covariance to the common one."""
    n_dimensions = away.shape[1]
    common = away.T @ away / max(len(away), 1)
    ridge = RIDGE * float(np.trace(common)) / n_dimensions * np.eye(n_dimensions)
    maps = np.tile(np.eye(n_dimensions), (shares.shape[1], 1, 1))
    if not ridge.any():
        return maps
    for number, share in enumerate(shares.T):
        size = float(share.sum())
        if size >= FEWEST:
            own = (away * share[:, None]).T @ away / size
            shrinkage = min(0.5, n_dimensions / size)
            own = (1 - shrinkage) * own + shrinkage * common
            maps[number] = _power(own + ridge, -0.5) @ _power(common + ridge, 0.5)
    return maps


def _power(matrix: Floats, exponent: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T)


def choose_neutral(
    free: Floats,
    candidates: Sequence[tuple[Floats, Floats]],
    composition: View,
    groups: ArrayLike | None,
) -> tuple[int, float]:
    """Which of the candidates to take, and the weight of its words (one of `WEIGHTS`).

    Of those whose language kNN is within `CLOSE` of chance the one that keeps most of what is near
    within a language: the share of a track's nearest `N_NEIGHBORS` of its own language in the
    `free` space that stay among them. Where none is, those that tell no more than the first one's
    sound alone. Candidates are aligned sound and words; tracks of one group are no neighbours.
    """
    known = np.flatnonzero(composition.present)
    known = known[:: -(-len(known) // MOST_TRACKS)]
    languages = np.asarray(composition.values[known]).argmax(axis=1)
    own = np.arange(len(known)) if groups is None else np.asarray(groups)[known]
    chance = knn_chance(languages, own)[0]
    if len(known) <= N_NEIGHBORS or not np.isfinite(chance):
        return 0, 1.0
    weighs = all(part.shape[1] for part in candidates[0])
    spaces = {
        (number, weight): np.hstack([sound[known], weight * words[known]])
        for number, (sound, words) in enumerate(candidates)
        for weight in (WEIGHTS if weighs else (1.0,))
    }
    away = {
        choice: abs(float(np.nanmean(knn_agreement_samples(_near(space, own), languages))) - chance)
        for choice, space in spaces.items()
    }
    least = min(away.values())
    allowed = CLOSE if least <= CLOSE else max(least, away[0, 0.0] if weighs else least)
    before = _near_within(free[known], languages, own)
    return max(
        (choice for choice in spaces if away[choice] <= allowed),
        key=lambda choice: _shared(before, _near_within(spaces[choice], languages, own)),
    )


def _near(space: Floats, own: ArrayLike) -> Neighbors:
    near = nearest_neighbors(space, 3 * N_NEIGHBORS)
    return without_groups(near, own, N_NEIGHBORS, space)


def _near_within(space: Floats, languages: Integers, own: Integers) -> Integers:
    """Rows of the nearest of the same language, (n_tracks, N_NEIGHBORS); -1 where there is none."""
    found = np.full((len(space), N_NEIGHBORS), -1)
    for language in np.unique(languages):
        rows = np.flatnonzero(languages == language)
        if len(rows) > N_NEIGHBORS:
            near = _near(space[rows], own[rows]).indices
            found[rows] = np.where(near >= 0, rows[near], -1)
    return found


def _shared(before: Integers, after: Integers) -> float:
    """The share of the neighbours that are still there."""
    both = (before[:, :, None] == after[:, None, :]) & (before[:, :, None] >= 0)
    return float(both.sum() / max(int((before >= 0).sum()), 1))
