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
from songscape.experiment.fit import ModelFit, fit, trained
from songscape.packed import pack
from songscape.results import ResultsFolder, read_latents, read_packed, write_bytes

if TYPE_CHECKING:
    from songscape.benchmark.measure import Measurements
    from songscape.benchmark.targets import Targets

RECIPE = 12
"""Raised when what a trial measures changes, so that old ones are measured again."""


@dataclass(frozen=True)
class TrialPart:
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

    def with_all_of(self, other: TrialPart | None) -> TrialPart:
        """Both together; this one alone where the other has other options."""
        if other is None or dict(other.options) != dict(self.options):
            return self
        measures = tuple(sorted({*self.measures, *other.measures}))
        nulls, first = self.nulls or other.nulls, self.first or other.first
        return replace(self, nulls=nulls, first=first, measures=measures)


@dataclass(frozen=True, eq=False)
class Measured:
    """A part with its rows and samples (under the text of their keys).

    A partition has its clusters in `labels`, and of the first seed what each cluster is.
    """

    part: TrialPart
    rows: Sequence[dict[str, Any]]
    samples: Mapping[str, Any]
    labels: Any = None
    clusters: Sequence[dict[str, Any]] = ()

    def answers(self, part: TrialPart) -> bool:
        """Whether it has all that is asked for, and nothing that is worth a retry."""
        transient = any(row.get("transient") for row in self.rows)
        return not transient and part.with_all_of(self.part) == self.part


@dataclass(frozen=True, eq=False)
class Trial:
    """What one model and seed gave; `summary` is a row of the table of models."""

    summary: Mapping[str, Any]
    parts: Mapping[PartitionKey, Measured]

    def answers(self, parts: Iterable[TrialPart]) -> bool:
        """Whether the model was trained and everything measured as it is asked for."""
        return self.summary["status"] == "ok" and all(
            part.key in self.parts and self.parts[part.key].answers(part) for part in parts
        )

    def measurements(self, keys: Iterable[PartitionKey]) -> Measurements:
        """What was measured of these parts."""
        from songscape.benchmark.measure import Measurements

        found = Measurements()
        for key in keys:
            if (one := self.parts.get(key)) is not None:
                found.rows.extend(one.rows)
                found.samples.update({SampleKey.parse(n): v for n, v in one.samples.items()})
                if one.labels is not None:
                    found.partitions[key] = one.labels
        return found


def read_trial(folder: ResultsFolder, training: ModelFit, context: str) -> Trial | None:
    """What is kept of a trial, if it is of this training and was measured in this context."""
    document = read_packed(folder.trial(training.model, training.seed))
    expected = {"recipe": RECIPE, "trained": training.key, "context": context}
    if any(document.get(name) != value for name, value in expected.items()):
        return None
    if document["summary"]["status"] == "ok" and trained(training, folder) is None:
        return None
    return Trial(document["summary"], {one.part.key: one for one in document["parts"]})


def run_trial(
    out: str, inputs: str, training: ModelFit, context: str, parts: Sequence[TrialPart]
) -> float:
    """Train, cluster and measure what is missing of one trial; returns the seconds that it took.

    Everything that it is given is plain, so that any executor can send it: two folders, what is to
    be trained, the `context` (see `read_trial`), and what is asked for. The trial's file is written
    last, and whole; what failed before is tried again.
    """
    from songscape.clustering.describe import describe_clusters
    from songscape.experiment.trial_inputs import read_inputs

    start = time.perf_counter()
    folder, name = ResultsFolder(Path(out)), (training.model, training.seed)
    views, targets, shown = read_inputs(Path(inputs))
    summary = fit(training, views, folder)
    kept = read_trial(folder, training, context)
    measured = {} if kept is None else dict(kept.parts)
    if summary["status"] == "ok":
        X = read_latents(folder.latents(*name))[1]
        columns = {name: targets.columns[name] for name in shown}
        for part in parts:
            before = measured.get(part.key)
            if before is not None and before.answers(part):
                continue
            part = part.with_all_of(None if before is None else before.part)
            found = _measure(part, X, targets, training.seed)
            samples: dict[str, Any] = {str(key): values for key, values in found.samples.items()}
            if part.key == SPACE and summary["has_spread"]:
                samples = {"spread": read_latents(folder.spread(*name))[1][:, 0]} | samples
            labels, clusters = found.partitions.get(part.key), list[dict[str, Any]]()
            if labels is not None and part.first:
                clusters = describe_clusters(labels, X, views, columns)
            measured[part.key] = Measured(part, found.rows, samples, labels, clusters)
    head = {"recipe": RECIPE, "trained": training.key, "context": context}
    whole = head | {"summary": summary, "parts": list(measured.values())}
    path = folder.trial(*name)
    write_bytes(path, pack(whole))
    for suffix in (".json", ".parquet"):  # as earlier versions kept it
        path.with_suffix(suffix).unlink(missing_ok=True)
    return time.perf_counter() - start


def _measure(part: TrialPart, X: Any, targets: Targets, seed: int) -> Measurements:
    import sklearn.cluster  # noqa: F401 (loads the libraries whose threads are limited)
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from songscape.benchmark.measure import N_SUBSAMPLES, measure

    # Other trials need the other cores: threads that wait for each other take many times as long.
    with threadpool_limits(1):
        return measure(
            X,
            targets,
            [part.key],
            {part.key.clusterer: part.options},
            seed,
            nulls=part.nulls,
            subsamples=N_SUBSAMPLES if part.first else 0,
            measures=part.measures,
        )
