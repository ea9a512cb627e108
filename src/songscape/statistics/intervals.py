"""Intervals of means over tracks and of AMI, differences to a baseline, and their correction.

Everything is resampled by group (artist): tracks of one artist are not independent evidence.

Groups have shape (n_tracks,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.clusters import contingency, score_table
from songscape.metrics.labels import encode_labels, group_codes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CHUNK_NUMBERS = 4_000_000
N_FLIPS = 9_999
# Differences of scores that are below this are what adding up in another order leaves.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """A value, or a difference to a baseline, with its 95 % interval over `n_groups` groups.

    `p_value` is two-sided, of a difference from 0; NaN where nothing was compared.
    """

    estimate: float
    low: float
    high: float
    n_groups: int
    p_value: float = float("nan")


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
) -> Interval:
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
    return Interval(middle, low, high, interval.n_groups, p_value)


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


def half_sample_ami(
    labels: ArrayLike,
    truth: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    baseline: ArrayLike | None = None,
    n_resamples: int = 100,
    random_state: int = 0,
) -> Interval:
    """AMI of a partition, averaged over seeds, or its difference to a baseline's.

    A bootstrap draws tracks twice, and a track always agrees with its double, which lifts AMI above
    what it is. Half of the groups drawn without replacement have no doubles and, by the delete-half
    jackknife, just the spread wanted (Shao & Tu 1995, ch. 2; Politis & Romano 1994). The spread
    between seeds is added, and the interval is Student's t over groups.

    Labels and baseline have shape (n_tracks,) or (n_seeds, n_tracks), with any number of seeds, and
    are measured on the same half samples; truth and groups have shape (n_tracks,).
    """
    sides = [np.atleast_2d(np.asarray(side)) for side in (labels, baseline) if side is not None]
    codes = encode_labels(truth)[0]
    blocks = group_codes(groups, len(codes))
    labelled = np.unique(blocks[codes >= 0])
    n_groups = len(labelled)
    half = n_groups // 2
    rng = np.random.default_rng(random_state)
    chosen = np.zeros((n_resamples, int(blocks.max(initial=-1)) + 1), dtype=bool)
    for draw in range(n_resamples):
        chosen[draw, rng.permutation(labelled)[:half]] = True
    estimate, variance = 0.0, 0.0
    between_tracks = np.zeros(n_resamples)
    for sign, side in zip((1.0, -1.0), sides):
        # Each seed has its turn: half samples of one seed spread about that seed's value.
        turns = [np.arange(seed, n_resamples, len(side)) for seed in range(len(side))]
        measured = [_halved(row, codes, blocks, chosen[draws]) for row, draws in zip(side, turns)]
        values = np.array([whole for whole, _ in measured])
        estimate += sign * float(values.mean())
        for (whole, halves), draws in zip(measured, turns):
            between_tracks[draws] += sign * (halves - whole)
        if len(values) > 1:
            variance += float(values.var(ddof=1)) / len(values)
    between_tracks = between_tracks[np.isfinite(between_tracks)]
    if not np.isfinite(estimate) or len(between_tracks) < 2:
        return student_interval(estimate, float("nan"), n_groups)
    variance += float(between_tracks.var(ddof=1)) * half / (n_groups - half)
    return student_interval(estimate, variance**0.5, n_groups)


def _halved(
    labels: Integers, codes: Integers, blocks: Integers, chosen: NDArray[np.bool_]
) -> tuple[float, Floats]:
    """AMI on all tracks, and on the tracks of each row of chosen groups."""
    import scipy.sparse as sp

    whole = contingency(labels, codes)
    used = np.flatnonzero((labels >= 0) & (codes >= 0))
    if not len(used):
        return float("nan"), np.full(len(chosen), np.nan)
    rows = np.unique(labels[used], return_inverse=True)[1]
    columns = np.unique(codes[used], return_inverse=True)[1]
    # The table of every group: those of the half samples are sums of them.
    by_group = sp.csr_array(
        (np.ones(len(used)), (blocks[used], rows * whole.shape[1] + columns)),
        shape=(chosen.shape[1], whole.size),
    )
    tables = (chosen.astype(np.float64) @ by_group).astype(np.int64).reshape(-1, *whole.shape)
    return score_table("ami", whole), np.array([score_table("ami", t) for t in tables])


def student_interval(estimate: float, error: float, n_groups: int) -> Interval:
    """The 95 % interval by Student's t over groups, and p of a difference from 0.

    What groups that all say the same can prove is one of 2ⁿ signs, two-sided, and no smaller than
    what the random sign flips of `paired_difference` can reach.
    """
    from scipy.stats import t

    nan = float("nan")
    if not np.isfinite(error) or n_groups < 3:
        return Interval(estimate, nan, nan, n_groups)
    if error <= ROUNDING:
        smallest = max(2.0 ** (1 - n_groups), 1 / (1 + N_FLIPS))
        p_value = 1.0 if abs(estimate) <= ROUNDING else float(smallest)
        return Interval(estimate, estimate, estimate, n_groups, p_value)
    reach = float(t.ppf(0.975, n_groups - 1)) * error
    p_value = float(2 * t.sf(abs(estimate) / error, n_groups - 1))
    return Interval(estimate, estimate - reach, estimate + reach, n_groups, p_value)
