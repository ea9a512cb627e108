"""Trials: what one model and seed gave, trained, clustered and measured in one process, and kept.

A trial is kept in parts, its space and each of its partitions: more of them (other clusterers,
permutation nulls) cost what is new.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.benchmark.keys import SPACE, PartitionKey, SampleKey
from songscape.experiment.fit import Training, fit, trained
from songscape.results import ResultsFolder, read_json, read_latents, write_json, write_parquet

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.measure import Measurements
    from songscape.benchmark.targets import Targets

RECIPE = 11
"""Raised when what a trial measures changes, so that old ones are measured again."""
CLUSTERS, SPREAD = "clusters", SampleKey("spread")


@dataclass(frozen=True)
class Part:
    """What is asked for of a space (`SPACE`) or of one of its partitions.

    `nulls` asks for permutation nulls and probes, `first` (the first seed) for descriptions of
    clusters, and with nulls for subsamples as well. `options` are the clusterer's, `measures`
    further ones of the space.
    """

    key: PartitionKey
    nulls: bool = False
    first: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    measures: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return vars(self) | {"key": str(self.key), "measures": list(self.measures)}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Part:
        """From `as_dict`."""
        key, measures = PartitionKey.parse(given["key"]), tuple(given["measures"])
        return cls(key, given["nulls"], given["first"], given["options"], measures)

    def with_all_of(self, other: Part | None) -> Part:
        """Both together; this one alone where the other has other options."""
        if other is None or dict(other.options) != dict(self.options):
            return self
        measures = tuple(sorted({*self.measures, *other.measures}))
        nulls, first = self.nulls or other.nulls, self.first or other.first
        return replace(self, nulls=nulls, first=first, measures=measures)


@dataclass(frozen=True, eq=False)
class Measured:
    """A part with its rows, and of a partition of the first seed what each cluster is."""

    part: Part
    rows: list[dict[str, Any]]
    clusters: list[dict[str, Any]]

    def answers(self, part: Part) -> bool:
        """Whether it has all that is asked for, and nothing that is worth a retry."""
        transient = any(row.get("transient") for row in self.rows)
        return not transient and part.with_all_of(self.part) == replace(self.part, key=part.key)


@dataclass(frozen=True, eq=False)
class Trial:
    """What one model and seed gave.

    `summary` is a row of the table of models. The columns of `arrays` are values per track under
    the names of their `SampleKey`; clusters of a partition are "clusters@clusterer|k".
    """

    summary: Mapping[str, Any]
    parts: Mapping[PartitionKey, Measured]
    arrays: pd.DataFrame

    def answers(self, parts: Iterable[Part]) -> bool:
        """Whether the model was trained and everything measured as it is asked for."""
        return self.summary["status"] == "ok" and all(
            part.key in self.parts and self.parts[part.key].answers(part) for part in parts
        )

    def measurements(self, keys: Iterable[PartitionKey]) -> Measurements:
        """What was measured of these parts."""
        from songscape.benchmark.measure import Measurements

        found = Measurements()
        there = [key for key in keys if key in self.parts]
        found.rows.extend(row for key in there for row in self.parts[key].rows)
        arrays = {SampleKey.parse(name): self.arrays[name].to_numpy() for name in self.arrays}
        for key in there:
            clusters = SampleKey(CLUSTERS, partition=key)
            if clusters in arrays:
                found.partitions[key] = arrays.pop(clusters)
        samples = {key: values for key, values in arrays.items() if key.metric != CLUSTERS}
        found.samples.update({k: v for k, v in samples.items() if k.partition in there})
        return found


def read_trial(
    folder: ResultsFolder, training: Training, context: str, track_ids: Sequence[str]
) -> Trial | None:
    """What is kept of a trial, if it is of this training and was measured in this context."""
    import pandas as pd

    path = folder.trial(training.model, training.seed)
    document = read_json(path) or {}
    expected = {"recipe": RECIPE, "trained": training.key, "context": context}
    if any(document.get(name) != value for name, value in expected.items()):
        return None
    if document["summary"]["status"] == "ok" and trained(training, folder) is None:
        return None
    try:
        with path.with_suffix(".parquet").open("rb") as file:
            arrays = pd.read_parquet(file)
    except (OSError, ValueError):
        return None
    if list(arrays.pop("track_id")) != list(track_ids):
        return None
    measured = [
        Measured(Part.of(one["part"]), one["rows"], one["clusters"]) for one in document["parts"]
    ]
    return Trial(document["summary"], {one.part.key: one for one in measured}, arrays)


def run_trial(
    out: str,
    inputs: str,
    model: str,
    seed: int,
    options: Mapping[str, Any],
    digests: Mapping[str, str],
    context: str,
    parts: Sequence[Mapping[str, Any]],
) -> float:
    """Train, cluster and measure what is missing of one trial; returns the seconds that it took.

    Everything that it is given is plain, so that any executor can send it: two folders, what
    `Training.of` takes, the `context` (see `read_trial`), and `Part.as_dict` of what is asked for.
    The trial's file is written last, and whole; what failed before is tried again.
    """
    import pandas as pd

    from songscape.clustering.describe import describe_clusters
    from songscape.experiment.trial_inputs import read_shown, read_targets, read_views

    start = time.perf_counter()
    folder, training = ResultsFolder(Path(out)), Training.of(model, seed, options, digests)
    views, targets = read_views(Path(inputs)), read_targets(Path(inputs))
    summary = fit(training, views, folder)
    kept = read_trial(folder, training, context, views.track_ids)
    measured = {} if kept is None else dict(kept.parts)
    arrays: dict[str, Any] = {} if kept is None else dict(kept.arrays.items())
    if summary["status"] == "ok":
        X = read_latents(folder.latents(model, seed))[1]
        if summary["has_spread"]:
            arrays[str(SPREAD)] = read_latents(folder.spread(model, seed))[1][:, 0]
        columns = {name: targets.columns[name] for name in read_shown(Path(inputs))}
        for part in map(Part.of, parts):
            before = measured.get(part.key)
            if before is not None and before.answers(part):
                continue
            part = part.with_all_of(None if before is None else before.part)
            found = _measure(part, X, targets, seed)
            arrays = {n: array for n, array in arrays.items() if not _belongs(n, part.key)}
            arrays |= {str(name): values for name, values in found.samples.items()}
            clusters = []
            if (labels := found.partitions.get(part.key)) is not None:
                arrays[str(SampleKey(CLUSTERS, partition=part.key))] = labels
                clusters = describe_clusters(labels, X, views, columns) if part.first else []
            measured[part.key] = Measured(part, found.rows, clusters)
    frame = pd.DataFrame({"track_id": list(views.track_ids), **arrays})
    path = folder.trial(model, seed)
    write_parquet(path.with_suffix(".parquet"), frame)
    kept_parts = [vars(one) | {"part": one.part.as_dict()} for one in measured.values()]
    head = {"recipe": RECIPE, "trained": training.key, "context": context}
    write_json(path, {**head, "summary": summary, "parts": kept_parts}, indent=None)
    return time.perf_counter() - start


def _belongs(name: str, key: PartitionKey) -> bool:
    sample = SampleKey.parse(name)
    return sample.partition == key and sample != SPREAD


def _measure(part: Part, X: Any, targets: Targets, seed: int) -> Measurements:
    import sklearn.cluster  # noqa: F401 (loads the libraries whose threads are limited)
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from songscape.benchmark.measure import N_SUBSAMPLES, measure

    key = part.key
    # Other trials need the other cores: threads that wait for each other take many times as long.
    with threadpool_limits(1):
        return measure(
            X,
            targets,
            (key.clusterer,) if key.clusterer else (),
            {key.clusterer: part.options},
            () if key.k is None else (key.k,),
            seed,
            space=key == SPACE,
            nulls=part.nulls,
            subsamples=N_SUBSAMPLES if part.first else 0,
            measures=part.measures,
        )
