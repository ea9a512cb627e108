"""Evidence of many models and seeds -> intervals, paired differences, verdicts.

Axes are never merged into one score. What is tested is decided before any figure is seen: every
value that exists per track (neighbours, retrieval) and the agreement of the headline clusterer's
partition, each against the same baseline, all corrected together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from songscape.evaluation.evidence import Subject
from songscape.evaluation.metrics import ami, encode_labels
from songscape.evaluation.stability import pairwise_ari
from songscape.evaluation.statistics import (
    Difference,
    Interval,
    bootstrap_mean,
    half_sample_difference,
    half_sample_interval,
    paired_difference,
    verdicts,
)

__all__ = ["Comparison", "ModelEvidence", "compare", "seeds_table"]

Samples = Mapping[str, NDArray[np.float64]]
Partitions = Mapping[tuple[str, int | None], NDArray[np.int64]]
Advance = Callable[[int, int], None]

N_RESAMPLES = 1_000
N_HALF_SAMPLES = 60
SAMPLE_METRICS = {"knn": "knn", "hit": "hit", "ap": "map"}


@dataclass(frozen=True, eq=False)
class ModelEvidence:
    """What one model gave, over its seeds.

    Attributes
    ----------
    model : str
    kind : str
        "baseline" (training-free), "reference" (knows nothing or only one thing), or a candidate.
    rows : list of dict
        Evidence of every seed, with `seed`; see `songscape.evaluation.evidence`.
    samples : mapping of name to ndarray of shape (n_seeds, n_tracks)
    partitions : mapping of (clusterer, k) to ndarray of shape (n_seeds, n_tracks)
    """

    model: str
    kind: str
    rows: list[dict[str, Any]]
    samples: Samples
    partitions: Partitions


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the evidence says.

    Attributes
    ----------
    table : DataFrame
        One row per model, clusterer, k, axis, metric and column: estimate, low, high (over seeds
        and resampled groups where a value exists per track or partition, else over seeds), chance,
        null_95 and p_value where there is a permutation null.
    differences : DataFrame
        One row per test: difference to the baseline with interval, p_value, adjusted_p, verdict;
        and the difference to the best training-free baseline of that row.
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
        differences = _tested(evidence, by_name[baseline], subject, headline)
        differences = _beside_best_baseline(differences, evidence, table, subject, headline)
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
    table["interval"] = "range over seeds"
    for done, one in enumerate(evidence, start=1):
        for where, interval in _intervals(one, subject):
            here = table["model"] == one.model
            for name, value in where.items():
                here &= table[name].isna() if value is None else table[name].eq(value).fillna(False)
            table.loc[here, ["estimate", "low", "high"]] = (
                interval.estimate,
                interval.low,
                interval.high,
            )
            table.loc[here, "interval"] = "95 %, over groups and seeds"
        if progress is not None:
            progress(done, len(evidence))
    return pd.concat([table, _seed_stability(evidence)], ignore_index=True)


def _intervals(one: ModelEvidence, subject: Subject) -> list[tuple[dict[str, Any], Interval]]:
    found: list[tuple[dict[str, Any], Interval]] = []
    for name in one.samples:
        kind, _, column = name.partition(":")
        if kind not in SAMPLE_METRICS:
            continue
        for metric in ("knn", "knn_balanced") if kind == "knn" else (SAMPLE_METRICS[kind],):
            values = _per_track(one, metric, column, subject)
            assert values is not None
            interval = bootstrap_mean(values, subject.groups, n_resamples=N_RESAMPLES)
            found.append(({"clusterer": "", "metric": metric, "column": column}, interval))
    for (clusterer, k), labels in one.partitions.items():
        for column, truth in {**subject.labels, **subject.nuisances}.items():
            where: dict[str, Any] = {"clusterer": clusterer, "k": k}
            where |= {"metric": "ami", "column": column}
            interval = half_sample_interval(
                ami, labels, truth, subject.groups, n_resamples=N_HALF_SAMPLES
            )
            found.append((where, interval))
    return found


def _seed_stability(evidence: Sequence[ModelEvidence]) -> pd.DataFrame:
    """Agreement of partitions made with different seeds, training included."""
    rows = []
    for one in evidence:
        for (clusterer, k), labels in one.partitions.items():
            pairs = pairwise_ari(labels)
            pairs = pairs[np.isfinite(pairs)]
            if len(pairs):
                rows.append(
                    {
                        "model": one.model,
                        "clusterer": clusterer,
                        "k": k,
                        "axis": "stability",
                        "metric": "ari_over_seeds",
                        "column": "",
                        "estimate": pairs.mean(),
                        "low": pairs.min(),
                        "high": pairs.max(),
                        "n_seeds": len(labels),
                        "interval": "range over pairs of seeds",
                    }
                )
    frame = pd.DataFrame(rows)
    if len(frame):
        frame["k"] = frame["k"].astype("Int64")
    return frame


def _tested(
    evidence: Sequence[ModelEvidence],
    base: ModelEvidence,
    subject: Subject,
    headline: tuple[str, int | None],
) -> pd.DataFrame:
    """Differences to the baseline, corrected family by family.

    All agreement tests of all methods are one family, for a claim "better" may rest on any of
    them; each nuisance is one more. References (random, language only) make no claims and are
    corrected among themselves.
    """
    rows: list[dict[str, Any]] = []
    for is_reference in (False, True):
        methods = [
            one
            for one in evidence
            if one.model != base.model and (one.kind == "reference") == is_reference
        ]
        families = [("agreement", list(subject.labels))]
        families += [("leakage", [name]) for name in subject.nuisances]
        for axis, columns in families:
            rows += _family(axis, columns, methods, base, subject, headline)
    return pd.DataFrame(rows)


def _family(
    axis: str,
    columns: Sequence[str],
    methods: Sequence[ModelEvidence],
    base: ModelEvidence,
    subject: Subject,
    headline: tuple[str, int | None],
) -> list[dict[str, Any]]:
    tests: dict[tuple[str, str, str], Difference] = {}
    for one in methods:
        for metric, column in _testable(axis, columns, one):
            found = _difference(one, base, subject, metric, column, headline)
            if found is not None:
                tests[one.model, metric, column] = found
    named = {"|".join(key): value for key, value in tests.items()}
    words = verdicts(named, base.model, higher_is_better=axis == "agreement")
    return [
        {
            "model": model,
            "axis": axis,
            "metric": metric,
            "column": column,
            "clusterer": headline[0] if metric == "ami" else "",
            "difference": test.estimate,
            "low": test.low,
            "high": test.high,
            "n_groups": test.n_groups,
            "p_value": test.p_value,
            "adjusted_p": words["|".join((model, metric, column))].adjusted_p,
            "verdict": words["|".join((model, metric, column))].word,
            "baseline": base.model,
        }
        for (model, metric, column), test in tests.items()
    ]


def _testable(axis: str, columns: Sequence[str], one: ModelEvidence) -> list[tuple[str, str]]:
    neighbours = "knn_balanced" if axis == "agreement" else "knn"
    found = [(metric, column) for column in columns for metric in (neighbours, "ami")]
    if axis == "agreement" and "hit:artist" in one.samples:
        found.append(("hit", "artist"))
    return found


def _difference(
    one: ModelEvidence,
    base: ModelEvidence,
    subject: Subject,
    metric: str,
    column: str,
    headline: tuple[str, int | None],
) -> Difference | None:
    if metric == "ami":
        if headline not in one.partitions or headline not in base.partitions:
            return None
        truth = {**subject.labels, **subject.nuisances}[column]
        return half_sample_difference(
            ami,
            one.partitions[headline],
            base.partitions[headline],
            truth,
            subject.groups,
            n_resamples=N_HALF_SAMPLES,
        )
    ours = _per_track(one, metric, column, subject)
    theirs = _per_track(base, metric, column, subject)
    if ours is None or theirs is None:
        return None
    return paired_difference(ours, theirs, subject.groups, n_resamples=N_RESAMPLES)


def _per_track(
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


def _beside_best_baseline(
    differences: pd.DataFrame,
    evidence: Sequence[ModelEvidence],
    table: pd.DataFrame,
    subject: Subject,
    headline: tuple[str, int | None],
) -> pd.DataFrame:
    """Add the difference to whichever training-free baseline is best in each row of tests.

    The best is picked on the same tracks, which favours the baseline: the candidate's difference
    is, if anything, too small.
    """
    by_name = {one.model: one for one in evidence}
    free = [one.model for one in evidence if one.kind == "baseline"]
    added: list[dict[str, Any]] = []
    for row in differences.itertuples():
        here = (table["metric"] == row.metric) & (table["column"] == row.column)
        here &= (table["clusterer"] == row.clusterer) & table["model"].isin(free)
        if row.metric == "ami":
            here &= table["k"].isna() if headline[1] is None else table["k"].eq(headline[1])
        candidates = table[here & (table["axis"] == row.axis)].set_index("model")["estimate"]
        candidates = candidates.drop(row.model, errors="ignore").dropna()
        if row.axis != "agreement" or candidates.empty:
            added.append({})
            continue
        best = str(candidates.idxmax())
        found = _difference(
            by_name[str(row.model)],
            by_name[best],
            subject,
            str(row.metric),
            str(row.column),
            headline,
        )
        assert found is not None
        added.append(
            {
                "best_baseline": best,
                "difference_to_best": found.estimate,
                "low_to_best": found.low,
                "high_to_best": found.high,
            }
        )
    return pd.concat([differences, pd.DataFrame(added, index=differences.index)], axis=1)
