"""Intervals and differences of metrics of whole partitions (AMI, …), from half samples of groups.

A bootstrap would draw tracks twice, and a track always agrees with its double.

Partitions, labels and groups have shape (n_tracks,).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.clusters import contingency, score_table
from songscape.metrics.labels import encode_labels, group_codes
from songscape.statistics.intervals import N_FLIPS, ROUNDING, Difference, Interval

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Metric = Callable[[ArrayLike, ArrayLike], float]


def half_sample_interval(
    metric: Metric | str,
    labels: ArrayLike,
    truth: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_resamples: int = 100,
    random_state: int = 0,
) -> Interval:
    """A metric of whole partitions (AMI, …), averaged over seeds, with its interval.

    A bootstrap draws tracks twice, and a track always agrees with its double, which lifts AMI and
    ARI above what they are. Half of the groups drawn without replacement have no doubles and, by
    the delete-half jackknife, just the spread wanted (Shao & Tu 1995, ch. 2; Politis & Romano
    1994). The spread between seeds is added, and the interval is Student's t over groups.

    The metric is a function of (labels, truth) or, faster, a name: "ami". Labels have shape
    (n_tracks,) or (n_seeds, n_tracks).
    """
    result = _half_samples(metric, [labels], truth, groups, n_resamples, random_state)
    low, high, _ = _student(*result)
    return Interval(result[0], low, high, result[2])


def half_sample_difference(
    metric: Metric | str,
    labels: ArrayLike,
    baseline: ArrayLike,
    truth: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_resamples: int = 100,
    random_state: int = 0,
) -> Difference:
    """Difference of a partition metric to a baseline, both on the same half samples.

    The numbers of seeds may differ.
    """
    result = _half_samples(metric, [labels, baseline], truth, groups, n_resamples, random_state)
    low, high, p_value = _student(*result)
    return Difference(result[0], low, high, p_value, result[2])


def _half_samples(
    metric: Metric | str,
    partitions: list[ArrayLike],
    truth: ArrayLike,
    groups: ArrayLike | None,
    n_resamples: int,
    random_state: int,
) -> tuple[float, float, int]:
    """Estimate (first minus second, if there are two), standard error, number of groups."""
    sides = [np.atleast_2d(np.asarray(partition)) for partition in partitions]
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
        measured = [
            _halved(metric, labels, codes, blocks, chosen[draws])
            for labels, draws in zip(side, turns)
        ]
        values = np.array([whole for whole, _ in measured])
        estimate += sign * float(values.mean())
        for (whole, halves), draws in zip(measured, turns):
            between_tracks[draws] += sign * (halves - whole)
        if len(values) > 1:
            variance += float(values.var(ddof=1)) / len(values)
    between_tracks = between_tracks[np.isfinite(between_tracks)]
    if not np.isfinite(estimate) or len(between_tracks) < 2:
        return estimate, float("nan"), n_groups
    variance += float(between_tracks.var(ddof=1)) * half / (n_groups - half)
    return estimate, variance**0.5, n_groups


def _halved(
    metric: Metric | str,
    labels: Integers,
    codes: Integers,
    blocks: Integers,
    chosen: NDArray[np.bool_],
) -> tuple[float, Floats]:
    """The metric on all tracks, and on the tracks of each row of chosen groups."""
    if not isinstance(metric, str):
        halves = [metric(labels[row[blocks]], codes[row[blocks]]) for row in chosen]
        return float(metric(labels, codes)), np.array(halves, dtype=np.float64)
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
    return score_table(metric, whole), np.array([score_table(metric, t) for t in tables])


def _student(estimate: float, error: float, n_groups: int) -> tuple[float, float, float]:
    """Ends of the 95 % interval, and p."""
    from scipy.stats import t

    if not np.isfinite(error) or n_groups < 3:
        return float("nan"), float("nan"), float("nan")
    if error <= ROUNDING:
        p_value = 1.0 if abs(estimate) <= ROUNDING else _smallest_p(n_groups)
        return estimate, estimate, p_value
    freedom = n_groups - 1
    reach = float(t.ppf(0.975, freedom)) * error
    p_value = float(2 * t.sf(abs(estimate) / error, freedom))
    return estimate - reach, estimate + reach, p_value


def _smallest_p(n_groups: int) -> float:
    """What groups that all say the same can prove: one of 2ⁿ signs, two-sided.

    No smaller than what the random sign flips of `paired_difference` can reach.
    """
    return float(max(2.0 ** (1 - n_groups), 1 / (1 + N_FLIPS)))
