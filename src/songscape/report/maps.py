"""Two-dimensional maps of latents, for pictures only."""

import warnings
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import SongscapeError
from songscape.workers import IsolatingExecutor, WorkerError

MIN_UMAP_TRACKS = 15
_WIDE = 64
_LONGEST_S = 6 * 3600.0
_AS_GOOD = 0.95
_COMPARED = 2_000
_NEAREST = 5


def map_method(X: ArrayLike) -> str:
    """Return how `umap_map` would draw ``X``: "UMAP", or "PCA" for few or indistinct tracks."""
    distinct: set[bytes] = set()
    for row in np.asarray(X):
        distinct.add(row.tobytes())
        if len(distinct) >= MIN_UMAP_TRACKS:
            return "UMAP"
    return "PCA"


def umap_map(X: ArrayLike, random_state: int = 0) -> NDArray[np.float32]:
    """Lay tracks out in two dimensions, shape (n, 2), so that near neighbours stay near.

    UMAP (McInnes, Healy & Melville 2018, arXiv:1802.03426), started from the first two principal
    components. More than 64 dimensions are first reduced to 64 principal components. Fewer than 15
    distinct tracks give UMAP nothing to work with and are drawn by their first two principal
    components (`map_method` says which was used). The same seed gives the same bytes on the same
    machine.
    """
    data = np.asarray(X, dtype=np.float64)
    if map_method(data) == "PCA":
        return _principal_components(data, 2).astype(np.float32)
    scores = _principal_components(data, _WIDE)
    if data.shape[1] > _WIDE:
        data = scores
    start = scores[:, :2]
    start = 10 * start / max(float(np.abs(start).max()), 1e-12)
    start += np.random.default_rng(random_state).normal(scale=1e-4, size=start.shape)
    arrays = data.astype(np.float32), start.astype(np.float32)
    mapper = _mapper()
    task = mapper.submit(_umap, *arrays, random_state)
    try:
        return np.asarray(task.result(), np.float32)
    except BaseException as error:
        mapper.shutdown(cancel_futures=True)
        _mapper.cache_clear()
        if isinstance(error, WorkerError):
            reason = f"the map of {len(data):,} tracks: {error}; is there enough memory?"
            raise SongscapeError(reason) from None
        raise


def keep_places(
    latents: ArrayLike, ids: Sequence[str], old_ids: Sequence[str], old_places: ArrayLike
) -> NDArray[np.float32] | None:
    """Places of an earlier map, kept for the tracks that it has, with the new tracks among them.

    A new track lies at the mean of its 5 nearest old tracks in the latents, weighted by 1 /
    distance, and slightly beside it where another track lies there already. The earlier map must
    have two thirds of the tracks, and still tell who is near whom: its trustworthiness (Venna &
    Kaski 2001) is at least 0.95 of that of a map drawn anew, both of the same old tracks, 2,000 of
    them where there are more. Else None: a new map is to be drawn.
    """
    X, old = np.asarray(latents, np.float64), np.asarray(old_places, np.float32)
    row_of = {track: row for row, track in enumerate(old_ids)}
    if old.shape != (len(row_of), 2) or len(old_ids) != len(old):
        return None
    rows = np.array([row_of.get(track, -1) for track in ids], dtype=np.int64)
    known = np.flatnonzero(rows >= 0)
    if 3 * len(known) < 2 * len(X) or len(known) < _NEAREST or map_method(old) != map_method(X):
        return None
    if not np.isfinite(old).all() or not _still_true(X[known], old[rows[known]]):
        return None
    places = np.empty((len(X), 2), dtype=np.float32)
    places[known] = old[rows[known]]
    new = np.flatnonzero(rows < 0)
    if len(new):
        places[new] = _beside(X[new], X[known], places[known])
    return places


def _still_true(X: NDArray[np.float64], places: NDArray[np.float32]) -> bool:
    from sklearn.manifold import trustworthiness

    if len(X) > _COMPARED:
        chosen = np.random.default_rng(0).choice(len(X), _COMPARED, replace=False)
        X, places = X[chosen], places[chosen]
    nearest = min(10, (len(X) - 1) // 2)
    before, anew = (
        trustworthiness(X, drawn, n_neighbors=nearest) for drawn in (places, umap_map(X))
    )
    return bool(before >= _AS_GOOD * anew)


def _beside(
    new: NDArray[np.float64], known: NDArray[np.float64], places: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Places of new tracks, near those of the known tracks that are nearest to them."""
    from sklearn.neighbors import NearestNeighbors

    distances, nearest = NearestNeighbors(n_neighbors=_NEAREST).fit(known).kneighbors(new)
    weights = 1 / np.maximum(distances, 1e-9 * (float(distances.max()) or 1.0))
    weights /= weights.sum(axis=1, keepdims=True)
    mean = np.einsum("nk,nkd->nd", weights, places[nearest])
    found: NDArray[np.float32] = mean.astype(np.float32)
    step = 1e-3 * (float(np.ptp(places, axis=0).max()) or 1.0)
    taken = Counter(map(bytes, np.round(10 * places / step).astype(np.int64)))
    for row, cell in enumerate(map(bytes, np.round(10 * found / step).astype(np.int64))):
        # A spiral by the golden angle: however many lie there, none lies on another.
        turn, out = 2.399963 * taken[cell], step * taken[cell] ** 0.5
        taken[cell] += 1
        found[row] += np.asarray([out * np.cos(turn), out * np.sin(turn)], np.float32)
    return found


@cache
def _mapper() -> IsolatingExecutor:
    """A process for UMAP: its compiler takes 300 MB, and an exception within it crashes."""
    return IsolatingExecutor(1, timeout_s=_LONGEST_S, light=False)


def _umap(
    data: NDArray[np.float32], start: NDArray[np.float32], random_state: int
) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap

        nearest = min(15, len(data) - 1)
        reducer = umap.UMAP(n_neighbors=nearest, init=start, random_state=random_state, n_jobs=1)
        return np.asarray(reducer.fit_transform(data), dtype=np.float32)


def _principal_components(data: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Centred scores of shape (n, width); missing components are zero."""
    from sklearn.decomposition import PCA

    scores = np.zeros((len(data), width))
    if len(data) >= 2 and np.ptp(data, axis=0).any():
        solver = "covariance_eigh" if data.shape[1] <= len(data) else "full"
        found = PCA(min(width, *data.shape), svd_solver=solver).fit_transform(data)
        scores[:, : found.shape[1]] = found
    return scores
