"""Retrieval: whether the tracks of one's group (artist) are among the nearest, or ranked early.

Functions that end in `_samples` give one value per track, NaN where there is none to give, so that
means, class means and bootstraps can be taken from the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.labels import encode_labels, group_codes
from songscape.metrics.neighbours import (
    Neighbors,
    row_chunks,
    squared_distances,
    too_few_candidates,
)

__all__ = [
    "average_precision_samples",
    "has_relevant",
    "hit_samples",
    "ranked_queries",
    "undefined_retrieval",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def hit_samples(
    neighbors: Neighbors, groups: ArrayLike, *, k: int = 10, copies: ArrayLike | None = None
) -> Floats:
    """1 where one of the k nearest neighbours is of the same group (artist), else 0.

    Parameters
    ----------
    neighbors : Neighbors
        Where there are copies, those left by ``without_groups(neighbors, copies, k, X)``.
    groups : array-like of shape (n_tracks,)
    k : int
    copies : array-like of shape (n_tracks,), optional
        Tracks of one recording (`songscape.audit.duplicates.duplicate_groups`): to find a
        track's own copy is no merit.

    Returns
    -------
    ndarray of shape (n_tracks,)
        NaN for tracks whose group has no other track that is no copy of theirs.
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

    Tracks at equal distance share the worse rank, as in scikit-learn's
    `average_precision_score`. The full ranking is used; where more than `max_queries` tracks could
    ask, a random sample of them does. A track's own copies (see `hit_samples`) are not ranked.

    Returns
    -------
    ndarray of shape (n_tracks,)
        NaN for tracks whose group has no other track (their copies apart), and for those not
        drawn.
    """
    space = np.ascontiguousarray(X, dtype=np.float64)
    codes = encode_labels(groups)[0]
    same_song = group_codes(copies, len(codes))
    queries = _queries(codes, same_song, max_queries, random_state)
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


def ranked_queries(
    X: ArrayLike,
    groups: ArrayLike,
    *,
    copies: ArrayLike | None = None,
    max_queries: int = 2_000,
    random_state: int = 0,
) -> Iterator[tuple[Integers, NDArray[np.int32]]]:
    """Rank of every track in the ranking of each query, in chunks of queries.

    The queries are those of `average_precision_samples` with the same arguments.

    Yields
    ------
    rows : ndarray of shape (n_rows,)
        Queries.
    ranks : ndarray of shape (n_rows, n_tracks), int32
        Tracks at most as far as this one; those at equal distance share the worse rank. Of a query
        itself and of its copies: n_tracks.
    """
    space = np.ascontiguousarray(X, dtype=np.float64)
    codes = encode_labels(groups)[0]
    same_song = group_codes(copies, len(codes))
    queries = _queries(codes, same_song, max_queries, random_state)
    for rows in row_chunks(queries, len(space)):
        squares = squared_distances(space, rows)
        squares[same_song[rows][:, None] == same_song] = np.inf
        order = np.argsort(squares, axis=1)
        ordered = np.take_along_axis(squares, order, axis=1)
        last = np.column_stack([ordered[:, 1:] != ordered[:, :-1], np.ones(len(rows), bool)])
        place = np.where(last, np.arange(1, len(space) + 1), len(space)).astype(np.int32)
        worst = np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1]
        ranks = np.empty(squares.shape, dtype=np.int32)
        np.put_along_axis(ranks, order, worst, axis=1)
        yield rows, ranks


def has_relevant(codes: Integers, same_song: Integers) -> NDArray[np.bool_]:
    """Whether the group of each track has another track, copies of that track apart.

    Parameters
    ----------
    codes : ndarray of shape (n_tracks,), int64
        Groups (artists); −1 is none.
    same_song : ndarray of shape (n_tracks,), int64
        Copies, as `songscape.statistics.permutations.group_codes` numbers them.
    """
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    own = np.ones(len(codes), dtype=np.int64)
    copied = np.flatnonzero(np.bincount(same_song)[same_song] > 1)
    pairs = same_song[copied] * (len(sizes) + 1) + codes[copied]
    _, place, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    own[copied] = counts[place]
    return (codes >= 0) & (sizes[codes] > own)


def undefined_retrieval(groups: ArrayLike, copies: ArrayLike | None, k: int | None = None) -> str:
    """Why retrieval of groups (artists) says nothing of any space; "" where it can.

    Parameters
    ----------
    groups, copies : array-like of shape (n_tracks,)
        As in `hit_samples`.
    k : int or None
        Neighbours that are looked at; None where all are ranked.
    """
    codes = encode_labels(groups)[0]
    same_song = group_codes(copies, len(codes))
    if (codes >= 0).all() and len(np.unique(codes)) == 1:
        return "all tracks are by one artist"
    if not has_relevant(codes, same_song).any():
        return "no artist has two tracks that are no copies of each other"
    most = len(codes) - int(np.bincount(same_song).min())
    return "" if k is None else too_few_candidates(most, k)


def _queries(codes: Integers, same_song: Integers, max_queries: int, random_state: int) -> Integers:
    """Tracks whose group has another track; a sorted sample where there are too many."""
    queries = np.flatnonzero(has_relevant(codes, same_song))
    if len(queries) > max_queries:
        rng = np.random.default_rng(random_state)
        queries = np.sort(rng.choice(queries, max_queries, replace=False))
    return queries
