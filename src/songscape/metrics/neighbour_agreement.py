"""Neighbour agreement: how many of a track's neighbours carry its label, and what chance gives.

Functions that end in `_samples` give one value per track, NaN where there is none to give, so that
means, class means and bootstraps can be taken from the same numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.clusters import encode_labels
from songscape.metrics.neighbours import Neighbors, without_groups
from songscape.statistics.permutations import group_codes

__all__ = ["class_mean", "knn_agreement_samples", "knn_chance", "knn_label_agreement"]

Floats = NDArray[np.float64]


def knn_agreement_samples(neighbors: Neighbors, labels: ArrayLike) -> Floats:
    """Share of each track's neighbours that carry its label.

    Parameters
    ----------
    neighbors : Neighbors
        As many as should count, e.g. `.first(10)` or `without_groups(…)`.
    labels : array-like of shape (n_tracks,)
        Missing labels are left out, as tracks and as neighbours.

    Returns
    -------
    ndarray of shape (n_tracks,)
        NaN for tracks without a label or without labelled neighbours.
    """
    codes = encode_labels(labels)[0]
    around = np.where(neighbors.indices >= 0, codes[neighbors.indices], -1)
    labelled = (around >= 0).sum(axis=1)
    same = ((around == codes[:, None]) & (around >= 0)).sum(axis=1)
    defined = (labelled > 0) & (codes >= 0)
    share: Floats = np.full(len(codes), np.nan)
    share[defined] = same[defined] / labelled[defined]
    return share


def knn_label_agreement(
    neighbors: Neighbors,
    labels: ArrayLike,
    *,
    k: int = 10,
    artists: ArrayLike | None = None,
    X: ArrayLike | None = None,
) -> dict[str, float]:
    """k-nearest-neighbour agreement with a label, optionally with same-artist neighbours removed.

    Parameters
    ----------
    neighbors : Neighbors
        More than k, so that the artist filter has a choice.
    labels : array-like of shape (n_tracks,)
    k : int
    artists : array-like of shape (n_tracks,), optional
        Switches the artist filter on.
    X : array-like, optional
        The space, see `without_groups`.

    Returns
    -------
    dict
        `mean` over tracks, `balanced` (mean of the class means), `chance` and `balanced_chance`
        (what a random order of tracks gives), `n_used`, `n_missing`.
    """
    k = min(k, neighbors.n_neighbors)
    near = neighbors.first(k) if artists is None else without_groups(neighbors, artists, k, X)
    values = knn_agreement_samples(near, labels)
    used = np.isfinite(values)
    chance, balanced_chance = knn_chance(labels)
    return {
        "mean": float(values[used].mean()) if used.any() else float("nan"),
        "balanced": class_mean(values, labels),
        "chance": chance,
        "balanced_chance": balanced_chance,
        "n_used": int(used.sum()),
        "n_missing": int((encode_labels(labels)[0] < 0).sum()),
    }


def knn_chance(labels: ArrayLike, artists: ArrayLike | None = None) -> tuple[float, float]:
    """Expected neighbour agreement, mean and balanced, when neighbours are drawn at random.

    With artists, neighbours are drawn among the tracks that are not by the track's own artist.
    """
    codes = encode_labels(labels)[0]
    used = codes >= 0
    n = int(used.sum())
    if n < 2:
        return float("nan"), float("nan")
    own = np.arange(len(codes)) if artists is None else group_codes(artists, len(codes))
    # Tracks of the same artist, and of the same artist and class: the track itself is in both.
    _, by_artist, sizes = np.unique(own[used], return_inverse=True, return_counts=True)
    pairs = np.column_stack([own[used], codes[used]])
    _, by_both, shared = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    same_class = np.bincount(codes[used])[codes[used]]
    candidates = n - sizes[by_artist]
    expected = np.full(len(codes), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected[used] = (same_class - shared[by_both.ravel()]) / candidates
    known = expected[np.isfinite(expected)]
    if not len(known):
        return float("nan"), float("nan")
    return float(known.mean()), class_mean(expected, labels)


def class_mean(values: ArrayLike, labels: ArrayLike) -> float:
    """Mean over classes of the class means of per-track values; NaN values are left out."""
    samples, codes = np.asarray(values, dtype=np.float64), encode_labels(labels)[0]
    used = np.isfinite(samples) & (codes >= 0)
    if not used.any():
        return float("nan")
    counts = np.bincount(codes[used])
    sums = np.bincount(codes[used], weights=samples[used])
    return float(np.mean(sums[counts > 0] / counts[counts > 0]))
