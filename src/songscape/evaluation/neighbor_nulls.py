"""Nulls of neighbourhoods: agreement and retrieval when labels are dealt out again.

The space and its neighbours stay as they are, the labels are permuted; so hubs and clumps of the
space are in the null as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.evaluation.metrics import encode_labels
from songscape.evaluation.neighbors import Neighbors, ranked_queries
from songscape.evaluation.permutations import (
    PermutationNull,
    affordable,
    group_permutations,
    known_permutations,
)

__all__ = ["average_precision_null", "hit_null", "knn_nulls"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def knn_nulls(
    neighbors: Neighbors,
    labels: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_permutations: int = 199,
    random_state: int = 0,
) -> dict[str, PermutationNull]:
    """Neighbour agreement beside its permutation null.

    Parameters
    ----------
    neighbors : Neighbors
        Those that count, the artist filter applied.
    labels : array-like of shape (n_tracks,)
        Missing ones stay where they are.
    groups : array-like of shape (n_tracks,), optional
        Artists, permuted in blocks.
    n_permutations, random_state : int

    Returns
    -------
    dict
        `knn` (mean over tracks) and `knn_balanced` (mean of the class means).
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
    n_permutations: int = 199,
    random_state: int = 0,
) -> PermutationNull:
    """hit@k beside its null: the artists are dealt out again among the tracks that have one.

    Parameters
    ----------
    neighbors, artists, k
        As in `songscape.evaluation.neighbors.hit_samples`.
    n_permutations, random_state : int
    """
    codes = encode_labels(artists)[0]
    near = neighbors.first(min(k, neighbors.n_neighbors)).indices
    there = near >= 0
    company = np.bincount(codes[codes >= 0], minlength=1) > 1

    def measured(drawn: Integers) -> float:
        asks = (drawn >= 0) & company[drawn]
        return float(((drawn[near] == drawn[:, None]) & there)[asks].any(axis=1).mean())

    if not company.any():
        return PermutationNull.of(float("nan"), [])
    count = affordable(n_permutations, near.size)
    rng = np.random.default_rng(random_state)
    null = [measured(row) for row in known_permutations(codes, None, count, rng)]
    return PermutationNull.of(measured(codes), null)


def average_precision_null(
    X: ArrayLike,
    artists: ArrayLike,
    *,
    max_queries: int = 2_000,
    n_permutations: int = 199,
    random_state: int = 0,
) -> PermutationNull:
    """Mean average precision beside its null: artists dealt out again among the tracks with one.

    The same tracks ask as in `songscape.evaluation.neighbors.average_precision_samples`, with the
    same `max_queries` and `random_state`; those that are dealt an artist with one track don't.
    Fewer permutations are made where artists have thousands of tracks (`affordable`).
    """
    codes = encode_labels(artists)[0]
    known = np.flatnonzero(codes >= 0)
    sizes = np.bincount(codes[known], minlength=1)
    if not (sizes > 1).any():
        return PermutationNull.of(float("nan"), [])
    pairs = int(np.sum(sizes * (sizes - 1)) * min(1.0, max_queries / len(known)))
    count = affordable(n_permutations, 10 * pairs + len(codes))
    rng = np.random.default_rng([random_state, 1])
    dealt = group_permutations(codes[known], None, count, rng)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    labellings = np.vstack([codes[known][None, :], dealt])
    order = known[np.argsort(labellings, axis=1, kind="stable")]
    totals, asked = np.zeros(count + 1), np.zeros(count + 1)
    place = np.full(len(codes), -1, dtype=np.int64)
    place[known] = np.arange(len(known))
    for rows, ranks in ranked_queries(X, codes, max_queries=max_queries, random_state=random_state):
        for number, (labels, members) in enumerate(zip(labellings, order)):
            own = labels[place[rows]]
            asks = np.flatnonzero(sizes[own] > 1)
            found = _average_precisions(ranks, rows, asks, own, members, starts, sizes)
            totals[number] += found.sum()
            asked[number] += len(found)
    with np.errstate(invalid="ignore"):
        means = totals / asked
    return PermutationNull.of(float(means[0]), means[1:][np.isfinite(means[1:])])


def _average_precisions(
    ranks: NDArray[np.int32],
    rows: Integers,
    asks: Integers,
    own: Integers,
    members: Integers,
    starts: Integers,
    sizes: Integers,
) -> Floats:
    """Of each track that asks: mean over its fellows of their share among those no farther."""
    n_fellows = sizes[own[asks]]
    owner = np.repeat(np.arange(len(asks)), n_fellows)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(n_fellows) - n_fellows, n_fellows)
    fellow = members[starts[own[asks]][owner] + within]
    others = fellow != rows[asks][owner]
    owner, fellow = owner[others], fellow[others]
    rank = ranks[asks[owner], fellow].astype(np.int64)
    width = ranks.shape[1] + 1
    keys = np.sort(owner * width + rank)
    owner, rank = np.divmod(keys, width)
    n_relevant = n_fellows - 1
    first = np.cumsum(n_relevant) - n_relevant
    found = np.searchsorted(keys, keys, side="right") - first[owner]
    precision: Floats = np.bincount(owner, found / rank, len(asks)) / n_relevant
    return precision
