"""What a command asks of an experiment (trainings, parts of trials, k), and its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.benchmark.keys import SPACE, PartitionKey, partition_keys
from songscape.benchmark.metric_table import KOrigin
from songscape.benchmark.number_of_clusters import NumberOfClusters, number_of_clusters
from songscape.experiment.fit import ModelFit, digest_of
from songscape.experiment.schedule import run_trials
from songscape.experiment.trial_inputs import TrialInputs
from songscape.experiment.trials import Trial, TrialPart, read_trial
from songscape.progress import progress_bar
from songscape.results import ResultsFolder, read_json, write_json
from songscape.settings import Settings

if TYPE_CHECKING:
    from songscape.features.views import Views

Name = tuple[str, int]
"""Model and seed."""
_CHOSEN_IN = ("timbre", "lyrics")
"""Views that the number of clusters is chosen in, whatever the models read."""


@dataclass(frozen=True, eq=False)
class Request:
    """What a command asks for; a comparison with `nulls`: permutations, probes and subsamples."""

    settings: Settings
    clusters: NumberOfClusters
    nulls: bool
    command: tuple[str, ...] = ()

    @property
    def first(self) -> int:
        """The seed whose clusters are described and shown."""
        return self.settings.seeds[0]

    def parts(self, seed: int) -> tuple[TrialPart, ...]:
        """The space and every partition that is asked for."""
        options, first = self.settings.clusterer_options, seed == self.first
        space = TrialPart(SPACE, self.nulls, first, measures=tuple(sorted(self.settings.measures)))
        keys = partition_keys(self.settings.clusterers, self.clusters.ks)
        return (
            space,
            *(TrialPart(key, self.nulls, first, options.get(key.clusterer, {})) for key in keys),
        )

    def as_dict(self) -> dict[str, Any]:
        """For `experiment.json`."""
        return {"settings": self.settings.as_dict(), "command": list(self.command)}

    def trainings(self, inputs: TrialInputs) -> dict[Name, ModelFit]:
        """What is to be trained, all models of the first seed first."""
        options = self.settings.model_options
        return {
            (model, seed): ModelFit.of(model, seed, options.get(model, {}), inputs.digests)
            for seed in self.settings.seeds
            for model in self.settings.models
        }

    def kept(
        self, inputs: TrialInputs, folder: ResultsFolder, crashed: Mapping[Name, str] | None = None
    ) -> RequestResult:
        """What the folder holds of it, made from the same data."""
        crashed = crashed or {}
        trials: dict[Name, Trial] = {}
        summaries: dict[Name, Mapping[str, Any]] = {}
        for name, training in self.trainings(inputs).items():
            missing = {"status": "failed", "reason": crashed.get(name, "not trained yet")}
            there = training.key and name not in crashed
            trial = read_trial(folder, training, inputs.context) if there else None
            summaries[name] = missing | dict(training.row) if trial is None else trial.summary
            if trial is not None and trial.summary["status"] == "ok":
                trials[name] = trial
        return RequestResult(self, trials, summaries)

    def fulfil(
        self,
        inputs: TrialInputs,
        folder: ResultsFolder,
        workers: int,
        executor: Executor | None = None,
    ) -> RequestResult:
        """Run the trials that are missing, or lack something that is asked for."""
        before, trainings = self.kept(inputs, folder), self.trainings(inputs)
        missing = {name: trainings[name] for name in before.missing}
        if not missing:
            return before
        views = {view for training in missing.values() for view in training.views}
        with inputs.written(folder.root / "trials", views) as written:
            places = str(folder.root.resolve()), str(written.resolve())
            tasks = {
                name: (*places, training, inputs.context, self.parts(training.seed))
                for name, training in missing.items()
            }
            crashed = run_trials(tasks, workers, executor)
        return self.kept(inputs, folder, crashed)


@dataclass(frozen=True, eq=False)
class RequestResult:
    """What became of a request: trials of models that could be trained, a row for every model."""

    request: Request
    trials: Mapping[Name, Trial]
    summaries: Mapping[Name, Mapping[str, Any]]

    def keys(self, name: Name) -> list[PartitionKey]:
        """The space and partitions that were asked for of a trial."""
        return [part.key for part in self.request.parts(name[1])]

    @property
    def missing(self) -> list[Name]:
        """What could be trained and was not, or does not hold all that is asked for."""
        return [
            name
            for name, summary in self.summaries.items()
            if summary["status"] != "skipped"
            and not (name in self.trials and self.trials[name].answers(self.request.parts(name[1])))
        ]


def shared_k(views: Views) -> NumberOfClusters:
    """k chosen by stability in the space of balanced PCA."""
    from songscape.models.presets import make_model

    there = [name for name in _CHOSEN_IN if name in views and views[name].present.any()]
    model = make_model("balanced-pca", views=tuple(there))
    return number_of_clusters(model.fit_transform(views.select(there)))


def kept_k(
    inputs: TrialInputs, given: Sequence[int], path: Path, *, choose: bool = True
) -> NumberOfClusters | None:
    """As `shared_k`, with the choice kept in a file; None where it is not and is not to be made."""
    if given:
        return NumberOfClusters(tuple(given))
    there = [name for name in _CHOSEN_IN if name in inputs.digests]
    key, kept = digest_of([inputs.digests[name] for name in there]), read_json(path) or {}
    if kept.pop("key", None) == key:
        return NumberOfClusters(tuple(kept.pop("ks")), KOrigin(kept.pop("origin")), **kept)
    if not choose:
        return None
    with progress_bar("choosing k", unit=""):
        found = shared_k(inputs.dataset.views.select(there))
    write_json(path, {"key": key, **vars(found)})
    return found
