"""One cell of a comparison: one model and seed, trained, clustered and measured in one process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.errors import SongscapeError, UsageError
from songscape.results import ResultsFolder, model_stem, write_atomically
from songscape.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from songscape.clustering.methods import Clustering
    from songscape.evaluation.evidence import Subject
    from songscape.pipeline.inputs import Inputs

__all__ = ["Cell", "CellTask", "compute_cell", "read_cell", "subject_of"]

N_SUBSAMPLES = 10
# Bump when what a cell measures changes, so that old cells are measured again.
RECIPE = 1


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


@dataclass(frozen=True, eq=False)
class Cell:
    """What one model and seed gave.

    Attributes
    ----------
    model, seed
    summary : mapping
        Row of the model table: status, reason, health, seconds, peak_memory_mib.
    rows : list of dict
        Evidence, see `songscape.evaluation.evidence`; partitions add clusterer, k, reason.
    samples : DataFrame of shape (n_tracks, n_samples)
        Values per track.
    partitions : DataFrame of shape (n_tracks, n_partitions)
        Cluster ids; columns are "clusterer|k", k empty where the clusterer finds its own.
    """

    model: str
    seed: int
    summary: Mapping[str, Any]
    rows: list[dict[str, Any]]
    samples: pd.DataFrame
    partitions: pd.DataFrame


def subject_of(inputs: Inputs, named: Sequence[str] = ()) -> Subject:
    """What the collection's labels, nuisances, artists and reference spaces are.

    Columns that the user named are labels, even where they would be nuisances.

    Raises
    ------
    UsageError
        The artist was named: every comparison measures it by retrieval.
    """
    import numpy as np

    from songscape.evaluation.evidence import Subject
    from songscape.evaluation.nuisances import nuisance_table
    from songscape.pipeline.inputs import ARTIST_COLUMNS, artists_of

    nuisances = nuisance_table(inputs.columns, inputs.facts, inputs.views)
    artists = artists_of(inputs.columns)
    assert inputs.views.groups is not None
    if set(named) & set(ARTIST_COLUMNS):
        raise UsageError(
            f"labels: {', '.join(sorted(set(named) & set(ARTIST_COLUMNS)))} is measured in every "
            "comparison, by retrieval; name other columns"
        )
    nuisances = nuisances.drop(columns=[name for name in named if name in nuisances.columns])
    labels = [name for name in inputs.label_columns if name not in nuisances.columns]
    if not named:
        labels = [name for name in labels if name not in (*ARTIST_COLUMNS, "languages")]
    return Subject(
        labels={name: inputs.columns[name].to_numpy(dtype=object) for name in labels},
        nuisances={
            name: nuisances[name].to_numpy(dtype=object)
            for name in nuisances.columns
            if name not in ("artist", "album")
        },
        artists=None if artists is None else np.asarray(artists, dtype=object),
        groups=inputs.views.groups,
        references=_reference_spaces(inputs),
    )


def compute_cell(task: CellTask) -> Path:
    """Train, cluster and measure one model and seed; the file is written last and whole.

    A cell that was computed from the same input is left as it is.
    """
    from songscape.library import Library
    from songscape.pipeline.inputs import EVIDENCE_VIEWS, load_inputs, views_needed
    from songscape.pipeline.representations import represent

    with Library.open(task.library, must_exist=True) as library:
        inputs = load_inputs(library, task.settings, views_needed([task.model], EVIDENCE_VIEWS))
    key = _key(task, inputs)
    if task.path.exists() and json.loads(task.path.read_text(encoding="utf-8"))["key"] == key:
        return task.path
    done = represent(
        inputs.views,
        task.model,
        task.seed,
        ResultsFolder(task.out),
        options=task.settings.model_options.get(task.model),
    )
    summary = dict(done.summary)
    rows: list[dict[str, Any]] = []
    samples: dict[str, Any] = {}
    partitions: dict[str, Any] = {}
    if done.ok:
        rows, samples, partitions = _measure(
            done.latents, task, subject_of(inputs, task.settings.labels)
        )
    _write(task.path, key, summary, rows, samples, partitions, inputs.views.track_ids)
    return task.path


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


def _measure(
    X: NDArray[np.float32], task: CellTask, subject: Subject
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    from songscape.clustering.methods import NEEDS_K, cluster
    from songscape.evaluation.evidence import partition_rows, space_evidence
    from songscape.pipeline.representations import MODEL_ERRORS

    rows, samples = space_evidence(X, subject, random_state=task.seed)
    partitions = {}
    for name in task.settings.clusterers:
        for k in task.ks if name in NEEDS_K else (None,):
            where = {"clusterer": name, "k": k}
            options = task.settings.clusterer_options.get(name, {})
            try:
                found = cluster(name, X, k=k, random_state=task.seed, **options)
            except (SongscapeError, *MODEL_ERRORS) as error:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                rows.append(where | {"axis": "failed", "metric": "reason", "reason": reason})
                continue
            partitions[f"{name}|{k or ''}"] = found.labels
            measured = partition_rows(found.labels, X, subject, random_state=task.seed)
            if task.seed == task.settings.seeds[0]:
                again, unsure = _subsample_stability(X, found, k, options, subject)
                measured += again
                samples[f"unsure:{name}|{k or ''}"] = unsure
            rows += [where | row for row in measured]
    return rows, dict(samples), partitions


def _subsample_stability(
    X: NDArray[np.float32],
    found: Clustering,
    k: int | None,
    options: Mapping[str, Any],
    subject: Subject,
) -> tuple[list[dict[str, Any]], NDArray[np.float64]]:
    """Cluster 80 % of the groups again and again: does the partition come back?

    The space stays as it was trained; stability over seeds has the training in it.
    """
    from songscape.clustering.methods import cluster
    from songscape.evaluation.stability import stability, subsample_partitions

    def again(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
        return cluster(found.method, X[rows], k=k, random_state=seed, **options).labels

    repeats = subsample_partitions(again, len(X), n_repeats=N_SUBSAMPLES, groups=subject.groups)
    result = stability(found.labels, repeats)
    values = {
        "ari_over_subsamples": result.mean_ari,
        "jaccard_of_weakest": float(result.jaccard.min()) if len(result.jaccard) else float("nan"),
        "unsure_share": float(result.unsure_tracks().mean()),
    }
    rows = [
        {"axis": "stability", "metric": metric, "column": "", "value": value}
        for metric, value in values.items()
    ]
    return rows, result.unsure


def _reference_spaces(inputs: Inputs) -> dict[str, NDArray[np.floating]]:
    """Spaces that no model was trained in: standardised timbre, words, and both balanced."""
    import numpy as np

    from songscape.models.presets import make_model

    timbre = inputs.views["timbre"]
    known = timbre.values[timbre.present]
    spread = known.std(axis=0)
    standardised = np.full(timbre.values.shape, np.nan)
    standardised[timbre.present] = (known - known.mean(axis=0)) / np.where(spread > 0, spread, 1)
    spaces = {"timbre": standardised}
    lyrics = inputs.views["lyrics"]
    if lyrics.present.sum() >= 2 and lyrics.shape[1] >= 2:
        words = make_model("tfidf").fit_transform(inputs.views.select(["lyrics"]))
        words = np.where(lyrics.present[:, None], words, np.nan)
        balanced = make_model("balanced-pca").fit_transform(
            inputs.views.select(["timbre", "lyrics"])
        )
        spaces |= {"lyrics": words, "joint": balanced}
    return spaces


def _key(task: CellTask, inputs: Inputs) -> str:
    from songscape.pipeline.representations import cache_key

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
        inputs.columns.to_csv(),
        inputs.facts.to_csv(),
    )
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def _write(
    path: Path,
    key: str,
    summary: Mapping[str, Any],
    rows: list[dict[str, Any]],
    samples: Mapping[str, Any],
    partitions: Mapping[str, Any],
    track_ids: tuple[str, ...],
) -> None:
    import pandas as pd

    arrays = {"track_id": list(track_ids), **samples}
    arrays |= {f"partition:{name}": labels for name, labels in partitions.items()}
    frame = pd.DataFrame(arrays)
    write_atomically(path.with_suffix(".parquet"), lambda p: frame.to_parquet(p, index=False))
    text = json.dumps({"key": key, "summary": summary, "rows": rows}, ensure_ascii=False)
    write_atomically(path, lambda p: p.write_text(text, encoding="utf-8"))
