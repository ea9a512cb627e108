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
    from songscape.benchmark.measure import Measurements
    from songscape.benchmark.number_of_clusters import NumberOfClusters

__all__ = ["Outcome", "Request"]

Name = tuple[str, int]
"""Model and seed."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a request.

    Attributes
    ----------
    request : Request
    trials : mapping of (model, seed) to Trial
        Those of models that could be trained.
    summaries : mapping of (model, seed) to mapping
        Rows of the table of models.
    """

    request: Request
    trials: Mapping[Name, Trial]
    summaries: Mapping[Name, Mapping[str, Any]]

    def keys(self, name: Name) -> list[PartitionKey]:
        """The space and partitions that were asked for of a trial."""
        return [part.key for part in self.request.parts(name[1])]

    def measurements(self) -> dict[Name, Measurements]:
        """What was measured, by model and seed."""
        return {name: one.measurements(self.keys(name)) for name, one in self.trials.items()}

    @property
    def complete(self) -> bool:
        """Whether everything that can be trained was, and holds all that is asked for."""
        return all(
            summary["status"] == "skipped"
            or (name in self.trials and self.trials[name].answers(self.request.parts(name[1])))
            for name, summary in self.summaries.items()
        )


@dataclass(frozen=True, eq=False)
class Request:
    """What a command asks for.

    Attributes
    ----------
    settings : Settings
    clusters : NumberOfClusters
    nulls : bool
        With permutation nulls, probes and subsamples, as a comparison needs them.
    command : tuple of str
        The command line.
    """

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
        found = [Part(SPACE, self.nulls, first, measures=self.settings.measures)]
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
        trials: dict[Name, Trial] = {}
        summaries: dict[Name, Mapping[str, Any]] = {}
        for name, training in self.trainings(inputs).items():
            trial = None
            if training.key and name not in (crashed or {}):
                trial = read_trial(folder, training, inputs.context, inputs.track_ids)
            if trial is not None and trial.ok:
                trials[name] = trial
            reason = (crashed or {}).get(name, "not trained yet")
            missing = {"status": "failed", "reason": reason, **training.row}
            summaries[name] = missing if trial is None else trial.summary
        return Outcome(self, trials, summaries)

    def fulfil(
        self,
        inputs: TrialInputs,
        folder: ResultsFolder,
        workers: int,
        executor: Executor | None = None,
    ) -> Outcome:
        """Run the trials that are missing, or lack something that is asked for."""
        before, trainings = self.kept(inputs, folder), self.trainings(inputs)
        missing = {
            name: trainings[name]
            for name, summary in before.summaries.items()
            if summary["status"] != "skipped"
            and not (name in before.trials and before.trials[name].answers(self.parts(name[1])))
        }
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
