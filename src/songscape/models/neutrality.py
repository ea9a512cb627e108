"""Neutrality: how far sound and words must be aligned until neighbours tell no language.

Only the languages are looked at, and what is near what; no genre, no artist.
"""

from __future__ import annotations

from collections.abc import Sequence

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
WEIGHTS = (1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.0)
"""Weights of the words that are tried; the sound has 1."""
CLOSE = 0.02
N_NEIGHBORS = 10
MOST_TRACKS = 1500


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
