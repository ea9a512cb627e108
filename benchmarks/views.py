"""What a further view is worth: neighbours of the same label and artist, with and without it.

    python benchmarks/views.py FOLDER_OR_DB ... [--models balanced-pca,song-vae]
        [--add rhythm harmony rhythm+harmony mel] [--seeds 0,1,2] [--columns genre,language]

Every line is one model with further views, measured as `songscape compare` measures: 10 nearest
neighbours without those of the same artist, and artist hit@10; means over tracks and seeds.
Differences are to the same model without the further view, paired by track, with the 95 % interval
of a bootstrap over artists and seeds. `lyrics-counts` takes the place of `lyrics`.
Encoders (musicnn, voice, e5, use) are read only where `--add` names them.
"""

# ruff: noqa: E402 (thread limits are read when numpy is loaded)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from songscape.experiment.dataset import Dataset, load_dataset, read_library
from songscape.features.encoders.registry import ENCODERS
from songscape.features.loading import VIEW_NAMES
from songscape.library import Library
from songscape.metrics.neighbours import (
    knn_agreement_samples,
    knn_chance,
    nearest_neighbors,
    without_groups,
)
from songscape.metrics.retrieval import hit_samples
from songscape.models.presets import TEXT_VIEWS, find_preset, make_model
from songscape.settings import Settings
from songscape.statistics.intervals import paired_difference

K = 10


def read(source: Path, folder: Path, views: list[str]) -> Dataset:
    settings = Settings(encoders=tuple(name for name in views if name in ENCODERS))
    if source.suffix == ".db":
        with Library.open(source, must_exist=True) as library:
            return load_dataset(library, settings, views)
    with read_library(source, folder / f"{source.name}.db", settings, views) as library:
        return load_dataset(library, settings, views)


def views_of(model: str, added: str) -> tuple[str, ...]:
    """The model's own views and those of "a+b"; another view of the words replaces the words."""
    further = tuple(name for name in added.split("+") if name)
    own = tuple(name for name in find_preset(model).modelled_views if name not in ENCODERS)
    if set(further) & set(TEXT_VIEWS):
        own = tuple(name for name in own if name not in TEXT_VIEWS)
    return (*own, *further)


def measure(X: np.ndarray, labels: dict[str, np.ndarray], artists: np.ndarray) -> dict:
    near = nearest_neighbors(X)
    strangers = without_groups(near, artists, K, X)
    samples = {name: knn_agreement_samples(strangers, values) for name, values in labels.items()}
    return samples | {"artist hit": hit_samples(near, artists, k=K)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--models", default="balanced-pca,song-vae")
    parser.add_argument("--add", nargs="*", default=["rhythm", "harmony", "rhythm+harmony"])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--columns", default="genre,language")
    arguments = parser.parse_args()
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    models = arguments.models.split(",")
    rows = [(model, added) for model in models for added in ("", *arguments.add)]
    needed = sorted({"timbre", "lyrics"} | {v for row in rows for v in views_of(*row)})
    assert set(needed) <= set(VIEW_NAMES), needed
    for source in arguments.sources:
        with tempfile.TemporaryDirectory() as folder:
            inputs = read(source, Path(folder), needed)
        found = [name for name in arguments.columns.split(",") if name in inputs.columns]
        labels = {name: inputs.columns[name].to_numpy(dtype=object) for name in found}
        artists = np.asarray(inputs.artists, dtype=object)
        chances = {name: knn_chance(values, artists)[0] for name, values in labels.items()}
        print(f"\n{source.stem}: {inputs.views.n_tracks} tracks, seeds {arguments.seeds}")
        print("chance: " + ", ".join(f"{n} {c:.3f}" for n, c in chances.items()), flush=True)
        base: dict[str, dict[str, np.ndarray]] = {}
        for model, added in rows:
            started = time.process_time()
            measured = []
            for seed in seeds:
                estimator = make_model(model, random_state=seed, views=views_of(model, added))
                X = estimator.fit(inputs.views).transform(inputs.views)
                measured.append(measure(X, labels, artists))
            seconds = (time.process_time() - started) / len(seeds)
            samples = {name: np.stack([each[name] for each in measured]) for name in measured[0]}
            words = [f"{model}{' + ' + added if added else ''} ({seconds:.0f} s)".ljust(44)]
            for name, values in samples.items():
                text = f"{name} {np.nanmean(values):.3f}"
                if added:
                    change = paired_difference(values, base[model][name], inputs.views.groups)
                    text += f" ({change.estimate:+.3f}, {change.low:+.3f} to {change.high:+.3f})"
                words.append(text)
            if not added:
                base[model] = samples
            print("; ".join(words), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
