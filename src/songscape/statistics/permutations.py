"""Permutation nulls: what an agreement is worth when labels have nothing to do with clusters.

Clusters, labels and groups have shape (n_tracks,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.clusters import SCORES, contingency, score_tables, undefined_agreement
from songscape.metrics.labels import encode_labels, group_codes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CHUNK_CELLS = 4_000_000
_SWAP = 10
_FEWEST = 19
_BUDGET = 200_000_000


@dataclass(frozen=True)
class PermutationNull:
    """An observed value and its permutation distribution.

    `null_95` is what only 5 % of the permutations go beyond: the 95th percentile, or the 5th where
    small values are the remarkable ones. `p_value` is the share of permutations (the observed one
    counted) that reach the observed value.
    """

    observed: float
    null_mean: float
    null_95: float
    p_value: float
    n_permutations: int

    @classmethod
    def of(cls, observed: float, null: ArrayLike, *, lower: bool = False) -> PermutationNull:
        """Compare an observed value with its permutations; `lower` where small is remarkable."""
        values = np.asarray(null, dtype=np.float64)
        if not np.isfinite(observed) or not len(values):
            nan = float("nan")
            return cls(float(observed), nan, nan, nan, len(values))
        sign = -1.0 if lower else 1.0
        return cls(
            float(observed),
            float(values.mean()),
            sign * float(np.quantile(sign * values, 0.95)),
            p_value_above(sign * observed, sign * values),
            len(values),
        )


def p_value_above(observed: float, null: ArrayLike) -> float:
    """One-sided Monte Carlo p-value, (1 + #null ≥ observed) / (1 + n) (Phipson & Smyth 2010)."""
    values = np.asarray(null)
    return float((1 + np.sum(values >= observed - 1e-12)) / (1 + len(values)))


def group_permutations(
    codes: Integers, groups: ArrayLike | None, n_permutations: int, rng: np.random.Generator
) -> Integers:
    """Permuted labels, (n_permutations, n_tracks); whole groups swap labels and stay as clumped.

    An artist's tracks mostly share one label: permuting track by track (as without groups) would
    break that and make the null too narrow. Groups swap with about ten groups of their size; the
    labels of the other are repeated or cut to fit, so class counts change a little unless sizes are
    equal.
    """
    n = len(codes)
    permuted = np.empty((n_permutations, n), dtype=np.int64)
    blocks = group_codes(groups, n)
    sizes = np.bincount(blocks, minlength=1)
    if len(sizes) == n:
        for row in range(n_permutations):
            permuted[row] = rng.permutation(codes)
        return permuted
    by_size = np.argsort(sizes, kind="stable")
    first_of_size = np.searchsorted(sizes[by_size], sizes[by_size])
    stratum = np.minimum(first_of_size // _SWAP, max(0, len(sizes) // _SWAP - 1))
    order = np.argsort(blocks, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    group = blocks[order]
    position = np.arange(n) - starts[group]
    source = np.empty(len(sizes), dtype=np.int64)
    for row in range(n_permutations):
        source[by_size] = by_size[np.lexsort((rng.random(len(sizes)), stratum))]
        other = source[group]
        shift = rng.integers(0, sizes)[group]
        permuted[row, order] = codes[order][starts[other] + (position + shift) % sizes[other]]
    return permuted


def known_permutations(
    codes: Integers, groups: ArrayLike | None, n_permutations: int, rng: np.random.Generator
) -> Integers:
    """As `group_permutations`, among the tracks that have a label; −1 stays where it is."""
    known = np.flatnonzero(codes >= 0)
    permuted = np.full((n_permutations, len(codes)), -1, dtype=np.int64)
    blocks = None if groups is None else group_codes(groups, len(codes))[known]
    permuted[:, known] = group_permutations(codes[known], blocks, n_permutations, rng)
    return permuted


def nested_in_groups(codes: Integers, groups: ArrayLike | None) -> bool:
    """Whether most labelled tracks have a label that occurs in one group only.

    The artist is so within groups by artist, and albums are. Groups that swap such labels whole
    change nothing, so their null is made track by track.
    """
    known = np.flatnonzero(codes >= 0)
    if groups is None or not len(known):
        return False
    blocks = group_codes(groups, len(codes))[known]
    labels = np.unique(np.column_stack([codes[known], blocks]), axis=0)[:, 0]
    alone = np.bincount(labels) == 1
    return bool(alone[codes[known]].mean() > 0.5)


def affordable(wanted: int, cells: int) -> int:
    """How many permutations to make where each visits `cells` numbers: `wanted`, at least 19.

    Between, as many as 200 million visits allow. Large collections have narrow nulls, and 19
    still reach p = 0.05.
    """
    return max(min(wanted, _FEWEST), min(wanted, _BUDGET // max(1, cells)))


def permutation_nulls(
    labels: ArrayLike,
    truth: ArrayLike,
    *,
    metrics: Sequence[str] = SCORES,
    groups: ArrayLike | None = None,
    n_permutations: int = 999,
    random_state: int = 0,
) -> dict[str, PermutationNull]:
    """Agreement scores (`SCORES`) of a partition with a label column, all on the same permutations.

    The information that AMI expects by chance is computed once, for the sizes observed. Noise (−1)
    and missing labels are left out; NaN where a score is undefined.
    """
    unknown = [metric for metric in metrics if metric not in SCORES]
    if unknown:
        raise ValueError(f"no agreement score {unknown[0]!r}; there are {', '.join(SCORES)}")
    clusters, codes = np.asarray(labels), encode_labels(truth)[0]
    kept = (clusters >= 0) & (codes >= 0)
    table = contingency(clusters[kept], codes[kept])
    if undefined_agreement(table):
        return {metric: PermutationNull.of(float("nan"), []) for metric in metrics}
    observed = {metric: float(score_tables(metric, table[None])[0]) for metric in metrics}
    rows = np.unique(clusters[kept], return_inverse=True)[1]
    columns = np.unique(codes[kept], return_inverse=True)[1]
    blocks = None if groups is None else group_codes(groups, len(kept))[kept]
    rng = np.random.default_rng(random_state)
    null: dict[str, list[Floats]] = {metric: [np.zeros(0)] for metric in metrics}
    step = max(1, _CHUNK_CELLS // max(table.size, len(rows)))
    for start in range(0, n_permutations, step):
        count = min(step, n_permutations - start)
        permuted = group_permutations(columns.astype(np.int64), blocks, count, rng)
        cells = rows[None, :] * table.shape[1] + permuted
        cells += np.arange(count)[:, None] * table.size
        counts = np.bincount(cells.ravel(), minlength=count * table.size)
        tables = np.vstack([table[None], counts.reshape(count, *table.shape)])
        for metric in metrics:
            null[metric].append(score_tables(metric, tables)[1:])
    return {
        metric: PermutationNull.of(observed[metric], np.concatenate(null[metric]))
        for metric in metrics
    }
