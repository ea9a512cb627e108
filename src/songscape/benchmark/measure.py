"""Everything measured of one space and of one partition, as rows of one tidy table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.benchmark.leakage import cluster_leakage, nuisance_codes, space_leakage
from songscape.metrics import clusters as metrics
from songscape.metrics.neighbour_agreement import class_mean, knn_agreement_samples, knn_chance
from songscape.metrics.neighbours import nearest_neighbors, without_groups
from songscape.metrics.retrieval import average_precision_samples, hit_samples
from songscape.statistics.neighbour_nulls import average_precision_null, hit_null, knn_nulls
from songscape.statistics.permutations import (
    PermutationNull,
    permutation_nulls,
)

__all__ = ["Row", "Subject", "partition_rows", "space_evidence"]

Row = dict[str, Any]

K_NEAREST = 10
# Enough for kBET and iLISI in the style of scIB, and for the artist filter to have a choice.
N_NEIGHBORS = 90
PARTITION_METRICS = ("ami", "nmi", "ari", "purity", "v_measure")
STRUCTURE_METRICS = ("silhouette", "davies_bouldin", "calinski_harabasz")


@dataclass(frozen=True, eq=False)
class Subject:
    """What a space or a partition is compared with, every array of shape (n_tracks,).

    Attributes
    ----------
    labels : mapping of column to values
        What a method should find.
    nuisances : mapping of column to values
        What should not decide: language, artist, codec, loudness, ...
    artists : array-like or None
        None where unknown; for retrieval.
    groups : array-like
        Tracks of one group (artist, duplicates) are one piece of evidence, and no neighbours.
    references : mapping of name to array of shape (n_tracks, n_dimensions)
        Shared spaces that every partition's structure is measured in; rows of NaN are left out.
    copies : array-like or None
        Tracks of one recording, as `songscape.audit.duplicates.duplicate_groups` has them:
        retrieval of artists doesn't count them. None where there are none.
    """

    labels: Mapping[str, ArrayLike]
    nuisances: Mapping[str, ArrayLike]
    artists: ArrayLike | None
    groups: ArrayLike
    references: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    copies: ArrayLike | None = None


def space_evidence(
    X: NDArray[np.floating], subject: Subject, *, random_state: int = 0
) -> tuple[list[Row], dict[str, NDArray[np.float64]]]:
    """Measure a space: neighbourhoods, retrieval of artists, leakage.

    Neighbours of the same group don't count: a re-encoded copy lies next to its original in any
    space that hears anything, and carries the same labels. Where groups are artists and copies,
    that is the artist filter.

    Nuisances that lie within the groups (the artist itself, albums) have rows for iLISI and kBET
    only. With neighbours of the same group removed there is nobody left to share them, and a probe
    that keeps artists on one side of a split cannot predict artists that it never saw.

    Parameters
    ----------
    X : ndarray of shape (n_tracks, n_dimensions)
    subject : Subject
    random_state : int

    Returns
    -------
    rows : list of dict
        axis, metric, column, value, and beside it what it is when labels are permuted: chance (the
        mean), null_95 (what 5 % of the permutations go beyond: upwards, for iLISI and kBET
        downwards), p_value. Permutations keep artists and copies whole; those of the artists
        themselves (hit, mAP) don't.
    samples : dict of name to ndarray of shape (n_tracks,)
        Values per track (NaN where undefined) that intervals are made from: ``knn:COLUMN``
        (neighbours of the same group removed), ``hit:artist``, ``ap:artist`` (copies removed).
    """
    near = nearest_neighbors(X, N_NEIGHBORS)
    strangers = without_groups(near, subject.groups, K_NEAREST, X)
    nested = {
        name
        for name, values in subject.nuisances.items()
        if nuisance_codes(values, subject.groups)[1]
    }
    rows: list[Row] = []
    samples: dict[str, NDArray[np.float64]] = {}
    for axis, columns in (("agreement", subject.labels), ("leakage", subject.nuisances)):
        for name, values in columns.items():
            if axis == "leakage" and name in nested:
                continue
            each = knn_agreement_samples(strangers, values)
            samples[f"knn:{name}"] = each
            nulls = knn_nulls(strangers, values, subject.groups, random_state=random_state)
            found = {"knn": _mean(each), "knn_balanced": class_mean(each, values)}
            # Their expectation is known without any permutations.
            for metric, chance in zip(found, knn_chance(values, subject.groups)):
                beside = _null(nulls[metric]) | {"chance": chance}
                rows.append(_row(axis, metric, name, found[metric], **beside))
    if subject.artists is not None:
        artists, same = subject.artists, subject.copies
        others = near if same is None else without_groups(near, same, K_NEAREST, X)
        samples["hit:artist"] = hit_samples(others, artists, k=K_NEAREST, copies=same)
        samples["ap:artist"] = average_precision_samples(
            X, artists, copies=same, random_state=random_state
        )
        retrieved = {
            "hit": (
                samples["hit:artist"],
                hit_null(others, artists, k=K_NEAREST, copies=same, random_state=random_state),
            ),
            "map": (
                samples["ap:artist"],
                average_precision_null(X, artists, copies=same, random_state=random_state),
            ),
        }
        for metric, (each, null) in retrieved.items():
            rows.append(_row("agreement", metric, "artist", _mean(each), **_null(null)))
    for name, values in subject.nuisances.items():
        leaked = space_leakage(X, values, subject.groups, neighbors=near, random_state=random_state)
        for key in ("linear", "nonlinear", "ilisi", "kbet"):
            if name in nested and key in ("linear", "nonlinear"):
                continue
            metric = f"probe_{key}" if key in ("linear", "nonlinear") else key
            beside = {
                "chance": leaked[f"{key}_null_mean"],
                "null_95": leaked[f"{key}_null_95"],
                "p_value": leaked[f"{key}_p_value"],
            }
            rows.append(_row("leakage", metric, name, leaked[key], **beside))
    return rows, samples


def partition_rows(
    labels: NDArray[np.integer],
    own_space: NDArray[np.floating],
    subject: Subject,
    *,
    random_state: int = 0,
) -> list[Row]:
    """Measure a partition: agreement with labels, leakage, structure in shared spaces.

    The silhouette in the partition's own space is a row of axis "own space": it belongs to no
    comparison between models.
    """
    rows: list[Row] = []
    for name, values in subject.labels.items():
        nulls = permutation_nulls(
            labels,
            values,
            metrics=PARTITION_METRICS,
            groups=subject.groups,
            random_state=random_state,
        )
        for metric, null in nulls.items():
            rows.append(_row("agreement", metric, name, null.observed, **_null(null)))
    for name, values in subject.nuisances.items():
        null = cluster_leakage(labels, values, subject.groups, random_state=random_state)
        rows.append(_row("leakage", "ami", name, null.observed, **_null(null)))
    spaces = {**subject.references, "own space": own_space}
    for name, space in spaces.items():
        known = np.isfinite(space).all(axis=1)
        found = metrics.internal_metrics(space[known], labels[known], random_state=random_state)
        axis = "own space" if name == "own space" else "structure"
        rows += [_row(axis, metric, name, found[metric]) for metric in STRUCTURE_METRICS]
    for metric in ("n_clusters", "noise_share", "largest_cluster_share"):
        rows.append(_row("health", metric, "", found[metric]))
    return rows


def _row(axis: str, metric: str, column: str, value: float, **null: float) -> Row:
    return {"axis": axis, "metric": metric, "column": column, "value": float(value), **null}


def _null(null: PermutationNull) -> dict[str, float]:
    return {"chance": null.null_mean, "null_95": null.null_95, "p_value": null.p_value}


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
