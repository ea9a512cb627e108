"""Agreement scores from tables of counts, for one table or for thousands at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCORES", "says_something", "score_table", "score_tables"]

SCORES = ("ami", "nmi", "ari", "purity", "homogeneity", "completeness", "v_measure")


def says_something(table: NDArray[np.int64]) -> bool:
    """Two clusters and two classes at least, and neither one track each."""
    return bool(min(table.shape) >= 2 and max(table.shape) < table.sum())


def score_table(metric: str, table: NDArray[np.int64]) -> float:
    """The score of one table of counts, empty rows and columns left out; NaN if it says nothing."""
    if table.size:
        table = table[table.any(axis=1)][:, table.any(axis=0)]
    return float(score_tables(metric, table[None])[0]) if says_something(table) else float("nan")


def score_tables(metric: str, tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """The score of each table of counts.

    Definitions: `songscape.metrics.clusters`. The expected information that AMI subtracts
    depends on the margins; tables with the margins of the first share its value, which costs
    more than all the rest.

    Parameters
    ----------
    metric : str
        One of `SCORES`.
    tables : ndarray of shape (n_tables, n_clusters, n_classes), int64
        All with the same total; a permutation changes class sizes little or not at all.

    Returns
    -------
    ndarray of shape (n_tables,)
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
        result = information / of_classes
    elif metric == "completeness":
        result = information / of_clusters
    else:
        result = information / both
    return result
