"""Clusterers: a table of names, and `cluster`, which runs one and returns a `Clustering`."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import SongscapeError, UsageError, first_line
from songscape.rules import Rule, number, one_of, whole

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Outcome = tuple[Any, dict[str, Any]]
"""Labels, and parameters that were chosen from the data."""

_LARGEST = 1e100
_MAX_AVERAGE_TRACKS = 20_000
_MAX_DBSCAN_PAIRS = 2e8


class Option(NamedTuple):
    """Default and rule of an option; where the default is None, the data decide."""

    default: Any
    rule: Rule


@dataclass(frozen=True, eq=False)
class Clustering:
    """A partition of the tracks.

    ``labels`` has shape (n_tracks,): 0 is the largest cluster, -1 noise, which ``n_clusters`` does
    not count. ``params`` has every parameter as used, chosen values included.
    """

    labels: Integers
    n_clusters: int
    params: Mapping[str, Any]


def cluster(
    name: str, X: ArrayLike, *, k: int | None = None, random_state: int = 0, **options: Any
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
    **options
        Options of the method, see `OPTIONS`; None stands for the default.

    Returns
    -------
    Clustering
        With canonical labels: the same partition has the same ids in any order of rows.

    Raises
    ------
    SongscapeError
        Fewer tracks than clusters, missing or infinite values, or a job too big for memory.
    UsageError
        Unknown method or option, a value out of range, or k missing where it is needed.
    """
    from sklearn.exceptions import ConvergenceWarning

    check_clusterer_options(name, options)
    data = check_rows(name, X)
    defaults = {option: row.default for option, row in OPTIONS[name].items()}
    given = {option: value for option, value in options.items() if value is not None}
    arguments = defaults | given
    if name in NEEDS_K:
        if k is None:
            raise UsageError(f"{name} needs the number of clusters: give k, or let it be chosen")
        if not isinstance(k, Integral) or k < 1:
            raise UsageError(f"k = {k}: the number of clusters must be a whole number from 1")
        if len(data) < k:
            raise SongscapeError(
                f"{name}: {len(data)} tracks cannot make {k} clusters; choose a smaller k"
            )
        arguments["k"] = int(k)
    if name in SEEDED:
        if not isinstance(random_state, Integral) or not 0 <= random_state < 2**32:
            raise UsageError(f"random_state = {random_state}: give a whole number of 0 or more")
        arguments["random_state"] = int(random_state)
    # One thread: the order in which threads add up must not change the last bit.
    with _thread_pools().limit(limits=1), warnings.catch_warnings():
        # Fewer distinct tracks than k: n_clusters says so. Of gmm: params say so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            labels, chosen = CLUSTERERS[name](data, **arguments)
        except (ValueError, FloatingPointError) as error:
            raise SongscapeError(
                f"{name} fails on these {len(data)} tracks ({first_line(error)}); "
                "choose other options or another clusterer"
            ) from error
    labels = canonical_labels(labels, data)
    return Clustering(labels, int(labels.max()) + 1, arguments | chosen)


def check_clusterer_options(name: str, options: Mapping[str, Any]) -> None:
    """Check the options of a clusterer (`[clusterer_options.NAME]`); None stands for a default."""
    if name not in OPTIONS:
        raise UsageError(f"no clusterer {name!r}; choose one of {', '.join(OPTIONS)}")
    rules = OPTIONS[name]
    for option, value in options.items():
        if option not in rules:
            raise UsageError(f"{name}: no option {option!r}; it has {', '.join(rules) or 'none'}")
        rule = rules[option].rule
        if value is not None and not rule.allows(value):
            raise UsageError(f"{name}: {option} = {value!r}; give {rule.wanted}")


def check_rows(name: str, X: ArrayLike) -> Floats:
    """Return the rows as float64, or refuse what no clusterer can use."""
    try:
        data = np.ascontiguousarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        raise SongscapeError(f"{name}: the tracks are not rows of numbers") from None
    if data.ndim != 2:
        raise SongscapeError(f"{name}: expected one row per track, got shape {data.shape}")
    if data.shape[0] == 0 or data.shape[1] == 0:
        raise SongscapeError(f"{name}: no tracks to cluster (shape {data.shape}); analyse some")
    bad = np.flatnonzero(~np.isfinite(data).all(axis=1))
    if len(bad):
        raise SongscapeError(
            f"{name}: {len(bad)} of {len(data)} tracks have missing or infinite values, the first "
            f"in row {bad[0]}; leave them out or impute them"
        )
    if np.abs(data).max() > _LARGEST:
        raise SongscapeError(f"{name}: values above {_LARGEST:g} overflow when squared; scale them")
    return data


def canonical_labels(labels: ArrayLike, X: ArrayLike) -> Integers:
    """Number the clusters by size, largest first; equal sizes by their smallest row.

    Rows compare column by column, as words in a dictionary do, so the numbering depends on
    the partition and the data and not on the order of rows.

    Returns labels of shape (n_tracks,), 0 … n_clusters − 1 with −1 for noise (any negative id).
    """
    old, data = np.asarray(labels, dtype=np.int64), np.asarray(X)
    ids, sizes = np.unique(old[old >= 0], return_counts=True)
    tied = len(set(sizes.tolist())) < len(sizes)

    def key(i: int) -> tuple[int, list[float]]:
        return -int(sizes[i]), min(data[old == ids[i]].tolist()) if tied else []

    new = np.full(old.shape, -1, dtype=np.int64)
    for place, i in enumerate(sorted(range(len(ids)), key=key)):
        new[old == ids[i]] = place
    return new


def _kmeans(X: Floats, k: int, **options: Any) -> Outcome:
    """Lloyd's algorithm from `n_init` k-means++ starts (Arthur & Vassilvitskii 2007)."""
    from sklearn.cluster import KMeans

    return KMeans(k, **options).fit_predict(X), {}


def _ward(X: Floats, k: int) -> Outcome:
    """Agglomerative clustering, Ward's criterion (1963)."""
    from songscape.clustering.trees import cut, ward_merges

    return cut(ward_merges(X)[0], k), {}


def _average(X: Floats, k: int, metric: str) -> Outcome:
    """Agglomerative clustering, average linkage (UPGMA; Sokal & Michener 1958)."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    if len(X) > _MAX_AVERAGE_TRACKS:
        gigabytes = 8 * len(X) ** 2 / 1e9
        raise SongscapeError(
            f"average linkage of {len(X)} tracks needs {gigabytes:.0f} GB of distances; "
            "use ward or kmeans"
        )
    distances = pdist(X, metric)
    if not np.isfinite(distances).all():
        raise SongscapeError(
            f"average: {metric} distances need rows that are not all zero or constant; "
            "use euclidean"
        )
    if len(X) < 2:
        return np.zeros(len(X), dtype=np.int64), {}
    tree = linkage(distances, "average")
    tree[:, 2] = np.arange(len(tree))  # equal heights would leave fewer than k
    return fcluster(tree, k, "maxclust"), {}


def _dbscan(X: Floats, eps: float | None, min_samples: int | None) -> Outcome:
    """DBSCAN (Ester et al. 1996); eps is the knee of the sorted k-distance curve.

    `min_samples` counts the track itself and defaults to ln(n), at least 5 (Birant & Kut 2007).
    """
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    least = max(5, round(math.log(len(X)))) if min_samples is None else min_samples
    _check_size("dbscan", X, "min_samples", least)
    neighbors, k_distances = NearestNeighbors().fit(X), k_distance_curve(X, least)
    radius = float(k_distances[knee(k_distances)]) if eps is None else float(eps)
    radius = max(radius, float(np.finfo(float).tiny))
    # An eps whose neighbourhoods would not fit in memory, judged on 100 rows.
    rows = np.linspace(0, len(X) - 1, min(100, len(X))).astype(int)
    joined = neighbors.radius_neighbors(X[rows], radius, return_distance=False)
    pairs = len(X) * float(np.mean([len(row) for row in joined]))
    if pairs > _MAX_DBSCAN_PAIRS:
        raise SongscapeError(
            f"dbscan: eps={radius:.4g} joins about {pairs:.1e} pairs of tracks, too many for "
            "memory; give a smaller eps or use hdbscan"
        )
    labels = DBSCAN(eps=radius, min_samples=least).fit(X).labels_
    return labels, {"eps": radius, "min_samples": least}


def k_distance_curve(X: ArrayLike, k: int) -> Floats:
    """Distances of all tracks to the k-th nearest, themselves counted, the smallest first."""
    from sklearn.neighbors import NearestNeighbors

    return np.sort(NearestNeighbors(n_neighbors=k).fit(X).kneighbors(X)[0][:, -1])


def _hdbscan(
    X: Floats, min_cluster_size: int | None, min_samples: int | None, **options: Any
) -> Outcome:
    """HDBSCAN (Campello et al. 2013); clusters hold at least 1 % of the tracks, at least 5."""
    from sklearn.cluster import HDBSCAN

    size = max(5, round(0.01 * len(X))) if min_cluster_size is None else min_cluster_size
    least = min(size, 10) if min_samples is None else min_samples
    _check_size("hdbscan", X, "min_cluster_size", size)
    _check_size("hdbscan", X, "min_samples", least)
    model = HDBSCAN(min_cluster_size=size, min_samples=least, copy=True, **options).fit(X)
    return model.labels_, {"min_cluster_size": size, "min_samples": least}


def _gmm(X: Floats, k: int, **options: Any) -> Outcome:
    """Gaussian mixture by EM.

    Runs on the data divided by their overall standard deviation, so that units do not matter to
    the variance floor of a millionth.
    """
    from sklearn.mixture import GaussianMixture

    if len(X) < 2:
        return np.zeros(len(X), dtype=np.int64), {}
    spread = float(np.sqrt(X.var(axis=0).mean()))
    scaled = (X - X.mean(axis=0)) / (spread if spread > 0 else 1.0)
    model = GaussianMixture(k, reg_covar=1e-6, **options)
    labels = model.fit(scaled).predict(scaled)
    return labels, {"converged": bool(model.converged_)}


def _check_size(name: str, X: Floats, option: str, least: int) -> None:
    if len(X) < least:
        raise SongscapeError(
            f"{name}: {len(X)} tracks are fewer than {option}={least}; use a smaller one"
        )


def knee(curve: ArrayLike) -> int:
    """Position of the knee of a rising curve: the point farthest below its chord.

    Both axes are scaled to 0 … 1 first, so the chord is the diagonal (Satopää et al. 2011,
    "Kneedle", with no smoothing).

    A curve that is flat or straight has none: then the middle point.
    """
    values = np.asarray(curve, dtype=float)
    rise = values[-1] - values[0]
    middle = len(values) // 2
    if len(values) < 3 or rise <= 0:
        return middle
    gap = np.linspace(0.0, 1.0, len(values)) - (values - values[0]) / rise
    return int(np.argmax(gap)) if gap.max() > 1e-9 else middle


CLUSTERERS: dict[str, Callable[..., Outcome]] = {
    "kmeans": _kmeans,
    "ward": _ward,
    "average": _average,
    "dbscan": _dbscan,
    "hdbscan": _hdbscan,
    "gmm": _gmm,
}
_METRICS = one_of("euclidean", "cityblock", "chebyshev", "cosine", "correlation")

OPTIONS: dict[str, dict[str, Option]] = {
    "kmeans": {"n_init": Option(10, whole(1)), "max_iter": Option(300, whole(1))},
    "ward": {},
    "average": {"metric": Option("euclidean", _METRICS)},
    "dbscan": {
        "eps": Option(None, number("above 0", lambda eps: eps > 0)),
        "min_samples": Option(None, whole(1)),
    },
    "hdbscan": {
        "min_cluster_size": Option(None, whole(2)),
        "min_samples": Option(None, whole(1)),
        "cluster_selection_method": Option("eom", one_of("eom", "leaf")),
    },
    "gmm": {
        # Diagonal, because small collections cannot pay for full covariances.
        "covariance_type": Option("diag", one_of("full", "tied", "diag", "spherical")),
        "n_init": Option(3, whole(1)),
        "max_iter": Option(200, whole(1)),
    },
}

NEEDS_K = frozenset({"kmeans", "ward", "average", "gmm"})
SEEDED = frozenset({"kmeans", "gmm"})


@functools.cache
def _thread_pools() -> Any:
    """Finding the loaded BLAS and OpenMP libraries takes 15 ms, so it is done once."""
    import sklearn.cluster  # noqa: F401  (loads them)
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
