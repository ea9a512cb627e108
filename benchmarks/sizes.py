"""Small collections: song-vae beside balanced-pca on random parts of a labelled collection.

    python benchmarks/sizes.py FOLDER_OR_DB ... --sizes 30,60,120,240 --json figures.json

Per size and seed a random part of the tracks is drawn and both models are trained on it alone, by
their defaults. Figures: mean neighbour agreement per label, balanced over its values, among the 5
nearest that are not of the same artist. Intervals are Student's t over seeds; the same part of the
collection is paired.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from shared_inputs import (
    collections,
    knn_label_agreement,
    markdown,
    measuring_parser,
    seeds_argument,
    with_interval,
    write_json,
)

MODELS = ("song-vae", "balanced-pca")
K_NEAREST = 5
MAX_VALUES = 12
"""A label with more values has too few tracks of each among thirty."""


def part_agreement(views: Any, targets: Any, size: int, seed: int) -> dict[str, dict[str, float]]:
    """Agreement by label and model on one random part."""
    from songscape.metrics.neighbours import nearest_neighbors
    from songscape.models.presets import find_preset, make_model

    rows = np.sort(np.random.default_rng(seed).permutation(views.n_tracks)[:size])
    some = views.take(rows)
    artists = None if targets.artists is None else targets.artists[rows]
    found: dict[str, dict[str, float]] = {}
    for name in MODELS:
        model = make_model(name, random_state=seed)
        space = model.fit_transform(
            some.select([view for view in find_preset(name).views if view in some])
        )
        neighbors = nearest_neighbors(space, size - 1)
        for label, values in targets.labels.items():
            if len({v for v in values if v not in (None, "")}) <= MAX_VALUES:
                here = np.asarray(values, dtype=object)[rows]
                agreed = knn_label_agreement(neighbors, here, k=K_NEAREST, artists=artists)
                found.setdefault(label, {})[name] = agreed["balanced"]
    return found


def with_t_interval(values: np.ndarray, signed: bool = False) -> str:
    """Mean and 95 % interval over seeds."""
    from scipy.stats import t

    values = values[np.isfinite(values)]
    if len(values) < 2:
        return with_interval(float(values.mean()) if len(values) else np.nan, np.nan, np.nan)
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    mean = values.mean()
    return with_interval(mean, mean - half, mean + half, signed)


def main() -> None:
    parser = measuring_parser(__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=seeds_argument, default=(30, 60, 120, 240))
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for name, inputs, targets in collections(options):
        table, figures = [], []
        for size in (size for size in options.sizes if size <= inputs.views.n_tracks):
            parts = [part_agreement(inputs.views, targets, size, seed) for seed in options.seeds]
            for label in parts[0]:
                both = np.array([[part[label][model] for model in MODELS] for part in parts])
                cells = {model: f"{both[:, i].mean():.3f}" for i, model in enumerate(MODELS)}
                difference = with_t_interval(both[:, 0] - both[:, 1], signed=True)
                table.append({"tracks": size, "label": label, **cells, "difference": difference})
                figures.append({"tracks": size, "label": label, "values": both.tolist()})
        n_tracks = inputs.views.n_tracks
        shown = markdown(table) if table else f"{n_tracks} tracks and no part of {options.sizes}"
        print(f"\n## {name}\n\n{shown}", flush=True)
        results[name] = figures
        write_json(options.json, results)


if __name__ == "__main__":
    main()
