"""Clusterers: a table of names, and `cluster`, which runs one and returns a `Clustering`."""

from __future__ import annotations

import functools
import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import SongscapeError, UsageError

__all__ = ["CLUSTERERS", "NEEDS_K", "Clustering", "canonical_labels", "cluster", "knee"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MAX_AVERAGE_TRACKS = 20_000
_MAX_DBSCAN_PAIRS = 2e8


@dataclass(frozen=True, eq=False)
class Clustering:
    """A partition of the tracks.

    Attributes
    ----------
    labels : ndarray of shape (n_tracks,), int64
        Cluster of each track, 0 the largest; -1 is noise, which is no cluster.
    n_clusters : int
        Clusters found, noise not counted.
    noise_share : float
        Share of tracks left as noise, 0 to 1.
    method : str
        Name in `CLUSTERERS`.
    params : mapping
        Every parameter as it was used, defaults and chosen values included.
    extras : mapping
        What only some methods have: `k_distances` and `eps` (dbscan), `responsibilities`
        of shape (n_tracks, k) (gmm), `probabilities` (hdbscan), `centroids` (kmeans),
        `linkage` in SciPy's form (ward, average).
    """

    labels: Integers
    n_clusters: int
    noise_share: float
    method: str
    params: Mapping[str, Any]
    extras: Mapping[str, Any] = field(default_factory=dict, repr=False)


def cluster(
    name: str, X: ArrayLike, *, k: int | None = None, random_state: int = 0, **params: Any
) -> Clustering:
    """Cluster the rows of `X`.

    Parameters
    ----------
    name : {"kmeans", "ward", "average", "dbscan", "hdbscan", "gmm"}
        Method, a key of `CLUSTERERS`.
    X : array-like of shape (n_tracks, n_dimensions)
        Finite numbers. Sort the rows by track id: the random starts of kmeans and gmm
        are drawn by row.
    k : int, optional
        Number of clusters, at least 1; dbscan and hdbscan find their own and ignore it.
    random_state : int
        Seed of kmeans and gmm; the others use no random numbers.
    **params
        Parameters of the method, see its function in `CLUSTERERS`.

    Returns
    -------
    Clustering
        With canonical labels: the same partition has the same ids in any order of rows.

    Raises
    ------
    SongscapeError
        Fewer tracks than clusters, missing or infinite values, or a job too big for memory.
    UsageError
        Unknown method or parameter, or k missing where it is needed.
    """
    if name not in CLUSTERERS:
        raise UsageError(f"no clusterer {name!r}; choose one of {', '.join(CLUSTERERS)}")
    data = _check(name, X)
    arguments = dict(params)
    if name in NEEDS_K:
        if k is None:
            raise UsageError(f"{name} needs the number of clusters: give k, or let it be chosen")
        if k < 1:
            raise UsageError(f"k={k}: the number of clusters must be at least 1")
        if len(data) < k:
            raise SongscapeError(
                f"{name}: {len(data)} tracks cannot make {k} clusters; choose a smaller k"
            )
        arguments["k"] = int(k)
    if name in SEEDED:
        arguments["random_state"] = random_state
    known = list(inspect.signature(CLUSTERERS[name]).parameters)[1:]
    for parameter in arguments:
        if parameter not in known:
            raise UsageError(f"{name} has no parameter {parameter!r}; it has {', '.join(known)}")
    # One thread: the order in which threads add up must not change the last bit.
    with _thread_pools().limit(limits=1):
        labels, used, extras = CLUSTERERS[name](data, **arguments)
    labels, order = canonical_labels(labels, data)
    if "responsibilities" in extras:
        extras["responsibilities"] = _reordered(extras["responsibilities"], order, axis=1)
    if "centroids" in extras:
        extras["centroids"] = _reordered(extras["centroids"], order, axis=0)
    return Clustering(
        labels=labels,
        n_clusters=len(order),
        noise_share=float(np.mean(labels < 0)),
        method=name,
        params=used,
        extras=extras,
    )


def canonical_labels(labels: ArrayLike, X: ArrayLike) -> tuple[Integers, Integers]:
    """Number the clusters by size, largest first; equal sizes by their smallest row.

    Rows compare column by column, as words in a dictionary do, so the numbering depends on
    the partition and the data and not on the order of rows.

    Parameters
    ----------
    labels : array-like of shape (n_tracks,), int
        Any cluster ids; negative ones are noise.
    X : array-like of shape (n_tracks, n_dimensions)

    Returns
    -------
    labels : ndarray of shape (n_tracks,), int64
        0 … n_clusters − 1, noise −1.
    order : ndarray of shape (n_clusters,), int64
        The old id of each new cluster.
    """
    old = np.asarray(labels, dtype=np.int64)
    data = np.asarray(X)
    ids, sizes = np.unique(old[old >= 0], return_counts=True)
    repeated = set(sizes[np.flatnonzero(np.bincount(sizes)[sizes] > 1)].tolist())

    def key(position: int) -> tuple[Any, ...]:
        if sizes[position] not in repeated:
            return (-sizes[position],)
        rows = data[old == ids[position]]
        for column in range(rows.shape[1]):
            if len(rows) == 1:
                break
            rows = rows[rows[:, column] == rows[:, column].min()]
        return (-sizes[position], *rows[0].tolist())

    order = ids[sorted(range(len(ids)), key=key)] if len(ids) else ids
    new = np.full(old.shape, -1, dtype=np.int64)
    if len(ids):
        number = np.empty(len(ids), dtype=np.int64)
        number[np.searchsorted(ids, order)] = np.arange(len(ids))
        kept = old >= 0
        new[kept] = number[np.searchsorted(ids, old[kept])]
    return new, order


def _kmeans(
    X: Floats, *, k: int, random_state: int, n_init: int = 10, max_iter: int = 300
) -> tuple[Integers, dict[str, Any], dict[str, Any]]:
    """Lloyd's algorithm from `n_init` k-means++ starts (Arthur & Vassilvitskii 2007)."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(k, n_init=n_init, max_iter=max_iter, random_state=random_state)
    with warnings.catch_warnings():
        # Fewer distinct tracks than k: n_clusters says so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X)
    used = {"k": k, "n_init": n_init, "max_iter": max_iter, "random_state": random_state}
    return model.labels_, used, {"centroids": model.cluster_centers_}


def _ward(X: Floats, *, k: int) -> tuple[Integers, dict[str, Any], dict[str, Any]]:
    """Agglomerative clustering, Ward's criterion (1963)."""
    from songscape.clustering.trees import cut, ward_linkage

    linkage = ward_linkage(X)
    return cut(linkage, k), {"k": k}, {"linkage": linkage}


def _average(
    X: Floats, *, k: int, metric: str = "euclidean"
) -> tuple[Integers, dict[str, Any], dict[str, Any]]:
    """Agglomerative clustering, average linkage (UPGMA; Sokal & Michener 1958)."""
    from scipy.cluster.hierarchy import linkage as scipy_linkage

    from songscape.clustering.trees import cut

    if len(X) > _MAX_AVERAGE_TRACKS:
        gigabytes = 8 * len(X) ** 2 / 1e9
        raise SongscapeError(
            f"average linkage of {len(X)} tracks needs {gigabytes:.0f} GB of distances; "
            "use ward or kmeans"
        )
    linkage = np.empty((0, 4)) if len(X) < 2 else scipy_linkage(X, "average", metric=metric)
    return cut(linkage, k), {"k": k, "metric": metric}, {"linkage": linkage}


def _dbscan(
    X: Floats, *, eps: float | None = None, min_samples: int | None = None
) -> tuple[Integers, dict[str, Any], dict[str, Any]]:
    """DBSCAN (Ester et al. 1996); eps is the knee of the sorted k-distance curve.

    `min_samples` counts the track itself and defaults to ln(n), at least 5 (Birant & Kut 2007).
    """
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    chosen = max(5, round(math.log(len(X)))) if min_samples is None else min_samples
    if len(X) < chosen:
        raise SongscapeError(
            f"dbscan: {len(X)} tracks are fewer than min_samples={chosen}; use a smaller one"
        )
    neighbors = NearestNeighbors(n_neighbors=chosen).fit(X)
    k_distances = np.sort(neighbors.kneighbors(X)[0][:, -1])
    radius = float(k_distances[knee(k_distances)]) if eps is None else float(eps)
    radius = max(radius, float(np.finfo(float).tiny))
    _check_pairs(neighbors, X, radius)
    labels = DBSCAN(eps=radius, min_samples=chosen).fit(X).labels_
    used = {"eps": radius, "min_samples": chosen, "eps_from": "knee" if eps is None else "given"}
    return labels, used, {"k_distances": k_distances, "eps": radius}


def _hdbscan(
    X: Floats,
    *,
    min_cluster_size: int | None = None,
    min_samples: int | None = None,
    cluster_selection_method: str = "eom",
) -> tuple[Integers, dict[str, Any], dict[str, Any]]:
    """HDBSCAN (Campello et al. 2013); clusters hold at least 1 % of the tracks, at least 5."""
    from sklearn.cluster import HDBSCAN

    size = max(5, round(0.01 * len(X))) if min_cluster_size is None else min_cluster_size
    samples = min(size, 10) if min_samples is None else min_samples
    if len(X) < max(size, samples):
        raise SongscapeError(
            f"hdbscan: {len(X)} tracks are fewer than min_cluster_size={size}; use a smaller one"
        )
    model = HDBSCAN(
        min_cluster_size=size,
        min_samples=samples,
        cluster_selection_method=cluster_selection_method,
        copy=True,
    ).fit(X)
    used = {
        "min_cluster_size": size,
        "min_samples": samples,
        "cluster_selection_method": cluster_selection_method,
    }
    return model.labels_, used, {"probabilities": model.probabilities_}


def _gmm(
    X: Floats,
    *,
    k: int,
    random_state: int,
    covariance_type: str = "diag",
    n_init: int = 3,
    max_iter: int = 200,
) -> tuple[Integers, dict[str, Any], dict[str, Any]]:
    """Gaussian mixture by EM; diagonal covariances, because small collections cannot pay for full.

    Runs on the data divided by their overall standard deviation, so that units do not matter to
    the variance floor of a millionth.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    if len(X) < 2:
        labels = np.zeros(len(X), dtype=np.int64)
        return labels, {"k": k}, {"responsibilities": np.ones((len(X), 1))}
    spread = float(np.sqrt(X.var(axis=0).mean()))
    scaled = (X - X.mean(axis=0)) / (spread if spread > 0 else 1.0)
    model = GaussianMixture(
        k,
        covariance_type=covariance_type,
        n_init=n_init,
        max_iter=max_iter,
        reg_covar=1e-6,
        random_state=random_state,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = model.fit(scaled).predict(scaled)
    used = {
        "k": k,
        "covariance_type": covariance_type,
        "n_init": n_init,
        "max_iter": max_iter,
        "random_state": random_state,
        "converged": bool(model.converged_),
    }
    return labels, used, {"responsibilities": model.predict_proba(scaled)}


def knee(curve: ArrayLike) -> int:
    """Position of the knee of a rising curve: the point farthest below its chord.

    Both axes are scaled to 0 … 1 first, so the chord is the diagonal (Satopää et al. 2011,
    "Kneedle", with no smoothing).

    Parameters
    ----------
    curve : array-like of shape (n_points,)
        Rising values, such as sorted k-distances.

    Returns
    -------
    int
        The middle point for a curve that is flat or straight.
    """
    values = np.asarray(curve, dtype=float)
    rise = values[-1] - values[0]
    middle = len(values) // 2
    if len(values) < 3 or rise <= 0:
        return middle
    gap = np.linspace(0.0, 1.0, len(values)) - (values - values[0]) / rise
    return int(np.argmax(gap)) if gap.max() > 1e-9 else middle


CLUSTERERS: dict[str, Callable[..., tuple[Any, dict[str, Any], dict[str, Any]]]] = {
    "kmeans": _kmeans,
    "ward": _ward,
    "average": _average,
    "dbscan": _dbscan,
    "hdbscan": _hdbscan,
    "gmm": _gmm,
}
NEEDS_K = frozenset({"kmeans", "ward", "average", "gmm"})
SEEDED = frozenset({"kmeans", "gmm"})


@functools.cache
def _thread_pools() -> Any:
    """Finding the loaded BLAS and OpenMP libraries takes 15 ms, so it is done once."""
    import sklearn.cluster  # noqa: F401  (loads them)
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def _check(name: str, X: ArrayLike) -> Floats:
    data = np.asarray(X)
    if data.ndim != 2:
        raise SongscapeError(f"{name}: expected one row per track, got shape {data.shape}")
    if data.shape[0] == 0 or data.shape[1] == 0:
        raise SongscapeError(f"{name}: no tracks to cluster (shape {data.shape}); analyse some")
    data = np.ascontiguousarray(data, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(data).all(axis=1))
    if len(bad):
        raise SongscapeError(
            f"{name}: {len(bad)} of {len(data)} tracks have missing or infinite values, the first "
            f"in row {bad[0]}; leave them out or impute them"
        )
    return data


def _check_pairs(neighbors: Any, X: Floats, radius: float) -> None:
    """Refuse an eps whose neighbourhoods would not fit in memory, judged on 100 rows."""
    rows = np.linspace(0, len(X) - 1, min(100, len(X))).astype(int)
    found = neighbors.radius_neighbors(X[rows], radius, return_distance=False)
    pairs = len(X) * float(np.mean([len(row) for row in found]))
    if pairs > _MAX_DBSCAN_PAIRS:
        raise SongscapeError(
            f"dbscan: eps={radius:.4g} joins about {pairs:.1e} pairs of tracks, too many for "
            "memory; give a smaller eps or use hdbscan"
        )


def _reordered(values: Floats, order: Integers, *, axis: int) -> Floats:
    """Columns (or rows) in canonical order; components that won no track come last."""
    empty = np.setdiff1d(np.arange(values.shape[axis]), order)
    return np.take(values, np.concatenate([order, empty]), axis=axis)
