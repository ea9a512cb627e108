"""Calibration: does a figure, such as a posterior's spread, tell which songs are unsure?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.stability import assurance
from songscape.statistics.intervals import Interval
from songscape.statistics.permutations import affordable, group_codes

__all__ = ["Calibration", "calibrate", "instability_over_runs", "spearman"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

N_BOOTSTRAP = 500
N_FOLDS = 5
FEWEST_GROUPS = 5
"""With fewer, neither an interval over groups nor folds of groups say anything."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a figure of every track, here called spread, says of an instability.

    Attributes
    ----------
    spearman : Interval
        Rank correlation, mean over seeds, with its 95 % interval.
    expected : ndarray of shape (n_tracks,)
        Instability to expect at a track's spread, learnt from other groups; NaN where the spread
        is not known.
    error : float
        Calibration error: |mean expected - mean observed| in fifths by the expected value, averaged
        over tracks (Naeini et al. 2015, with a real-valued outcome).
    r2 : float
        Share of the instability's variance that `expected` explains; negative where the mean over
        all tracks would be the better guess.
    n_tracks : int
        Tracks whose spread and instability are known.
    """

    spearman: Interval
    expected: Floats
    error: float
    r2: float
    n_tracks: int


def calibrate(
    spread: ArrayLike,
    instability: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    random_state: int = 0,
) -> Calibration:
    """Put a posterior spread, or another figure of tracks, on the scale of the company they lose.

    The expected instability is an isotonic regression (Zadrozny & Elkan 2002) fitted to the tracks
    of other groups, so that no song is calibrated on itself or its copies; a spread that says
    nothing gives nearly the same figure for all. Songs of one cluster lose company together, which
    no resampling of artists sees: the interval holds for the partition at hand.

    Parameters
    ----------
    spread : array-like of shape (n_seeds, n_tracks) or (n_tracks,)
        In any unit; larger is vaguer. `expected` is averaged over seeds.
    instability : array-like of shape (n_tracks,)
        Share of a track's cluster company that changes when the partition is made again, 0 … 1.
        NaN, here or in the spread of any seed, leaves a track out of all figures.
    groups : array-like of shape (n_tracks,), optional
        Artists and copies, kept whole; None or a missing one stands alone.
    random_state : int
        Of the bootstrap.

    Returns
    -------
    Calibration
        All NaN with fewer than five groups; the correlation is NaN where one of the two is
        constant, `r2` where the instability is.

    Raises
    ------
    ValueError
        Shapes that do not belong together.
    """
    spreads, target = _checked(spread, instability)
    codes = group_codes(groups, len(target))
    placed = np.isfinite(spreads).all(axis=0)
    used = placed & np.isfinite(target)
    n_tracks, n_groups = int(used.sum()), len(np.unique(codes[used]))
    expected, nan = np.full(len(target), np.nan), float("nan")
    if n_groups < FEWEST_GROUPS:
        return Calibration(Interval(nan, nan, nan, n_groups), expected, nan, nan, n_tracks)
    known = [_expected(one[placed], target[placed], codes[placed]) for one in spreads]
    expected[placed] = np.mean(known, axis=0)
    return Calibration(
        spearman(spreads[:, used], target[used], codes[used], random_state=random_state),
        expected,
        _error(expected[used], target[used]),
        _explained(expected[used], target[used]),
        n_tracks,
    )


def spearman(
    spread: ArrayLike,
    instability: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_resamples: int = N_BOOTSTRAP,
    random_state: int = 0,
) -> Interval:
    """Rank correlation, mean over seeds, with a 95 % interval over resampled groups and seeds.

    Parameters are those of `calibrate`, without missing values; large collections are resampled
    less often (see `songscape.statistics.permutations.affordable`).
    """
    spreads, target = _checked(spread, instability)
    codes = group_codes(groups, len(target))
    sizes = np.bincount(codes)
    nan = float("nan")
    if not target.size or np.ptp(target) == 0 or (np.ptp(spreads, axis=1) == 0).any():
        return Interval(nan, nan, nan, len(sizes))
    order, starts = np.argsort(codes, kind="stable"), np.cumsum(sizes) - sizes
    rng = np.random.default_rng(random_state)
    drawn = np.empty(affordable(n_resamples, spreads.size))
    for repeat in range(len(drawn)):
        chosen = rng.integers(len(sizes), size=len(sizes))
        before = np.cumsum(sizes[chosen]) - sizes[chosen]
        shift = np.repeat(starts[chosen] - before, sizes[chosen])
        rows = order[shift + np.arange(len(shift))]
        seeds = rng.integers(len(spreads), size=len(spreads))
        unique, times = np.unique(seeds, return_counts=True)
        found = _correlations(spreads[unique][:, rows], target[rows])
        drawn[repeat] = np.average(found, weights=times)
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (nan, nan)
    estimate = _correlations(spreads, target).mean()
    return Interval(float(estimate), float(low), float(high), len(sizes))


def instability_over_runs(partitions: ArrayLike) -> Floats:
    """Share of each track's company that differs between two runs, mean over all pairs of runs.

    Parameters
    ----------
    partitions : array-like of shape (n_runs, n_tracks), int
        Of models trained with different seeds; −1 is noise, whose company is the other noise.

    Returns
    -------
    ndarray of shape (n_tracks,)
        NaN with fewer than two runs.
    """
    runs = np.atleast_2d(np.asarray(partitions))
    if len(runs) < 2:
        return np.full(runs.shape[1], np.nan)
    later = range(1, len(runs))
    lost = [(len(runs) - i) * (1.0 - assurance(runs[i - 1], runs[i:])) for i in later]
    return np.asarray(np.sum(lost, axis=0) / sum(later), dtype=np.float64)


def _checked(spread: ArrayLike, instability: ArrayLike) -> tuple[Floats, Floats]:
    spreads = np.atleast_2d(np.asarray(spread, dtype=np.float64))
    target = np.asarray(instability, dtype=np.float64)
    if target.ndim != 1 or spreads.ndim != 2 or spreads.shape[1] != len(target) or not len(spreads):
        raise ValueError(f"spread of shape {spreads.shape} for {target.shape}: the same tracks")
    return spreads, target


def _correlations(spreads: Floats, target: Floats) -> Floats:
    """Rank correlation of each row with the target; NaN where one of the two is constant."""
    from scipy.stats import rankdata

    ranks, wanted = rankdata(spreads, axis=1), rankdata(target)
    ranks, wanted = ranks - ranks.mean(axis=1, keepdims=True), wanted - wanted.mean()
    with np.errstate(invalid="ignore"):
        found: Floats = ranks @ wanted / np.sqrt((ranks**2).sum(axis=1) * (wanted**2).sum())
    return found


def _expected(spread: Floats, target: Floats, codes: Integers) -> Floats:
    """Isotonic fit to the known targets of the other folds, at the spread of this one's tracks."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.model_selection import GroupKFold

    found = np.full(len(spread), np.nan)
    known = np.isfinite(target)
    folds = GroupKFold(min(N_FOLDS, len(np.unique(codes[known]))))
    for others, mine in folds.split(spread, groups=codes):
        fitted_on = others[known[others]]
        if len(fitted_on):
            curve = IsotonicRegression(increasing=True, out_of_bounds="clip")
            curve.fit(spread[fitted_on], target[fitted_on])
            found[mine] = curve.predict(spread[mine])
    return found


def _error(expected: Floats, observed: Floats) -> float:
    # Equal expectations stay together, so that the order of the tracks decides nothing.
    fifths = np.searchsorted(np.quantile(expected, [0.2, 0.4, 0.6, 0.8]), expected, side="left")
    return float(np.abs(np.bincount(fifths, expected - observed)).sum() / len(observed))


def _explained(expected: Floats, observed: Floats) -> float:
    total = float(((observed - observed.mean()) ** 2).sum())
    return 1.0 - float(((observed - expected) ** 2).sum()) / total if total > 0 else float("nan")
