"""Choosing k: where clusters come back more surely than they would in data without any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.clustering.methods import NEEDS_K, cluster
from songscape.errors import SongscapeError, UsageError
from songscape.metrics.stability import NOT_DRAWN, pairwise_ari, subsamples

__all__ = ["KChoice", "choose_k"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class KChoice:
    """The chosen number of clusters and the curve it was read from.

    Attributes
    ----------
    k : int
        1 where nothing beats the null reference.
    reason : str
        In plain words.
    p_value : float
        Of "as stable as data without clusters", over all k together.
    ks : ndarray of shape (n_ks,), int64
    stability, low, high : ndarray of shape (n_ks,)
        Mean ARI of clusterings of overlapping subsamples, and the central 90 % of the pairs.
    null, null_low, null_high : ndarray of shape (n_ks,)
        Mean over null collections of the same, and their central 90 %.
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
    share: float = 0.8,
    null: str = "gaussian",
    max_tracks: int = 2_000,
    alpha: float = 0.05,
    random_state: int = 0,
    **params: Any,
) -> KChoice:
    """Choose k by stability under subsampling, against a null reference.

    For each k the tracks are subsampled and clustered several times, and the adjusted Rand index
    of each two clusterings on the tracks they share is averaged (Ben-Hur, Elisseeff & Guyon 2002).
    Stability alone favours small k, and clusters of one cigar-shaped cloud are stable too, so the
    same is done for collections drawn from a reference without clusters (the idea of Tibshirani,
    Walther & Hastie 2001). The largest excess over all k, in deviations of the null, is tested
    against the largest of each null collection, so that trying many k finds no more than trying
    one. Among the k more stable than every null collection, the excess is taken as a share of what
    was possible, (s − null) / (1 − null), and the largest k within one standard error of the best
    is chosen: the finest division that is as sure.

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_dimensions)
        Rows sorted by track id.
    method : {"kmeans", "ward", "average", "gmm"}
    ks : iterable of int
        Numbers of clusters to try, from 2 up.
    n_subsamples : int
        Subsamples; their pairs are compared.
    n_null : int
        Null collections; at least 1 / alpha − 1 of them, for p-values go no lower.
    share : float
        Of the tracks in each subsample.
    null : {"gaussian", "uniform"}
        One Gaussian cloud with the data's covariance, or a box along its principal axes.
    max_tracks : int
        With more tracks a random sample is used.
    alpha : float
        Level of the test for any structure at all.
    random_state : int
    **params
        For the clusterer; kmeans takes 3 starts per run and gmm 1 unless told otherwise.

    Raises
    ------
    SongscapeError
        Too few tracks for any of `ks`.
    UsageError
        A method that takes no k, or an unknown null.
    """
    if method not in NEEDS_K:
        raise UsageError(f"{method} finds its own number of clusters; choose k only for others")
    if null not in ("gaussian", "uniform"):
        raise UsageError(f"no null reference {null!r}: gaussian or uniform")
    if n_null < 2 or alpha * (n_null + 1) < 1 - 1e-9:
        raise UsageError(f"n_null={n_null} null collections cannot give p below {alpha}; use more")
    space = np.asarray(X, dtype=np.float64)
    rng = np.random.default_rng(random_state)
    if len(space) > max_tracks:
        space = space[np.sort(rng.choice(len(space), max_tracks, replace=False))]
    most = round(share * len(space)) // 2
    tried = np.array(sorted({int(k) for k in ks if 2 <= k <= most}), dtype=np.int64)
    if not len(tried):
        raise SongscapeError(
            f"choosing k: {len(space)} tracks are too few; give k yourself or add tracks"
        )
    if method in ("kmeans", "gmm"):
        params = {"n_init": 3 if method == "kmeans" else 1} | params
    rows = subsamples(len(space), n_repeats=n_subsamples, share=share, random_state=random_state)

    def curve(data: Floats) -> Floats:
        return _pair_stability(data, method, tried, rows, random_state, params)

    pairs = curve(space)
    draw = _gaussian if null == "gaussian" else _uniform
    nulls = np.array([curve(draw(space, rng)).mean(axis=1) for _ in range(n_null)])
    k, reason, p_value = _decide(tried, pairs, nulls, n_subsamples, alpha)
    low, high = np.quantile(pairs, [0.05, 0.95], axis=1)
    null_low, null_high = np.quantile(nulls, [0.05, 0.95], axis=0)
    null_mean = nulls.mean(axis=0)
    observed = pairs.mean(axis=1)
    return KChoice(k, reason, p_value, tried, observed, low, high, null_mean, null_low, null_high)


def _pair_stability(
    data: Floats,
    method: str,
    ks: Integers,
    rows: list[Integers],
    random_state: int,
    params: dict[str, Any],
) -> Floats:
    """ARI of every pair of subsamples for every k, shape (n_ks, n_pairs)."""
    partitions = np.full((len(ks), len(rows), len(data)), NOT_DRAWN, dtype=np.int64)
    for draw, drawn in enumerate(rows):
        found = _labels(data[drawn], method, ks, random_state + draw, params)
        for place, labels in enumerate(found):
            partitions[place, draw, drawn] = labels
    # Two clusterings that both say "all in one" agree about nothing.
    return np.array([np.nan_to_num(pairwise_ari(partition)) for partition in partitions])


def _labels(
    data: Floats, method: str, ks: Integers, seed: int, params: dict[str, Any]
) -> Iterable[Integers]:
    if method not in ("ward", "average"):
        for k in ks:
            yield cluster(method, data, k=int(k), random_state=seed, **params).labels
        return
    from songscape.clustering.trees import cut

    tree = cluster(method, data, k=int(ks[0]), **params).extras["linkage"]
    for k in ks:
        yield cut(tree, int(k))


def _gaussian(space: Floats, rng: np.random.Generator) -> Floats:
    centred = space - space.mean(axis=0)
    # Random mixtures of the tracks have their covariance without forming it.
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    drawn: Floats = rng.normal(size=(len(space), len(scales))) @ (
        scales[:, None] * axes / np.sqrt(len(space))
    )
    return drawn


def _uniform(space: Floats, rng: np.random.Generator) -> Floats:
    centred = space - space.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    scores = centred @ axes.T
    drawn: Floats = rng.uniform(scores.min(axis=0), scores.max(axis=0), scores.shape) @ axes
    return drawn


def _p_value(observed: Floats, nulls: Floats) -> float:
    """Of the largest excess over all k: the data's own curve is one more draw of the null."""
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
            "no structure beyond the null: no clusters come back more surely than those of a cloud "
            f"without clusters (p = {p_value:.2g}; nearest to it k = {ks[best]}, stability "
            f"{observed[best]:.2f} against {expected[best]:.2f})"
        )
        return 1, reason, p_value
    best = int(np.argmax(np.where(beyond, excess, -np.inf)))
    error = float(pairs[best].std()) / n_subsamples**0.5 / possible[best]
    chosen = int(np.flatnonzero(beyond & (excess >= excess[best] - error - 0.01))[-1])
    reason = (
        f"k = {ks[chosen]}: its clusters come back with stability {observed[chosen]:.2f}, against "
        f"{expected[chosen]:.2f} in a cloud without clusters; no finer division is as sure "
        f"(p = {p_value:.2g})"
    )
    return int(ks[chosen]), reason, p_value
