"""What one model gave over its seeds, and the tidy table of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songscape.benchmark.keys import PartitionKey, SampleKey
from songscape.benchmark.measure import Measurements, Row
from songscape.benchmark.targets import Targets
from songscape.metrics.labels import encode_labels
from songscape.results import TABLES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one model gave, over its seeds.

    The kind is "baseline" (training-free), "reference" (knows nothing or only one thing), or else a
    candidate's. Samples and partitions have shape (n_seeds, n_tracks); partitions are those that
    every seed has: else only the seeds that went well would be tested.
    """

    model: str
    kind: str
    rows: list[Row]
    samples: Mapping[SampleKey, NDArray[np.float64]]
    partitions: Mapping[PartitionKey, NDArray[np.int64]]

    @classmethod
    def of(cls, model: str, kind: str, seeds: Mapping[int, Measurements]) -> Evidence:
        """Put the seeds of a model together, in their order."""
        each = list(seeds.values())
        names = dict.fromkeys(name for one in each for name in one.samples)
        shared = [key for key in each[0].partitions if all(key in one.partitions for one in each)]
        return cls(
            model,
            kind,
            [row | {"seed": seed} for seed, one in seeds.items() for row in one.rows],
            {n: np.stack([one.samples[n] for one in each if n in one.samples]) for n in names},
            {key: np.stack([one.partitions[key] for one in each]) for key in shared},
        )


def per_track(
    one: Evidence, metric: str, column: str, targets: Targets
) -> NDArray[np.float64] | None:
    """Values per seed and track whose mean is the metric; None where there are none.

    The balanced mean over classes is the mean of values weighted by n / (n_classes x class size).
    """
    sample = {"knn_balanced": "knn", "map": "ap"}.get(metric, metric)
    values = one.samples.get(SampleKey(sample, column))
    if values is None or metric != "knn_balanced":
        return values
    known = encode_labels(targets.columns[column])[0]
    codes = np.where(np.isfinite(values).any(axis=0), known, -1)
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    if not sizes.any():
        return values
    weights = (codes >= 0).sum() / ((sizes > 0).sum() * np.maximum(sizes[codes], 1))
    return values * np.where(codes >= 0, weights, np.nan)


def tidy_table(evidence: Sequence[Evidence]) -> pd.DataFrame:
    """Every measured value, one row per model, seed, clusterer, k, axis, metric and column."""
    import pandas as pd

    rows = [{"model": one.model} | row for one in evidence for row in one.rows]
    frame = pd.DataFrame(rows).reindex(columns=list(TABLES["table"]))
    for name in ("clusterer", "reason"):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "")
    figures = ["value", "chance", "null_95", "p_value"]
    return frame.astype({"k": "Int64", **dict.fromkeys(figures, "float64")})
