"""Stability: would other seeds, or four fifths of the tracks, give the same clusters?

Partitions have shape (n_tracks,), repeats of them (n_repeats, n_tracks); −1 is noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.clusters import ari
from songscape.metrics.labels import group_codes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NOT_DRAWN = -2
"""Label of a track that was not in a subsample; −1 is noise."""


def pairwise_ari(partitions: ArrayLike) -> Floats:
    """ARI of every pair of partitions of the same tracks; noise and `NOT_DRAWN` are left out."""
    rows = np.asarray(partitions)
    pairs = [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    return np.array([ari(rows[i], rows[j]) for i, j in pairs])


def subsamples(
    n_tracks: int,
    *,
    n_repeats: int = 20,
    share: float = 0.8,
    groups: ArrayLike | None = None,
    random_state: int = 0,
) -> list[Integers]:
    """Rows of each subsample, sorted; with groups, whole groups (duplicate sets, artists)."""
    rng = np.random.default_rng(random_state)
    blocks = group_codes(groups, n_tracks)
    n_groups = int(blocks.max(initial=-1)) + 1
    take = max(1, round(share * n_groups))
    return [
        np.flatnonzero(np.isin(blocks, rng.permutation(n_groups)[:take])) for _ in range(n_repeats)
    ]


def cluster_jaccard(reference: ArrayLike, other: ArrayLike) -> Floats:
    """Per cluster of the reference, the largest Jaccard similarity to a cluster of the other.

    Both are taken on the tracks drawn in the other; a cluster with none of them gets 0. Above 0.75
    a cluster is stable, below 0.6 not to be believed (Hennig 2007).
    """
    labels, others = np.asarray(reference), np.asarray(other)
    n_clusters = int(labels.max(initial=-1)) + 1
    drawn = others != NOT_DRAWN
    table, sizes, other_sizes = overlaps(labels[drawn], others[drawn], n_clusters)
    if not table.shape[1]:
        return np.zeros(n_clusters)
    union = sizes[:, None] + other_sizes[None, :] - table
    result: Floats = (table / np.maximum(union, 1)).max(axis=1)
    return result


def unsure_shares(reference: ArrayLike, repeats: ArrayLike) -> Floats:
    """Per track, how much of its cluster changes: 0 nothing, 1 all of it; NaN in no repeat.

    The other tracks of its cluster in the reference and in a repeat are compared, among those
    drawn; 1 minus their Jaccard similarity, averaged over the repeats it was drawn in. This is the
    row-wise disagreement of the co-assignment matrices (Monti et al. 2003) without the matrices.
    Noise counts as one more cluster.
    """
    labels = np.asarray(reference)
    n_clusters = int(labels.max(initial=-1)) + 1
    total, times = np.zeros(len(labels)), np.zeros(len(labels))
    for other in np.atleast_2d(np.asarray(repeats)):
        drawn = np.flatnonzero(other != NOT_DRAWN)
        # Noise becomes one more cluster here: a track that stays noise is as sure as any.
        before, after = labels[drawn] + 1, other[drawn] + 1
        table, sizes, other_sizes = overlaps(before, after, n_clusters + 1)
        shared = table[before, after]
        union = sizes[before] + other_sizes[after] - shared
        # The track itself does not count: a cluster of one keeps what it has.
        total[drawn] += np.where(union > 1, (shared - 1) / np.maximum(union - 1, 1), 1.0)
        times[drawn] += 1
    kept = np.divide(total, times, out=np.full(len(labels), np.nan), where=times > 0)
    return np.asarray(1.0 - kept)


def overlaps(first: Integers, second: Integers, n_first: int) -> tuple[Floats, Floats, Floats]:
    """Table of shared tracks and the sizes of both; negative labels count in sizes nowhere."""
    n_second = int(second.max(initial=-1)) + 1
    both = (first >= 0) & (second >= 0)
    cells = first[both] * n_second + second[both]
    table = np.bincount(cells, minlength=n_first * n_second).reshape(n_first, n_second)
    sizes = np.bincount(first[first >= 0], minlength=n_first)
    other_sizes = np.bincount(second[second >= 0], minlength=n_second)
    return table.astype(float), sizes.astype(float), other_sizes.astype(float)
