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


@dataclass(frozen=True)
class LabelShare:
    """A label that is more common in a cluster than in the collection.

    `count` tracks of the cluster carry it, `share` of those that have a label in this column, which
    is `lift` times the share in the collection; `p_value` is that of at least this count by chance
    (hypergeometric), not corrected.
    """

    column: str
    label: str
    count: int
    share: float
    lift: float
    p_value: float


def describe_clusters(
    labels: ArrayLike,
    X: ArrayLike,
    views: Views,
    columns: Mapping[str, ArrayLike] | None = None,
    *,
    n_medoids: int = 5,
    n_words: int = 10,
    n_labels: int = 5,
) -> list[dict[str, Any]]:
    """Rows of `results/descriptions.csv`, one per cluster; noise (−1) is not described.

    `share` is of all tracks, noise included; `typical` has the ids of the most central tracks in
    `X`, the medoid first; `words` are those of the view `lyrics` with the largest class-based
    TF-IDF; `labels` are the over-represented ones, the least likely by chance first, as
    "column=value share".
    """
    clusters = np.asarray(labels)
    if clusters.shape != (views.n_tracks,):
        raise ValueError(f"{len(clusters)} labels for {views.n_tracks} tracks: one per track")
    space = np.asarray(X, dtype=np.float64)
    words = class_tfidf(clusters, views["lyrics"], n_words) if "lyrics" in views else {}
    table = {} if columns is None else columns
    shares = [label_shares(clusters, table[name], name) for name in table]
    described = []
    for cluster in _ids(clusters):
        rows = np.flatnonzero(clusters == cluster)
        likely = sorted(
            (share for column in shares for share in column[cluster]),
            key=lambda s: (s.p_value, -s.lift, s.column, s.label),
        )[:n_labels]
        typical = rows[medoids(space[rows], n_medoids)]
        described.append(
            {
                "cluster": cluster,
                "size": len(rows),
                "share": len(rows) / len(clusters),
                "typical": "; ".join(views.track_ids[row] for row in typical),
                "words": "; ".join(word for word, _ in words.get(cluster, ())),
                "labels": "; ".join(f"{s.column}={s.label} {s.share:.0%}" for s in likely),
            }
        )
    return described


def _ids(clusters: Integers) -> list[int]:
    return [int(cluster) for cluster in np.unique(clusters[clusters >= 0])]


def medoids(X: ArrayLike, n: int = 5) -> Integers:
    """The n rows with the smallest summed distance to all others; ties by row.

    Above 5,000 rows they are the nearest to the mean, because the exact search is quadratic.
    """
    space = np.asarray(X, dtype=np.float64)
    if len(space) <= _EXACT_MEDOID_UP_TO:
        from scipy.spatial.distance import cdist

        step = max(1, 4_000_000 // max(1, len(space)))
        distance = np.concatenate(
            [cdist(space[i : i + step], space).sum(axis=1) for i in range(0, len(space), step)]
        )
    else:
        distance = np.linalg.norm(space - space.mean(axis=0), axis=1)
    return np.argsort(distance, kind="stable")[:n].astype(np.int64)


def class_tfidf(
    labels: ArrayLike, lyrics: View, n_words: int = 10
) -> dict[int, tuple[tuple[str, float], ...]]:
    """Words by class-based TF-IDF (Grootendorst 2022), each cluster read as one document.

    A word's weight is its share of the cluster's words times log(1 + A / f): f its sum over all
    clusters, A the mean sum of words per cluster. The view's weights stand in for counts.
    Only positive weights are returned, highest first; clusters without lyrics have none.
    """
    clusters = np.asarray(labels)
    ids = _ids(clusters)
    if not ids:
        return {}
    rows = np.flatnonzero((clusters >= 0) & lyrics.present)
    columns = np.searchsorted(ids, clusters[rows])
    member = sp.csr_array((np.ones(len(rows)), (columns, rows)), shape=(len(ids), len(clusters)))
    sums = np.asarray((member @ sp.csr_array(lyrics.values)).toarray(), dtype=np.float64)
    per_cluster, per_word = sums.sum(axis=1), sums.sum(axis=0)
    rarity = np.log1p(per_cluster.mean() / np.where(per_word > 0, per_word, np.inf))
    weights = sums / np.where(per_cluster > 0, per_cluster, 1.0)[:, None] * rarity
    names = lyrics.feature_names
    result = {}
    for cluster, row in zip(ids, weights):
        best = [word for word in np.argsort(-row, kind="stable")[:n_words] if row[word] > 0]
        result[cluster] = tuple((names[word], float(row[word])) for word in best)
    return result


def label_shares(
    labels: ArrayLike, values: ArrayLike, column: str = "", *, min_count: int = 2
) -> dict[int, list[LabelShare]]:
    """Labels carried by more of a cluster than of the collection, at least `min_count` times.

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
        common = np.flatnonzero((inside >= min_count) & (lifts > 1))
        p_values = hypergeom.sf(inside[common] - 1, n_known, total[common], size)
        result[cluster] = [
            LabelShare(
                column,
                str(classes[code]),
                int(inside[code]),
                float(inside[code] / size),
                float(lifts[code]),
                float(p_value),
            )
            for code, p_value in zip(common, p_values)
        ]
    return result
