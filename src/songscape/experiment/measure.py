"""One space -> everything that is measured of it and of its partitions, failures included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from songscape.errors import SongscapeError, first_line
from songscape.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from songscape.benchmark.measure import Subject
    from songscape.clustering.methods import Clustering

__all__ = ["measure", "partition_name"]

N_SUBSAMPLES = 10


def partition_name(clusterer: str, k: int | None) -> str:
    """What a partition is called in files: "clusterer|k", without k where it is not asked for."""
    return f"{clusterer}|{k or ''}"


def measure(
    X: NDArray[np.float32],
    subject: Subject,
    settings: Settings,
    ks: Sequence[int],
    seed: int,
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """Measure a space, cluster it in every way asked for, and measure the clusters.

    What cannot be computed is a row of axis "failed" and stops nothing else: its metric is "space",
    "partition", "measures" or "stability", `reason` says why, and `passing` is there where it
    was for want of memory.

    Parameters
    ----------
    X : ndarray of shape (n_tracks, n_latent)
        Latents.
    subject : Subject
    settings : Settings
        Clusterers, their options, and the seeds: stability over subsamples is of the first seed.
    ks : sequence of int
    seed : int

    Returns
    -------
    rows : list of dict
        See `songscape.benchmark.measure`; those of partitions have clusterer and k.
    samples : dict of name to ndarray of shape (n_tracks,)
        Those of partitions end in "clusterer|k": "border:" how near tracks are to the border of
        their cluster (1 minus `simplified_silhouette`: 0 in the centre, 1 half way to the next
        one), "unsure:" the share of their company that they lose over subsamples.
    partitions : dict of "clusterer|k" to ndarray of shape (n_tracks,)
    """
    from songscape.benchmark.measure import partition_rows, space_evidence
    from songscape.clustering.methods import NEEDS_K, cluster
    from songscape.experiment.fit import MODEL_ERRORS
    from songscape.metrics.silhouette import simplified_silhouette

    rows: list[dict[str, Any]] = []
    samples: dict[str, Any] = {}
    partitions: dict[str, Any] = {}
    errors = (SongscapeError, *MODEL_ERRORS)
    try:
        found_rows, found_samples = space_evidence(X, subject, random_state=seed)
        rows += found_rows
        samples |= found_samples
    except errors as error:
        rows.append(_failed("space", error))
    for name in settings.clusterers:
        for k in ks if name in NEEDS_K else (None,):
            where = {"clusterer": name, "k": k}
            column = partition_name(name, k)
            options = settings.clusterer_options.get(name, {})
            try:
                found = cluster(name, X, k=k, random_state=seed, **options)
            except errors as error:
                rows.append(where | _failed("partition", error))
                continue
            partitions[column] = found.labels
            try:
                # First, so that no seed lacks it where only the other measures fail.
                samples[f"border:{column}"] = 1.0 - simplified_silhouette(X, found.labels)
                measured = partition_rows(found.labels, X, subject, random_state=seed)
                rows += [where | row for row in measured]
            except errors as error:
                rows.append(where | _failed("measures", error))
            if seed != settings.seeds[0]:
                continue
            try:
                measured, unsure = _subsample_stability(X, found, k, options, subject)
                rows += [where | row for row in measured]
                samples[f"unsure:{column}"] = unsure
            except errors as error:
                rows.append(where | _failed("stability", error))
    return rows, samples, partitions


def _failed(what: str, error: BaseException) -> dict[str, Any]:
    """Row for what could not be computed; `passing` where another day it may be."""
    row = {"axis": "failed", "metric": what, "column": "", "reason": first_line(error)}
    return row | ({"passing": True} if isinstance(error, MemoryError) else {})


def _subsample_stability(
    X: NDArray[np.float32],
    found: Clustering,
    k: int | None,
    options: Mapping[str, Any],
    subject: Subject,
) -> tuple[list[dict[str, Any]], NDArray[np.float64]]:
    """Cluster 80 % of the groups again and again: does the partition come back?

    The space stays as it was trained; stability over seeds has the training in it.
    """
    from songscape.clustering.methods import cluster
    from songscape.metrics.stability import stability, subsample_partitions

    def again(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
        return cluster(found.method, X[rows], k=k, random_state=seed, **options).labels

    repeats = subsample_partitions(again, len(X), n_repeats=N_SUBSAMPLES, groups=subject.groups)
    result = stability(found.labels, repeats)
    values = {
        "ari_over_subsamples": result.mean_ari,
        "jaccard_of_weakest": float(result.jaccard.min()) if len(result.jaccard) else float("nan"),
        "unsure_share": float(result.unsure_tracks().mean()),
    }
    rows: list[dict[str, Any]] = [
        {"axis": "stability", "metric": metric, "column": "", "value": value}
        for metric, value in values.items()
    ]
    rows += [
        {"axis": "stability", "metric": "cluster_jaccard", "column": str(cluster), "value": value}
        for cluster, value in enumerate(map(float, result.jaccard))
    ]
    return rows, result.unsure
