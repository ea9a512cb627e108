"""The experiment: a music folder in, clusters, evidence and one page out.

`run` reads, trains, clusters and measures; `compare` does the same with more seeds, permutation
nulls and intervals, and tests every method against a baseline. Both work on one results folder, use
what the other has trained, and show what the other has found as long as it is of the same data.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.errors import SongscapeError, UsageError
from songscape.experiment.checks import check_collection, check_folder, check_settings
from songscape.experiment.fit import digest_of
from songscape.experiment.outputs import ExperimentSummary, write_results
from songscape.experiment.request import Outcome, Request
from songscape.experiment.trial_inputs import TrialInputs
from songscape.progress import progress_bar, say
from songscape.results import ResultsFolder, read_json, write_json
from songscape.settings import Settings, settings_from

if TYPE_CHECKING:
    from songscape.benchmark.number_of_clusters import NumberOfClusters
    from songscape.library import Library

__all__ = [
    "ExperimentSummary",
    "compare",
    "comparison_folder",
    "comparison_settings",
    "default_folder",
    "run",
]

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
# Of versions before 0.2 (or whatever precedes): what is no longer written, and would look current.
OLD_FILES = ("metrics.csv", "seeds.csv", "course.csv", "calibration.csv", "run.json")
OLD_FILES += ("compare.json", "differences.tex")


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
        Processes that read audio, and that train; default: the number of cores.
    executor : concurrent.futures.Executor, optional
        Where to read and to train instead, such as a cluster's; its workers must be processes
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
    return _conduct(
        source, folder, settings or Settings(), "run", workers, executor, tuple(command)
    )


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
    folder = ResultsFolder(comparison_folder(source, None if out is None else Path(out)))
    settings = settings or comparison_settings(folder.root)
    missing = tuple(name for name in ALWAYS if name not in settings.models)
    settings = replace(settings, models=settings.models + missing)
    return _conduct(source, folder, settings, "compare", workers, executor, tuple(command))


def comparison_settings(out: Path | None = None) -> Settings:
    """All models and baselines, three clusterers, 10 seeds.

    Where `out` holds a run, its settings hold on (features, options, labels, k), and its models
    stand beside the others.
    """
    recorded = _recorded(ResultsFolder(out), "run") if out is not None else None
    base = Settings() if recorded is None else recorded.settings
    ran = () if recorded is None else base.models
    return replace(
        base,
        models=tuple(dict.fromkeys((*COMPARED_MODELS, *ran))),
        clusterers=COMPARED_CLUSTERERS,
        seeds=SEEDS,
    )


def default_folder(source: Path) -> Path:
    """Where results go when nobody says: NAME-songscape in the current folder."""
    whole = source.resolve()
    return Path(f"{whole.stem if whole.is_file() else whole.name}-songscape")


def comparison_folder(source: Path, out: Path | None) -> Path:
    """Where a comparison works: where the run did, unless it is told otherwise."""
    if out is not None:
        return out
    if source.suffix == ".db":
        return source.parent
    return source if (source / "songscape.db").exists() else default_folder(source)


def _conduct(
    source: Path,
    folder: ResultsFolder,
    settings: Settings,
    verb: str,
    workers: int | None,
    executor: Executor | None,
    command: tuple[str, ...],
) -> ExperimentSummary:
    """The stages in their order."""
    from songscape.workers import available_cores

    check_settings(settings)
    check_folder(folder.root, source)
    workers = workers or available_cores()
    with folder.locked():
        other = _recorded(folder, "compare" if verb == "run" else "run")
        both = settings if other is None else _with_models_of(settings, other.settings)
        with _opened(source, folder, settings, workers, executor) as library:
            counts, title = library.counts(), settings.title or library.root.name
            inputs = _loaded(library, both, settings)
            folder.write_table("ledger", ledger_table(library))
        check_collection(len(inputs.track_ids), (), settings)
        clusters = _number_of_clusters(inputs, settings.k, folder)
        request = Request(settings, clusters.ks, verb == "compare", command)
        mine = request.fulfil(inputs, folder, workers, executor)
        ...
