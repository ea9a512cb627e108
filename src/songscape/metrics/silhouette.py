"""Silhouettes (Rousseeuw 1987): exact, or of a random sample with its error.

A space `X` has shape (n_tracks, n_dimensions), labels (n_tracks,): clusters, where −1 is noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.neighbours import row_chunks

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CACHED_NUMBERS = 250_000


def silhouette(
    X: ArrayLike, labels: ArrayLike, *, n_samples: int | None = None, random_state: int = 0
) -> tuple[float, float]:
    """Mean silhouette of the clustered tracks, (b − a) / max(a, b), and its standard error.

    a is the mean Euclidean distance to the other tracks of its cluster, b the smallest mean
    distance to another cluster; a track alone in its cluster gets 0, as in scikit-learn. NaN with
    fewer than 2 clusters or no two tracks in one.

    Time grows with n². A random sample of `n_samples` tracks is compared with *all* tracks, so each
    value is exact and the mean is unbiased. The error is that of the sampling, with the
    finite-population correction: 0 when all are drawn.
    """
    space, codes, sizes, _ = clustered_rows(X, labels)
    if len(sizes) == 0:
        return float("nan"), float("nan")
    n = len(space)
    m = n if n_samples is None else min(n_samples, n)
    drawn = np.sort(np.random.default_rng(random_state).choice(n, m, replace=False))
    values = silhouettes_of(space, codes, sizes, drawn)
    spread = float(values.std(ddof=1)) if m > 1 else float("nan")
    return float(values.mean()), spread / m**0.5 * max(0.0, 1 - m / n) ** 0.5


def simplified_silhouette(X: ArrayLike, labels: ArrayLike) -> Floats:
    """How far every track is from the border of its cluster: (b − a) / max(a, b).

    a is the distance to the centre (mean) of its own cluster, b that to the nearest other one
    (Vendramin, Campello & Hruschka 2010): 1 in the centre, 0 half way to the next, under 0 nearer
    to another. NaN for noise (−1) and where `silhouette` is NaN; 0 where both distances are 0.
    """
    from scipy.spatial.distance import cdist

    space, codes, sizes, kept = clustered_rows(X, labels)
    result = np.full(len(kept), np.nan)
    if len(sizes) == 0:
        return result
    centres = np.zeros((len(sizes), space.shape[1]))
    np.add.at(centres, codes, space)
    centres /= sizes[:, None]
    values = np.empty(len(space))
    for rows in row_chunks(np.arange(len(space)), len(sizes)):
        distances = cdist(space[rows], centres)
        mine = np.arange(len(distances)), codes[rows]
        own = distances[mine]
        distances[mine] = np.inf
        other = distances.min(axis=1)
        larger = np.maximum(own, other)
        values[rows] = np.divide(other - own, larger, out=np.zeros_like(own), where=larger > 0)
    result[kept] = values
    return result


def clustered_rows(
    X: ArrayLike, labels: ArrayLike
) -> tuple[Floats, Integers, Floats, NDArray[np.bool_]]:
    """Clustered rows, their cluster codes, the sizes of the clusters, and which rows those are.

    There are no sizes where no two clusters can be told apart: with fewer than two, or where every
    track is its own.
    """
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


def silhouettes_of(space: Floats, codes: Integers, sizes: Floats, rows: Integers) -> Floats:
    """Silhouettes of some rows, each compared with all."""
    order = np.argsort(codes, kind="stable")
    place = np.argsort(order)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    # [-2x, 1, |x|²] times [y, |y|², 1] is the squared distance.
    centred = space - space.mean(axis=0)
    norms, ones = np.einsum("ij,ij->i", centred, centred), np.ones(len(space))
    left = np.column_stack([-2 * centred, ones, norms])
    right = np.column_stack([centred, norms, ones])[order].T
    values = [np.zeros(0)]
    # As many rows at once as stay in the processor's cache.
    for part in np.array_split(rows, max(1, len(rows) * len(space) // _CACHED_NUMBERS)):
        distances = left[part] @ right
        np.sqrt(np.maximum(distances, 0.0, out=distances), out=distances)
        here = np.arange(len(part))
        distances[here, place[part]] = 0.0
        sums = np.add.reduceat(distances, starts, axis=1)
        own = codes[part]
        within = sums[here, own] / np.maximum(sizes[own] - 1, 1)
        others = sums / sizes
        others[here, own] = np.inf
        nearest = others.min(axis=1)
        scale = np.maximum(within, nearest)
        found = np.divide(nearest - within, scale, out=np.zeros(len(part)), where=scale > 0)
        values.append(np.where(sizes[own] == 1, 0.0, found))
    return np.concatenate(values)
