"""Comparison: every model x clusterer x k x seed beside every baseline, and what to believe.

Cells (one model and seed each) run in processes of their own and are kept, so that a comparison
that was stopped goes on where it was.
"""

from __future__ import annotations

import multiprocessing
import platform
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.errors import SongscapeError
from songscape.pipeline.cells import Cell, CellTask, compute_cell, read_cell, subject_of
from songscape.progress import progress_bar, say
from songscape.results import ResultsFolder
from songscape.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from songscape.evaluation.compare import ModelEvidence
    from songscape.evaluation.evidence import Subject
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
PRELOADED = ("songscape.pipeline.cells", "songscape.models.vae", "songscape.evaluation.evidence")
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
        Cells that failed, each with its reason.
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
    import numpy as np

    from songscape.clustering.methods import NEEDS_K
    from songscape.evaluation.checks import check_collection
    from songscape.evaluation.compare import compare as compare_evidence
    from songscape.evaluation.compare import seeds_table
    from songscape.library import Library
    from songscape.pipeline.comparison_pictures import draw_comparison
    from songscape.pipeline.inputs import EVIDENCE_VIEWS, load_inputs, views_needed
    from songscape.pipeline.partitions import check_clusterers, check_k, shared_k
    from songscape.pipeline.representations import check_models, models_table
    from songscape.report.comparison_page import write_comparison_report
    from songscape.report.comparison_read import read_comparison

    settings = settings or default_settings()
    missing = tuple(name for name in ALWAYS if name not in settings.models)
    settings = replace(settings, models=settings.models + missing)
    check_models(settings.models, settings.model_options)
    check_clusterers(settings.clusterers, settings.clusterer_options)
    path, root = _library(
        Path(library), None if out is None else Path(out), workers, settings.labels
    )
    with Library.open(path, must_exist=True) as opened:
        counts, collection = opened.counts(), opened.root.name
        inputs = load_inputs(opened, settings, views_needed(settings.models, EVIDENCE_VIEWS))
    check_k(settings.k, inputs.views.n_tracks)
    folder = ResultsFolder(root)
    subject = subject_of(inputs, settings.labels)
    findings = check_collection(
        inputs.views, inputs.columns, inputs.facts, lyrics_texts=inputs.texts
    )
    ks, k_reason, k_curve = shared_k(inputs.views, settings.k)
    tasks = [
        CellTask(path.resolve(), folder.root.resolve(), settings, model, seed, ks)
        for seed in settings.seeds
        for model in settings.models
    ]
    crashed = _compute(tasks, workers)
    cells = [
        read_cell(task.path, inputs.views.track_ids) for task in tasks if task.name not in crashed
    ]
    evidence = _by_model(cells)
    if not evidence:
        raise SongscapeError(
            "no model could be trained; see the cells' reasons in " + str(folder.root)
        )
    first = settings.clusterers[0]
    headline = (first, ks[0] if first in NEEDS_K else None)
    with progress_bar("putting intervals on every value", "model") as advance:
        found = compare_evidence(evidence, subject, headline=headline, progress=advance)
    folder.write_table("seeds", seeds_table(evidence))
    _write_formats(folder, "table", found.table)
    _write_formats(folder, "differences", found.differences)
    summaries = [dict(cell.summary) for cell in cells]
    summaries += [
        {"model": model, "seed": seed, "status": "failed", "reason": why}
        for (model, seed), why in crashed.items()
    ]
    folder.write_table("models", models_table(summaries, "seconds", "peak_memory_mib"))
    folder.write_table("warnings", _warnings_table(findings))
    folder.write_table("stability", k_curve)
    folder.write_table("tracks", _tracks_table(evidence, subject, inputs.views.track_ids))
    folder.write_json(
        "compare",
        {
            "title": settings.title or collection,
            "songscape": __version__,
            "command": list(command),
            "settings": settings.as_dict(),
            "baseline": found.baseline,
            "headline": {"clusterer": headline[0], "k": headline[1]},
            "k": list(ks),
            "k_reason": k_reason,
            "n_tracks": inputs.views.n_tracks,
            "n_groups": len(np.unique(np.asarray(subject.groups))),
            "labels": list(subject.labels),
            "nuisances": list(subject.nuisances),
            "has_artists": subject.artists is not None,
            "input_digest": inputs.views.digest(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "versions": {n: version(n) for n in ("numpy", "scipy", "scikit-learn", "torch")},
        },
    )
    results = read_comparison(folder.tables)
    draw_comparison(folder, results, evidence, subject, k_curve)
    report = write_comparison_report(folder.tables)
    failed = tuple(
        f"{c.model} (seed {c.seed}): {c.summary['reason']}" for c in cells if c.samples.empty
    )
    failed += tuple(f"{model} (seed {seed}): {why}" for (model, seed), why in crashed.items())
    warnings = tuple(finding.message for finding in findings)
    verdicts = results.advice.sentences
    return ComparisonSummary(
        report, found.table, found.differences, warnings, failed, counts, path, verdicts
    )


def _library(
    source: Path, out: Path | None, workers: int, labels: Sequence[str]
) -> tuple[Path, Path]:
    """The library's file and the folder to write to; a collection is read into a library first."""
    from songscape.pipeline.inputs import read_library
    from songscape.pipeline.run import default_folder

    if source.suffix == ".db":
        return source, out or source.parent / "compare"
    if (source / "songscape.db").exists():
        return source / "songscape.db", out or source / "compare"
    out = out or default_folder(source)
    path = out / "songscape.db"
    read_library(source, path, workers, labels).close()
    return path, out


def _compute(tasks: Sequence[CellTask], workers: int) -> dict[tuple[str, int], str]:
    """Run every cell; returns those whose process died, with the reason.

    The first seed of every model comes first: what it took is the estimate for the other seeds.
    """
    crashed: dict[tuple[str, int], str] = {}
    context = _context()
    waiting = list(tasks)
    # Cells that are there already would make the first seed look cheaper than it was.
    announced = any(task.path.exists() for task in tasks)
    start, alone = time.perf_counter(), False
    with progress_bar("training and measuring", "cell") as advance:
        while waiting:
            batch, broken = waiting[:1] if alone else list(waiting), False
            pool = ProcessPoolExecutor(
                1 if alone else workers, mp_context=context, max_tasks_per_child=1
            )
            futures = {pool.submit(compute_cell, task): task for task in batch}
            try:
                for future in as_completed(futures):
                    task = futures[future]
                    try:
                        future.result()
                    except BrokenProcessPool:
                        broken = True
                        continue
                    except Exception as error:
                        # Whatever one cell raises is its reason; the others go on.
                        reason = str(error).splitlines() or [""]
                        crashed[task.name] = f"{type(error).__name__}: {reason[0]}"
                    waiting.remove(task)
                    advance(len(tasks) - len(waiting), len(tasks))
                    left = {task.seed for task in waiting}
                    if not announced and tasks[0].seed not in left and left:
                        announced = True
                        _announce(time.perf_counter() - start, len(left))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in multiprocessing.active_children():
                    process.terminate()
                raise
            pool.shutdown()
            # A process that dies takes the cells beside it along: only what dies alone is to blame.
            if broken and alone:
                crashed[waiting.pop(0).name] = "its process died (out of memory?)"
            alone = alone != broken
    return crashed


def _context() -> multiprocessing.context.BaseContext:
    """A fresh process per cell, so that its peak memory is its own.

    Where there is a fork server the libraries are imported there, once for all cells.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


def _announce(seconds_per_seed: float, seeds_left: int) -> None:
    minutes = seconds_per_seed * seeds_left / 60
    if minutes >= 1:
        say(f"one seed took {seconds_per_seed / 60:.1f} min; about {minutes:.0f} min to go")


def _by_model(cells: Sequence[Cell]) -> list[ModelEvidence]:
    import numpy as np

    from songscape.evaluation.compare import ModelEvidence
    from songscape.models.presets import find_preset

    evidence = []
    for model in dict.fromkeys(cell.model for cell in cells):
        own = [cell for cell in cells if cell.model == model and not cell.samples.empty]
        if not own:
            continue
        samples = {
            name: np.stack([cell.samples[name].to_numpy() for cell in own if name in cell.samples])
            for name in own[0].samples.columns
        }
        partitions = {
            _where(name): np.stack(
                [cell.partitions[name].to_numpy() for cell in own if name in cell.partitions]
            )
            for name in own[0].partitions.columns
        }
        rows = [row | {"seed": cell.seed} for cell in own for row in cell.rows]
        kind = find_preset(model).kind
        evidence.append(ModelEvidence(model, kind, rows, samples, partitions))
    return evidence


def _where(column: str) -> tuple[str, int | None]:
    clusterer, _, k = column.partition("|")
    return clusterer, int(k) if k else None


def _warnings_table(findings: Sequence[Any]) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {k: "; ".join(v) if k == "tracks" else v for k, v in asdict(finding).items()}
        for finding in findings
    ]
    return pd.DataFrame(rows, columns=["check", "severity", "message", "tracks"])


def _tracks_table(
    evidence: Sequence[ModelEvidence], subject: Subject, track_ids: Sequence[str]
) -> pd.DataFrame:
    """Per track: its group of evidence, and how unsure its place is in each model's partition."""
    import numpy as np
    import pandas as pd

    columns: dict[str, Any] = {"track_id": list(track_ids), "group": np.asarray(subject.groups)}
    for one in evidence:
        for name, values in one.samples.items():
            if name.startswith("unsure:"):
                columns[f"{one.model}|{name.removeprefix('unsure:')}"] = values[0]
    return pd.DataFrame(columns)


def _write_formats(folder: ResultsFolder, name: str, frame: pd.DataFrame) -> None:
    """CSV, Parquet and LaTeX (booktabs) of one table."""
    from songscape.results import write_atomically

    folder.write_table(name, frame)
    write_atomically(folder.tables / f"{name}.parquet", lambda p: frame.to_parquet(p, index=False))
    latex = frame.to_latex(index=False, float_format="%.3f", escape=True, longtable=True)
    write_atomically(folder.tables / f"{name}.tex", lambda p: p.write_text(latex, encoding="utf-8"))
