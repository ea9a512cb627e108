"""The main job: a music folder in, clusters, evidence and a report out."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from songscape._version import __version__
from songscape.errors import SongscapeError
from songscape.progress import progress_bar, say
from songscape.results import ResultsFolder
from songscape.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from songscape.experiment.fit import Representation
    from songscape.features.views import Views
    from songscape.library import Counts, Library

__all__ = ["RunSummary", "default_folder", "ledger_frame", "run"]

VERSIONS_OF = ("numpy", "scipy", "scikit-learn", "torch", "umap-learn", "soundfile", "soxr")


@dataclass(frozen=True, eq=False)
class RunSummary:
    """What a run left behind.

    Attributes
    ----------
    report : Path
        The page to open.
    counts : Counts
        found = analysed + skipped + failed, in tracks.
    k : tuple of int
        Numbers of clusters used; `k_reason` says how they were chosen.
    metrics : DataFrame
        `results/metrics.csv`.
    table : DataFrame
        Published rows beside ours; empty where the settings name none.
    """

    report: Path
    counts: Counts
    k: tuple[int, ...]
    k_reason: str
    metrics: pd.DataFrame
    table: pd.DataFrame


def run(
    source: Path | str,
    out: Path | str,
    settings: Settings | None = None,
    *,
    workers: int | None = None,
    command: Sequence[str] = (),
) -> RunSummary:
    """Read a collection, train the models, cluster, measure, and write the report.

    Started again on the same `out`, it does only what is missing or has changed.

    Parameters
    ----------
    source : path
        A folder of audio with lyric sidecars, a folder with a `tracks.csv`, or such a table.
    out : path
        Folder for `songscape.db`, `models/` and `results/`; made if it does not exist.
    settings : Settings, optional
    workers : int, optional
        Processes that decode audio; default: the number of cores.
    command : sequence of str
        The command line, for the report.

    Raises
    ------
    SongscapeError
        Nothing can be read, or too few tracks could be analysed.
    """
    from songscape.experiment.fit import check_models
    from songscape.experiment.partitions import check_clusterers

    settings = settings or Settings()
    check_models(settings.models, settings.model_options)
    check_clusterers(settings.clusterers, settings.clusterer_options)
    folder = ResultsFolder(Path(out))
    with folder.locked():
        return _run(Path(source), folder, settings, workers, command)


def _run(
    source: Path,
    folder: ResultsFolder,
    settings: Settings,
    workers: int | None,
    command: Sequence[str],
) -> RunSummary:
    from songscape.experiment.dataset import load_dataset, read_library, views_needed
    from songscape.experiment.descriptions import descriptions_table
    from songscape.experiment.fit import models_table
    from songscape.experiment.partitions import (
        check_k,
        claimed_table,
        clusters_table,
        metrics_table,
        partition,
        shared_k,
    )
    from songscape.experiment.pictures import draw_maps, draw_pictures, draw_stability
    from songscape.report.run_page import write_report

    needed = views_needed(settings.models, options=settings.model_options)
    with read_library(source, folder.library, settings, needed, workers=workers) as library:
        counts = library.counts()
        folder.write_table("ledger", ledger_frame(library))
        inputs = load_dataset(library, settings, needed)
        tagged = set(library.columns().columns)
    views, labels = inputs.views, inputs.labels
    if "language" in inputs.columns and "language" not in tagged:
        n_told = int(inputs.columns["language"].notna().sum())
        say(f"language: told from the lyrics of {n_told:,} of {views.n_tracks:,} tracks")
    check_k(settings.k, views.n_tracks)
    representations = _represent_all(views, labels, settings, folder)
    folder.write_table("models", models_table(r.summary for r in representations))
    with progress_bar("choosing k", unit=""):
        clusters = shared_k(views, settings.k)
    ks, k_reason = clusters.ks, clusters.reason or "given"
    folder.write_table("stability", clusters.curve)
    with progress_bar("clustering", "partition") as advance:
        partitions = partition(
            representations, settings.clusterers, ks, settings.clusterer_options, advance
        )
    with progress_bar("measuring", "partition") as advance:
        metrics = metrics_table(partitions, representations, labels, advance)
    folder.write_table("metrics", metrics)
    folder.write_table("clusters", clusters_table(partitions, views.track_ids))
    described = descriptions_table(partitions, representations, views, labels)
    folder.write_table("descriptions", described)
    table = claimed_table(settings.table, metrics)
    folder.write_table("course", None if table.empty else table)
    folder.write_table("labels", labels.rename_axis("track_id").reset_index())
    folder.write_json(
        "run",
        {
            "title": settings.title or source.resolve().name,
            "songscape": __version__,
            "command": list(command),
            "settings": settings.as_dict(),
            "k": list(ks),
            "k_reason": k_reason,
            "counts": asdict(counts),
            "input_digest": inputs.digest,
            "label_columns": list(labels.columns),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "versions": {name: version(name) for name in VERSIONS_OF},
        },
    )
    folder.clear_pictures()
    draw_maps(representations, views.track_ids, folder)
    draw_pictures(representations, partitions, views, labels, folder)
    if clusters.curve is not None:
        draw_stability(clusters.curve, ks, folder)
    report = write_report(folder.tables, title=settings.title or source.resolve().name)
    return RunSummary(report, counts, ks, k_reason, metrics, table)


def default_folder(source: Path) -> Path:
    """Where results go when nobody says: NAME-songscape in the current folder."""
    whole = source.resolve()
    return Path(f"{whole.stem if whole.is_file() else whole.name}-songscape")


def ledger_frame(library: Library) -> pd.DataFrame:
    """The ledger as a table: track_id, stage, status, reason."""
    import pandas as pd

    rows = [(row.track_id, row.stage, row.status, row.reason) for row in library.ledger()]
    return pd.DataFrame(rows, columns=["track_id", "stage", "status", "reason"])


def _represent_all(
    views: Views, labels: pd.DataFrame, settings: Settings, folder: ResultsFolder
) -> list[Representation]:
    from songscape.experiment.fit import represent

    representations = []
    for seed in settings.seeds:
        for model in settings.models:
            with progress_bar(f"training {model}", "epoch") as advance:
                representations.append(
                    represent(
                        views,
                        model,
                        seed,
                        folder,
                        options=settings.model_options.get(model),
                        labels=labels,
                        progress=advance,
                    )
                )
    for done in representations:
        if done.summary.get("warnings"):
            say(f"{done.model} (seed {done.seed}): {done.summary['warnings']}")
    if not any(representation.ok for representation in representations):
        reasons = "; ".join(f"{r.model}: {r.summary['reason']}" for r in representations)
        raise SongscapeError(f"no model could be trained ({reasons})")
    return representations
