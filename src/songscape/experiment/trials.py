"""One cell of a comparison: one model and seed, trained, clustered and measured in one process."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.errors import SongscapeError
from songscape.experiment.targets import targets_of
from songscape.results import ResultsFolder, model_stem, write_atomically
from songscape.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.measure import Measurements
    from songscape.experiment.dataset import Dataset

__all__ = [
    "Cell",
    "CellRecord",
    "CellRun",
    "CellTask",
    "compute_cell",
    "read_cell",
    "recorded_cell",
]

# Bump when what a cell measures changes, so that old cells are measured again.
RECIPE = 9


@dataclass(frozen=True)
class CellTask:
    """What one process needs to know.

    Attributes
    ----------
    library, out : Path
        The collection, and the folder for models, latents and cells.
    settings : Settings
    model : str
    seed : int
    ks : tuple of int
    """

    library: Path
    out: Path
    settings: Settings
    model: str
    seed: int
    ks: tuple[int, ...]

    @property
    def name(self) -> tuple[str, int]:
        return self.model, self.seed

    @property
    def path(self) -> Path:
        return self.out / "cells" / f"{model_stem(self.model, self.seed)}.json"


@dataclass(frozen=True)
class CellRun:
    """What became of a task.

    Attributes
    ----------
    path : Path
        The cell's file.
    seconds : float
        Wall time of reading, training and measuring.
    reused : bool
        It was there already.
    ok : bool
        The model could be trained.
    """

    path: Path
    seconds: float
    reused: bool
    ok: bool


@dataclass(frozen=True)
class CellRecord:
    """What a cell on disk says of itself.

    Attributes
    ----------
    seconds : float or None
        Wall time, training included; None in cells of older versions.
    ok : bool
        The model could be trained.
    again : bool
        The cell, or a part of it, is to be tried again.
    """

    seconds: float | None
    ok: bool
    again: bool


@dataclass(frozen=True, eq=False)
class Cell:
    """What one model and seed gave.

    Attributes
    ----------
    model, seed
    summary : mapping
        Row of the model table: status, reason, health, seconds, peak_memory_mib.
    rows : list of dict
        Evidence, see `songscape.benchmark.measure`; partitions add clusterer and k. On axis
        "failed" the metric is what could not be computed, and reason says why.
    samples : DataFrame of shape (n_tracks, n_samples)
        Values per track, and of models with a posterior their `spread`.
    partitions : DataFrame of shape (n_tracks, n_partitions)
        Cluster ids; columns are "clusterer|k", k empty where the clusterer finds its own.
    """

    model: str
    seed: int
    summary: Mapping[str, Any]
    rows: list[dict[str, Any]]
    samples: pd.DataFrame
    partitions: pd.DataFrame

    @property
    def ok(self) -> bool:
        """Whether the model could be trained."""
        return bool(self.summary["status"] == "ok")


def compute_cell(task: CellTask) -> CellRun:
    """Train, cluster and measure one model and seed; the file is written last and whole.

    A cell that was computed from the same input is left as it is, unless it failed: what failed is
    tried again.
    """
    from songscape.benchmark.keys import SampleKey
    from songscape.benchmark.measure import N_SUBSAMPLES, Measurements, measure
    from songscape.experiment.dataset import EVIDENCE_VIEWS, load_dataset, views_needed
    from songscape.experiment.fit import represent
    from songscape.library import Library

    start = time.perf_counter()
    with Library.open(task.library, must_exist=True) as library:
        inputs = load_dataset(
            library,
            task.settings,
            views_needed([task.model], EVIDENCE_VIEWS),
        )
    key = _key(task, inputs)
    document = _document(task.path)
    if document is not None and document["key"] == key and not _again(document):
        ok = document["summary"]["status"] == "ok"
        return CellRun(task.path, time.perf_counter() - start, reused=True, ok=ok)
    trained_at = time.perf_counter()
    done = represent(
        inputs.views,
        task.model,
        task.seed,
        ResultsFolder(task.out),
        options=task.settings.model_options.get(task.model),
        labels=inputs.labels,
    )
    # Latents that were there cost nothing now, but would elsewhere.
    trained = time.perf_counter() - trained_at
    spared = max(0.0, float(done.summary.get("seconds", 0.0)) - trained)
    found = Measurements()
    if done.ok:
        settings = task.settings
        found = measure(
            done.latents,
            targets_of(inputs, settings.labels),
            settings.clusterers,
            settings.clusterer_options,
            task.ks,
            task.seed,
            subsamples=N_SUBSAMPLES if task.seed == settings.seeds[0] else 0,
        )
        if done.spread is not None:
            found.samples[SampleKey("spread")] = done.spread.astype("float64")
    seconds = time.perf_counter() - start
    document = {
        "recipe": RECIPE,
        "key": key,
        "seconds": seconds + spared,
        "summary": dict(done.summary),
        "rows": found.rows,
    }
    _write(task.path, document, found, inputs.views.track_ids)
    return CellRun(task.path, seconds, reused=False, ok=done.ok)


def recorded_cell(path: Path) -> CellRecord | None:
    """Return what the cell at `path` says of itself, None where there is none."""
    document = _document(path)
    if document is None:
        return None
    ok = document["summary"]["status"] == "ok"
    return CellRecord(document.get("seconds"), ok, _again(document))


def _document(path: Path) -> dict[str, Any] | None:
    """Of a cell's file; a damaged one is as good as none, and so is one of another recipe."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    complete = isinstance(document, dict) and {"key", "summary", "rows"} <= document.keys()
    return document if complete and document.get("recipe") == RECIPE else None


def _again(document: Mapping[str, Any]) -> bool:
    """Whether the cell failed, or lacked the memory for a part: another day it may go."""
    return document["summary"]["status"] == "failed" or any(
        row["axis"] == "failed" and row.get("transient") for row in document["rows"]
    )


def read_cell(path: Path, track_ids: Sequence[str]) -> Cell:
    """Read what `compute_cell` wrote; `track_ids` become the index."""
    import pandas as pd

    document = json.loads(path.read_text(encoding="utf-8"))
    arrays = pd.read_parquet(path.with_suffix(".parquet"))
    if list(arrays.pop("track_id")) != list(track_ids):
        raise SongscapeError(f"{path}: of another collection; remove it and run again")
    is_partition = [name.startswith("partition:") for name in arrays.columns]
    partitions = arrays.loc[:, is_partition].rename(columns=lambda c: c.removeprefix("partition:"))
    samples = arrays.loc[:, [not flag for flag in is_partition]]
    model, seed = document["summary"]["model"], int(document["summary"]["seed"])
    return Cell(model, seed, document["summary"], document["rows"], samples, partitions)


def _key(task: CellTask, inputs: Dataset) -> str:
    from songscape.experiment.fit import cache_key

    trained = cache_key(
        inputs.views,
        task.model,
        task.seed,
        task.settings.model_options.get(task.model, {}),
    )
    parts = (
        RECIPE,
        trained,
        task.ks,
        task.seed == task.settings.seeds[0],
        task.settings.labels,
        task.settings.clusterers,
        task.settings.clusterer_options,
        inputs.label_columns,
        inputs.nuisance_columns,
        inputs.columns.to_csv(),
        inputs.facts.to_csv(),
    )
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def _write(
    path: Path,
    document: Mapping[str, Any],
    found: Measurements,
    track_ids: tuple[str, ...],
) -> None:
    import pandas as pd

    arrays: dict[str, Any] = {"track_id": list(track_ids)}
    arrays |= {str(key): values for key, values in found.samples.items()}
    arrays |= {f"partition:{key}": labels for key, labels in found.partitions.items()}
    frame = pd.DataFrame(arrays)
    write_atomically(path.with_suffix(".parquet"), lambda p: frame.to_parquet(p, index=False))
    text = json.dumps(document, ensure_ascii=False)
    write_atomically(path, lambda p: p.write_text(text, encoding="utf-8"))
