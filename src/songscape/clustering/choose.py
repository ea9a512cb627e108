"""Chooses k: the clusters must come back more surely than those of data without clusters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.clustering.methods import NEEDS_K, check_rows, cluster
from songscape.clustering.trees import cut
from songscape.errors import SongscapeError, UsageError
from songscape.metrics.stability import NOT_DRAWN, pairwise_ari, subsamples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SHARE = 0.8


@dataclass(frozen=True, eq=False)
class KChoice:
    """The chosen number of clusters and the curve it was read from.

    ``k`` is 1 where no number of clusters is more stable than in the null collections; ``p_value``
    is that of the null hypothesis that none is. The arrays have shape (n_ks,): ``stability`` is the
    mean ARI of clusterings of overlapping subsamples and ``null`` its mean over null collections,
    each with its central 90 %.
    """

    k: int
    reason: str
    p_value: float
    ks: Integers
    stability: Floats
    low: Floats
    high: Floats
    null: Floats
    null_low: Floats
    null_high: Floats

    def rows(self) -> list[dict[str, float]]:
        """The curve as one dict per k, for a table."""
        columns = ("stability", "low", "high", "null", "null_low", "null_high")
        return [
            {"k": int(k)} | {name: float(getattr(self, name)[i]) for name in columns}
            for i, k in enumerate(self.ks)
        ]


def choose_k(
    X: ArrayLike,
    *,
    method: str = "kmeans",
    ks: Iterable[int] = range(2, 13),
    n_subsamples: int = 6,
    n_null: int = 19,
    max_tracks: int = 2_000,
    alpha: float = 0.05,
    random_state: int = 0,
) -> KChoice:
    """Choose k by stability under subsampling, against a null reference.

    For each k the tracks are subsampled and clustered several times, and the adjusted Rand index of
    each two clusterings on the tracks they share is averaged (Ben-Hur, Elisseeff & Guyon 2002).
    Stability alone favours small k, and clusters of one cigar-shaped cloud are stable too, so the
    same is done for collections drawn from a reference without clusters (the idea of Tibshirani,
    Walther & Hastie 2001): one Gaussian cloud with the covariance of the data. The largest excess
    over all k, in deviations of the null, is tested against the largest of each null collection, so
    that trying many k finds no more than trying one; there must be 1 / alpha − 1 of these at least.
    Among the k more stable than every null collection, the excess is taken as a share of what was
    possible, (s − null) / (1 − null), and the largest k within one standard error of the best is
    chosen.

    Rows are sorted by track id; of more than `max_tracks` a random sample is used.
    """
    if method not in NEEDS_K:
        raise UsageError(f"{method} finds its own number of clusters; choose k only for others")
    if n_null < 2 or alpha * (n_null + 1) < 1 - 1e-9:
        raise UsageError(f"n_null={n_null} null collections cannot give p below {alpha}; use more")
    if n_subsamples < 2:
        raise UsageError(f"n_subsamples={n_subsamples}: pairs of subsamples need at least 2")
    space = check_rows("choosing k", X)
    rng = np.random.default_rng(random_state)
    if len(space) > max_tracks:
        space = space[np.sort(rng.choice(len(space), max_tracks, replace=False))]
    most = round(_SHARE * len(space)) // 2
    tried = np.array(sorted({int(k) for k in ks if 2 <= k <= most}), dtype=np.int64)
    if not len(tried):
        raise SongscapeError(
            f"choosing k: {len(space)} tracks are too few; give k yourself or add tracks"
        )
    rows = subsamples(len(space), n_repeats=n_subsamples, share=_SHARE, random_state=random_state)

    def curve(data: Floats) -> Floats:
        """ARI of every pair of subsamples for every k, shape (n_ks, n_pairs)."""
        partitions = np.full((len(tried), len(rows), len(data)), NOT_DRAWN, dtype=np.int64)
        for draw, drawn in enumerate(rows):
            every = _labels(data[drawn], method, tried, random_state + draw)
            for position, labels in enumerate(every):
                partitions[position, draw, drawn] = labels
        # Two clusterings with everything in one cluster agree about nothing.
        return np.array([np.nan_to_num(pairwise_ari(partition)) for partition in partitions])

    pairs = curve(space)
    nulls = np.array([curve(gaussian_cloud(space, rng)).mean(axis=1) for _ in range(n_null)])
    k, reason, p_value = _decide(tried, pairs, nulls, n_subsamples, alpha)
    low, high = np.quantile(pairs, [0.05, 0.95], axis=1)
    null_low, null_high = np.quantile(nulls, [0.05, 0.95], axis=0)
    null_mean = nulls.mean(axis=0)
    observed = pairs.mean(axis=1)
    return KChoice(k, reason, p_value, tried, observed, low, high, null_mean, null_low, null_high)


def _labels(data: Floats, method: str, ks: Integers, seed: int) -> Iterable[Integers]:
    """Clusters for each k; a tree is grown once and cut at every k."""
    if method in ("ward", "average"):
        tree = cluster(method, data, k=1).extras["linkage"]
        yield from (cut(tree, int(k)) for k in ks)
        return
    n_init = 3 if method == "kmeans" else 1
    for k in ks:
        yield cluster(method, data, k=int(k), random_state=seed, n_init=n_init).labels


def gaussian_cloud(space: Floats, rng: np.random.Generator) -> Floats:
    """Draw a null collection: random mixtures of the tracks have their covariance."""
    centred = space - space.mean(axis=0)
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    spread = scales[:, None] * axes / np.sqrt(len(space))
    return np.asarray(rng.normal(size=(len(space), len(scales))) @ spread)


def _p_value(observed: Floats, nulls: Floats) -> float:
    """P-value of the largest excess over all k; the observed curve counts as one of the draws."""
    every = np.vstack([observed, nulls])
    spread = np.maximum(every.std(axis=0, ddof=1), 1e-6)
    largest = ((every - every.mean(axis=0)) / spread).max(axis=1)
    return float(np.mean(largest >= largest[0] - 1e-12))


def _decide(
    ks: Integers, pairs: Floats, nulls: Floats, n_subsamples: int, alpha: float
) -> tuple[int, str, float]:
    observed, expected = pairs.mean(axis=1), nulls.mean(axis=0)
    p_value = _p_value(observed, nulls)
    # Where even the null is nearly perfect, the share of the rest means nothing.
    possible = np.maximum(1 - expected, 0.05)
    excess = (observed - expected) / possible
    beyond = observed > nulls.max(axis=0)
    if p_value > alpha or not beyond.any():
        best = int(np.argmax(excess))
        reason = (
            "no number of clusters is more stable than in a cloud "
            f"without clusters (p = {p_value:.2g}; the nearest is k = {ks[best]}, stability "
            f"{observed[best]:.2f} against {expected[best]:.2f})"
        )
        return 1, reason, p_value
    best = int(np.argmax(np.where(beyond, excess, -np.inf)))
    error = float(pairs[best].std()) / n_subsamples**0.5 / possible[best]
    chosen = int(np.flatnonzero(beyond & (excess >= excess[best] - error - 0.01))[-1])
    reason = (
        f"k = {ks[chosen]}: stability {observed[chosen]:.2f} against {expected[chosen]:.2f} in a "
        f"cloud without clusters; no larger k is as stable (p = {p_value:.2g})"
    )
    return int(ks[chosen]), reason, p_value
