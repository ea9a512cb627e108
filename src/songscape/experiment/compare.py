"""Comparison: every model x clusterer x k x seed beside every baseline, and what to believe.

Cells (one model and seed each) run in processes of their own and are kept, so that a comparison
that was stopped goes on where it was.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.errors import SongscapeError
from songscape.experiment.forecast import Announcer, StageTimes
from songscape.experiment.gather import (
    clusters_table,
    evidence_by_model,
    tracks_table,
    unmeasured_table,
    warnings_table,
)
from songscape.experiment.schedule import run_cells
from songscape.experiment.targets import targets_of
from songscape.experiment.trials import CellTask, read_cell
from songscape.results import ResultsFolder, write_atomically
from songscape.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.metric_table import Setup
    from songscape.experiment.dataset import Dataset
    from songscape.library import Counts

__all__ = ["ComparisonSummary", "compare", "default_settings", "run_comparison"]

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


@dataclass(frozen=True, eq=False)
class ComparisonSummary:
    """What a comparison left behind.

    Attributes
    ----------
    report : Path
        The page to open.
    table : DataFrame
        Tidy: one row per model, clusterer, k, axis, metric and column, with interval.
    differences : DataFrame
        Every test against the baseline, with verdict.
    warnings : tuple of str
        What is odd about the collection.
    failed : tuple of str
        What could not be measured, each with its reason: whole cells, partitions, metrics.
    counts : Counts
        What became of the collection's tracks.
    library : Path
        The `songscape.db` compared on.
    verdicts : tuple of str
        One sentence each: what to use, whether to trust that, then every method.
    """

    report: Path
    table: pd.DataFrame
    differences: pd.DataFrame
    warnings: tuple[str, ...]
    failed: tuple[str, ...]
    counts: Counts
    library: Path
    verdicts: tuple[str, ...] = ()


def default_settings(*, quick: bool = False) -> Settings:
    """All models and baselines, three clusterers, 10 seeds (3 if `quick`), k chosen."""
    return Settings(
        models=COMPARED_MODELS,
        clusterers=COMPARED_CLUSTERERS,
        seeds=QUICK_SEEDS if quick else SEEDS,
    )


def compare(
    library: Path | str,
    out: Path | str | None = None,
    settings: Settings | None = None,
    *,
    workers: int = 1,
) -> pd.DataFrame:
    """Compare models on a collection; returns the tidy table of `run_comparison`.

    One row per model, clusterer, k, axis, metric and column: estimate, low, high, chance, null_95,
    p_value. The report, the tests and their verdicts lie in the folder `out`.
    """
    return run_comparison(library, out, settings, workers=workers).table


def run_comparison(
    library: Path | str,
    out: Path | str | None = None,
    settings: Settings | None = None,
    *,
    workers: int = 1,
    command: Sequence[str] = (),
) -> ComparisonSummary:
    """Compare models on an analysed collection.

    Parameters
    ----------
    library : path
        A `songscape.db`, the folder of `songscape run --out` that holds it, or a collection as
        `songscape run` takes it, which is read first.
    out : path, optional
        Folder for cells, tables and the report; default: `compare` beside the library, or
        `NAME-songscape` for a collection.
    settings : Settings, optional
        Default: all models and baselines, three clusterers, 10 seeds.
    workers : int
        Processes; each uses one core.
    command : sequence of str
        The command line, for the report.

    Raises
    ------
    SongscapeError
        There is no library, too few tracks, or no model could be trained.
    """
    from songscape.experiment.dataset import EVIDENCE_VIEWS, read_library, views_needed
    from songscape.experiment.fit import check_models
    from songscape.experiment.partitions import check_clusterers

    settings = settings or default_settings()
    missing = tuple(name for name in ALWAYS if name not in settings.models)
    settings = replace(settings, models=settings.models + missing)
    check_models(settings.models, settings.model_options)
    check_clusterers(settings.clusterers, settings.clusterer_options)
    source = Path(library)
    path, root = _places(source, None if out is None else Path(out))
    folder = ResultsFolder(root)
    with folder.locked():
        if not _is_library(source):
            read_library(
                source,
                path,
                settings,
                views_needed(settings.models, EVIDENCE_VIEWS, settings.model_options),
                workers=workers,
            ).close()
        return _compare(path, folder, settings, workers, command)


def _is_library(source: Path) -> bool:
    return source.suffix == ".db" or (source / "songscape.db").exists()


def _compare(
    path: Path, folder: ResultsFolder, settings: Settings, workers: int, command: Sequence[str]
) -> ComparisonSummary:
    from songscape.audit.checks import check_collection
    from songscape.benchmark.benchmark import evaluate, setup_of
    from songscape.benchmark.wording import finding_sentence
    from songscape.experiment.comparison_pictures import draw_comparison
    from songscape.experiment.dataset import EVIDENCE_VIEWS, load_dataset, views_needed
    from songscape.experiment.fit import models_table
    from songscape.experiment.partitions import check_k, shared_k
    from songscape.library import Library
    from songscape.report.comparison_latex import comparison_latex
    from songscape.report.comparison_page import write_comparison_report
    from songscape.report.comparison_read import read_comparison
    from songscape.report.unmeasured import unmeasured_lines

    with Library.open(path, must_exist=True) as opened:
        counts, collection = opened.counts(), opened.root.name
        inputs = load_dataset(opened, settings, views_needed(settings.models, EVIDENCE_VIEWS))
    check_k(settings.k, inputs.views.n_tracks)
    targets = targets_of(inputs, settings.labels)
    findings = check_collection(
        inputs.views,
        inputs.columns,
        inputs.facts,
        lyrics_texts=inputs.texts,
        nuisances=inputs.nuisance_columns,
        roles=inputs.roles,
        copies=inputs.copies,
    )
    clusters = shared_k(inputs.views, settings.k)
    ks = clusters.ks
    tasks = [
        CellTask(path.resolve(), folder.root.resolve(), settings, model, seed, ks)
        for seed in settings.seeds
        for model in settings.models
    ]
    announcer = Announcer()
    times = StageTimes(folder.root / "timings.json", len(tasks))
    crashed = run_cells(
        tasks, workers, later=times.expected("intervals", "pictures"), announcer=announcer
    )
    cells = [
        read_cell(task.path, inputs.views.track_ids) for task in tasks if task.name not in crashed
    ]
    unmeasured = unmeasured_table(cells, crashed)
    evidence = evidence_by_model(cells)
    if not evidence:
        reasons = dict.fromkeys(unmeasured["reason"])
        raise SongscapeError(f"no model could be trained: {'; '.join(map(str, reasons))}")
    setup = setup_of(
        targets,
        baseline=BASELINE,
        clusterers=settings.clusterers,
        clusters=clusters,
        n_seeds=len(settings.seeds),
    )
    headline = setup.headline
    title = "putting intervals on every value"
    with times.stage("intervals", title, "model", announcer, "pictures") as advance:
        found = evaluate(evidence, targets, baseline=BASELINE, headline=headline, progress=advance)
    _write_formats(folder, "table", found.table)
    _write_formats(folder, "summary", found.summary)
    _write_formats(folder, "differences", found.differences)
    summaries = [dict(cell.summary) for cell in cells]
    summaries += [
        {"model": model, "seed": seed, "status": "failed", "reason": why}
        for (model, seed), why in crashed.items()
    ]
    folder.write_table("models", models_table(summaries, "seconds", "peak_memory_mib"))
    folder.write_table("unmeasured", None if unmeasured.empty else unmeasured)
    folder.write_table("warnings", warnings_table(findings))
    folder.write_table("stability", clusters.curve)
    folder.write_table("clusters", clusters_table(evidence, targets, headline))
    folder.write_table("tracks", tracks_table(evidence, targets, inputs.views.track_ids))
    document = _document(inputs, setup, settings, ks)
    document |= {"title": settings.title or collection, "command": list(command)}
    folder.write_json("compare", document)
    results = read_comparison(folder.tables)
    latex = comparison_latex(results)
    write_atomically(
        folder.tables / "table.tex", lambda p: p.write_text(latex, encoding="utf-8", newline="\n")
    )
    # Comparisons of older versions left every test as LaTeX.
    (folder.tables / "differences.tex").unlink(missing_ok=True)
    with times.stage("pictures", "drawing pictures", "picture", announcer) as advance:
        draw_comparison(folder, results, evidence, targets, clusters.curve, progress=advance)
    return ComparisonSummary(
        report=write_comparison_report(folder.tables),
        table=found.summary,
        differences=found.differences,
        warnings=tuple(finding_sentence(finding) for finding in findings),
        failed=tuple(unmeasured_lines(unmeasured)),
        counts=counts,
        library=path,
        verdicts=(*results.assessment.sentences, *_count_sentence(len(tasks), unmeasured)),
    )


def _count_sentence(n_cells: int, unmeasured: pd.DataFrame) -> tuple[str, ...]:
    """One sentence on how much could not be measured, none where everything could."""
    if unmeasured.empty:
        return ()
    whole = unmeasured[unmeasured["what"].isin(["model", "skipped"])]
    n_lost = len(whole[["model", "seed"]].drop_duplicates())
    parts = len(unmeasured) - len(whole)
    text = f"{n_cells} cells (model and seed) = {n_cells - n_lost} measured + {n_lost} not"
    if parts:
        text += f"; in those measured, {parts} more {'thing' if parts == 1 else 'things'} not"
    return (f"{text}: the report names each with its reason.",)


def _places(source: Path, out: Path | None) -> tuple[Path, Path]:
    """The library's file and the folder to write to."""
    from songscape.experiment.run import default_folder

    if source.suffix == ".db":
        return source, out or source.parent / "compare"
    if _is_library(source):
        return source / "songscape.db", out or source / "compare"
    out = out or default_folder(source)
    return ResultsFolder(out).library, out


def _document(
    inputs: Dataset, setup: Setup, settings: Settings, ks: Sequence[int]
) -> dict[str, Any]:
    """What the page and whoever repeats the comparison need to know, for `compare.json`."""
    return {
        "songscape": __version__,
        "settings": settings.as_dict(),
        "k": list(ks),
        **asdict(setup),
        "input_digest": inputs.digest,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {n: version(n) for n in ("numpy", "scipy", "scikit-learn", "torch")},
    }


def _write_formats(folder: ResultsFolder, name: str, frame: pd.DataFrame) -> None:
    """CSV and Parquet of one table."""
    folder.write_table(name, frame)
    path = folder.tables / f"{name}.parquet"
    write_atomically(path, lambda p: frame.to_parquet(p, index=False))
