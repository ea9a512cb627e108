"""The experiment: a music folder in, clusters, evidence and one page out.

`run` reads, trains, clusters and measures; `compare` does the same with more seeds, permutation
nulls and intervals, and tests every method against a baseline. Both work on one results folder, use
what the other has trained, and show what the other has found as long as it is of the same data.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.benchmark.keys import SPACE, PartitionKey
from songscape.errors import SongscapeError
from songscape.experiment import tables
from songscape.experiment.checks import check_folder, check_promises, check_settings
from songscape.experiment.fit import Training, digest_of, models_table
from songscape.experiment.trials import Part, Trial, TrialTask, read_trial, run_trial
from songscape.progress import progress_bar, say
from songscape.results import ResultsFolder, read_json, write_atomically, write_json
from songscape.settings import Settings, settings_from

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.number_of_clusters import NumberOfClusters
    from songscape.benchmark.targets import Targets
    from songscape.experiment.dataset import Inputs
    from songscape.library import Counts

__all__ = ["ExperimentSummary", "compare", "comparison_settings", "default_folder", "run"]

BASELINE = "balanced-pca"
# What stands in every comparison, whatever models are asked for.
ALWAYS = (
    *("balanced-pca", "balanced-pca-centred"),
    *("random", "language-only", "has-lyrics-only"),
)
COMPARED_MODELS = (
    *("song-vae", "neutral-vae", "dense-vae", "fusion-dense-vae", "conv1d-vae", "autoencoder"),
    *("pca", "balanced-pca", "balanced-pca-centred", "timbre-pca", "tfidf", "raw"),
    *("random", "language-only", "has-lyrics-only"),
)
COMPARED_CLUSTERERS = ("kmeans", "ward", "dbscan")
SEEDS = tuple(range(10))
QUICK_SEEDS = tuple(range(3))
VERSIONS_OF = ("numpy", "scipy", "scikit-learn", "torch", "umap-learn", "soundfile", "soxr")
EARLIER_COMPARISON = (
    "A comparison in this folder was of an earlier state of the data or the settings and is left "
    "out; songscape compare makes it anew."
)
Name = tuple[str, int]
"""Model and seed."""


@dataclass(frozen=True, eq=False)
class ExperimentSummary:
    """What an experiment left behind.

    Attributes
    ----------
    report : Path
        The page to open.
    counts : Counts
        found = analysed + skipped + failed, in tracks.
    k : tuple of int
        Numbers of clusters used; `k_reason` says how they were chosen.
    table : DataFrame
        The tidy table: one row per model, clusterer, k, seed and measure.
    summary, differences : DataFrame or None
        Of a comparison: estimates with intervals, and every test against the baseline.
    verdicts, warnings, unmeasured : tuple of str
        A sentence each: what to use and whether to trust that, what is odd about the collection,
        what could not be measured and why.
    """

    report: Path
    counts: Counts
    k: tuple[int, ...]
    k_reason: str
    table: pd.DataFrame
    summary: pd.DataFrame | None = None
    differences: pd.DataFrame | None = None
    verdicts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()


def run(
    source: Path | str,
    out: Path | str | None = None,
    settings: Settings | None = None,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    command: Sequence[str] = (),
) -> ExperimentSummary:
    """Read a collection, train the models, cluster, measure, and write the report.

    Started again on the same `out`, it does only what is missing or has changed.

    Parameters
    ----------
    source : path
        A folder of audio with lyric sidecars, a folder with a `tracks.csv`, or such a table.
    out : path, optional
        Folder for `songscape.db`, `models/`, `trials/` and `results/`; default: NAME-songscape in
        the current folder.
    settings : Settings, optional
    workers : int, optional
        Processes that decode audio, and that train; default: the number of cores.
    executor : concurrent.futures.Executor, optional
        Where to decode and to train instead, such as a cluster's; its workers must be processes
        that see the same files.
    command : sequence of str
        The command line, for the report.

    Raises
    ------
    SongscapeError
        Nothing can be read, or too few tracks could be analysed.
    """
    source = Path(source)
    folder = ResultsFolder(Path(out) if out is not None else default_folder(source))
    settings = settings or Settings()
    return _conduct(source, folder, settings, False, workers, executor, command)


def compare(
    source: Path | str,
    out: Path | str | None = None,
    settings: Settings | None = None,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    command: Sequence[str] = (),
) -> ExperimentSummary:
    """Compare models on a collection: more seeds, permutation nulls, intervals and tests.

    Parameters
    ----------
    source : path
        The folder of an earlier `run`, its `songscape.db`, or a collection as `run` takes it.
    out : path, optional
        Default: the folder of the run; NAME-songscape for a collection.
    settings : Settings, optional
        Default: see `comparison_settings`. The baselines stand in every comparison, and the
        partitions of the first clusterer are those that are tested.
    workers, executor, command
        See `run`.

    Raises
    ------
    SongscapeError
        There is no library, too few tracks, or no model could be trained.
    """
    source = Path(source)
    folder = comparison_folder(source, None if out is None else Path(out))
    settings = settings or comparison_settings(folder.root)
    missing = tuple(name for name in ALWAYS if name not in settings.models)
    settings = replace(settings, models=settings.models + missing)
    return _conduct(source, folder, settings, True, workers, executor, command)


def comparison_settings(out: Path | None = None, *, quick: bool = False) -> Settings:
    """All models and baselines, three clusterers, 10 seeds (3 if `quick`).

    Where `out` holds a run, its settings hold on (features, options, labels, k), and its models
    come first.
    """
    base = Settings()
    if out is not None:
        recorded = (ResultsFolder(out).read_document() or {}).get("run")
        if recorded:
            base = settings_from(recorded["settings"], str(out))
    ran = base.models if base != Settings() else ()
    return replace(
        base,
        models=tuple(dict.fromkeys((*ran, *COMPARED_MODELS))),
        clusterers=COMPARED_CLUSTERERS,
        seeds=QUICK_SEEDS if quick else SEEDS,
    )


def default_folder(source: Path) -> Path:
    """Where results go when nobody says: NAME-songscape in the current folder."""
    whole = source.resolve()
    return Path(f"{whole.stem if whole.is_file() else whole.name}-songscape")


def comparison_folder(source: Path, out: Path | None) -> ResultsFolder:
    """Where a comparison works: where the run did, unless it is told otherwise."""
    if out is None and source.suffix == ".db":
        out = source.parent
    elif out is None and (source / "songscape.db").exists():
        out = source
    return ResultsFolder(out or default_folder(source))


@dataclass(frozen=True, eq=False)
class Request:
    """What a command asks of the experiment: its settings, and whether with permutation nulls."""

    settings: Settings
    ks: tuple[int, ...]
    nulls: bool
    command: tuple[str, ...] = ()

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The space and every partition that is asked for."""
        from songscape.clustering.methods import NEEDS_K

        options = self.settings.clusterer_options
        found = [Part(SPACE, self.nulls)]
        for name in self.settings.clusterers:
            for k in self.ks if name in NEEDS_K else (None,):
                found.append(Part(PartitionKey(name, k), self.nulls, options.get(name, {})))
        return tuple(found)

    @property
    def first(self) -> int:
        return self.settings.seeds[0]

    def trainings(self, digests: Mapping[str, str]) -> dict[Name, Training]:
        """What is to be trained, all models of the first seed first."""
        options = self.settings.model_options
        return {
            (model, seed): Training.of(model, seed, options.get(model, {}), digests)
            for seed in self.settings.seeds
            for model in self.settings.models
        }

    def as_dict(self) -> dict[str, Any]:
        return {
            "settings": self.settings.as_dict(),
            "k": list(self.ks),
            "command": list(self.command),
        }


def _conduct(
    source: Path,
    folder: ResultsFolder,
    settings: Settings,
    comparing: bool,
    workers: int | None,
    executor: Executor | None,
    command: Sequence[str],
) -> ExperimentSummary:
    from songscape.features.extract import available_cores

    check_settings(settings)
    check_folder(folder.root, source)
    with folder.locked():
        experiment = Experiment(folder, workers or available_cores(), executor)
        experiment.read(source, settings)
        request = experiment.request(settings, comparing, tuple(command))
        experiment.run_trials(request)
        return experiment.report(request)


class Experiment:
    """The stages of an experiment in their order; each leaves its files in the results folder."""

    def __init__(self, folder: ResultsFolder, workers: int, executor: Executor | None) -> None:
        self.folder = folder
        self.workers = workers
        self.executor = executor
        self.recorded = folder.read_document() or {}
        self.crashed: dict[Name, str] = {}

    # -- reading ---------------------------------------------------------------------------------

    def read(self, source: Path, settings: Settings) -> None:
        """Bring the library up to date, and find out what is measured against what."""
        from songscape.experiment.dataset import EVIDENCE_VIEWS, load_inputs, read_library, views_needed
        from songscape.experiment.targets import subject_of
        from songscape.library import Library

        views = views_needed(settings.models, EVIDENCE_VIEWS, settings.model_options)
        is_library = source.suffix == ".db" or (source / "songscape.db").exists()
        if is_library:
            path = source if source.suffix == ".db" else source / "songscape.db"
            library = Library.open(path, must_exist=True)
        else:
            path = self.folder.library
            library = read_library(
                source, path, self.workers, settings.labels, views, nuisances=settings.nuisances
            )
        with library:
            self.library_path = path
            self.counts = library.counts()
            self.title = settings.title or (
                library.root.name if is_library else source.resolve().name
            )
            self.folder.write_table("ledger", tables.ledger_table(library))
            self.inputs = load_inputs(library, settings, views)
        self.targets = subject_of(self.inputs, settings.labels)
        self.digests = {
            name: self.inputs.views.select([name]).digest()
            for name, view in self.inputs.views.items()
            if view.present.any()
        }
        self.settings = settings
