"""Neighbours: found once and exactly, then sliced by every metric that looks at neighbourhoods.

Functions that end in `_samples` give one value per track, NaN where there is none to give, so that
means, class means and bootstraps can be taken from the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import SongscapeError
from songscape.evaluation.metrics import encode_labels
from songscape.evaluation.permutations import group_codes

__all__ = [
    "Neighbors",
    "average_precision_samples",
    "class_mean",
    "has_company",
    "hit_samples",
    "knn_agreement_samples",
    "knn_chance",
    "knn_label_agreement",
    "nearest_neighbors",
    "ranked_queries",
    "retrieval",
    "without_groups",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CHUNK_NUMBERS = 8_000_000
_CACHED_NUMBERS = 250_000


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest other tracks of every track, nearest first; equal distances by row.

    Attributes
    ----------
    indices : ndarray of shape (n_tracks, n_neighbors), int64
        Rows of the neighbours, the track itself excluded; −1 where there is none.
    distances : ndarray of shape (n_tracks, n_neighbors), float64
        Euclidean; inf where there is none.
    """

    indices: Integers
    distances: Floats

    @property
    def n_tracks(self) -> int:
        return len(self.indices)

    @property
    def n_neighbors(self) -> int:
        return int(self.indices.shape[1])

    def first(self, k: int) -> Neighbors:
        """Only the k nearest."""
        if k > self.n_neighbors:
            raise ValueError(f"{self.n_neighbors} neighbours are known, {k} were asked for")
        return Neighbors(self.indices[:, :k], self.distances[:, :k])


def nearest_neighbors(X: ArrayLike, k: int = 90) -> Neighbors:
    """The k nearest other tracks of every track, by exact search.

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_dimensions)
        Finite numbers.
    k : int
        Neighbours; at most n_tracks − 1 are given.

    Raises
    ------
    SongscapeError
        Fewer than 2 tracks, or values that are not finite.
    """
    from sklearn.neighbors import NearestNeighbors

    space = np.ascontiguousarray(X, dtype=np.float64)
    n = len(space)
    if n < 2:
        raise SongscapeError(f"neighbours: {n} track has none; analyse at least 2")
    if not np.isfinite(space).all():
        raise SongscapeError("neighbours: missing or infinite values; leave those tracks out")
    k = min(k, n - 1)
    # Around the mean: far from zero, differences of large squares would lose their digits.
    space = space - space.mean(axis=0)
    found = NearestNeighbors(n_neighbors=k + 1).fit(space).kneighbors(return_distance=True, X=space)
    indices = found[1].astype(np.int64)
    itself = indices == np.arange(n)[:, None]
    # Among duplicates a track may not find itself: then the farthest one gives way.
    itself[~itself.any(axis=1), -1] = True
    indices = indices[~itself].reshape(n, k)
    return _ordered(space, indices, np.arange(n))


def without_groups(
    neighbors: Neighbors, groups: ArrayLike, k: int, X: ArrayLike | None = None
) -> Neighbors:
    """The k nearest neighbours that are not of the track's own group (the artist filter).

    Parameters
    ----------
    neighbors : Neighbors
    groups : array-like of shape (n_tracks,)
        Artist of each track, or copies; a track without one is filtered against nobody.
    k : int
    X : array-like of shape (n_tracks, n_dimensions), optional
        The space. Where a track's known neighbours run out of strangers the search is completed
        in it; without it the places stay empty (−1).
    """
    codes = encode_labels(groups)[0]
    known = neighbors.indices
    mine = codes[:, None]
    stranger = (known >= 0) & ((codes[known] != mine) | (mine < 0))
    place = np.cumsum(stranger, axis=1) - 1
    keep = stranger & (place < k)
    indices = np.full((len(known), k), -1, dtype=np.int64)
    distances = np.full((len(known), k), np.inf)
    rows, columns = np.nonzero(keep)
    indices[rows, place[rows, columns]] = known[rows, columns]
    distances[rows, place[rows, columns]] = neighbors.distances[rows, columns]
    short = np.flatnonzero(indices[:, -1] < 0) if k else np.zeros(0, dtype=np.int64)
    if X is not None and len(short) and neighbors.n_neighbors < len(known) - 1:
        space = np.asarray(X, dtype=np.float64)
        for part in _row_chunks(short, len(space)):
            squares = _squared_distances(space, part)
            same = (codes[part][:, None] == codes[None, :]) & (codes[part][:, None] >= 0)
            squares[same] = np.inf
            squares[np.arange(len(part)), part] = np.inf
            take = min(k, len(space) - 1)
            nearest = np.argpartition(squares, take - 1, axis=1)[:, :take].astype(np.int64)
            nearest[np.isinf(np.take_along_axis(squares, nearest, axis=1))] = -1
            completed = _ordered(space, nearest, part)
            indices[part, :take] = completed.indices
            distances[part, :take] = completed.distances
    return Neighbors(indices, distances)


def knn_agreement_samples(neighbors: Neighbors, labels: ArrayLike) -> Floats:
    """Share of each track's neighbours that carry its label.

    Parameters
    ----------
    neighbors : Neighbors
        As many as should count, e.g. `.first(10)` or `without_groups(…)`.
    labels : array-like of shape (n_tracks,)
        Missing labels are left out, as tracks and as neighbours.

    Returns
    -------
    ndarray of shape (n_tracks,)
        NaN for tracks without a label or without labelled neighbours.
    """
    codes = encode_labels(labels)[0]
    around = np.where(neighbors.indices >= 0, codes[neighbors.indices], -1)
    labelled = (around >= 0).sum(axis=1)
    same = ((around == codes[:, None]) & (around >= 0)).sum(axis=1)
    defined = (labelled > 0) & (codes >= 0)
    share: Floats = np.full(len(codes), np.nan)
    share[defined] = same[defined] / labelled[defined]
    return share


def knn_label_agreement(
    neighbors: Neighbors,
    labels: ArrayLike,
    *,
    k: int = 10,
    artists: ArrayLike | None = None,
    X: ArrayLike | None = None,
) -> dict[str, float]:
    """k-nearest-neighbour agreement with a label, optionally with same-artist neighbours removed.

    Parameters
    ----------
    neighbors : Neighbors
        More than k, so that the artist filter has a choice.
    labels : array-like of shape (n_tracks,)
    k : int
    artists : array-like of shape (n_tracks,), optional
        Switches the artist filter on.
    X : array-like, optional
        The space, see `without_groups`.

    Returns
    -------
    dict
        `mean` over tracks, `balanced` (mean of the class means), `chance` and `balanced_chance`
        (what a random order of tracks gives), `n_used`, `n_missing`.
    """
    k = min(k, neighbors.n_neighbors)
    near = neighbors.first(k) if artists is None else without_groups(neighbors, artists, k, X)
    values = knn_agreement_samples(near, labels)
    used = np.isfinite(values)
    chance, balanced_chance = knn_chance(labels)
    return {
        "mean": float(values[used].mean()) if used.any() else float("nan"),
        "balanced": class_mean(values, labels),
        "chance": chance,
        "balanced_chance": balanced_chance,
        "n_used": int(used.sum()),
        "n_missing": int((encode_labels(labels)[0] < 0).sum()),
    }


def knn_chance(labels: ArrayLike, artists: ArrayLike | None = None) -> tuple[float, float]:
    """Expected neighbour agreement, mean and balanced, when neighbours are drawn at random.

    With artists, neighbours are drawn among the tracks that are not by the track's own artist.
    """
    codes = encode_labels(labels)[0]
    used = codes >= 0
    n = int(used.sum())
    if n < 2:
        return float("nan"), float("nan")
    own = np.arange(len(codes)) if artists is None else group_codes(artists, len(codes))
    # Tracks of the same artist, and of the same artist and class: the track itself is in both.
    _, by_artist, sizes = np.unique(own[used], return_inverse=True, return_counts=True)
    pairs = np.column_stack([own[used], codes[used]])
    _, by_both, shared = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    same_class = np.bincount(codes[used])[codes[used]]
    candidates = n - sizes[by_artist]
    expected = np.full(len(codes), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected[used] = (same_class - shared[by_both.ravel()]) / candidates
    known = expected[np.isfinite(expected)]
    if not len(known):
        return float("nan"), float("nan")
    return float(known.mean()), class_mean(expected, labels)


def class_mean(values: ArrayLike, labels: ArrayLike) -> float:
    """Mean over classes of the class means of per-track values; NaN values are left out."""
    samples, codes = np.asarray(values, dtype=np.float64), encode_labels(labels)[0]
    used = np.isfinite(samples) & (codes >= 0)
    if not used.any():
        return float("nan")
    counts = np.bincount(codes[used])
    sums = np.bincount(codes[used], weights=samples[used])
    return float(np.mean(sums[counts > 0] / counts[counts > 0]))


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
        Tracks of one recording (`songscape.evaluation.duplicates.duplicate_groups`): to find a
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
    hits[~has_company(codes, group_codes(copies, len(codes)))] = np.nan
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
    for part in _row_chunks(queries, len(space)):
        for row, squares in zip(part, _squared_distances(space, part)):
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
    for rows in _row_chunks(queries, len(space)):
        squares = _squared_distances(space, rows)
        squares[same_song[rows][:, None] == same_song] = np.inf
        order = np.argsort(squares, axis=1)
        ordered = np.take_along_axis(squares, order, axis=1)
        last = np.column_stack([ordered[:, 1:] != ordered[:, :-1], np.ones(len(rows), bool)])
        place = np.where(last, np.arange(1, len(space) + 1), len(space)).astype(np.int32)
        worst = np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1]
        ranks = np.empty(squares.shape, dtype=np.int32)
        np.put_along_axis(ranks, order, worst, axis=1)
        yield rows, ranks


def retrieval(
    X: ArrayLike,
    neighbors: Neighbors,
    groups: ArrayLike,
    *,
    k: int = 10,
    copies: ArrayLike | None = None,
    max_queries: int = 2_000,
    random_state: int = 0,
) -> dict[str, float]:
    """Artist retrieval: `hit` (share of tracks with one of the same artist among k), `map`.

    A track's own copies (see `hit_samples`) are neither found nor in the way.

    Returns
    -------
    dict
        `hit`, `map`, `map_error` (standard error from drawing queries, 0 when all asked),
        `n_used` (tracks whose artist has another track).
    """
    near = neighbors if copies is None else without_groups(neighbors, copies, k, X)
    hits = hit_samples(near, groups, k=k, copies=copies)
    precision = average_precision_samples(
        X, groups, copies=copies, max_queries=max_queries, random_state=random_state
    )
    n, m = int(np.isfinite(hits).sum()), int(np.isfinite(precision).sum())
    if n == 0:
        return {"hit": float("nan"), "map": float("nan"), "map_error": float("nan"), "n_used": 0}
    spread = float(np.nanstd(precision, ddof=1)) if m > 1 else 0.0
    return {
        "hit": float(np.nanmean(hits)),
        "map": float(np.nanmean(precision)),
        "map_error": spread / m**0.5 * (1 - m / n) ** 0.5,
        "n_used": n,
    }


def has_company(codes: Integers, same_song: Integers) -> NDArray[np.bool_]:
    """Whether the group of each track has another track, copies of that track apart.

    Parameters
    ----------
    codes : ndarray of shape (n_tracks,), int64
        Groups (artists); −1 is none.
    same_song : ndarray of shape (n_tracks,), int64
        Copies, as `songscape.evaluation.permutations.group_codes` numbers them.
    """
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    own = np.ones(len(codes), dtype=np.int64)
    copied = np.flatnonzero(np.bincount(same_song)[same_song] > 1)
    pairs = same_song[copied] * (len(sizes) + 1) + codes[copied]
    _, place, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    own[copied] = counts[place]
    return (codes >= 0) & (sizes[codes] > own)


def _queries(codes: Integers, same_song: Integers, max_queries: int, random_state: int) -> Integers:
    """Tracks whose group has another track; a sorted sample where there are too many."""
    queries = np.flatnonzero(has_company(codes, same_song))
    if len(queries) > max_queries:
        rng = np.random.default_rng(random_state)
        queries = np.sort(rng.choice(queries, max_queries, replace=False))
    return queries


def _ordered(space: Floats, indices: Integers, rows: Integers) -> Neighbors:
    """Distances from differences, not from products, and ties in the order of rows."""
    distances = np.empty(indices.shape)
    step = max(1, _CACHED_NUMBERS // max(1, indices.shape[1] * space.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        gaps = space[indices[part]] - space[rows[part], None, :]
        distances[part] = np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps))
    distances[indices < 0] = np.inf
    order = np.lexsort((indices, distances), axis=1)
    return Neighbors(
        np.take_along_axis(indices, order, axis=1), np.take_along_axis(distances, order, axis=1)
    )


def _squared_distances(space: Floats, rows: Integers) -> Any:
    centred = space - space.mean(axis=0)
    norms = np.einsum("ij,ij->i", centred, centred)
    squares = norms[rows][:, None] + norms[None, :] - 2.0 * (centred[rows] @ centred.T)
    return np.maximum(squares, 0.0, out=squares)


def _row_chunks(rows: Integers, width: int) -> Iterator[Integers]:
    step = max(1, _CHUNK_NUMBERS // max(1, width))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
