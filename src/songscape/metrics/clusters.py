"""Metrics of a partition: inside a space (silhouette, …) and against labels (AMI, …).

Noise (label −1) is never a cluster: metrics are computed on the clustered tracks and the noise
share stands beside them. A metric that says nothing (one cluster, all noise, every track its own
cluster) is NaN and never a perfect score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics.labels import encode_labels
from songscape.metrics.silhouette import clustered_rows, silhouette

Integers = NDArray[np.int64]

_N_SAMPLES = 2_000
SCORES = ("ami", "nmi", "ari", "purity", "homogeneity", "completeness", "v_measure")


def internal_metrics(
    X: ArrayLike, labels: ArrayLike, *, exact_up_to: int = 20_000, random_state: int = 0
) -> dict[str, float]:
    """Every metric that needs a space and a partition, and no labels.

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_dimensions)
    labels : array-like of shape (n_tracks,), int
        Clusters; −1 is noise.
    exact_up_to : int
        With more clustered tracks than this the silhouette is sampled.
    random_state : int
        Seed of the sample.

    Returns
    -------
    dict
        `silhouette` (−1 to 1, higher is better), `silhouette_error` (standard error of the
        sampling, 0 when exact), `davies_bouldin` (lower is better), `calinski_harabasz` (higher is
        better), `n_clusters`, `n_clustered`, `noise_share`, `largest_cluster_share` (of the
        clustered tracks). NaN where undefined.
    """
    space, clusters = np.asarray(X), np.asarray(labels)
    sizes = np.unique(clusters[clusters >= 0], return_counts=True)[1]
    n_clustered = int(sizes.sum())
    n_samples = None if n_clustered <= exact_up_to else _N_SAMPLES
    value, error = silhouette(space, clusters, n_samples=n_samples, random_state=random_state)
    return {
        "silhouette": value,
        "silhouette_error": error,
        "davies_bouldin": davies_bouldin(space, clusters),
        "calinski_harabasz": calinski_harabasz(space, clusters),
        "n_clusters": len(sizes),
        "n_clustered": n_clustered,
        "noise_share": float(np.mean(clusters < 0)) if len(clusters) else float("nan"),
        "largest_cluster_share": float(sizes.max() / n_clustered) if n_clustered else float("nan"),
    }


def agreement(labels: ArrayLike, truth: ArrayLike) -> dict[str, float]:
    """Every metric of a partition against one label column.

    Parameters
    ----------
    labels : array-like of shape (n_tracks,), int
        Clusters; −1 is noise.
    truth : array-like of shape (n_tracks,)
        Labels of any type; None, NaN and "" are missing and left out.

    Returns
    -------
    dict
        `ami` (Vinh et al. 2010) and `nmi`, with the arithmetic mean of entropies, `ari` (Hubert &
        Arabie 1985), `purity` (share of tracks in the most common class of their cluster; grows
        with k), `homogeneity`, `completeness` and `v_measure` (Rosenberg & Hirschberg 2007; the
        last equals NMI), then `n_classes`, `n_used` (clustered and labelled), `n_missing` (no
        label). NaN where undefined.
    """
    clusters, classes, n_missing = _paired(labels, truth)
    table = contingency(clusters, classes)
    result = {metric: score_table(metric, table) for metric in SCORES}
    result["n_classes"] = len(np.unique(classes))
    result["n_used"] = len(clusters)
    result["n_missing"] = n_missing
    return result


def contingency(labels: ArrayLike, truth: ArrayLike) -> Integers:
    """Counts of tracks by cluster (rows) and class (columns); noise and missing labels left out."""
    clusters, classes, _ = _paired(labels, truth)
    if len(clusters) == 0:
        return np.zeros((0, 0), dtype=np.int64)
    (rows, n_rows), (columns, n_columns) = _without_gaps(clusters), _without_gaps(classes)
    flat = np.bincount(rows * n_columns + columns, minlength=n_rows * n_columns)
    return flat.reshape(n_rows, n_columns).astype(np.int64)


def ari(labels: ArrayLike, truth: ArrayLike) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985): 0 by chance, 1 for equal partitions."""
    return score_table("ari", contingency(labels, truth))


def undefined_agreement(table: Integers) -> str:
    """Why a table of counts says nothing of agreement; "" where it does."""
    clusters, classes = table.shape
    if not table.sum():
        return "no clustered track has a label"
    if clusters < 2:
        return "fewer than two clusters"
    if classes < 2:
        return "all clustered tracks have the same value"
    if clusters == table.sum():
        return "every track is its own cluster"
    return "no two clustered tracks share a value" if classes == table.sum() else ""


def score_table(metric: str, table: Integers) -> float:
    """The score of one table of counts, empty rows and columns left out; NaN if it says nothing."""
    if table.size:
        table = table[table.any(axis=1)][:, table.any(axis=0)]
    return (
        float("nan") if undefined_agreement(table) else float(score_tables(metric, table[None])[0])
    )


def score_tables(metric: str, tables: Integers) -> NDArray[np.float64]:
    """The score (of `SCORES`) of each table of counts, shape (n_tables, n_clusters, n_classes).

    All have the same total. The expected information that AMI subtracts depends on the margins;
    that of the first table is used for all, because it costs more than all the rest.
    """
    from scipy.special import xlogy
    from sklearn.metrics.cluster import expected_mutual_information

    if metric not in SCORES:
        raise ValueError(f"no agreement score {metric!r}; there are {', '.join(SCORES)}")
    n = float(tables[0].sum())
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    result: NDArray[np.float64]
    if metric == "purity":
        result = tables.max(axis=2).sum(axis=1) / n
        return result
    if metric == "ari":
        pairs = [np.sum(counts * (counts - 1.0), axis=1) / 2 for counts in (rows, columns)]
        chance = pairs[0] * pairs[1] / (n * (n - 1) / 2)
        together = np.sum(tables * (tables - 1.0), axis=(1, 2)) / 2
        result = (together - chance) / (0.5 * (pairs[0] + pairs[1]) - chance)
        return result
    of_clusters = np.log(n) - xlogy(rows, rows).sum(axis=1) / n
    of_classes = np.log(n) - xlogy(columns, columns).sum(axis=1) / n
    joint = np.log(n) - xlogy(tables, tables).sum(axis=(1, 2)) / n
    information = np.maximum(of_clusters + of_classes - joint, 0.0)
    both = (of_clusters + of_classes) / 2
    if metric == "ami":
        expected = float(expected_mutual_information(tables[0].astype(np.int64), int(n)))
        result = (of_clusters + of_classes - joint - expected) / (both - expected)
    elif metric == "homogeneity":
        result = _share(information, of_classes)
    elif metric == "completeness":
        result = _share(information, of_clusters)
    else:
        result = _share(information, both)
    return result


def _share(information: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    """All of the information where there is none, as in scikit-learn: one class is pure."""
    return np.divide(information, of, out=np.ones_like(information), where=of > 0)


def davies_bouldin(X: ArrayLike, labels: ArrayLike) -> float:
    """Davies–Bouldin index (1979): mean over clusters of the worst (spread_i + spread_j) / gap_ij.

    Spread is the mean distance to the centroid, gap the distance of centroids; lower is better.
    NaN also where two clusters share one centroid: the ratio has no value there.
    """
    from scipy.spatial.distance import pdist
    from sklearn.metrics import davies_bouldin_score

    space, codes, sizes, _ = clustered_rows(X, labels)
    centroids = np.array([space[codes == c].mean(axis=0) for c in range(len(sizes))])
    if not len(sizes) or not pdist(centroids).min() > 1e-12 * float(np.abs(space).max()):
        return float("nan")
    return float(davies_bouldin_score(space, codes))


def calinski_harabasz(X: ArrayLike, labels: ArrayLike) -> float:
    """Calinski–Harabasz index (1974): between- over within-cluster variance; higher is better.

    NaN also where no cluster has any spread.
    """
    from sklearn.metrics import calinski_harabasz_score

    space, codes, sizes, _ = clustered_rows(X, labels)
    if not len(sizes) or not any(np.ptp(space[codes == c], axis=0).any() for c in set(codes)):
        return float("nan")
    return float(calinski_harabasz_score(space, codes))


def _paired(labels: ArrayLike, truth: ArrayLike) -> tuple[Integers, Integers, int]:
    clusters = np.asarray(labels)
    if clusters.size == 0:
        clusters = clusters.astype(np.int64)
    classes = encode_labels(truth)[0]
    if clusters.shape != classes.shape:
        raise ValueError(f"{clusters.shape} clusters for {classes.shape} labels: one per track")
    kept = (clusters >= 0) & (classes >= 0)
    return clusters[kept].astype(np.int64), classes[kept], int(np.sum(classes < 0))


def _without_gaps(codes: Integers) -> tuple[Integers, int]:
    """Codes 0 … number of different ones − 1, in order, and their number."""
    if int(codes.max()) > 4 * len(codes):
        codes = np.unique(codes, return_inverse=True)[1]
    place = np.cumsum(np.bincount(codes) > 0) - 1
    return place[codes], int(place[-1]) + 1
