"""Intervals of means over tracks, paired differences to a baseline, and their correction.

Everything is resampled by group (artist): tracks of one artist are not independent evidence.

Groups have shape (n_tracks,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.labels import group_codes

Floats = NDArray[np.float64]

_CHUNK_NUMBERS = 4_000_000
N_FLIPS = 9_999
# Differences of scores that are below this are what adding up in another order leaves.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval, resampled over `n_groups` groups."""

    estimate: float
    low: float
    high: float
    n_groups: int


@dataclass(frozen=True)
class Difference:
    """A method's value minus the baseline's, with interval and two-sided p-value."""

    estimate: float
    low: float
    high: float
    p_value: float
    n_groups: int


def bootstrap_mean(
    values: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_resamples: int = 1_000,
    random_state: int = 0,
) -> Interval:
    """Mean of per-track values with a 95 % percentile interval over resampled groups and seeds.

    Values of shape (n_tracks,) or (n_seeds, n_tracks); NaN are left out. Tracks without a group
    (artist) stand alone.
    """
    samples = np.atleast_2d(np.asarray(values, dtype=np.float64))
    sums, counts = _group_sums(samples, groups)
    total = counts.sum()
    if not total:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    means = _resampled_means(sums, counts, n_resamples, np.random.default_rng(random_state))
    low, high = np.quantile(means, [0.025, 0.975])
    n_groups = int((counts.sum(axis=0) > 0).sum())
    return Interval(float(sums.sum() / total), float(low), float(high), n_groups)


def paired_difference(
    values: ArrayLike,
    baseline: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_resamples: int = 1_000,
    random_state: int = 0,
    inflation: float = 1.0,
) -> Difference:
    """Mean difference of per-track values, paired by track.

    The interval is a cluster bootstrap over groups and seeds; the p-value comes from flipping the
    sign of whole groups over the mean of the seeds, an exact test when differences are symmetric
    about 0. A track missing (NaN) in one is left out of both; unequal numbers of seeds are averaged
    before pairing. `inflation` is a factor on the variance, for values that groups have in common:
    of two tracks that are neighbours of each other each has the other's agreement, so neighbour
    agreement varies up to twice as much as independent groups would.
    """
    ours = np.atleast_2d(np.asarray(values, dtype=np.float64))
    theirs = np.atleast_2d(np.asarray(baseline, dtype=np.float64))
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(f"{ours.shape[1]} tracks against {theirs.shape[1]}: pair the same tracks")
    if len(ours) != len(theirs) and 1 not in (len(ours), len(theirs)):
        ours, theirs = ours.mean(axis=0, keepdims=True), theirs.mean(axis=0, keepdims=True)
    gap = ours - theirs
    interval = bootstrap_mean(gap, groups, n_resamples=n_resamples, random_state=random_state)
    p_value = _sign_flip_p(gap.mean(axis=0), groups, random_state, inflation)
    middle, wider = interval.estimate, inflation**0.5
    low, high = (middle + wider * (end - middle) for end in (interval.low, interval.high))
    return Difference(middle, low, high, p_value, interval.n_groups)


def holm(p_values: ArrayLike) -> Floats:
    """Holm's (1979) step-down correction for the family-wise error; NaN is no test and stays."""
    raw = np.asarray(p_values, dtype=np.float64)
    adjusted: Floats = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raw[order] * factors))
    return adjusted


def _group_sums(samples: Floats, groups: ArrayLike | None) -> tuple[Floats, Floats]:
    """Sum and count of the values of each seed and group."""
    n = samples.shape[1]
    blocks = group_codes(groups, n)
    if len(blocks) != n:
        raise ValueError(f"{len(blocks)} groups for {n} tracks: one per track")
    present = np.isfinite(samples)
    width = int(blocks.max(initial=-1)) + 1
    sums = [np.bincount(blocks, np.where(p, v, 0.0), width) for v, p in zip(samples, present)]
    counts = [np.bincount(blocks, p.astype(float), width) for p in present]
    return np.array(sums), np.array(counts)


def _resampled_means(
    sums: Floats, counts: Floats, n_resamples: int, rng: np.random.Generator
) -> Floats:
    n_seeds, n_groups = sums.shape
    means = np.empty(n_resamples)
    step = max(1, _CHUNK_NUMBERS // max(1, n_groups))
    for start in range(0, n_resamples, step):
        rows = min(step, n_resamples - start)
        weights = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=rows)
        seeds = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=rows)
        total = np.einsum("rs,rs->r", seeds, weights @ sums.T)
        count = np.einsum("rs,rs->r", seeds, weights @ counts.T)
        with np.errstate(invalid="ignore"):
            means[start : start + rows] = total / count
    return means[np.isfinite(means)]


def _sign_flip_p(
    gap: Floats, groups: ArrayLike | None, random_state: int, inflation: float = 1.0
) -> float:
    """Two-sided p of the sum under random signs of the groups; above 1,000 groups by its limit.

    Flips leave the sum of squares as it is, so |sum| ranks as the studentised mean does.
    """
    from scipy.special import ndtr

    sums = _group_sums(gap[None, :], groups)[0][0]
    sums = sums[np.abs(sums) > ROUNDING]
    if not len(sums):
        return 1.0
    observed = abs(float(sums.sum())) / inflation**0.5
    if len(sums) > 1_000:
        return float(2 * ndtr(-observed / float(np.sqrt(sums @ sums))))
    rng = np.random.default_rng(random_state)
    signs = 2 * rng.integers(0, 2, size=(N_FLIPS, len(sums)), dtype=np.int8) - 1
    reached = int(np.sum(np.abs(signs @ sums) >= observed * (1 - 1e-9)))
    return (1 + reached) / (1 + N_FLIPS)
