"""Permutation nulls: what a figure is worth when labels have nothing to do with clusters or space.

Clusters, neighbours and spaces stay as they are, the labels are permuted; so hubs and clumps of a
space are in the null as well. A space `X` has shape (n_tracks, n_dimensions); clusters, labels,
groups (artists) and copies have shape (n_tracks,), and None, NaN, "" and negative integers are
missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.clusters import SCORES, contingency, score_tables, undefined_agreement
from songscape.metrics.labels import bin_nuisance, encode_labels, group_codes
from songscape.metrics.mixing import mixing_scores
from songscape.metrics.neighbours import Neighbors
from songscape.metrics.probes import probe_scores, probe_tracks
from songscape.metrics.retrieval import has_relevant

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CHUNK_CELLS = 4_000_000
_SWAP = 10
_FEWEST = 19
_BUDGET = 200_000_000
_MOST_PROBED = 3_000


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
    def of(cls, values: ArrayLike, *, lower: bool = False) -> PermutationNull:
        """From the observed value and those of permuted labels, in this order.

        `lower` where small values are remarkable. p is (1 + #null >= observed) / (1 + n), one-sided
        (Phipson & Smyth 2010).
        """
        scores = np.asarray(values, dtype=np.float64)
        observed, null = float(scores[0]), scores[1:][np.isfinite(scores[1:])]
        nan, n = float("nan"), len(null)
        if not np.isfinite(observed) or not n:
            return cls(observed, nan, nan, nan, n)
        sign = -1.0 if lower else 1.0
        above = sign * float(np.quantile(sign * null, 0.95))
        reached = int(np.sum(sign * null >= sign * observed - 1e-12))
        return cls(observed, float(null.mean()), above, (1 + reached) / (1 + n), n)


def labellings(
    codes: Integers, groups: ArrayLike | None, n_permutations: int, rng: np.random.Generator
) -> Integers:
    """The labels and permutations of them, (1 + n_permutations, n_tracks); −1 stays where it is.

    Whole groups swap labels and stay as clumped: an artist's tracks mostly share one label, and
    permuting track by track (as without groups) would break that and make the null too narrow.
    Groups swap with about ten groups of their size; the labels of the other are repeated or cut to
    fit, so class counts change a little unless sizes are equal.
    """
    known = np.flatnonzero(codes >= 0)
    own, n = codes[known], len(known)
    rows = np.tile(codes, (1 + n_permutations, 1))
    blocks = group_codes(group_codes(groups, len(codes))[known], n)
    sizes = np.bincount(blocks)
    if len(sizes) == n:
        for row in rows[1:]:
            row[known] = rng.permutation(own)
        return rows
    by_size = np.argsort(sizes, kind="stable")
    first_of_size = np.searchsorted(sizes[by_size], sizes[by_size])
    stratum = np.minimum(first_of_size // _SWAP, max(0, len(sizes) // _SWAP - 1))
    order = np.argsort(blocks, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    group = blocks[order]
    position = np.arange(n) - starts[group]
    source = np.empty(len(sizes), dtype=np.int64)
    for row in rows[1:]:
        source[by_size] = by_size[np.lexsort((rng.random(len(sizes)), stratum))]
        other = source[group]
        shift = rng.integers(0, sizes)[group]
        row[known[order]] = own[order][starts[other] + (position + shift) % sizes[other]]
    return rows


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
    clusters, codes = np.asarray(labels), encode_labels(truth)[0]
    kept = (clusters >= 0) & (codes >= 0)
    table = contingency(clusters[kept], codes[kept])
    if undefined_agreement(table):
        return {metric: PermutationNull.of([float("nan")]) for metric in metrics}
    rows = np.unique(clusters[kept], return_inverse=True)[1]
    columns = np.unique(codes[kept], return_inverse=True)[1].astype(np.int64)
    blocks = group_codes(groups, len(kept))[kept]
    rng = np.random.default_rng(random_state)
    scores = {metric: [score_tables(metric, table[None])] for metric in metrics}
    step = max(1, _CHUNK_CELLS // max(table.size, len(rows)))
    for start in range(0, n_permutations, step):
        drawn = labellings(columns, blocks, min(step, n_permutations - start), rng)
        cells = rows[None, :] * table.shape[1] + drawn
        cells += np.arange(len(drawn))[:, None] * table.size
        counts = np.bincount(cells.ravel(), minlength=len(drawn) * table.size)
        for metric in metrics:
            # AMI takes its margins from the first table, the observed one.
            scores[metric].append(score_tables(metric, counts.reshape(-1, *table.shape))[1:])
    return {name: PermutationNull.of(np.concatenate(parts)) for name, parts in scores.items()}


def knn_nulls(
    neighbors: Neighbors,
    labels: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_permutations: int = 199,
    random_state: int = 0,
) -> dict[str, PermutationNull]:
    """Neighbour agreement and its null: `knn` (mean over tracks), `knn_balanced` (over classes).

    Groups (artists) are permuted in blocks; missing labels stay where they are.
    """
    codes, classes = encode_labels(labels)
    near = neighbors.indices
    there = (near >= 0) & (codes[near] >= 0)
    n_labelled = there.sum(axis=1)
    used = np.flatnonzero((codes >= 0) & (n_labelled > 0))
    near, there, n_labelled = near[used], there[used], n_labelled[used]

    def measured(drawn: Integers) -> tuple[float, float]:
        own = drawn[used]
        share = ((drawn[near] == own[:, None]) & there).sum(axis=1) / n_labelled
        sizes = np.bincount(own, minlength=len(classes))
        means = np.bincount(own, share, len(classes))[sizes > 0] / sizes[sizes > 0]
        return float(share.mean()), float(means.mean())

    scores = np.full((1, 2), np.nan)
    if len(used):
        count = affordable(n_permutations, near.size)
        drawn = labellings(codes, groups, count, np.random.default_rng(random_state))
        scores = np.array([measured(row) for row in drawn])
    return {n: PermutationNull.of(column) for n, column in zip(("knn", "knn_balanced"), scores.T)}


def hit_null(
    neighbors: Neighbors,
    artists: ArrayLike,
    *,
    k: int = 10,
    copies: ArrayLike | None = None,
    n_permutations: int = 199,
    random_state: int = 0,
) -> PermutationNull:
    """hit@k and its null: artists are permuted among the tracks that have one.

    Copies stay with one artist: a song that is there twice is found twice or not at all.
    """
    codes = encode_labels(artists)[0]
    near = neighbors.first(min(k, neighbors.n_neighbors)).indices
    there = near >= 0
    same_song = group_codes(copies, len(codes))

    def measured(drawn: Integers) -> float:
        asks = has_relevant(drawn, same_song)
        if not asks.any():
            return float("nan")
        return float(((drawn[near] == drawn[:, None]) & there)[asks].any(axis=1).mean())

    count = affordable(n_permutations, near.size)
    drawn = labellings(codes, same_song, count, np.random.default_rng(random_state))
    return PermutationNull.of([measured(row) for row in drawn])


def probe(
    X: ArrayLike,
    nuisance: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    kind: str = "linear",
    n_permutations: int = 199,
    random_state: int = 0,
) -> PermutationNull:
    """How well a probe reads a nuisance off the latents of unseen groups, and its null.

    Measured is balanced accuracy in grouped cross-validation. Numbers are binned by quantiles,
    missing values left out. Groups (artists) are never on both sides of a split, and permuted in
    blocks. Of more than 3,000 tracks a random sample is probed. NaN where fewer than 2 classes are
    left.
    """
    rng = np.random.default_rng(random_state)
    codes = bin_nuisance(nuisance)
    space = np.asarray(X, dtype=np.float64)
    blocks = group_codes(groups, len(space))
    kept = probe_tracks(space, codes, blocks, _MOST_PROBED, rng)
    classes, labels = np.unique(codes[kept], return_inverse=True)
    if len(classes) < 2:
        return PermutationNull.of([float("nan")])
    drawn = labellings(labels.astype(np.int64), blocks[kept], n_permutations, rng)
    return PermutationNull.of(probe_scores(space[kept], drawn, blocks[kept], rng, kind=kind))


def mixing_nulls(
    neighbors: Neighbors,
    nuisance: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    k_kbet: int | None = None,
    n_permutations: int = 199,
    random_state: int = 0,
) -> dict[str, PermutationNull]:
    """`ilisi` and `kbet` and their nulls; NaN where undefined.

    Little mixing is what gives a nuisance away: `p_value` is the share of permutations that mix as
    little as was observed, and 95 % of them mix better than `null_95`. Groups (artists) are
    permuted in blocks.
    """
    codes, classes = encode_labels(nuisance)
    count = affordable(n_permutations, neighbors.indices.size + len(codes) * len(classes))
    # With one class there is nothing to permute.
    count = count if len(classes) > 1 else 0
    drawn = labellings(codes, groups, count, np.random.default_rng(random_state))
    scores = mixing_scores(neighbors, drawn, k_kbet=k_kbet)
    return {
        n: PermutationNull.of(column, lower=True) for n, column in zip(("ilisi", "kbet"), scores.T)
    }
