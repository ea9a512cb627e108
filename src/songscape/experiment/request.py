"""What a command asks of an experiment: trainings and parts of trials, and their outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songscape.benchmark.keys import SPACE, PartitionKey
from songscape.experiment.fit import Training
from songscape.experiment.schedule import run_trials
from songscape.experiment.trial_inputs import TrialInputs
from songscape.experiment.trials import Part, Trial, read_trial
from songscape.results import ResultsFolder
from songscape.settings import Settings

if TYPE_CHECKING:
    from songscape.benchmark.number_of_clusters import NumberOfClusters

Name = tuple[str, int]
"""Model and seed."""


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

    @property
    def headline(self) -> PartitionKey:
        """The partition that is tested and pictured: of the first clusterer and the first k."""
        return self.parts(self.first)[1].key

    def parts(self, seed: int) -> tuple[Part, ...]:
        """The space and every partition that is asked for."""
        from songscape.clustering.methods import NEEDS_K

        options, first = self.settings.clusterer_options, seed == self.first
        measures = tuple(sorted(self.settings.measures))
        found = [Part(SPACE, self.nulls, first, measures=measures)]
        for name in self.settings.clusterers:
            for k in self.clusters.ks if name in NEEDS_K else (None,):
                found.append(Part(PartitionKey(name, k), self.nulls, first, options.get(name, {})))
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """For `experiment.json`."""
        return {"settings": self.settings.as_dict(), "command": list(self.command)}

    def trainings(self, inputs: TrialInputs) -> dict[Name, Training]:
        """What is to be trained, all models of the first seed first."""
        options = self.settings.model_options
        return {
            (model, seed): Training.of(model, seed, options.get(model, {}), inputs.digests)
            for seed in self.settings.seeds
            for model in self.settings.models
        }

    def kept(
        self, inputs: TrialInputs, folder: ResultsFolder, crashed: Mapping[Name, str] | None = None
    ) -> Outcome:
        """What the folder holds of it, made from the same data."""
        crashed = crashed or {}
        trials: dict[Name, Trial] = {}
        summaries: dict[Name, Mapping[str, Any]] = {}
        for name, training in self.trainings(inputs).items():
            missing = {"status": "failed", "reason": crashed.get(name, "not trained yet")}
            summaries[name] = missing | dict(training.row)
            if training.key and name not in crashed:
                trial = read_trial(folder, training, inputs.context, inputs.track_ids)
                if trial is not None:
                    trials[name], summaries[name] = trial, trial.summary
        trained = {n: one for n, one in trials.items() if summaries[n]["status"] == "ok"}
        return Outcome(self, trained, summaries)

    def fulfil(
        self,
        inputs: TrialInputs,
        folder: ResultsFolder,
        workers: int,
        executor: Executor | None = None,
    ) -> Outcome:
        """Run the trials that are missing, or lack something that is asked for."""
        before, trainings = self.kept(inputs, folder), self.trainings(inputs)
        missing = {name: trainings[name] for name in before.missing}
        if not missing:
            return before
        views = {view for training in missing.values() for view in training.views}
        with inputs.written(folder.root / "trials", views) as written:
            tasks = {
                (model, seed): (
                    *(str(folder.root.resolve()), str(written.resolve()), model, seed),
                    self.settings.model_options.get(model, {}),
                    {view: inputs.digests[view] for view in training.views},
                    inputs.context,
                    [part.as_dict() for part in self.parts(seed)],
                )
                for (model, seed), training in missing.items()
            }
            crashed = run_trials(tasks, workers, executor)
        return self.kept(inputs, folder, crashed)


@dataclass(frozen=True, eq=False)
class Outcome:
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
