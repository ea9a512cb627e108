"""Neighbours: found once and exactly, then sliced by every metric that looks at neighbourhoods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import SongscapeError
from songscape.metrics.clusters import encode_labels

__all__ = ["Neighbors", "nearest_neighbors", "row_chunks", "squared_distances", "without_groups"]

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
        for part in row_chunks(short, len(space)):
            squares = squared_distances(space, part)
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


def squared_distances(space: Floats, rows: Integers) -> Any:
    """Squared Euclidean distances of some rows to all, of shape (n_rows, n_tracks)."""
    centred = space - space.mean(axis=0)
    norms = np.einsum("ij,ij->i", centred, centred)
    squares = norms[rows][:, None] + norms[None, :] - 2.0 * (centred[rows] @ centred.T)
    return np.maximum(squares, 0.0, out=squares)


def row_chunks(rows: Integers, width: int) -> Iterator[Integers]:
    """Rows in parts of which a table of `width` columns fits into memory."""
    step = max(1, _CHUNK_NUMBERS // max(1, width))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
