"""Evidence of many models and seeds -> intervals, paired differences, verdicts.

Axes are never merged into one score. What is tested is decided before any figure is seen: every
value that exists per track (neighbours, retrieval) and the agreement of the headline clusterer's
partition, each against the same baseline, all corrected together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from songscape.benchmark.claims import withhold
from songscape.benchmark.evidence import ModelEvidence, per_track
from songscape.benchmark.measure import Subject
from songscape.benchmark.metric_table import Measured
from songscape.benchmark.significance import (
    N_HALF_SAMPLES,
    N_RESAMPLES,
    beside_best_baseline,
    tested,
)
from songscape.metrics.stability import cluster_jaccard, pairwise_ari
from songscape.statistics.intervals import Interval, bootstrap_mean
from songscape.statistics.subsampling import half_sample_interval

__all__ = ["Comparison", "ModelEvidence", "compare", "seeds_table"]

Advance = Callable[[int, int], None]

SAMPLE_METRICS = {"knn": "knn", "hit": "hit", "ap": "map"}


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the evidence says.

    Attributes
    ----------
    table : DataFrame
        One row per model, clusterer, k, axis, metric and column: estimate, low, high (over seeds
        and resampled groups where a value exists per track or partition, else over seeds), chance,
        null_95 and p_value where there is a permutation null. Stability of single clusters has
        the cluster's number in `column`: cluster_jaccard (subsamples of the first seed) and
        cluster_jaccard_over_seeds; jaccard_of_weakest and jaccard_of_weakest_over_seeds sum up.
    differences : DataFrame
        One row per test: difference to the baseline with interval, p_value, adjusted_p, verdict,
        withheld (why a claim was taken back, see `songscape.benchmark.claims.withhold`);
        and, on agreement, the same against the best training-free baseline of that row
        (best_baseline, difference_to_best, low_to_best, high_to_best; for candidates also
        p_value_to_best, adjusted_p_to_best, verdict_to_best). That baseline is picked on the same
        tracks, which favours it: "better than" it is on the safe side, and for "worse than"
        p_value_to_best is multiplied by the number of baselines there were to pick from.
    baseline : str
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    baseline: str


def seeds_table(evidence: Sequence[ModelEvidence]) -> pd.DataFrame:
    """Every measured value, one row per model, seed, clusterer, k, axis, metric and column."""
    rows = [{"model": one.model} | row for one in evidence for row in one.rows]
    frame = pd.DataFrame(rows)
    for name in ("clusterer", "k", "column", "chance", "null_95", "p_value", "reason"):
        if name not in frame:
            frame[name] = None
    frame["clusterer"] = frame["clusterer"].fillna("")
    frame["k"] = frame["k"].astype("Int64")
    order = ["model", "clusterer", "k", "seed", "axis", "metric", "column", "value", "chance"]
    return frame[[*order, "null_95", "p_value", "reason"]]


def compare(
    evidence: Sequence[ModelEvidence],
    subject: Subject,
    *,
    baseline: str = "balanced-pca",
    headline: tuple[str, int | None] = ("kmeans", None),
    progress: Advance | None = None,
) -> Comparison:
    """Put intervals on every value, test against the baseline, and say it in words.

    Parameters
    ----------
    evidence : sequence of ModelEvidence
    subject : Subject
    baseline : str
        Model that differences are taken to.
    headline : (clusterer, k)
        The partitions whose agreement is tested.
    """
    table = _with_intervals(seeds_table(evidence), evidence, subject, progress)
    by_name = {one.model: one for one in evidence}
    differences = pd.DataFrame(columns=["model", "metric", "column"])
    if baseline in by_name:
        differences = tested(evidence, by_name[baseline], subject, headline)
        differences = beside_best_baseline(differences, evidence, table, subject, headline)
        references = {one.model for one in evidence if one.kind == "reference"}
        differences = withhold(differences, Measured(table), headline, references)
    return Comparison(table, differences, baseline)


def _with_intervals(
    seeds: pd.DataFrame,
    evidence: Sequence[ModelEvidence],
    subject: Subject,
    progress: Advance | None,
) -> pd.DataFrame:
    keys = ["model", "clusterer", "k", "axis", "metric", "column"]
    measured = seeds[seeds["axis"] != "failed"]
    grouped = measured.groupby(keys, dropna=False, sort=False)
    table = grouped.agg(
        estimate=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        n_seeds=("value", "size"),
        chance=("chance", "mean"),
        null_95=("null_95", "mean"),
        p_value=("p_value", "max"),
    ).reset_index()
    places: dict[tuple[Any, ...], list[int]] = {}
    ks = [None if k is pd.NA else int(k) for k in table["k"]]
    named = zip(table["model"], table["clusterer"], ks, table["metric"], table["column"])
    for place, key in enumerate(named):
        places.setdefault(key, []).append(place)
    values = table[["estimate", "low", "high"]].to_numpy(np.float64, copy=True)
    kinds = np.full(len(table), "range over seeds", dtype=object)
    for done, one in enumerate(evidence, start=1):
        for where, found in _intervals(one, subject):
            here = places.get((one.model, *where), [])
            values[here] = found.estimate, found.low, found.high
            kinds[here] = "95 %, over groups and seeds"
        if progress is not None:
            progress(done, len(evidence))
    table[["estimate", "low", "high"]] = values
    table["interval"] = kinds
    return pd.concat([table, _seed_stability(evidence)], ignore_index=True)


def _intervals(one: ModelEvidence, subject: Subject) -> list[tuple[tuple[Any, ...], Interval]]:
    """Intervals with the clusterer, k, metric and column that they are of."""
    found: list[tuple[tuple[Any, ...], Interval]] = []
    for name in one.samples:
        kind, _, column = name.partition(":")
        if kind not in SAMPLE_METRICS:
            continue
        for metric in ("knn", "knn_balanced") if kind == "knn" else (SAMPLE_METRICS[kind],):
            values = per_track(one, metric, column, subject)
            assert values is not None
            interval = bootstrap_mean(values, subject.groups, n_resamples=N_RESAMPLES)
            found.append((("", None, metric, column), interval))
    for (clusterer, k), labels in one.partitions.items():
        for column, truth in {**subject.labels, **subject.nuisances}.items():
            interval = half_sample_interval(
                "ami", labels, truth, subject.groups, n_resamples=N_HALF_SAMPLES
            )
            found.append(((clusterer, k, "ami", column), interval))
    return found


def _seed_stability(evidence: Sequence[ModelEvidence]) -> pd.DataFrame:
    """Agreement of partitions made with different seeds, training included.

    Over pairs of seeds the adjusted Rand index; of the first seed's clusters, each in a row with
    its number as the column, the Jaccard similarity to its best match with every other seed.
    """
    rows: list[dict[str, Any]] = []
    for one in evidence:
        for (clusterer, k), labels in one.partitions.items():
            where = {"model": one.model, "clusterer": clusterer, "k": k, "axis": "stability"}
            where |= {"n_seeds": len(labels)}
            pairs = pairwise_ari(labels)
            pairs = pairs[np.isfinite(pairs)]
            if len(pairs):
                beside = {"column": "", "interval": "range over pairs of seeds"}
                rows.append(where | {"metric": "ari_over_seeds"} | beside | _ranged(pairs))
            numbers = np.unique(labels[0][labels[0] >= 0])
            if len(labels) < 2 or not len(numbers):
                continue
            jaccard = np.array([cluster_jaccard(labels[0], other) for other in labels[1:]])
            beside = {"interval": "range over the other seeds"}
            for number in numbers:
                row = {"metric": "cluster_jaccard_over_seeds", "column": str(number)}
                rows.append(where | row | beside | _ranged(jaccard[:, number]))
            weakest = numbers[np.argmin(jaccard.mean(axis=0)[numbers])]
            row = {"metric": "jaccard_of_weakest_over_seeds", "column": ""}
            rows.append(where | row | beside | _ranged(jaccard[:, weakest]))
    frame = pd.DataFrame(rows)
    if len(frame):
        frame["k"] = frame["k"].astype("Int64")
    return frame


def _ranged(values: NDArray[np.float64]) -> dict[str, float]:
    return {
        "estimate": float(values.mean()),
        "low": float(values.min()),
        "high": float(values.max()),
    }
