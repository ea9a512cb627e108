"""Chooses k: the clusters must come back more surely than those of data without clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.clustering.methods import check_rows, cluster
from songscape.errors import SongscapeError
from songscape.metrics.stability import NOT_DRAWN, pairwise_ari, subsamples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_N_SUBSAMPLES, _SHARE, _MOST_TRACKS = 6, 0.8, 2_000
_N_NULL, _ALPHA = 19, 0.05
"""The number of null collections with which the smallest possible p-value is `_ALPHA`."""


@dataclass(frozen=True, eq=False)
class KChoice:
    """The chosen number of clusters and the curve it was read from.

    ``k`` is 1 where no number of clusters is more stable than in the null collections; ``p_value``
    is that of the null hypothesis that none is. ``curve`` has a row per k: `stability` is the mean
    ARI of clusterings of overlapping subsamples and `null` its mean over null collections, each
    with its central 90 %.
    """

    k: int
    reason: str
    p_value: float
    curve: Sequence[Mapping[str, float]]


def choose_k(X: ArrayLike, ks: Iterable[int] = range(2, 13), random_state: int = 0) -> KChoice:
    """Choose k by the stability of K-Means under subsampling, against a null reference.

    For each k the tracks are subsampled and clustered several times, and the adjusted Rand index of
    each two clusterings on the tracks they share is averaged (Ben-Hur, Elisseeff & Guyon 2002).
    Stability alone favours small k, and clusters of one cigar-shaped cloud are stable too, so the
    same is done for collections drawn from a reference without clusters (the idea of Tibshirani,
    Walther & Hastie 2001): one Gaussian cloud with the covariance of the data. The largest excess
    over all k, in deviations of the null, is tested against the largest of each null collection, so
    that trying many k finds no more than trying one. Among the k more stable than every null
    collection, the excess is taken as a share of what was possible, (s − null) / (1 − null), and
    the largest k within one standard error of the best is chosen.

    Rows are sorted by track id; of more than 2,000 a random sample is used.
    """
    space = check_rows("choosing k", X)
    rng = np.random.default_rng(random_state)
    if len(space) > _MOST_TRACKS:
        space = space[np.sort(rng.choice(len(space), _MOST_TRACKS, replace=False))]
    most = round(_SHARE * len(space)) // 2
    tried = np.array(sorted({int(k) for k in ks if 2 <= k <= most}), dtype=np.int64)
    if not len(tried):
        raise SongscapeError(
            f"choosing k: {len(space)} tracks are too few; give k yourself or add tracks"
        )

    pairs = _curve(space, tried, random_state)
    clouds = [gaussian_cloud(space, rng) for _ in range(_N_NULL)]
    nulls = np.array([_curve(cloud, tried, random_state).mean(axis=1) for cloud in clouds])
    low, high = np.quantile(pairs, [0.05, 0.95], axis=1)
    null_low, null_high = np.quantile(nulls, [0.05, 0.95], axis=0)
    columns = {"k": tried, "stability": pairs.mean(axis=1), "low": low, "high": high}
    columns |= {"null": nulls.mean(axis=0), "null_low": null_low, "null_high": null_high}
    rows = zip(*(column.tolist() for column in columns.values()))
    curve = [dict(zip(columns, row)) for row in rows]
    return KChoice(*_decide(tried, pairs, nulls), curve)


def _curve(data: Floats, ks: Integers, seed: int) -> Floats:
    """ARI of every pair of clusterings of subsamples for every k, shape (n_ks, n_pairs)."""
    drawn = subsamples(len(data), n_repeats=_N_SUBSAMPLES, share=_SHARE, random_state=seed)
    partitions = np.full((len(ks), len(drawn), len(data)), NOT_DRAWN)
    for place, k in enumerate(ks.tolist()):
        for draw, rows in enumerate(drawn):
            found = cluster("kmeans", data[rows], k=k, random_state=seed + draw, n_init=3)
            partitions[place, draw, rows] = found.labels
    # Two clusterings with everything in one cluster agree about nothing.
    return np.nan_to_num([pairwise_ari(one) for one in partitions])


def gaussian_cloud(space: Floats, rng: np.random.Generator) -> Floats:
    """Draw a null collection: random mixtures of the tracks have their covariance."""
    centred = space - space.mean(axis=0)
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    spread = scales[:, None] * axes / np.sqrt(len(space))
    return np.asarray(rng.normal(size=(len(space), len(scales))) @ spread)


def _decide(ks: Integers, pairs: Floats, nulls: Floats) -> tuple[int, str, float]:
    """The k, the reason, and the p-value of the largest excess over all k."""
    observed, expected = pairs.mean(axis=1), nulls.mean(axis=0)
    every = np.vstack([observed, nulls])  # the observed curve counts as one of the draws
    spread = np.maximum(every.std(axis=0, ddof=1), 1e-6)
    largest = ((every - every.mean(axis=0)) / spread).max(axis=1)
    p_value = float(np.mean(largest >= largest[0] - 1e-12))
    # Where even the null is nearly perfect, the share of the rest means nothing.
    possible = np.maximum(1 - expected, 0.05)
    excess = (observed - expected) / possible
    beyond = observed > nulls.max(axis=0)
    if p_value > _ALPHA or not beyond.any():
        best = int(np.argmax(excess))
        reason = (
            "no number of clusters is more stable than in a cloud "
            f"without clusters (p = {p_value:.2g}; the nearest is k = {ks[best]}, stability "
            f"{observed[best]:.2f} against {expected[best]:.2f})"
        )
        return 1, reason, p_value
    best = int(np.argmax(np.where(beyond, excess, -np.inf)))
    error = float(pairs[best].std()) / _N_SUBSAMPLES**0.5 / possible[best]
    chosen = int(np.flatnonzero(beyond & (excess >= excess[best] - error - 0.01))[-1])
    reason = (
        f"k = {ks[chosen]}: stability {observed[chosen]:.2f} against {expected[chosen]:.2f} in a "
        f"cloud without clusters; no larger k is as stable (p = {p_value:.2g})"
    )
    return int(ks[chosen]), reason, p_value
