"""Neighbours: found once and exactly; how many carry a track's label, and what chance gives.

Functions that end in `_samples` give one value per track, NaN where there is none to give, so that
means, class means and bootstraps can be taken from the same numbers.

A space `X` has shape (n_tracks, n_dimensions); labels, groups (artists) and copies have shape
(n_tracks,), and None, NaN, "" and negative integers are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import SongscapeError
from songscape.metrics.labels import encode_labels, group_codes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CHUNK_NUMBERS = 8_000_000
_CACHED_NUMBERS = 250_000


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest other tracks of every track, nearest first; equal distances by row.

    `indices` and Euclidean `distances` have shape (n_tracks, n_neighbors); where there is no
    neighbour stand −1 and inf.
    """

    indices: Integers
    distances: Floats

    @property
    def n_neighbors(self) -> int:
        return int(self.indices.shape[1])

    def first(self, k: int) -> Neighbors:
        """Only the k nearest."""
        if k > self.n_neighbors:
            raise ValueError(f"{self.n_neighbors} neighbours are known, {k} were asked for")
        return Neighbors(self.indices[:, :k], self.distances[:, :k])


def nearest_neighbors(X: ArrayLike, k: int = 90) -> Neighbors:
    """The k nearest other tracks of every track (at most n_tracks − 1), by exact search.

    Raises SongscapeError for fewer than 2 tracks, or values that are not finite.
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

    A track without a group is filtered against nobody. Where a track's known neighbours run out of
    strangers the search is completed in the space `X`; without it the places stay empty (−1).
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


def uninformative(X: ArrayLike) -> str:
    """Why a space can tell no track from another; "" where it can.

    Values that differ by rounding alone (ten units in the last place of their type) are the same.
    """
    space = np.asarray(X)
    if not space.size:
        return "no track is in it"
    rounding = 10 * float(np.finfo(space.dtype if space.dtype.kind == "f" else np.float64).eps)
    spread = float(np.ptp(space, axis=0).max())
    if spread <= rounding * float(np.abs(space).max()):
        return "it is the same for every track and carries no information"
    return ""


def undefined_neighbours(labels: ArrayLike, groups: ArrayLike, k: int) -> str:
    """Why agreement of k neighbours, none of the own group, says nothing; "" where it can."""
    codes = encode_labels(labels)[0]
    blocks = group_codes(groups, len(codes))
    known = codes >= 0
    sizes = np.bincount(codes[known])
    n_values = int(np.sum(sizes > 0))
    if n_values < 2:
        return "all tracks have the same value" if n_values else "no track has a value"
    pairs = np.unique(np.column_stack([codes[known], blocks[known]]), axis=0)[:, 0]
    if int(np.bincount(pairs).max()) < 2:
        alone = sizes.max() < 2
        return "no two tracks share a value" if alone else "no value occurs in two groups"
    most = len(codes) - int(np.bincount(blocks)[blocks[known]].min())
    return too_few_candidates(most, k)


def too_few_candidates(candidates: int, k: int) -> str:
    return (
        "" if candidates > k else f"no track has more than {candidates} others to choose {k} from"
    )


def knn_agreement_samples(neighbors: Neighbors, labels: ArrayLike) -> Floats:
    """Share of each track's neighbours that carry its label; NaN without labels to compare."""
    codes = encode_labels(labels)[0]
    around = np.where(neighbors.indices >= 0, codes[neighbors.indices], -1)
    labelled = (around >= 0).sum(axis=1)
    same = ((around == codes[:, None]) & (around >= 0)).sum(axis=1)
    defined = (labelled > 0) & (codes >= 0)
    share: Floats = np.full(len(codes), np.nan)
    share[defined] = same[defined] / labelled[defined]
    return share


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
