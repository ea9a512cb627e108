"""Trials: what one model and seed gave, trained, clustered and measured in one process, and kept.

A trial is kept in parts, its space and each of its partitions, so that whoever asks for more (other
clusterers, permutation nulls) pays for what is new.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.benchmark.keys import SPACE, PartitionKey, SampleKey
from songscape.experiment.fit import Training, fit, trained
from songscape.results import ResultsFolder, read_json, read_latents, write_atomically, write_json

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.measure import Measurements
    from songscape.benchmark.targets import Targets

__all__ = ["Part", "Trial", "TrialTask", "read_trial", "run_trial"]

RECIPE = 9
"""Raised when what a trial measures changes, so that old ones are measured again."""


@dataclass(frozen=True)
class Part:
    """What is asked for of a space or of one of its partitions.

    Attributes
    ----------
    key : PartitionKey
        `SPACE` for the space itself.
    nulls : bool
        With permutation nulls, probes and subsamples.
    options : mapping
        Arguments of the clusterer that differ from its defaults.
    measures : tuple of str
        Further measures of the space.
    """

    key: PartitionKey
    nulls: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TrialTask:
    """What a process needs to know to run a trial.

    Attributes
    ----------
    training : Training
    parts : tuple of Part
        The space first.
    out, inputs : Path
        The results folder; the folder with the views, see `songscape.experiment.handover`.
    context : str
        Digest of everything that the trial is measured against.
    targets : Targets
        Its reference spaces lie in `inputs`.
    labels : DataFrame
        One row per track: what clusters are described by.
    first : bool
        Whether this is the first seed, of which clusters are described and made from subsamples.
    """

    training: Training
    parts: tuple[Part, ...]
    out: Path
    inputs: Path
    context: str
    targets: Targets
    labels: pd.DataFrame
    first: bool

    @property
    def model(self) -> str:
        return self.training.model

    @property
    def seed(self) -> int:
        return self.training.seed


@dataclass(frozen=True, eq=False)
class Trial:
    """What one model and seed gave.

    Attributes
    ----------
    summary : mapping
        Row of the model table: model, seed, status, reason, health, seconds, peak_memory_mib.
    key : str
        Digest of what the latents were computed from.
    parts : mapping of PartitionKey to mapping
        Of each part that was measured: rows (see `songscape.benchmark.measure.Measurements`),
        nulls, options, measures, and of the first seed's partitions clusters (descriptions).
    arrays : DataFrame of shape (n_tracks, n_arrays)
        Clusters of each partition under "clusters@clusterer|k", and values per track under the
        names of their `SampleKey`.
    """

    summary: Mapping[str, Any]
    key: str
    parts: Mapping[PartitionKey, Mapping[str, Any]]
    arrays: pd.DataFrame

    @property
    def ok(self) -> bool:
        """Whether the model could be trained."""
        return bool(self.summary["status"] == "ok")

    def has(self, part: Part, *, first: bool) -> bool:
        """Whether the part was measured as it is asked for."""
        known = self.parts.get(part.key)
        return (
            known is not None
            and known["nulls"] >= part.nulls
            and known["first"] >= first
            and known["options"] == dict(part.options)
            and set(known["measures"]) >= set(part.measures)
            and not any(row.get("transient") for row in known["rows"])
        )

    def measurements(self, keys: Iterable[PartitionKey]) -> Measurements:
        """What was measured of these parts."""
        from songscape.benchmark.measure import Measurements

        keys = [key for key in keys if key in self.parts]
        samples, partitions = {}, {}
        for name in self.arrays.columns:
            sample = SampleKey.parse(name)
            if sample.metric == "clusters" and sample.partition in keys:
                partitions[sample.partition] = self.arrays[name].to_numpy()
            elif sample.metric != "clusters" and sample.partition in keys:
                samples[sample] = self.arrays[name].to_numpy()
        rows = [row for key in keys for row in self.parts[key]["rows"]]
        return Measurements(rows, samples, {k: partitions[k] for k in keys if k in partitions})


def read_trial(
    folder: ResultsFolder, training: Training, context: str, track_ids: Sequence[str]
) -> Trial | None:
    """What is kept of a trial, if it is of this training and measured against the same."""
    path = folder.trial(training.model, training.seed)
    document = read_json(path)
    expected = {"recipe": RECIPE, "trained": training.key, "context": context}
    if document is None or any(document.get(name) != value for name, value in expected.items()):
        return None
    summary = trained(training, folder)
    if summary is None:
        return None
    import pandas as pd

    try:
        arrays = pd.read_parquet(path.with_suffix(".parquet"))
        parts = {PartitionKey.parse(name): part for name, part in document["parts"].items()}
    except (OSError, ValueError, KeyError):
        return None
    if list(arrays.pop("track_id")) != list(track_ids):
        return None
    return Trial(summary, training.key, parts, arrays)


def run_trial(task: TrialTask) -> float:
    """Train, cluster and measure what is missing of one trial; returns the seconds that it took.

    The trial's file is written last, and whole. What failed before is tried again.
    """
    import pandas as pd

    from songscape.experiment.handover import read_references, read_views

    start = time.perf_counter()
    folder, training = ResultsFolder(task.out), task.training
    views = read_views(task.inputs)
    track_ids = list(views.track_ids)
    summary = fit(training, views, folder, labels=task.labels)
    kept = read_trial(folder, training, task.context, track_ids)
    parts: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    if kept is not None:
        parts = {str(key): dict(part) for key, part in kept.parts.items()}
        arrays = {name: kept.arrays[name].to_numpy() for name in kept.arrays.columns}
    if summary["status"] == "ok":
        X = read_latents(folder.latents(training.model, training.seed))[1]
        targets = replace(task.targets, references=read_references(task.inputs))
        for part in task.parts:
            if kept is not None and kept.has(part, first=task.first):
                continue
            found, described = _measure(part, X, targets, task, views)
            arrays = {n: a for n, a in arrays.items() if SampleKey.parse(n).partition != part.key}
            arrays |= {str(name): values for name, values in found.samples.items()}
            for key, labels in found.partitions.items():
                arrays[str(SampleKey("clusters", partition=key))] = labels
            parts[str(part.key)] = {
                "nulls": part.nulls,
                "first": task.first,
                "options": dict(part.options),
                "measures": list(part.measures),
                "rows": found.rows,
                "clusters": described,
            }
    seconds = time.perf_counter() - start
    path = folder.trial(training.model, training.seed)
    frame = pd.DataFrame({"track_id": track_ids, **arrays})
    write_atomically(path.with_suffix(".parquet"), lambda p: frame.to_parquet(p, index=False))
    document = {"recipe": RECIPE, "trained": training.key, "context": task.context, "parts": parts}
    write_json(path, document)
    return seconds


def _measure(
    part: Part, X: Any, targets: Targets, task: TrialTask, views: Any
) -> tuple[Measurements, list[dict[str, Any]]]:
    """Measure one part; of a partition of the first seed, describe the clusters as well."""
    from songscape.benchmark.measure import N_SUBSAMPLES, measure
    from songscape.clustering.describe import describe_clusters

    key = part.key
    found = measure(
        X,
        targets,
        (key.clusterer,) if key.clusterer else (),
        {key.clusterer: part.options},
        () if key.k is None else (key.k,),
        task.seed,
        space=key == SPACE,
        nulls=part.nulls,
        subsamples=N_SUBSAMPLES if task.first else 0,
        measures=part.measures,
    )
    if not task.first or key not in found.partitions:
        return found, []
    columns = {str(name): task.labels[name] for name in task.labels}
    clusters = describe_clusters(found.partitions[key], X, views, columns)
    return found, [
        {
            **{"cluster": one.cluster, "size": one.size, "share": one.share},
            "typical": "; ".join(one.medoids),
            "words": "; ".join(word for word, _ in one.words),
            "labels": "; ".join(f"{s.column}={s.label} {s.share:.0%}" for s in one.labels),
            "sound": "; ".join(f"{d.feature} {d.deviation:+.1f}" for d in one.timbre),
        }
        for one in clusters
    ]
