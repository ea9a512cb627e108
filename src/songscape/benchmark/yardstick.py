"""The yardstick: which training-free method all others are tested against.

The rule is fixed beforehand. Artists are drawn again and again; each draw is won by the method
with the best mean rank over the figures of neighbours; the yardstick wins most draws.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from songscape.benchmark.evidence import Evidence, per_track
from songscape.benchmark.targets import Targets
from songscape.metrics.labels import group_codes

BASELINE = "balanced-pca"
"""The yardstick until a stronger one is found; k is chosen in its space."""
N_DRAWS = 500


def yardstick(
    evidence: Sequence[Evidence], targets: Targets, *, n_draws: int = N_DRAWS, seed: int = 0
) -> str | None:
    """The name of the strongest training-free method; None where there is none.

    Ranked are neighbours that share a label (mean over its classes), for every label, and songs of
    the same artist among the nearest. Ties go to the method that stands first.
    """
    from scipy.stats import rankdata

    methods = [one for one in evidence if one.kind == "baseline"]
    asked = [("knn_balanced", name) for name in targets.labels] + [("hit", "artist")]
    figures = [[per_track(one, *which, targets) for one in methods] for which in asked]
    kept = [each for each in figures if all(values is not None for values in each)]
    names = [one.model for one in methods]
    if not kept or len(names) < 2:
        return next(iter(names), None)
    codes = group_codes(targets.groups, targets.n_tracks)
    n_groups = int(codes.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(
        n_groups, np.full(n_groups, 1 / n_groups), n_draws
    )
    weights = drawn[:, codes].astype(np.float64)
    ranks = np.zeros((n_draws, len(names)))
    for each in kept:
        means = np.stack([_means(np.asarray(values), weights) for values in each], axis=1)
        ranks += rankdata(-np.nan_to_num(means, nan=-np.inf), axis=1)
    wins = np.bincount(ranks.argmin(axis=1), minlength=len(names))
    return names[int(wins.argmax())]


def _means(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted mean over tracks of a figure, averaged over seeds: one per row of weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a track that no seed could measure
        track = np.nanmean(np.atleast_2d(values), axis=0)
    known = np.isfinite(track)
    total = weights[:, known].sum(axis=1)
    sums = weights[:, known] @ track[known]
    means: NDArray[np.float64] = np.where(total > 0, sums / np.maximum(total, 1.0), np.nan)
    return means
