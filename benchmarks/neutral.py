"""Language-neutral representations: is the language gone, and is the genre still there?

    pip install concept-erasure harmonypy
    songscape demo demo && songscape run demo --out out
    python benchmarks/neutral.py demo=out/songscape.db --folder neutral
    python benchmarks/neutral.py a=a/songscape.db b=b/songscape.db --seeds 5

Each argument is NAME=LIBRARY, a library that `songscape run` has left. Prints one table per
collection: neighbour agreement with the language and what chance gives, the balanced accuracy of
probes beside the 95 % point of their permutation null, and neighbour agreement with the genre: over
all tracks; as the mean over genres, of genres that occur in two languages alone; and the same among
the tracks of one's own language, where knowing the language helps nobody. Each has its ratio to the
unconditional model of the same seed. Same-artist neighbours are removed and artists kept whole
everywhere. Figures are means over seeds with 95 % t intervals; a method without randomness has
none.

Latents are kept in the folder, so an interrupted benchmark goes on, and `figures.csv` there holds
every seed. `--also` adds rows for diagnosis: the latents themselves, the space without `at`, other
penalties. Those were used to find out what leaks, never to choose options by these labels.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from shared_inputs import knn_label_agreement

Latents = dict[str, np.ndarray]

REFERENCE = "song-vae"
N_NEIGHBORS = 90
MIN_IN_CATEGORY = 20
"""Tracks of a category that make ten neighbours of one's own label mean something."""
CANDIDATE = "neutral-vae"
COLUMNS = {
    "language_knn": "language kNN",
    "language_chance": "chance",
    "language_above": "above chance",
    "linear": "linear probe",
    "linear_null_95": "its null, 95 %",
    "nonlinear": "nonlinear probe",
    "nonlinear_null_95": "its null, 95 % ",
    "genre_mean": "genre kNN",
    "genre_mean_ratio": "/ song-vae",
    "shared_balanced": "balanced, shared genres",
    "shared_balanced_ratio": "/ song-vae ",
    "within_balanced": "balanced, within a language",
    "within_balanced_ratio": "/ song-vae  ",
}


def song_vae(views: Any, seed: int) -> Latents:
    from songscape.models.presets import make_model

    return {"song-vae": make_model("song-vae", random_state=seed).fit_transform(views)}


def neutral_vae(views: Any, seed: int, prefix: str = "neutral-vae", **options: Any) -> Latents:
    from songscape.models.presets import make_model

    model = make_model("neutral-vae", random_state=seed, **options).fit(views)
    return {
        prefix: model.transform(views),
        f"{prefix}, latents": model.transform(views, space="latent"),
        f"{prefix}, decoded": model.transform(views, space="decoder", at="average"),
    }


def neutral_lda(views: Any, seed: int) -> Latents:
    from songscape.models.presets import make_model

    return {"neutral-lda": make_model("neutral-lda", random_state=seed).fit_transform(views)}


def balanced_pca(views: Any, seed: int) -> Latents:
    from songscape.models.presets import make_model

    return {"balanced-pca": make_model("balanced-pca", random_state=seed).fit_transform(views)}


def centred_pca(views: Any, seed: int) -> Latents:
    from songscape.models.presets import make_model

    model = make_model("balanced-pca-centred", random_state=seed)
    return {"balanced-pca-centred": model.fit_transform(views)}


def leace(views: Any, seed: int) -> Latents:
    """Belrose et al., LEACE: perfect linear concept erasure in closed form, NeurIPS 2023."""
    import torch
    from concept_erasure import LeaceEraser

    x = torch.from_numpy(balanced_pca(views, seed)["balanced-pca"].astype(np.float64))
    known = views["language"].present
    z = torch.from_numpy(views["language"].values[known].astype(np.float64))
    return {"balanced-pca + LEACE": LeaceEraser.fit(x[known], z)(x).numpy()}


def harmony(views: Any, seed: int) -> Latents:
    """Korsunsky et al., Nature Methods 2019; unknown languages are a batch of their own."""
    import pandas as pd
    from harmonypy import run_harmony

    x = balanced_pca(views, seed)["balanced-pca"].astype(np.float64)
    language = views["language"]
    name = np.array(language.feature_names, dtype=object)[language.values.argmax(axis=1)]
    batches = pd.DataFrame({"language": np.where(language.present, name, "unknown")})
    found = run_harmony(x, batches, ["language"], random_state=seed, verbose=False)
    corrected = np.asarray(found.Z_corr)
    return {"balanced-pca + Harmony": corrected if corrected.shape == x.shape else corrected.T}


FIXED = ("language_chance", "linear_null_95", "nonlinear_null_95")

ROWS: dict[str, Callable[[Any, int], Latents]] = {
    REFERENCE: song_vae,
    CANDIDATE: neutral_vae,
    "neutral-lda": neutral_lda,
    "balanced-pca": balanced_pca,
    "balanced-pca-centred": centred_pca,
    "balanced-pca + LEACE": leace,
    "balanced-pca + Harmony": harmony,
}
BLIND = (REFERENCE, "balanced-pca")
EXACT = ("neutral-lda", "balanced-pca", "balanced-pca-centred", "balanced-pca + LEACE")


def penalised(weight: float) -> Callable[[Any, int], Latents]:
    """neutral-vae with another weight of the dependence penalty."""
    return lambda views, seed: neutral_vae(
        views, seed, f"neutral-vae, penalty {weight:g}", independence=weight
    )


def latents_of(folder: Path, collection: str, views: Any, row: str, seed: int, fit: Any) -> Latents:
    read = [name for name in sorted(views) if name != "language" or row not in BLIND]
    path = folder / f"{collection}-{row}-{seed}-{views.select(read).digest()[:12]}.npz"
    if not path.exists():
        start = time.process_time()
        found = fit(views, seed)
        seconds = time.process_time() - start
        print(f"{collection} {row} seed {seed}: {seconds:.0f} s CPU", flush=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **found)
        part.replace(path)
    with np.load(path) as stored:
        return dict(stored)


def inputs_of(path: Path) -> Any:
    """The collection, with languages from the lyrics where the table leaves them open."""
    from songscape.errors import SongscapeError
    from songscape.experiment.dataset import load_dataset
    from songscape.library import Library
    from songscape.settings import Settings

    library = Library.open(path)
    try:
        inputs = load_dataset(library, Settings(), ["timbre", "lyrics", "segments"])
    finally:
        library.close()
    if "language" not in inputs.views:
        raise SongscapeError(f"{path}: no track's language is known; there is nothing to hide")
    return inputs


def figures(X: np.ndarray, inputs: Any, genre: str) -> dict[str, float]:
    """All figures of one representation."""
    from songscape.metrics.neighbours import knn_chance, nearest_neighbors
    from songscape.statistics.space_nulls import probe

    artists = inputs.artists
    language, labels = list(inputs.columns["language"]), list(inputs.columns[genre])
    near = nearest_neighbors(X, 90)
    found = knn_label_agreement(near, language, artists=artists, X=X)
    chance, _ = knn_chance(language, artists)
    result = {
        "language_knn": found["mean"],
        "language_chance": chance,
        "language_above": found["mean"] - chance,
    }
    for kind in ("linear", "nonlinear"):
        probed = probe(X, language, artists, kind=kind)
        result |= {kind: probed.balanced_accuracy, f"{kind}_null_95": probed.null.null_95}
        result[f"{kind}_p"] = probed.null.p_value
    language_of = inputs.views["language"]
    for name, agreement in (
        ("genre", knn_label_agreement(near, labels, artists=artists, X=X)),
        ("shared", shared_label_agreement(X, labels, language_of, artists=artists)),
        ("within", within_category_agreement(X, labels, language_of, artists=artists)),
    ):
        result |= {f"{name}_{kind}": agreement[kind] for kind in ("mean", "balanced")}
    return result


def shared_label_agreement(
    X: np.ndarray,
    values: Sequence[Any],
    composition: Any,
    *,
    k: int = 10,
    artists: Sequence[Any] | None = None,
) -> dict[str, float]:
    """Neighbour agreement with a label among the tracks whose label occurs in several languages.

    Over all tracks, whoever finds the language is paid for the labels that follow from it. Here
    only tracks of label values that occur in two categories or more, with five tracks in each, are
    neighbours of each other (`shared_mask`).

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_dimensions)
    values : sequence of length n_tracks
        The label.
    composition : View
        The covariate's shares.
    k : int
    artists : sequence, optional
        Switches the artist filter on.

    Returns
    -------
    dict
        As `shared_inputs.knn_label_agreement`, and `n_tracks`,
        `n_values`; NaN where fewer than two label values are shared.
    """
    from songscape.metrics.neighbours import nearest_neighbors

    mask = shared_mask(values, composition)
    kept = [value for value, here in zip(values, mask) if here]
    sizes: dict[str, float] = {"n_tracks": int(mask.sum()), "n_values": len(set(kept))}
    if len(set(kept)) < 2:
        nan = float("nan")
        return {**dict.fromkeys(("mean", "balanced", "chance"), nan), "n_used": 0, **sizes}
    space = np.asarray(X)[mask]
    theirs: Any = None if artists is None else [a for a, here in zip(artists, mask) if here]
    near = nearest_neighbors(space, max(N_NEIGHBORS, k))
    return knn_label_agreement(near, kept, k=k, artists=theirs, X=space) | sizes


def shared_mask(values: Sequence[Any], composition: Any, n_tracks: int = 5) -> np.ndarray:
    """Tracks whose label occurs in two languages or more, with `n_tracks` in each, by shares."""
    texts = np.array(["" if v is None or v != v else str(v).strip() for v in values], dtype=object)
    shares = np.where(composition.present[:, None], composition.values, 0).astype(float)
    # Shares are float32: five times 1/3 + 2/3 may miss five by a hair.
    shared = [
        name
        for name in set(texts) - {""}
        if (shares[texts == name].sum(axis=0) >= n_tracks - 1e-3).sum() >= 2
    ]
    return np.isin(texts, np.array(shared, dtype=object))


def within_category_agreement(
    X: np.ndarray,
    values: Sequence[Any],
    composition: Any,
    *,
    k: int = 10,
    artists: Sequence[Any] | None = None,
) -> dict[str, float]:
    """Neighbour agreement with a label among the tracks of one's own language.

    Knowing the language helps nobody here, so a representation that hides it can be compared with
    one that shows it also where label and language depend on each other.

    Parameters
    ----------
    X, values, composition, k, artists
        As in `shared_label_agreement`. A track belongs to the category of its largest share; those
        of categories with fewer than 20 tracks, or of unknown composition, are left out.

    Returns
    -------
    dict
        `mean` over tracks, `balanced` (mean of the label's class means), `n_used`.
    """
    from songscape.metrics.neighbours import (
        class_mean,
        knn_agreement_samples,
        nearest_neighbors,
        without_groups,
    )

    space = np.asarray(X)
    names = np.asarray(values, dtype=object)
    everyone = None if artists is None else np.asarray(artists, dtype=object)
    samples = np.full(len(space), np.nan)
    category = np.where(composition.present, composition.values.argmax(axis=1), -1)
    for code in np.unique(category[category >= 0]):
        rows = np.flatnonzero(category == code)
        if len(rows) < MIN_IN_CATEGORY:
            continue
        near = nearest_neighbors(space[rows], max(N_NEIGHBORS, k))
        if everyone is None:
            near = near.first(min(k, near.n_neighbors))
        else:
            near = without_groups(near, everyone[rows], k, space[rows])
        samples[rows] = knn_agreement_samples(near, names[rows])
    used = np.isfinite(samples)
    return {
        "mean": float(samples[used].mean()) if used.any() else float("nan"),
        "balanced": class_mean(samples, names),
        "n_used": int(used.sum()),
    }


def interval(values: Any) -> tuple[float, float]:
    """Mean and half width of the 95 % t interval, over seeds."""
    from scipy.stats import t

    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2:
        return float(array.mean()), float("nan")
    half = t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / len(array) ** 0.5
    return float(array.mean()), float(half)


def markdown(table: Any) -> str:
    """One collection's table; ratios are paired by seed."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for row, part in table.groupby("row", sort=False):
        cells = []
        for column in COLUMNS:
            mean, half = interval(part[column])
            cells.append("–" if mean != mean else f"{mean:.3f}")
            if half == half and column not in FIXED:
                cells[-1] += f" ± {half:.3f}"
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("libraries", nargs="+", metavar="NAME=LIBRARY")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--genre", default="genre", help="the label column (default genre)")
    parser.add_argument("--folder", type=Path, default=Path("neutral"))
    parser.add_argument("--also", action="store_true", help="rows that say where language leaks")
    parser.add_argument("--penalty", type=float, nargs="*", default=[], help="more penalty weights")
    options = parser.parse_args()

    import pandas as pd

    from songscape.audit.nuisances import unexplained_share

    options.folder.mkdir(parents=True, exist_ok=True)
    rows = ROWS | {f"neutral-vae, penalty {w:g}": penalised(w) for w in options.penalty}
    pairs = (argument.partition("=")[::2] for argument in options.libraries)
    collections = {name: inputs_of(Path(path)) for name, path in pairs}
    stored: dict[tuple[str, str, int], Latents] = {}
    # Seeds outside: whoever stops early has the same seeds of every collection.
    for seed in range(options.seeds):
        for name, inputs in collections.items():
            for row, fit in rows.items():
                if not seed or row not in EXACT:
                    cell = latents_of(options.folder, name, inputs.views, row, seed, fit)
                    stored[name, row, seed] = cell
    everything = []
    for name, inputs in collections.items():
        genre, language = (inputs.columns[c] for c in (options.genre, "language"))
        found = [
            {"collection": name, "row": space, "seed": seed, **figures(X, inputs, options.genre)}
            for (collection, _, seed), cell in stored.items()
            for space, X in cell.items()
            if collection == name and (space in rows or options.also)
        ]
        table = pd.DataFrame(found)
        reference = table[table["row"] == REFERENCE].set_index("seed")
        exact = table["row"].isin(EXACT)
        for column in [c for c in table if c.endswith(("_mean", "_balanced"))]:
            base = reference[column]
            # A method without randomness is held against all seeds of the unconditional model.
            own = table["seed"].map(base).where(~exact, base.mean())
            table[f"{column}_ratio"] = table[column] / own
        everything.append(table)
        print(f"\n## {name}: {inputs.views.n_tracks} tracks, {options.seeds} seeds")
        left = unexplained_share(genre.to_numpy(object), language.to_numpy(object))
        print(f"language leaves {left:.0%} of {options.genre} open\n")
        print(markdown(table), flush=True)
        pd.concat(everything).to_csv(options.folder / "figures.csv", index=False)


if __name__ == "__main__":
    sys.exit(main())
