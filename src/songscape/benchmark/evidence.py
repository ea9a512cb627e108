"""What one model gave over its seeds, and its values per track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.benchmark.measure import Subject
from songscape.metrics.clusters import encode_labels

__all__ = ["ModelEvidence", "per_track"]

Samples = Mapping[str, NDArray[np.float64]]
Partitions = Mapping[tuple[str, int | None], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class ModelEvidence:
    """What one model gave, over its seeds.

    Attributes
    ----------
    model : str
    kind : str
        "baseline" (training-free), "reference" (knows nothing or only one thing), or a candidate.
    rows : list of dict
        Evidence of every seed, with `seed`; see `songscape.benchmark.measure`.
    samples : mapping of name to ndarray of shape (n_seeds, n_tracks)
    partitions : mapping of (clusterer, k) to ndarray of shape (n_seeds, n_tracks)
    """

    model: str
    kind: str
    rows: list[dict[str, Any]]
    samples: Samples
    partitions: Partitions


def per_track(
    one: ModelEvidence, metric: str, column: str, subject: Subject
) -> NDArray[np.float64] | None:
    """Values per seed and track whose mean is the metric.

    The balanced mean over classes is the mean of values weighted by n / (n_classes x class size).
    """
    kind = {"knn_balanced": "knn", "map": "ap"}.get(metric, metric)
    values = one.samples.get(f"{kind}:{column}")
    if values is None or metric != "knn_balanced":
        return values
    truth = {**subject.labels, **subject.nuisances}[column]
    codes = np.where(np.isfinite(values).any(axis=0), encode_labels(truth)[0], -1)
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    if not sizes.any():
        return values
    weights = (codes >= 0).sum() / ((sizes > 0).sum() * np.maximum(sizes[codes], 1))
    return values * np.where(codes >= 0, weights, np.nan)
