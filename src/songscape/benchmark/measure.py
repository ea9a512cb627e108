"""Everything that is measured of one space and of its partitions, as rows of one tidy table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.benchmark.keys import SPACE, PartitionKey, SampleKey
from songscape.benchmark.targets import Targets
from songscape.errors import SongscapeError, first_line
from songscape.metrics.clusters import ari, contingency, internal_metrics, undefined_agreement
from songscape.metrics.labels import bin_nuisance, encode_labels
from songscape.metrics.mixing import kbet_neighbors
from songscape.metrics.neighbours import (
    Neighbors,
    class_mean,
    knn_agreement_samples,
    knn_chance,
    nearest_neighbors,
    undefined_neighbours,
    uninformative,
    without_groups,
)
from songscape.metrics.retrieval import (
    average_precision_chance,
    average_precision_samples,
    hit_samples,
    undefined_retrieval,
)
from songscape.metrics.silhouette import simplified_silhouette
from songscape.metrics.stability import NOT_DRAWN, cluster_jaccard, subsamples, unsure_shares
from songscape.statistics.permutations import (
    PermutationNull,
    hit_null,
    knn_nulls,
    mixing_nulls,
    nested_in_groups,
    permutation_nulls,
    probe,
)

Row = dict[str, Any]
Samples = dict[SampleKey, NDArray[np.float64]]

MEASURES = ("ilisi", "kbet")
"""Measures that are computed only on request."""
K_NEAREST = 10
# Enough for the artist filter to have a choice, and for kBET and iLISI in the style of scIB.
N_NEIGHBORS = 90
PARTITION_METRICS = ("ami", "nmi", "ari", "purity", "homogeneity", "completeness")
STRUCTURE_METRICS = ("silhouette", "davies_bouldin", "calinski_harabasz")
HEALTH_METRICS = ("n_clusters", "noise_share", "largest_cluster_share")
N_PERMUTATIONS = 999
N_SUBSAMPLES = 10
UNSURE = 0.5
"""A track that loses a larger share of the other tracks of its cluster is unsure."""
# What an unsuitable input or option raises in NumPy, SciPy and scikit-learn.
ERRORS = (SongscapeError, ArithmeticError, MemoryError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class Measurements:
    """What `measure` found for one space.

    `rows` have axis, metric, column, value, of partitions clusterer and k, and where they apply
    chance (mean over permuted labels), null_95 (what 5 % of the permutations go beyond: upwards,
    for iLISI and kBET downwards), p_value, and reason (why there is no value). On axis "failed" the
    metric is what could not be computed: "space", "partition", "measures" or "stability".

    `samples` are values per track, NaN where undefined: "knn", "hit" and "ap" of a column; of a
    partition "border" (1 minus `simplified_silhouette`: 0 in the centre of the cluster, 1 half way
    to the next) and "unsure" (share of the other tracks of its cluster that a track loses over
    subsamples). Of the clusters in `partitions` −1 is noise.
    """

    rows: list[Row] = field(default_factory=list)
    samples: Samples = field(default_factory=dict)
    partitions: dict[PartitionKey, NDArray[np.int64]] = field(default_factory=dict)


def measure(
    X: NDArray[np.floating],
    targets: Targets,
    keys: Iterable[PartitionKey],
    options: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    *,
    nulls: bool = True,
    subsamples: int = N_SUBSAMPLES,
    measures: Iterable[str] = (),
) -> Measurements:
    """Measure the space itself (`SPACE`) and partitions of it, each clustered with its `options`.

    What cannot be computed is a row with a reason and stops nothing else. A space that is the same
    for every track is not measured at all. Without `nulls` there are values only: no permutations,
    probes or subsamples. `subsamples` says how often 80 % of the groups are clustered again for the
    stability of every partition; `measures` are of `MEASURES`.
    """
    from songscape.clustering.methods import cluster

    done, keys = Measurements(), list(keys)
    same = uninformative(X)
    if SPACE in keys:
        try:
            if same:
                raise SongscapeError(same)
            rows, samples = space_rows(X, targets, seed=seed, nulls=nulls, measures=measures)
            done.rows.extend(rows)
            done.samples.update(samples)
        except ERRORS as error:
            done.rows.append(_failed("space", error))
    for key in keys if not same else ():
        if key == SPACE:
            continue
        where, step = {"clusterer": key.clusterer, "k": key.k}, "partition"
        given = (options or {}).get(key.clusterer, {})
        try:
            labels = cluster(key.clusterer, X, k=key.k, random_state=seed, **given).labels
            done.partitions[key] = labels
            step = "measures"
            # First, so that no seed lacks it where only the other measures fail.
            border = 1.0 - simplified_silhouette(X, labels)
            done.samples[SampleKey("border", partition=key)] = border
            found = partition_rows(labels, X, targets, seed=seed, nulls=nulls)
            done.rows.extend(where | row for row in found)
        except ERRORS as error:
            done.rows.append(where | _failed(step, error))
        try:
            if nulls and subsamples and key in done.partitions:
                found, unsure = _subsampled(X, labels, key, given, targets, subsamples)
                done.rows.extend(where | row for row in found)
                done.samples[SampleKey("unsure", partition=key)] = unsure
        except ERRORS as error:
            done.rows.append(where | _failed("stability", error))
    return done


def space_rows(
    X: NDArray[np.floating],
    targets: Targets,
    *,
    seed: int = 0,
    nulls: bool = True,
    measures: Iterable[str] = (),
) -> tuple[list[Row], Samples]:
    """Measure a space: neighbourhoods, retrieval of artists, leakage; see `Measurements`.

    Neighbours of the same group don't count: a re-encoded copy lies next to its original in any
    space, with the same labels. Where groups are artists, that is the artist filter. Nuisances
    that lie within the groups (the artist itself, albums) are left out, but for iLISI and kBET:
    no neighbour is left to share them, and no probe can predict artists that it never saw.
    """
    near = nearest_neighbors(X, N_NEIGHBORS)
    strangers = without_groups(near, targets.groups, K_NEAREST, X)
    codes = {name: bin_nuisance(values) for name, values in targets.nuisances.items()}
    nested = {name for name in codes if nested_in_groups(codes[name], targets.groups)}
    columns = [("agreement", name, values) for name, values in targets.labels.items()]
    columns += [("leakage", name, codes[name]) for name in codes if name not in nested]
    rows: list[Row] = []
    samples: Samples = {}
    for axis, name, values in columns:
        reason = undefined_neighbours(values, targets.groups, K_NEAREST)
        if reason:
            rows += [_row(axis, m, name, reason=reason) for m in ("knn", "knn_balanced")]
            continue
        each = samples[SampleKey("knn", name)] = knn_agreement_samples(strangers, values)
        found = {"knn": _mean(each), "knn_balanced": class_mean(each, values)}
        beside = knn_nulls(strangers, values, targets.groups, random_state=seed) if nulls else {}
        # Their expectation is known without permutations.
        for metric, chance in zip(found, knn_chance(values, targets.groups)):
            row = _row(axis, metric, name, found[metric], null=beside.get(metric))
            rows.append(row | {"chance": chance})
    if targets.artists is not None:
        for row, sample in _retrieval(X, near, targets, seed=seed, nulls=nulls):
            rows.append(row)
            samples |= sample
    for name in codes:
        for kind in ("linear", "nonlinear") if nulls and name not in nested else ():
            one = probe(X, codes[name], targets.groups, kind=kind, random_state=seed)
            reason = "fewer than two values occur in two groups"
            metric, value = f"probe_{kind}", one.observed
            rows.append(_row("leakage", metric, name, value, null=one, reason=reason))
    for name in codes if set(measures) else ():
        mixed = mixing_nulls(
            near,
            codes[name],
            None if name in nested else targets.groups,
            k_kbet=kbet_neighbors(codes[name], near.n_neighbors),
            random_state=seed,
        )
        rows += [_row("leakage", m, name, mixed[m].observed, null=mixed[m]) for m in measures]
    return rows, samples


def _retrieval(
    X: NDArray[np.floating], near: Neighbors, targets: Targets, *, seed: int, nulls: bool
) -> Iterator[tuple[Row, Samples]]:
    """hit@10 and mAP of a track's artist."""
    artists, copies, null = targets.artists, targets.copies, None
    assert artists is not None
    others = near if copies is None else without_groups(near, copies, K_NEAREST, X)
    reason = undefined_retrieval(artists, copies, K_NEAREST)
    if reason:
        yield _row("agreement", "hit", "artist", reason=reason), {}
    else:
        each = hit_samples(others, artists, k=K_NEAREST, copies=copies)
        if nulls:
            null = hit_null(others, artists, k=K_NEAREST, copies=copies, random_state=seed)
        row = _row("agreement", "hit", "artist", _mean(each), null=null)
        yield row, {SampleKey("hit", "artist"): each}
    reason = undefined_retrieval(artists, copies)
    if reason:
        yield _row("agreement", "map", "artist", reason=reason), {}
    else:
        each = average_precision_samples(X, artists, copies=copies, random_state=seed)
        row = _row("agreement", "map", "artist", _mean(each))
        row["chance"] = average_precision_chance(artists, copies)
        yield row, {SampleKey("ap", "artist"): each}


def partition_rows(
    labels: NDArray[np.integer],
    own_space: NDArray[np.floating],
    targets: Targets,
    *,
    seed: int = 0,
    nulls: bool = True,
) -> list[Row]:
    """Measure a partition: agreement with labels, leakage, structure in shared spaces, health.

    The silhouette in the partition's own space is a row of axis "own space": it belongs to no
    comparison between models.
    """
    rows: list[Row] = []
    columns = [("agreement", n, encode_labels(v)[0]) for n, v in targets.labels.items()]
    columns += [("leakage", n, bin_nuisance(v)) for n, v in targets.nuisances.items()]
    for axis, name, codes in columns:
        groups: ArrayLike | None = targets.groups
        if axis == "leakage" and nested_in_groups(codes, groups):
            # Swapped in whole groups, what lies within them would never change.
            groups = None
        reason = undefined_agreement(contingency(labels, codes))
        found = permutation_nulls(
            labels,
            codes,
            metrics=PARTITION_METRICS if axis == "agreement" else ("ami",),
            groups=groups,
            n_permutations=N_PERMUTATIONS if nulls else 0,
            random_state=seed,
        )
        rows += [_row(axis, m, name, n.observed, null=n, reason=reason) for m, n in found.items()]
    for name, space in {**targets.references, "own space": own_space}.items():
        axis = "own space" if name == "own space" else "structure"
        known = np.isfinite(space).all(axis=1)
        reason = uninformative(space[known])
        if not reason and len(np.unique(labels[known & (labels >= 0)])) < 2:
            reason = "fewer than two clusters"
        inside = internal_metrics(space[known], labels[known], random_state=seed)
        values = dict.fromkeys(inside, float("nan")) if reason else inside
        rows += [_row(axis, m, name, values[m], reason=reason) for m in STRUCTURE_METRICS]
    # The own space comes last, and holds every track.
    return rows + [_row("health", metric, "", inside[metric]) for metric in HEALTH_METRICS]


def _subsampled(
    X: NDArray[np.floating],
    labels: NDArray[np.int64],
    key: PartitionKey,
    options: Mapping[str, Any],
    targets: Targets,
    n_repeats: int,
) -> tuple[list[Row], NDArray[np.float64]]:
    """Cluster 80 % of the groups again and again: does the partition come back?

    The space stays as it was trained; stability over seeds has the training in it.
    """
    from songscape.clustering.methods import cluster

    repeats = np.full((n_repeats, len(X)), NOT_DRAWN)
    drawn = subsamples(len(X), n_repeats=n_repeats, groups=targets.groups)
    for seed, part in enumerate(drawn):
        again = cluster(key.clusterer, X[part], k=key.k, random_state=seed, **options)
        repeats[seed, part] = again.labels
    jaccard = np.mean([cluster_jaccard(labels, other) for other in repeats], axis=0)
    weakest = float(jaccard.min()) if len(jaccard) else float("nan")
    same = _mean(np.array([ari(labels, other) for other in repeats]))
    unsure = unsure_shares(labels, repeats)
    rows = [
        _row("stability", "ari_over_subsamples", "", same),
        _row("stability", "jaccard_of_weakest", "", weakest),
        _row("stability", "unsure_share", "", float((np.nan_to_num(unsure) > UNSURE).mean())),
    ]
    rows += [
        _row("stability", "cluster_jaccard", str(number), float(value))
        for number, value in enumerate(jaccard)
    ]
    return rows, unsure


def _failed(what: str, error: BaseException) -> Row:
    """Row for what could not be computed; `transient` where it may succeed on retry."""
    row: Row = {"axis": "failed", "metric": what, "column": "", "reason": first_line(error)}
    return row | ({"transient": True} if isinstance(error, MemoryError) else {})


def _row(
    axis: str,
    metric: str,
    column: str,
    value: float = float("nan"),
    *,
    null: PermutationNull | None = None,
    reason: str = "",
) -> Row:
    row: Row = {"axis": axis, "metric": metric, "column": column, "value": float(value)}
    if null is not None and null.n_permutations:
        row |= {"chance": null.null_mean, "null_95": null.null_95, "p_value": null.p_value}
    return row | {"reason": reason} if reason and value != value else row


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
