"""Describes clusters: size, most typical tracks, words and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from songscape.features.views import View, Views
from songscape.metrics.labels import encode_labels

Integers = NDArray[np.int64]

_EXACT_MEDOID_UP_TO = 5_000
_MOST_TYPICAL, _MOST_WORDS, _MOST_LABELS = 5, 10, 5


@dataclass(frozen=True)
class LabelShare:
    """A label that is more common in a cluster than in the collection.

    `share` of the cluster's tracks that have a label in this column carry it, `lift` times the
    share in the collection; `p_value` is that of at least that many by chance (hypergeometric), not
    corrected.
    """

    column: str
    label: str
    share: float
    lift: float
    p_value: float


def describe_clusters(
    labels: ArrayLike, X: ArrayLike, views: Views, columns: Mapping[str, ArrayLike]
) -> list[dict[str, Any]]:
    """Rows of `results/descriptions.csv`, one per cluster; noise (−1) is not described.

    `share` is of all tracks, noise included; `typical` has the ids of the five most central tracks
    in `X`, the medoid first; `words` are the ten of the view `lyrics` with the largest class-based
    TF-IDF; `labels` are the five over-represented ones that are least likely by chance, as
    "column=value share".
    """
    clusters, space = np.asarray(labels), np.asarray(X, dtype=np.float64)
    words = class_tfidf(clusters, views["lyrics"]) if "lyrics" in views else {}
    shares = [label_shares(clusters, values, name) for name, values in columns.items()]
    described = []
    for cluster in _ids(clusters):
        rows = np.flatnonzero(clusters == cluster)
        likely = sorted(
            (share for column in shares for share in column[cluster]),
            key=lambda s: (s.p_value, -s.lift, s.column, s.label),
        )[:_MOST_LABELS]
        typical = rows[medoids(space[rows])[:_MOST_TYPICAL]]
        described.append(
            {
                "cluster": cluster,
                "size": len(rows),
                "share": len(rows) / len(clusters),
                "typical": "; ".join(views.track_ids[row] for row in typical),
                "words": "; ".join(words.get(cluster, ())),
                "labels": "; ".join(f"{s.column}={s.label} {s.share:.0%}" for s in likely),
            }
        )
    return described


def _ids(clusters: Integers) -> list[int]:
    return list(map(int, np.unique(clusters[clusters >= 0])))


def medoids(X: NDArray[np.float64]) -> Integers:
    """Rows by their summed distance to all others, the smallest first; ties by row.

    Above 5,000 rows by that to the mean, because the exact search is quadratic.
    """
    if len(X) > _EXACT_MEDOID_UP_TO:
        distance = np.linalg.norm(X - X.mean(axis=0), axis=1)
    else:
        from scipy.spatial.distance import cdist

        parts = np.array_split(X, 1 + len(X) ** 2 // 4_000_000)
        distance = np.concatenate([cdist(part, X).sum(axis=1) for part in parts])
    return np.argsort(distance, kind="stable").astype(np.int64)


def class_tfidf(labels: ArrayLike, lyrics: View) -> dict[int, list[str]]:
    """Words by class-based TF-IDF (Grootendorst 2022), each cluster read as one document.

    A word's weight is its share of the cluster's words times log(1 + A / f): f its sum over all
    clusters, A the mean sum of words per cluster. The view's weights stand in for counts.
    Only words of positive weight are returned, at most ten, the highest first.
    """
    clusters = np.asarray(labels)
    ids = _ids(clusters)
    if not ids:
        return {}
    rows = np.flatnonzero((clusters >= 0) & lyrics.present)
    columns = np.searchsorted(ids, clusters[rows])
    member = sp.csr_array((np.ones(len(rows)), (columns, rows)), shape=(len(ids), len(clusters)))
    sums = np.asarray((member @ sp.csr_array(lyrics.values)).toarray(), dtype=np.float64)
    per_cluster, per_word = sums.sum(axis=1, keepdims=True), sums.sum(axis=0)
    rarity = np.log1p(per_cluster.mean() / np.where(per_word > 0, per_word, np.inf))
    weights = sums / np.where(per_cluster > 0, per_cluster, 1.0) * rarity
    best = np.argsort(-weights, axis=1, kind="stable")[:, :_MOST_WORDS]
    return {
        cluster: [lyrics.feature_names[word] for word in order if row[word] > 0]
        for cluster, row, order in zip(ids, weights, best)
    }


def label_shares(labels: ArrayLike, values: ArrayLike, column: str) -> dict[int, list[LabelShare]]:
    """Labels carried by more of a cluster than of the collection, by two of its tracks at least.

    Tracks without a label are left out; noise counts in the collection.
    """
    from scipy.stats import hypergeom

    clusters = np.asarray(labels)
    codes, classes = encode_labels(values)
    known = codes >= 0
    total = np.bincount(codes[known], minlength=len(classes))
    n_known = int(total.sum())
    result = {}
    for cluster in _ids(clusters):
        inside = np.bincount(codes[known & (clusters == cluster)], minlength=len(classes))
        size = int(inside.sum())
        lifts = inside * n_known / np.maximum(size * total, 1)
        common = np.flatnonzero((inside >= 2) & (lifts > 1))
        p_values = hypergeom.sf(inside[common] - 1, n_known, total[common], size)
        found = zip(common, inside[common] / size, lifts[common], p_values)
        result[cluster] = [
            LabelShare(column, str(classes[code]), float(share), float(lift), float(p_value))
            for code, share, lift, p_value in found
        ]
    return result
