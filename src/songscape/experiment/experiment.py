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

from songscape.errors import SongscapeError, UsageError
from songscape.experiment.checks import check_folder, check_settings, check_size
from songscape.experiment.outputs import ExperimentSummary, write_results
from songscape.experiment.request import Request, RequestResult, kept_k
from songscape.experiment.trial_inputs import TrialInputs
from songscape.progress import say
from songscape.results import ResultsFolder
from songscape.settings import Settings, settings_from

# What stands in every comparison, whatever models are asked for.
ALWAYS = (
    *("balanced-pca", "balanced-pca-centred", "balanced-lda", "neutral-lda"),
    *("random", "language-only", "has-lyrics-only"),
)
COURSE_MODELS = ("dense-vae", "fusion-dense-vae", "conv1d-vae", "autoencoder", "pca", "raw")
"""Left out of a quick comparison: they take most of its time."""
COMPARED_MODELS = (
    *("song-vae", "neutral-vae"),
    *COURSE_MODELS,
    *("balanced-lda", "neutral-lda", "balanced-pca", "balanced-pca-centred"),
    *("timbre-pca", "tfidf"),
    *("random", "language-only", "has-lyrics-only"),
)
COMPARED_CLUSTERERS = ("kmeans", "ward", "dbscan")
SEEDS = tuple(range(10))
QUICK_SEEDS = tuple(range(3))


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
    return _conduct("run", source, folder, settings or Settings(), command, workers, executor)


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
    return _conduct("compare", source, folder, settings, command, workers, executor)


def comparison_settings(out: Path | None = None, *, quick: bool = False) -> Settings:
    """All models and baselines, three clusterers, 10 seeds; quick: 3 seeds, no course models.

    Where `out` holds a run, its settings hold on (features, options, labels, k), and its models
    are compared too.
    """
    ran = None if out is None else recorded_settings(ResultsFolder(out), "run")
    models = [name for name in COMPARED_MODELS if not (quick and name in COURSE_MODELS)]
    models += () if ran is None else ran.models
    return replace(
        ran or Settings(),
        models=tuple(dict.fromkeys(models)),
        clusterers=COMPARED_CLUSTERERS,
        seeds=QUICK_SEEDS if quick else SEEDS,
    )


def default_folder(source: Path) -> Path:
    """Where results go when nobody says: NAME-songscape in the current folder."""
    whole = source.resolve()
    return Path(f"{whole.stem if whole.is_file() else whole.name}-songscape")


def comparison_folder(source: Path, out: Path | None) -> Path:
    """The results folder of a comparison: that of the run, unless another is given."""
    library = _library_of(source)
    return out or (default_folder(source) if library is None else library.parent)


def _library_of(source: Path) -> Path | None:
    """The library that a comparison is pointed at; None where it is pointed at a collection."""
    path = source if source.suffix == ".db" else source / "songscape.db"
    return path if path == source or path.exists() else None


def recorded_settings(folder: ResultsFolder, verb: str) -> Settings | None:
    """Settings of the last `run` or `compare` in this folder; None where there is none."""
    recorded = (folder.read_document() or {}).get(verb)
    try:
        return settings_from(recorded["settings"], str(folder.tables)) if recorded else None
    except UsageError:
        return None


def _conduct(
    verb: str,
    source: Path,
    folder: ResultsFolder,
    settings: Settings,
    command: Sequence[str],
    workers: int | None,
    executor: Executor | None,
) -> ExperimentSummary:
    """The stages in their order."""
    from songscape.experiment.dataset import (
        EVIDENCE_VIEWS,
        load_dataset,
        read_library,
        views_needed,
    )
    from songscape.library import Library
    from songscape.workers import available_cores

    # What was checked the last time needs no models to be imported.
    if recorded_settings(folder, verb) != settings:
        check_settings(settings)
    check_folder(folder.root, source)
    workers = workers or available_cores()
    with folder.locked():
        path = _library_of(source) if verb == "compare" else None
        if path is None:
            path, views = folder.library, views_needed(settings, EVIDENCE_VIEWS)
            read_library(source, path, settings, views, workers=workers, executor=executor).close()
        other = recorded_settings(folder, "compare" if verb == "run" else "run")
        both = settings if other is None else _together(settings, other)
        with Library.open(path, must_exist=True) as library:
            views = views_needed(both, EVIDENCE_VIEWS)
            data = load_dataset(library, both, views, workers=workers, executor=executor)
            inputs = TrialInputs.of(data, both)
            check_size(len(inputs.track_ids), (), settings)
            clusters = kept_k(inputs, settings.k, folder.choice_of_k)
            assert clusters is not None
            request = Request(settings, clusters, verb == "compare", tuple(command))
            mine = request.fulfil(inputs, folder, workers, executor)
            if not mine.trials:
                reasons = dict.fromkeys(str(one["reason"]) for one in mine.summaries.values())
                raise SongscapeError(f"no model could be trained: {'; '.join(reasons)}")
            for (model, seed), summary in mine.summaries.items() if verb == "run" else ():
                if summary.get("warnings"):
                    say(f"{model} (seed {seed}): {summary['warnings']}")
            kept = None if other is None else _kept(other, request, inputs, folder)
            return write_results(folder, library, inputs, mine, kept)


def _together(settings: Settings, other: Settings) -> Settings:
    """These, with the models of the other command, whose views are read too."""
    models = tuple(dict.fromkeys((*settings.models, *other.models)))
    options = {**other.model_options, **settings.model_options}
    return replace(settings, models=models, model_options=options)


def _kept(
    other: Settings, request: Request, inputs: TrialInputs, folder: ResultsFolder
) -> RequestResult | None:
    """What the other command left, if it is all there and of the same data."""
    same = ("features", "labels", "nuisances", "roles")
    if any(getattr(other, name) != getattr(request.settings, name) for name in same):
        return None
    clusters = kept_k(inputs, other.k, folder.choice_of_k, choose=False)
    if clusters is None:
        return None
    verb = "run" if request.nulls else "compare"
    command = (folder.read_document() or {})[verb]["command"]
    found = Request(other, clusters, not request.nulls, tuple(command)).kept(inputs, folder)
    return None if found.missing else found
