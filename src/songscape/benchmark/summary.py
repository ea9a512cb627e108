"""Evidence over seeds -> one estimate with its interval per figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.benchmark.evidence import Evidence, per_track, tidy_table
from songscape.benchmark.keys import SPACE, PartitionKey
from songscape.benchmark.targets import Targets
from songscape.metrics.stability import cluster_jaccard, pairwise_ari
from songscape.statistics.intervals import Interval, bootstrap_mean, half_sample_ami

if TYPE_CHECKING:
    import pandas as pd

N_RESAMPLES = 1_000
N_HALF_SAMPLES = 60
SAMPLED = {"knn": ("knn", "knn_balanced"), "hit": ("hit",), "ap": ("map",)}
"""Sample -> the metrics that are means of it."""


def summarise(
    evidence: Sequence[Evidence],
    targets: Targets,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Put an interval on every figure: one row per model, clusterer, k, axis, metric and column.

    Estimate, low, high, n_seeds, chance, null_95, p_value (the largest of the seeds), reason (where
    there is no estimate), interval (over groups and seeds where a figure exists per track or
    partition, else over seeds). Axis "stability" also has the agreement between seeds:
    ari_over_seeds, and cluster_jaccard_over_seeds with the number of the first seed's cluster as
    column.
    """
    import pandas as pd

    table = tidy_table(evidence)
    keys = ["model", "clusterer", "k", "axis", "metric", "column"]
    grouped = table[table["axis"] != "failed"].groupby(keys, dropna=False, sort=False)
    summary = grouped.agg(
        estimate=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        n_seeds=("value", "size"),
        chance=("chance", "mean"),
        null_95=("null_95", "mean"),
        p_value=("p_value", "max"),
        reason=("reason", "max"),
    ).reset_index()
    intervals: dict[tuple[Any, ...], Interval] = {}
    for done, one in enumerate(evidence, start=1):
        intervals |= {(one.model, *what): found for what, found in _intervals(one, targets)}
        if progress is not None:
            progress(done, len(evidence))
    ends = summary[["estimate", "low", "high"]].to_numpy(np.float64, copy=True)
    kinds = []
    for i, row in enumerate(summary.itertuples()):
        partition = PartitionKey.of(row.clusterer, row.k)
        found = intervals.get((row.model, partition, row.metric, row.column))
        kinds.append("range over seeds" if found is None else "95 %, over groups and seeds")
        if found is not None:
            ends[i] = found.estimate, found.low, found.high
    summary[["estimate", "low", "high"]] = ends
    summary["interval"] = kinds
    again = pd.DataFrame([row | {"reason": ""} for one in evidence for row in _over_seeds(one)])
    if len(again):
        summary = pd.concat([summary, again.astype({"k": "Int64"})], ignore_index=True)
    return summary


def _intervals(one: Evidence, targets: Targets) -> Iterator[tuple[tuple[Any, ...], Interval]]:
    """Intervals with the partition, metric and column that they are of."""
    for sample in one.samples:
        for metric in SAMPLED.get(sample.metric, ()):
            values = per_track(one, metric, sample.column, targets)
            assert values is not None
            interval = bootstrap_mean(values, targets.groups, n_resamples=N_RESAMPLES)
            yield (SPACE, metric, sample.column), interval
    for key, labels in one.partitions.items():
        for column, truth in targets.columns.items():
            interval = half_sample_ami(labels, truth, targets.groups, n_resamples=N_HALF_SAMPLES)
            yield (key, "ami", column), interval


def _over_seeds(one: Evidence) -> Iterator[dict[str, Any]]:
    """Agreement of partitions made with different seeds, training included.

    Over pairs of seeds the adjusted Rand index; of each of the first seed's clusters the Jaccard
    similarity to its best match with every other seed.
    """
    for key, labels in one.partitions.items():
        where = {"model": one.model, "clusterer": key.clusterer, "k": key.k, "axis": "stability"}
        where |= {"n_seeds": len(labels), "column": "", "interval": "range over pairs of seeds"}
        pairs = pairwise_ari(labels)
        pairs = pairs[np.isfinite(pairs)]
        if len(pairs):
            yield where | {"metric": "ari_over_seeds"} | _ranged(pairs)
        numbers = np.unique(labels[0][labels[0] >= 0])
        if len(labels) < 2 or not len(numbers):
            continue
        jaccard = np.array([cluster_jaccard(labels[0], other) for other in labels[1:]])
        where |= {"interval": "range over the other seeds"}
        for number in numbers:
            row = {"metric": "cluster_jaccard_over_seeds", "column": str(number)}
            yield where | row | _ranged(jaccard[:, number])
        weakest = numbers[np.argmin(jaccard.mean(axis=0)[numbers])]
        yield where | {"metric": "jaccard_of_weakest_over_seeds"} | _ranged(jaccard[:, weakest])


def _ranged(values: NDArray[np.float64]) -> dict[str, float]:
    ends = {"estimate": values.mean(), "low": values.min(), "high": values.max()}
    return {name: float(value) for name, value in ends.items()}
