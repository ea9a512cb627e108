"""Silhouettes (Rousseeuw 1987): exact in tiles, or of a random sample with its error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

__all__ = ["sampled_silhouette", "silhouette", "silhouette_samples", "simplified_silhouette"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_TILE = 512
_DOUBLE_UP_TO = 20_000
_SINGLE_FROM = 0.01


def silhouette(X: ArrayLike, labels: ArrayLike) -> float:
    """Mean silhouette of the clustered tracks, exact; NaN where undefined.

    Time grows with n², memory with n. See `silhouette_samples` for parameters.
    """
    values = silhouette_samples(X, labels)
    clustered = values[np.asarray(labels) >= 0]
    return float(clustered.mean()) if len(clustered) else float("nan")


def silhouette_samples(X: ArrayLike, labels: ArrayLike) -> Floats:
    """Silhouette of every track: (b − a) / max(a, b) with Euclidean distances.

    a is the mean distance to the other tracks of its cluster, b the smallest mean distance to
    another cluster; a track alone in its cluster gets 0, as in scikit-learn. Each pair of tracks
    is looked at once, in tiles that stay in the processor's cache; above 20,000 tracks
    distances are single precision where no two tracks of a pair of tiles are so close that this
    would show.

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_dimensions)
    labels : array-like of shape (n_tracks,), int
        Clusters; −1 is noise, which takes no part.

    Returns
    -------
    ndarray of shape (n_tracks,)
        NaN for noise; NaN everywhere with fewer than 2 clusters or no two tracks in one.
    """
    space, codes, sizes, kept = _prepared(X, labels)
    result = np.full(len(kept), np.nan)
    if len(sizes) == 0:
        return result
    order = np.argsort(codes, kind="stable")
    single = len(space) > _DOUBLE_UP_TO
    sums = _distance_sums(space[order], codes[order], len(sizes), single=single)
    values = np.empty(len(space))
    values[order] = _from_sums(sums, codes[order], sizes)
    result[kept] = values
    return result


def simplified_silhouette(X: ArrayLike, labels: ArrayLike) -> Floats:
    """How far every track is from the border of its cluster: (b − a) / max(a, b).

    a is the distance to the centre (mean) of its own cluster, b that to the nearest other one
    (Vendramin, Campello & Hruschka 2010): 1 in the centre, 0 half way to the next, under 0 nearer
    to another. Time and memory grow with n times the number of clusters.

    Parameters
    ----------
    X, labels
        As in `silhouette_samples`.

    Returns
    -------
    ndarray of shape (n_tracks,)
        NaN where `silhouette_samples` has NaN; 0 where both distances are 0.
    """
    space, codes, sizes, kept = _prepared(X, labels)
    result = np.full(len(kept), np.nan)
    if len(sizes) == 0:
        return result
    centres = np.zeros((len(sizes), space.shape[1]))
    np.add.at(centres, codes, space)
    centres /= sizes[:, None]
    values = np.empty(len(space))
    for start in range(0, len(space), _TILE):
        rows = slice(start, start + _TILE)
        distances = cdist(space[rows], centres)
        mine = np.arange(len(distances)), codes[rows]
        own = distances[mine]
        distances[mine] = np.inf
        other = distances.min(axis=1)
        larger = np.maximum(own, other)
        values[rows] = np.divide(other - own, larger, out=np.zeros_like(own), where=larger > 0)
    result[kept] = values
    return result


def sampled_silhouette(
    X: ArrayLike, labels: ArrayLike, *, n_samples: int = 2_000, random_state: int = 0
) -> tuple[float, float]:
    """Mean silhouette of a random sample of tracks, and its standard error.

    The sampled tracks are compared with *all* tracks, so each value is exact and the mean is
    unbiased; only which tracks were drawn is random.

    Parameters
    ----------
    X, labels
        As in `silhouette_samples`.
    n_samples : int
        Tracks drawn without replacement from the clustered ones.
    random_state : int
        Seed of the draw.

    Returns
    -------
    value, error : float
        Mean, and its standard error with the finite-population correction (0 when all are drawn).
    """
    space, codes, sizes, _ = _prepared(X, labels)
    if len(sizes) == 0:
        return float("nan"), float("nan")
    n = len(space)
    m = min(n_samples, n)
    drawn = np.sort(np.random.default_rng(random_state).choice(n, m, replace=False))
    order = np.argsort(codes, kind="stable")
    centred = space - space.mean(axis=0)
    columns = _augmented_right(centred[order])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    sums = np.empty((m, len(sizes)))
    step = max(1, 4_000_000 // n)
    for start in range(0, m, step):
        rows = drawn[start : start + step]
        distances = _augmented_left(centred[rows]) @ columns.T
        np.sqrt(np.maximum(distances, 0.0, out=distances), out=distances)
        sums[start : start + step] = np.add.reduceat(distances, starts, axis=1)
    values = _from_sums(sums, codes[drawn], sizes)
    spread = float(values.std(ddof=1)) if m > 1 else float("nan")
    return float(values.mean()), spread / m**0.5 * max(0.0, 1 - m / n) ** 0.5


def _prepared(
    X: ArrayLike, labels: ArrayLike
) -> tuple[Floats, Integers, Floats, NDArray[np.bool_]]:
    """Clustered rows, cluster codes, sizes (empty where the silhouette is undefined), the mask."""
    space, clusters = np.asarray(X), np.asarray(labels)
    if space.ndim != 2 or clusters.shape != space.shape[:1]:
        raise ValueError(f"X has shape {space.shape} and labels {clusters.shape}: one per row")
    kept = clusters >= 0
    _, codes, sizes = np.unique(clusters[kept], return_inverse=True, return_counts=True)
    if not 2 <= len(sizes) < kept.sum():
        sizes = sizes[:0]
    return (
        np.asarray(space[kept], dtype=np.float64),
        codes.astype(np.int64),
        sizes.astype(np.float64),
        kept,
    )


def _distance_sums(space: Floats, codes: Integers, n_clusters: int, *, single: bool) -> Floats:
    """Sum of distances from each row to each cluster; rows sorted by cluster."""
    n = len(space)
    sums = np.zeros((n, n_clusters))
    starts = list(range(0, n, _TILE))
    members: list[tuple[slice, NDArray[Any]]] = []
    for start in starts:
        inside = codes[start : start + _TILE]
        first = int(inside[0])
        one_hot = np.zeros((len(inside), int(inside[-1]) - first + 1))
        one_hot[np.arange(len(inside)), inside - first] = 1
        members.append((slice(first, int(inside[-1]) + 1), one_hot))
    for i, top in enumerate(starts):
        rows = slice(top, top + _TILE)
        centre = space[rows].mean(axis=0)
        left = _augmented_left(space[rows] - centre)
        right = _augmented_right(space[top:] - centre)
        for j in range(i, len(starts)):
            columns = slice(starts[j], starts[j] + _TILE)
            distances = _tile_distances(left, right[columns.start - top :][:_TILE], single)
            if i == j:
                np.fill_diagonal(distances, 0)
            else:
                sums[columns, members[i][0]] += distances.T @ members[i][1].astype(distances.dtype)
            sums[rows, members[j][0]] += distances @ members[j][1].astype(distances.dtype)
    return sums


def _tile_distances(left: Floats, right: Floats, single: bool) -> NDArray[Any]:
    """Distances of one tile; single precision only where no difference is lost in cancellation."""
    squares: NDArray[Any]
    if single:
        squares = left.astype(np.float32) @ right.astype(np.float32).T
        single = squares.min() > _SINGLE_FROM * (left[:, -2].max() + right[:, -1].max())
    if not single:
        squares = left @ right.T
    np.maximum(squares, 0, out=squares)
    np.sqrt(squares, out=squares)
    return squares


def _augmented_left(rows: Floats) -> Floats:
    """[−2x, |x|², 1]: times `_augmented_right` gives squared distances in one product."""
    norms = np.einsum("ij,ij->i", rows, rows)
    return np.column_stack([-2 * rows, norms, np.ones(len(rows))])


def _augmented_right(rows: Floats) -> Floats:
    """[y, 1, |y|²]."""
    return np.column_stack([rows, np.ones(len(rows)), np.einsum("ij,ij->i", rows, rows)])


def _from_sums(sums: Floats, codes: Integers, sizes: Floats) -> Floats:
    rows = np.arange(len(codes))
    own = sizes[codes]
    within = sums[rows, codes] / np.maximum(own - 1, 1)
    others = sums / sizes
    others[rows, codes] = np.inf
    nearest = others.min(axis=1)
    scale = np.maximum(within, nearest)
    values: Floats = np.divide(nearest - within, scale, out=np.zeros(len(codes)), where=scale > 0)
    values[own == 1] = 0.0
    return values
