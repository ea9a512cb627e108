"""Representations beside each other: neighbours by genre and artist, and what tells the language.

    python benchmarks/representations.py SOURCE ... [--seeds 5] [--work KEPT] [--json FILE]

A SOURCE is a labelled folder, a library (songscape.db), or a folder with `views.npz` and
`tracks.csv` (features without audio). Three tables per source:

1. every track complete: each model, and the paired difference to balanced-lda;
2. the lyrics removed from a random half of the tracks before anything is fitted, and
3. the audio: song-vae against balanced-lda with the missing views at their mean, and with those of
   the complete track that is nearest by what is there (donors). Figures are of the half that lacks.

Rivals of neutral-lda: balanced-lda without the means of the languages; after the smallest change
that leaves no linear probe the language (LEACE, Belrose et al. 2023; the language is not given);
with one mean and covariance of sound and of words in every language (CORAL, Sun et al. 2016).

genre: the share of the 10 nearest with the same genre, no song of the same artist among them, mean
over genres of 20 songs or more. artist: songs of artists with two or more that have one of them
among their 10 nearest. language: the share of the 10 nearest in the same language, less chance.
Intervals (95 %) are over artists and, where there are several, seeds. What was computed lies in
`--work`, one file per source, half, model and seed, and is not computed again.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from shared_inputs import markdown, name_of, read_folder, write_json

YARDSTICK = "balanced-lda"
FREE = ("balanced-pca", YARDSTICK, "song-vae")
ALIGNED = tuple(f"{YARDSTICK}-{how}" for how in ("centred", "leace", "coral"))
NEUTRAL = ("balanced-pca-centred", *ALIGNED, "neutral-lda", "neutral-vae")
TRAINED = ("song-vae", "neutral-vae")
HALVES = {"lyrics": ("lyrics",), "audio": ("segments", "rhythm", "timbre")}
DONORS = f"{YARDSTICK}, donors"
LEAST, K = 20, 10


@dataclass(frozen=True, eq=False)
class Collection:
    """Views, and genre, artist and language of each track ("" or None where unknown)."""

    name: str
    views: Any
    genre: np.ndarray
    artist: np.ndarray
    language: np.ndarray


def of_arrays(folder: Path) -> Collection:
    """A folder of `views.npz` and `tracks.csv`: segments, timbre, rhythm and word counts."""
    import scipy.sparse as sp

    from songscape.features.covariates import composition_view
    from songscape.features.text import weigh_words
    from songscape.features.views import View, Views

    with (folder / "tracks.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    stored = np.load(folder / "views.npz", allow_pickle=False)
    there = np.ones(len(rows), bool)
    parts = tuple(stored[f"counts_{part}"] for part in ("data", "indices", "indptr"))
    counts = sp.csr_array(parts, shape=(len(rows), len(stored["words"])), dtype=np.float32)
    languages = [row["language"] or None for row in rows]
    blocks = {
        name: View(stored[name].astype(np.float32), there, modality="audio")
        for name in ("timbre", "rhythm")
    }
    blocks["segments"] = View(
        stored["segments"].astype(np.float32), there, stored["segments_mask"], modality="audio"
    )
    blocks["lyrics"] = weigh_words(View(counts, np.diff(counts.indptr) > 0), once=True)
    blocks["language"] = composition_view(languages)
    artist = np.array([row["artist"] for row in rows], object)
    ids = tuple(row["id"] for row in rows)
    views = Views(ids, blocks, np.unique(artist, return_inverse=True)[1])
    genre = np.array([row["genre"] for row in rows], object)
    return Collection(folder.name, views, genre, artist, np.array(languages, object))


def of_library(source: Path, work: Path) -> Collection:
    inputs, _ = read_folder(source, work)
    roles, columns = inputs.roles, inputs.columns
    n = len(columns)
    genre = next((name for name in columns if name.casefold() == "genre"), None)
    artists = inputs.artists or [None] * n
    names = ["timbre", "segments", "rhythm", "lyrics", "language"]
    views = inputs.views.select([name for name in names if name in inputs.digests])
    language = roles.language
    return Collection(
        name_of(source),
        replace(views, blocks={name: views[name] for name in views}),
        columns[genre].to_numpy(object) if genre else np.full(n, None, object),
        np.array([name or f"unknown {i}" for i, name in enumerate(artists)], object),
        columns[language].to_numpy(object) if language in columns else np.full(n, None, object),
    )


def collection_of(source: Path, work: Path) -> Collection:
    """A SOURCE of any kind; `work` is for what is extracted or copied."""
    return of_arrays(source) if (source / "views.npz").exists() else of_library(source, work)


def without_half(collection: Collection, half: str, seed: int) -> tuple[Collection, np.ndarray]:
    """The collection without some views in a random half of the tracks, and which tracks lack."""
    if not half:
        return collection, np.ones(collection.views.n_tracks, bool)
    n = collection.views.n_tracks
    gone = np.zeros(n, bool)
    gone[np.random.default_rng(100 + seed).permutation(n)[: n // 2]] = True
    blocks = dict(collection.views.blocks)
    for name in HALVES[half]:
        if name in blocks:
            blocks[name] = replace(blocks[name], present=blocks[name].present & ~gone)
    return replace(collection, views=replace(collection.views, blocks=blocks)), gone


def space(collection: Collection, half: str, model: str, seed: int, work: Path) -> np.ndarray:
    """Where a model puts the tracks; kept in `work`."""
    from songscape.models.presets import find_preset, make_model

    path = work / f"{collection.name}-{half or 'complete'}-{model}-{seed}.npy"
    if path.exists():
        return np.load(path, allow_pickle=False)
    views = collection.views
    preset = find_preset(YARDSTICK if model in ALIGNED else model.partition(",")[0])
    there = [name for name in preset.modelled_views if name in views]
    fitted = make_model(preset.name, random_state=seed, views=there).fit(views)
    found = fitted.transform(views)
    if model == DONORS:
        found = with_donors(
            found, fitted.of_view, np.stack([views[n].present for n in there], axis=1)
        )
    if model in ALIGNED:
        found = aligned(
            found, np.array(fitted.of_lyrics_)[fitted.of_view], views["language"], model
        )
    np.save(path, found)
    return found


def aligned(space: np.ndarray, of_lyrics: np.ndarray, languages: Any, model: str) -> np.ndarray:
    """Without the languages, in one of three ways; `of_lyrics` says which columns are words."""
    from scipy.linalg import sqrtm

    from songscape.models.alignment import fit_alignment

    there = space != 0
    if model.endswith("leace"):
        X = space - space.mean(axis=0)
        Y = languages.values - languages.values.mean(axis=0)
        root = np.real(sqrtm(X.T @ X / len(X) + 1e-9 * np.eye(X.shape[1])))
        seen, sizes, _ = np.linalg.svd(np.linalg.solve(root, X.T @ Y / len(X)), full_matrices=False)
        seen = seen[:, sizes > 1e-6 * sizes.max()]
        return np.where(there, X - X @ np.linalg.inv(root) @ seen @ seen.T @ root, 0.0)
    parts = [np.flatnonzero(of_lyrics == words) for words in (False, True)]
    turned = [part for part in parts if len(part)] if model.endswith("coral") else ()
    found = fit_alignment(space, there, languages, turned).apply(space, languages)
    return np.where(there, found, 0.0)


def with_donors(space: np.ndarray, of_view: np.ndarray, present: np.ndarray) -> np.ndarray:
    """What a track lacks taken from the complete one that is nearest by the coordinates it has."""
    from scipy.spatial.distance import cdist

    filled, whole = space.copy(), present.all(axis=1)
    for known in np.unique(present[~whole], axis=0):
        rows = np.flatnonzero((present == known).all(axis=1))
        there = known[of_view]
        if there.any() and whole.any():
            nearest = cdist(space[rows][:, there], space[whole][:, there]).argmin(axis=1)
            filled[np.ix_(rows, ~there)] = space[whole][nearest][:, ~there]
    return filled


def figures(X: np.ndarray, collection: Collection, asked: np.ndarray) -> dict[str, np.ndarray]:
    """Values per track whose mean is the figure, NaN where a track has no part in it."""
    from songscape.metrics.labels import encode_labels
    from songscape.metrics.neighbours import knn_agreement_samples as agreement
    from songscape.metrics.neighbours import knn_chance, nearest_neighbors, without_groups

    artists = encode_labels(collection.artist)[0]
    near = nearest_neighbors(X, 3 * K)
    strangers = without_groups(near, artists, K, X)
    genre = agreement(strangers, collection.genre)
    codes = encode_labels(collection.genre)[0]
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    codes = np.where(asked & (codes >= 0) & (sizes[codes] >= LEAST), codes, -1)
    sizes = np.bincount(codes[codes >= 0], minlength=len(sizes))
    weights = (codes >= 0).sum() / (max((sizes > 0).sum(), 1) * np.maximum(sizes[codes], 1))
    same = artists[near.indices[:, :K]] == artists[:, None]
    several = (np.bincount(artists)[artists] > 1) & asked
    language = agreement(strangers, collection.language)
    return {
        "genre": np.where(codes >= 0, genre * weights, np.nan),
        "artist": np.where(several, same.any(axis=1), np.nan),
        "language": np.where(asked, language - knn_chance(collection.language, artists)[0], np.nan),
    }


def table(
    collection: Collection, half: str, models: Sequence[str], n_seeds: int, work: Path
) -> Iterator[dict[str, Any]]:
    """One row per model: figures, and their differences to the yardsticks."""
    from songscape.statistics.intervals import paired_difference

    models = (YARDSTICK, DONORS, "song-vae") if half else models
    samples: dict[str, dict[str, np.ndarray]] = {}
    for model in models:
        each = []
        for seed in range(n_seeds):
            if model not in TRAINED and not half and seed:
                each.append(each[0])
                continue
            part, asked = without_half(collection, half, seed)
            each.append(figures(space(part, half, model, seed, work), collection, asked))
        samples[model] = {name: np.stack([one[name] for one in each]) for name in each[0]}
    for model in models:
        row: dict[str, Any] = {"model": model}
        for name, values in samples[model].items():
            row[name] = f"{np.nanmean(values):.3f}"
        for other in (YARDSTICK, DONORS) if half else (YARDSTICK,):
            for name in ("genre", "artist"):
                ours, theirs = samples[model][name], samples[other][name]
                said = ""
                if model != other and np.isfinite(ours).any():
                    found = paired_difference(ours, theirs, collection.artist)
                    said = f"{found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
                against = "donors" if other == DONORS else "mean" if half else other
                row[f"{name} less {against}"] = said
        yield row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--models", default=",".join((*FREE, *NEUTRAL)))
    parser.add_argument("--halves", default=",lyrics,audio", help='e.g. "" or ",lyrics"')
    parser.add_argument("--work", type=Path, help="folder where what was computed is kept")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    models = options.models.split(",")
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        for source in options.sources:
            collection = collection_of(source, work)
            for half in options.halves.split(","):
                rows = list(table(collection, half, models, options.seeds, work))
                found[f"{collection.name} {half}".strip()] = rows
                lacking = f", half without {half}: those tracks" if half else ""
                print(f"\n### {collection.name}: {collection.views.n_tracks} tracks{lacking}\n")
                print(markdown(rows), flush=True)
    if options.json:
        write_json(options.json, found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
