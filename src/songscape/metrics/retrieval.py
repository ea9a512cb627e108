"""Retrieval: whether other tracks of the same group (artist) are among the nearest.

Functions that end in `_samples` give one value per track, NaN where there is none to give, so that
means, class means and bootstraps can be taken from the same numbers.

A space `X` has shape (n_tracks, n_dimensions); labels, groups (artists) and copies have shape
(n_tracks,), and None, NaN, "" and negative integers are missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.labels import encode_labels, group_codes
from songscape.metrics.neighbours import (
    Neighbors,
    row_chunks,
    squared_distances,
    too_few_candidates,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def hit_samples(
    neighbors: Neighbors, groups: ArrayLike, *, k: int = 10, copies: ArrayLike | None = None
) -> Floats:
    """1 where one of the k nearest neighbours is of the same group (artist), else 0.

    NaN for tracks whose group has no other track that is no copy of theirs: finding a track's own
    copy does not count. With `copies`, neighbours are those of ``without_groups(neighbors, copies,
    k, X)``.
    """
    codes = encode_labels(groups)[0]
    near = neighbors.first(min(k, neighbors.n_neighbors)).indices
    same = (near >= 0) & (codes[near] == codes[:, None])
    hits: Floats = same.any(axis=1).astype(np.float64)
    hits[~has_relevant(codes, group_codes(copies, len(codes)))] = np.nan
    return hits


def average_precision_samples(
    X: ArrayLike,
    groups: ArrayLike,
    *,
    copies: ArrayLike | None = None,
    max_queries: int = 2_000,
    random_state: int = 0,
) -> Floats:
    """Average precision of finding the tracks of one's group in the ranking of all others.

    Tracks at equal distance share the worse rank, as in scikit-learn's `average_precision_score`. A
    track's own copies are not ranked. NaN for tracks whose group has no other track, and, where
    more than `max_queries` tracks could ask, for those that were not drawn.
    """
    space = np.ascontiguousarray(X, dtype=np.float64)
    codes = encode_labels(groups)[0]
    same_song = group_codes(copies, len(codes))
    queries = np.flatnonzero(has_relevant(codes, same_song))
    if len(queries) > max_queries:
        rng = np.random.default_rng(random_state)
        queries = np.sort(rng.choice(queries, max_queries, replace=False))
    precision: Floats = np.full(len(space), np.nan)
    for part in row_chunks(queries, len(space)):
        for row, squares in zip(part, squared_distances(space, part)):
            copied = same_song == same_song[row]
            relevant = (codes == codes[row]) & ~copied
            squares[copied] = np.inf
            marks = np.sort(squares[relevant])
            # Tracks at or before each relevant one: count them between the marks, then add up.
            before = np.bincount(np.searchsorted(marks, squares), minlength=len(marks) + 1)
            rank = np.cumsum(before)[np.searchsorted(marks, marks)]
            found = np.searchsorted(marks, marks, side="right")
            precision[row] = float(np.mean(found / rank))
    return precision


def average_precision_chance(groups: ArrayLike, copies: ArrayLike | None = None) -> float:
    """Mean average precision when every track ranks all others at random.

    (H + (r − 1) / (n − 1) (n − H)) / n for r relevant tracks of n, with H the n-th harmonic number
    (Bestgen 2015), averaged over the tracks that have a relevant one; see `hit_samples`.
    """
    codes = encode_labels(groups)[0]
    same_song = group_codes(copies, len(codes))
    relevant = _n_relevant(codes, same_song)
    asks = relevant > 0
    if not asks.any():
        return float("nan")
    n = (len(codes) - np.bincount(same_song)[same_song])[asks]
    harmonic = np.cumsum(1 / np.arange(1, len(codes) + 1))[n - 1]
    others = (relevant[asks] - 1) / np.maximum(n - 1, 1)
    return float(np.mean((harmonic + others * (n - harmonic)) / n))


def has_relevant(codes: Integers, same_song: Integers) -> NDArray[np.bool_]:
    """Whether each track's group (−1 is none) has another track, copies of that track apart."""
    return _n_relevant(codes, same_song) > 0


def _n_relevant(codes: Integers, same_song: Integers) -> Integers:
    """Tracks of each track's group, its copies (itself included) apart."""
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    own = np.ones(len(codes), dtype=np.int64)
    copied = np.flatnonzero(np.bincount(same_song)[same_song] > 1)
    pairs = same_song[copied] * (len(sizes) + 1) + codes[copied]
    _, place, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    own[copied] = counts[place]
    return np.where(codes >= 0, sizes[codes] - own, 0)


def undefined_retrieval(groups: ArrayLike, copies: ArrayLike | None, k: int | None = None) -> str:
    """Why retrieval of groups (artists) says nothing of any space; "" where it can.

    `k` neighbours are looked at; None ranks all.
    """
    codes = encode_labels(groups)[0]
    same_song = group_codes(copies, len(codes))
    if (codes >= 0).all() and len(np.unique(codes)) == 1:
        return "all tracks are by one artist"
    if not has_relevant(codes, same_song).any():
        return "no artist has two tracks that are no copies of each other"
    most = len(codes) - int(np.bincount(same_song).min())
    return "" if k is None else too_few_candidates(most, k)
