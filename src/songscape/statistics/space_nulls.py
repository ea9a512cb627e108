"""Nulls of a space: neighbour agreement, retrieval, probes and mixing with permuted labels.

The space and its neighbours stay as they are, the labels are permuted; so hubs and clumps of the
space are in the null as well.

A space `X` has shape (n_tracks, n_dimensions); labels, groups (artists) and copies have shape
(n_tracks,), and None, NaN, "" and negative integers are missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.labels import bin_nuisance, encode_labels, group_codes
from songscape.metrics.mixing import mixing_scores
from songscape.metrics.neighbours import Neighbors
from songscape.metrics.probes import probe_scores, probe_tracks
from songscape.metrics.retrieval import has_relevant
from songscape.statistics.permutations import (
    PermutationNull,
    affordable,
    group_permutations,
    known_permutations,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_MOST_PROBED = 3_000


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

    if not len(used):
        nothing = PermutationNull.of(float("nan"), [])
        return {"knn": nothing, "knn_balanced": nothing}
    rng = np.random.default_rng(random_state)
    count = affordable(n_permutations, near.size)
    null = np.array([measured(row) for row in known_permutations(codes, groups, count, rng)])
    return {
        name: PermutationNull.of(value, null[:, column])
        for column, (name, value) in enumerate(zip(("knn", "knn_balanced"), measured(codes)))
    }


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

    observed = measured(codes)
    count = affordable(n_permutations, near.size)
    rng = np.random.default_rng(random_state)
    null = np.array([measured(row) for row in known_permutations(codes, same_song, count, rng)])
    return PermutationNull.of(observed, null[np.isfinite(null)])


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
        return PermutationNull.of(float("nan"), [])
    units = None if groups is None else blocks[kept]
    permuted = group_permutations(labels.astype(np.int64), units, n_permutations, rng)
    labellings = np.vstack([labels[None, :], permuted]).astype(np.int64)
    scores = probe_scores(space[kept], labellings, blocks[kept], rng, kind=kind)
    return PermutationNull.of(float(scores[0]), scores[1:])


def mixing_nulls(
    neighbors: Neighbors,
    nuisance: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    k_kbet: int | None = None,
    n_permutations: int = 199,
    random_state: int = 0,
) -> dict[str, PermutationNull]:
    """`ilisi` and `kbet` beside the values of a permuted nuisance; NaN where undefined.

    Little mixing is what gives a nuisance away: `p_value` is the share of permutations that mix as
    little as was observed, and 95 % of them mix better than `null_95`. Groups (artists) are
    permuted in blocks.
    """
    codes, classes = encode_labels(nuisance)
    labellings = codes[None, :]
    if len(classes) > 1:
        count = affordable(n_permutations, neighbors.indices.size + len(codes) * len(classes))
        rng = np.random.default_rng(random_state)
        labellings = np.vstack([labellings, known_permutations(codes, groups, count, rng)])
    scores = mixing_scores(neighbors, labellings, k_kbet=k_kbet)
    return {
        name: PermutationNull.of(scores[0, column], scores[1:, column], lower=True)
        for column, name in enumerate(("ilisi", "kbet"))
    }
