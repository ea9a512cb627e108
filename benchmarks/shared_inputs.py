"""What the benchmarks of models share: reading a labelled collection, tables in Markdown, seeds."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def read_folder(source: Path, work: Path, also: Sequence[str] = ()) -> tuple[Any, Any]:
    """Dataset and Targets of a labelled folder, or of a library (`songscape.db`).

    A folder's features are kept in `work` and used again; a library is copied there, for what it
    lacks would be added to it. Only labels and artists are compared, and the columns named in
    `also`: nuisances and reference spaces are left out.
    """
    from dataclasses import replace

    from songscape.experiment.dataset import EVIDENCE_VIEWS, load_dataset, read_library
    from songscape.experiment.trial_inputs import targets_of
    from songscape.library import Library
    from songscape.settings import Settings

    settings = Settings()
    path = work / f"{name_of(source)}.db"
    if source.suffix == ".db":
        if not path.exists():
            shutil.copyfile(source, path)
        library = Library.open(path, must_exist=True)
    else:
        library = read_library(source, path, settings, workers=1)
    with library:
        inputs = load_dataset(library, settings, (*EVIDENCE_VIEWS, "rhythm", "language"))
    targets = targets_of(inputs)
    more = {name: inputs.columns[name].to_numpy(object) for name in also if name in inputs.columns}
    labels = {**targets.labels, **more}
    return inputs, replace(targets, labels=labels, nuisances={}, references={})


def collections(
    options: argparse.Namespace, also: Sequence[str] = ()
) -> Iterator[tuple[str, Any, Any]]:
    """Name, Dataset and Targets of every source that `measuring_parser` was given."""
    with tempfile.TemporaryDirectory() as scratch:
        features = options.work or Path(scratch)
        features.mkdir(parents=True, exist_ok=True)
        for source in options.sources:
            yield name_of(source), *read_folder(source, features, also)


def knn_label_agreement(
    neighbors: Any, labels: Any, *, k: int = 10, artists: Any = None, X: Any = None
) -> dict[str, float]:
    """Mean and balanced neighbour agreement, with same-artist neighbours removed if asked for."""
    from songscape.metrics.neighbours import (
        class_mean,
        knn_agreement_samples,
        knn_chance,
        without_groups,
    )

    k = min(k, neighbors.n_neighbors)
    near = neighbors.first(k) if artists is None else without_groups(neighbors, artists, k, X)
    values = knn_agreement_samples(near, labels)
    used = np.isfinite(values)
    return {
        "mean": float(values[used].mean()) if used.any() else float("nan"),
        "balanced": class_mean(values, labels),
        "chance": knn_chance(labels)[0],
        "n_used": int(used.sum()),
    }


def name_of(source: Path) -> str:
    """What a collection is called: its folder's name, or that of the file."""
    whole = source.resolve()
    if source.suffix != ".db":
        return whole.name
    return whole.parent.name if whole.stem == "songscape" else whole.stem


def measuring_parser(description: str) -> argparse.ArgumentParser:
    """What every benchmark of trained models asks: sources, seeds, where to keep, JSON."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("sources", nargs="+", type=Path, help="labelled folders or libraries")
    parser.add_argument("--seeds", type=seeds_argument, default=(0, 1, 2, 3, 4))
    parser.add_argument(
        "--work", type=Path, help="keeps features and models: remove it after a change of the code"
    )
    parser.add_argument("--json", type=Path)
    return parser


def write_json(path: Path | None, results: dict[str, Any]) -> None:
    """Write what was measured so far, if a file was asked for."""
    if path is not None:
        text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")


def seeds_argument(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """A Markdown table; the first row names the columns."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns)]
    lines += [[str(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def with_interval(estimate: float, low: float, high: float, signed: bool = False) -> str:
    if not np.isfinite(estimate):
        return "–"
    form = "+.3f" if signed else ".3f"
    return f"{estimate:{form}} [{low:{form}}, {high:{form}}]"


def trained_model(
    views: Any, name: str, seed: int, arguments: dict[str, Any], work: Path | None
) -> Any:
    """A fitted model of the table; read from `work` where it was trained on the same input."""
    from songscape.models.presets import find_preset, make_model
    from songscape.models.saving import load_model, save_model

    path = None if work is None else work / "models" / stem_of(views, name, seed, arguments)
    if path is not None and path.exists():
        return load_model(path)
    model = make_model(name, random_state=seed, **arguments)
    model.fit(views.select([view for view in find_preset(name).views if view in views]))
    if path is not None:
        save_model(model, path)
    return model


def stem_of(views: Any, name: str, seed: int, arguments: dict[str, Any]) -> str:
    """A file name that changes with what a model reads and is given, not with the code."""
    from songscape.models.presets import PRESETS

    # The libraries' models read timbre and lyrics.
    read = PRESETS[name].views if name in PRESETS else ("timbre", "lyrics")
    read = [view for view in read if view in views]
    parts = json.dumps([views.select(read).digest(), name, arguments], sort_keys=True)
    digest = hashlib.sha256(parts.encode()).hexdigest()[:12]
    return f"{name.replace(' ', '-')}-{digest}-seed{seed}"
