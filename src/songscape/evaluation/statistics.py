"""Intervals, paired differences to a baseline, and verdicts in words.

Everything is resampled by group (artist): tracks of one artist are not independent evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.evaluation.permutations import group_codes

__all__ = [
    "Difference",
    "Interval",
    "Verdict",
    "bootstrap_mean",
    "half_sample_difference",
    "half_sample_interval",
    "holm",
    "paired_difference",
    "verdicts",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Metric = Callable[[ArrayLike, ArrayLike], float]

_CHUNK_NUMBERS = 4_000_000
_N_FLIPS = 9_999
# Differences of scores that are below this are what adding up in another order leaves.
_ROUNDING = 1e-12


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


@dataclass(frozen=True)
class Verdict:
    """What a corrected comparison allows to say.

    Attributes
    ----------
    word : {"better than", "not distinguishable from", "worse than"}
    baseline : str
    adjusted_p : float
        Holm-corrected; NaN where there was nothing to test.
    """

    word: str
    baseline: str
    adjusted_p: float

    def __str__(self) -> str:
        return f"{self.word} {self.baseline}"


def bootstrap_mean(
    values: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = 1_000,
    random_state: int = 0,
) -> Interval:
    """Mean of per-track values with a percentile interval over resampled groups and seeds.

    Parameters
    ----------
    values : array-like of shape (n_tracks,) or (n_seeds, n_tracks)
        NaN values are left out. With several seeds, seeds are resampled too.
    groups : array-like of shape (n_tracks,), optional
        Artists; tracks without one stand alone.
    confidence : float
    n_resamples : int
    random_state : int
    """
    samples = np.atleast_2d(np.asarray(values, dtype=np.float64))
    sums, counts = _group_sums(samples, groups)
    total = counts.sum()
    if not total:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    means = _resampled_means(sums, counts, n_resamples, np.random.default_rng(random_state))
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    n_groups = int((counts.sum(axis=0) > 0).sum())
    return Interval(float(sums.sum() / total), float(low), float(high), n_groups)


def paired_difference(
    values: ArrayLike,
    baseline: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = 1_000,
    random_state: int = 0,
    inflation: float = 1.0,
) -> Difference:
    """Mean difference of per-track values, paired by track.

    The interval is a cluster bootstrap over groups and seeds; the p-value comes from flipping the
    sign of whole groups over the mean of the seeds, an exact test when differences are symmetric
    about 0.

    Parameters
    ----------
    values, baseline : array-like of shape (n_tracks,) or (n_seeds, n_tracks)
        The two methods on the same tracks; a track missing (NaN) in one is left out of both. With
        unequal numbers of seeds, seeds are averaged before pairing.
    groups, confidence, n_resamples, random_state
        As in `bootstrap_mean`.
    inflation : float
        Factor on the variance, for values that groups have in common: of two tracks that are
        neighbours of each other each has the other's agreement, so neighbour agreement varies up
        to twice as much as independent groups would.
    """
    ours = np.atleast_2d(np.asarray(values, dtype=np.float64))
    theirs = np.atleast_2d(np.asarray(baseline, dtype=np.float64))
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(f"{ours.shape[1]} tracks against {theirs.shape[1]}: pair the same tracks")
    if len(ours) != len(theirs) and 1 not in (len(ours), len(theirs)):
        ours, theirs = ours.mean(axis=0, keepdims=True), theirs.mean(axis=0, keepdims=True)
    gap = ours - theirs
    interval = bootstrap_mean(
        gap, groups, confidence=confidence, n_resamples=n_resamples, random_state=random_state
    )
    p_value = _sign_flip_p(gap.mean(axis=0), groups, random_state, inflation)
    middle, wider = interval.estimate, inflation**0.5
    low, high = (middle + wider * (end - middle) for end in (interval.low, interval.high))
    return Difference(middle, low, high, p_value, interval.n_groups)


def half_sample_interval(
    metric: Metric | str,
    labels: ArrayLike,
    truth: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = 100,
    random_state: int = 0,
) -> Interval:
    """A metric of whole partitions (AMI, …), averaged over seeds, with its interval.

    A bootstrap draws tracks twice, and a track always agrees with its double, which lifts AMI and
    ARI above what they are. Half of the groups drawn without replacement have no doubles and, by
    the delete-half jackknife, just the spread wanted (Shao & Tu 1995, ch. 2; Politis & Romano
    1994). The spread between seeds is added, and the interval is Student's t over groups.

    Parameters
    ----------
    metric : callable (labels, truth) -> float, or str
        E.g. `songscape.evaluation.metrics.ami`; its name, "ami", gives the same and is faster.
    labels : array-like of shape (n_tracks,) or (n_seeds, n_tracks), int
    truth : array-like of shape (n_tracks,)
    groups, confidence, random_state
        As in `bootstrap_mean`.
    n_resamples : int
        Half samples.
    """
    result = _half_samples(metric, [labels], truth, groups, n_resamples, random_state)
    low, high, _ = _student(*result, confidence=confidence)
    return Interval(result[0], low, high, result[2])


def half_sample_difference(
    metric: Metric | str,
    labels: ArrayLike,
    baseline: ArrayLike,
    truth: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = 100,
    random_state: int = 0,
) -> Difference:
    """Difference of a partition metric to a baseline, both on the same half samples.

    Parameters
    ----------
    metric, truth, groups, confidence, n_resamples, random_state
        As in `half_sample_interval`.
    labels, baseline : array-like of shape (n_tracks,) or (n_seeds, n_tracks), int
        Partitions of the same tracks; the numbers of seeds may differ.
    """
    result = _half_samples(metric, [labels, baseline], truth, groups, n_resamples, random_state)
    low, high, p_value = _student(*result, confidence=confidence)
    return Difference(result[0], low, high, p_value, result[2])


def holm(p_values: ArrayLike) -> Floats:
    """Holm's (1979) step-down correction for the family-wise error; NaN is no test and stays."""
    raw = np.asarray(p_values, dtype=np.float64)
    adjusted: Floats = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raw[order] * factors))
    return adjusted


def verdicts(
    differences: Mapping[str, Difference],
    baseline: str,
    *,
    alpha: float = 0.05,
    higher_is_better: bool = True,
) -> dict[str, Verdict]:
    """A verdict per method; all methods given form one family, corrected together.

    To be better or worse, the corrected p-value must be at most alpha and the interval, which
    knows about seeds too, must not hold 0.

    Parameters
    ----------
    differences : mapping of method to Difference
        Every test made for one claim; the more are given, the stricter each.
    baseline : str
        Name of what was subtracted.
    alpha : float
        Family-wise error rate.
    higher_is_better : bool
        False for leakage and other costs.
    """
    adjusted = holm([difference.p_value for difference in differences.values()])
    result = {}
    for (name, difference), p_value in zip(differences.items(), adjusted):
        word = "not distinguishable from"
        if p_value <= alpha and (difference.low > 0 or difference.high < 0):
            better = (difference.estimate > 0) == higher_is_better
            word = "better than" if better else "worse than"
        result[name] = Verdict(word, baseline, float(p_value))
    return result


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
    sums = sums[np.abs(sums) > _ROUNDING]
    if not len(sums):
        return 1.0
    observed = abs(float(sums.sum())) / inflation**0.5
    if len(sums) > 1_000:
        return float(2 * ndtr(-observed / float(np.sqrt(sums @ sums))))
    rng = np.random.default_rng(random_state)
    signs = 2 * rng.integers(0, 2, size=(_N_FLIPS, len(sums)), dtype=np.int8) - 1
    reached = int(np.sum(np.abs(signs @ sums) >= observed * (1 - 1e-9)))
    return (1 + reached) / (1 + _N_FLIPS)


def _half_samples(
    metric: Metric | str,
    partitions: list[ArrayLike],
    truth: ArrayLike,
    groups: ArrayLike | None,
    n_resamples: int,
    random_state: int,
) -> tuple[float, float, int]:
    """Estimate (first minus second, if there are two), standard error, number of groups."""
    from songscape.evaluation.metrics import encode_labels

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
    from songscape.evaluation.metrics import contingency
    from songscape.evaluation.tables import score_table

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


def _student(
    estimate: float, error: float, n_groups: int, *, confidence: float
) -> tuple[float, float, float]:
    from scipy.stats import t

    if not np.isfinite(error) or n_groups < 3:
        return float("nan"), float("nan"), float("nan")
    if error <= _ROUNDING:
        p_value = 1.0 if abs(estimate) <= _ROUNDING else _smallest_p(n_groups)
        return estimate, estimate, p_value
    freedom = n_groups - 1
    reach = float(t.ppf((1 + confidence) / 2, freedom)) * error
    p_value = float(2 * t.sf(abs(estimate) / error, freedom))
    return estimate - reach, estimate + reach, p_value


def _smallest_p(n_groups: int) -> float:
    """What groups that all say the same can prove: one of 2ⁿ signs, two-sided.

    No smaller than what the random sign flips of `paired_difference` can reach.
    """
    return float(max(2.0 ** (1 - n_groups), 1 / (1 + _N_FLIPS)))
