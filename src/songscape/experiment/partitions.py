"""Latents -> clusters -> metrics: one row per model, clusterer, k and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songscape.errors import SongscapeError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from songscape.benchmark.number_of_clusters import NumberOfClusters
    from songscape.clustering.methods import Clustering
    from songscape.experiment.fit import Representation
    from songscape.features.views import Views
    from songscape.progress import Advance
    from songscape.settings import ClaimedRow

__all__ = [
    "Partition",
    "check_clusterers",
    "check_k",
    "claimed_table",
    "clusters_table",
    "metrics_table",
    "partition",
    "shared_k",
]

AGREEMENT = ("ami", "nmi", "ari", "purity", "homogeneity", "completeness")


@dataclass(frozen=True, eq=False)
class Partition:
    """One clustering of one representation; `clustering` is None where it failed."""

    model: str
    clusterer: str
    k: int | None
    seed: int
    clustering: Clustering | None
    reason: str = ""

    @property
    def labels(self) -> NDArray[np.int64]:
        if self.clustering is None:
            raise ValueError(f"{self.model} x {self.clusterer} has no clusters: {self.reason}")
        return self.clustering.labels


def check_clusterers(names: Sequence[str], options: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse unknown clusterers and wrong options before hours of work."""
    from songscape.clustering.options import check_options

    for name in dict.fromkeys((*names, *options)):
        check_options(name, options.get(name, {}))


def check_k(ks: Sequence[int], n_tracks: int) -> None:
    """Refuse more clusters than tracks before any model is trained."""
    if ks and max(ks) >= n_tracks:
        raise UsageError(f"k = {max(ks)}: the collection has {n_tracks} analysed tracks")


def shared_k(views: Views, given: Sequence[int]) -> NumberOfClusters:
    """k as given, or one for all models, chosen by stability in the balanced PCA space."""
    from songscape.benchmark.number_of_clusters import NumberOfClusters, number_of_clusters
    from songscape.models.presets import make_model

    if given:
        return NumberOfClusters(tuple(given))
    there = [name for name in ("timbre", "lyrics") if name in views and views[name].present.any()]
    estimator = make_model("balanced-pca", random_state=0, views=tuple(there))
    return number_of_clusters(estimator.fit_transform(views.select(there)))


def partition(
    representations: Sequence[Representation],
    clusterers: Sequence[str],
    ks: Sequence[int],
    options: Mapping[str, Mapping[str, Any]],
    progress: Advance | None = None,
) -> list[Partition]:
    """Cluster every representation with every clusterer, at every k where it takes one."""
    from songscape.clustering.methods import NEEDS_K, cluster

    cells = [
        (representation, name, k)
        for representation in representations
        if representation.ok
        for name in clusterers
        for k in (ks if name in NEEDS_K else (None,))
    ]
    partitions = []
    for done, (representation, name, k) in enumerate(cells, start=1):
        model, seed, found, reason = representation.model, representation.seed, None, ""
        try:
            found = cluster(
                name, representation.latents, k=k, random_state=seed, **options.get(name, {})
            )
        except (SongscapeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
        partitions.append(Partition(model, name, k, seed, found, reason))
        if progress is not None:
            progress(done, len(cells))
    return partitions


def metrics_table(
    partitions: Sequence[Partition],
    representations: Sequence[Representation],
    labels: pd.DataFrame,
    progress: Advance | None = None,
) -> pd.DataFrame:
    """One row per partition: structure in the model's own space, agreement with each label.

    Structure (silhouette, Davies-Bouldin, Calinski-Harabasz) is measured in the space that the
    partition was made in, which column `space` says; it can't rank models.
    """
    import pandas as pd

    from songscape.metrics.clusters import agreement, internal_metrics

    latents = {(r.model, r.seed): r.latents for r in representations if r.ok}
    rows = []
    for done, one in enumerate(partitions, start=1):
        X = latents[one.model, one.seed]
        row: dict[str, Any] = {
            "model": one.model,
            "clusterer": one.clusterer,
            "k": one.k,
            "seed": one.seed,
            "space": f"own space ({one.model}, {X.shape[1]} dimensions)",
            "n_tracks": X.shape[0],
            "reason": one.reason,
        }
        if one.clustering is not None:
            row |= internal_metrics(X, one.labels)
            for name in labels.columns:
                found = agreement(one.labels, labels[name].to_numpy(dtype=object))
                row |= {f"{name}_{metric}": found[metric] for metric in AGREEMENT}
        rows.append(row)
        if progress is not None:
            progress(done, len(partitions))
    frame = pd.DataFrame(rows)
    frame["k"] = frame["k"].astype("Int64")
    return frame


def clusters_table(partitions: Sequence[Partition], track_ids: Sequence[str]) -> pd.DataFrame:
    """One row per partition and track; cluster -1 is noise."""
    import pandas as pd

    frames = [
        pd.DataFrame(
            {
                "track_id": track_ids,
                "model": one.model,
                "clusterer": one.clusterer,
                "k": one.k,
                "seed": one.seed,
                "cluster": one.labels,
            }
        )
        for one in partitions
        if one.clustering is not None
    ]
    if not frames:
        reasons = "; ".join(dict.fromkeys(one.reason for one in partitions))
        raise SongscapeError(f"no clustering succeeded: {reasons}")
    table = pd.concat(frames, ignore_index=True)
    table["k"] = table["k"].astype("Int64")
    return table


def claimed_table(claims: Sequence[ClaimedRow], metrics: pd.DataFrame) -> pd.DataFrame:
    """A published table beside this run's figures, means over seeds, one row per k."""
    import pandas as pd

    rows = []
    for claim in claims:
        ours = metrics[
            (metrics["model"] == claim.model) & (metrics["clusterer"] == claim.clusterer)
        ]
        for k, group in ours.groupby(ours["k"].fillna(-1)):
            rows.append(
                {
                    "Method": claim.method,
                    "k": group["n_clusters"].mean() if k == -1 else k,
                    "Silhouette": group["silhouette"].mean(),
                    "Davies-Bouldin": group["davies_bouldin"].mean(),
                    "Noise share": group["noise_share"].mean(),
                    "Claimed silhouette": claim.silhouette,
                    "Claimed Davies-Bouldin": claim.davies_bouldin,
                    "Space": group["space"].iloc[0],
                }
            )
        if ours.empty:
            rows.append(
                {
                    "Method": claim.method,
                    "Claimed silhouette": claim.silhouette,
                    "Claimed Davies-Bouldin": claim.davies_bouldin,
                }
            )
    columns = ["Method", "k", "Silhouette", "Davies-Bouldin", "Noise share", "Claimed silhouette"]
    columns += ["Claimed Davies-Bouldin", "Space"]
    table = pd.DataFrame(rows, columns=columns)
    table["k"] = table["k"].round().astype("Int64")
    return table
