"""Two-dimensional maps of latents, for looking at and for nothing else."""

import warnings
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import SongscapeError
from songscape.workers import IsolatingExecutor, WorkerError

__all__ = ["MIN_UMAP_TRACKS", "map_method", "umap_map"]

MIN_UMAP_TRACKS = 15
_WIDE = 64
_LONGEST_S = 6 * 3600.0


def map_method(X: ArrayLike) -> str:
    """Return how `umap_map` would draw ``X``: "UMAP", or "PCA" for few or indistinct tracks."""
    distinct: set[bytes] = set()
    for row in np.asarray(X):
        distinct.add(row.tobytes())
        if len(distinct) >= MIN_UMAP_TRACKS:
            return "UMAP"
    return "PCA"


def umap_map(X: ArrayLike, random_state: int = 0, *, n_neighbors: int = 15) -> NDArray[np.float32]:
    """Lay tracks out in two dimensions so that near neighbours stay near.

    UMAP (McInnes, Healy & Melville 2018, arXiv:1802.03426), started from the first two principal
    components. More than 64 dimensions are first reduced to 64 principal components. Fewer than
    15 distinct tracks give UMAP nothing to work with and are drawn by their first two principal
    components (`map_method` says which was used).

    Parameters
    ----------
    X : array, shape (n, d)
        Latents.
    random_state : int
        Seed; the same seed gives the same bytes on the same machine.
    n_neighbors : int
        Neighbours that UMAP tries to keep, at most n − 1.

    Returns
    -------
    ndarray of float32, shape (n, 2)
        Positions without unit.

    Raises
    ------
    ValueError
        If ``X`` is not two-dimensional or holds NaN or infinity.
    """
    data = np.asarray(X, dtype=np.float64)
    if data.ndim != 2:
        raise ValueError(f"X: has {data.ndim} dimensions; a map needs an array (n, d)")
    if not np.isfinite(data).all():
        raise ValueError("X: holds NaN or infinity; a map needs finite latents")
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
    task = mapper.submit(_umap, *arrays, min(n_neighbors, len(data) - 1), random_state)
    try:
        return np.asarray(task.result(), np.float32)
    except BaseException as error:
        mapper.shutdown(cancel_futures=True)
        _mapper.cache_clear()
        if isinstance(error, WorkerError):
            reason = f"the map of {len(data):,} tracks: {error}; is there enough memory?"
            raise SongscapeError(reason) from None
        raise


@cache
def _mapper() -> IsolatingExecutor:
    """A process for UMAP: its compiler takes 300 MB, and an exception within it crashes."""
    return IsolatingExecutor(1, timeout_s=_LONGEST_S, light=False)


def _umap(
    data: NDArray[np.float32], start: NDArray[np.float32], n_neighbors: int, random_state: int
) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap

        reducer = umap.UMAP(
            n_neighbors=n_neighbors, init=start, random_state=random_state, n_jobs=1
        )
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
