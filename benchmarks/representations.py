"""song-vae beside every baseline and the libraries' VAEs, on the same labelled folders.

    python benchmarks/representations.py FOLDER [FOLDER ...] --seeds 0,1,2,3,4
    python -m venv libs && libs/bin/pip install torch pythae multivae
    python benchmarks/representations.py FOLDER --libraries libs/bin/python --json figures.json \\
        --work KEPT            # stopped and started again, it goes on where it was

Every model reads the same tracks and gives the same number of dimensions (`--latent`; raw keeps
all). pythae's VAE and multivae's MVAE, MoPoE and MVTCAE run in an interpreter of their own (see
`library_models.py`) on the timbre view, standardised, and the lyrics: TF-IDF reduced by truncated
SVD to `--words` dimensions (0: TF-IDF as it is), brought to a mean square of 1 as a block. Their
posterior means are judged, not samples.

Figures: neighbour agreement with each label (10 nearest, same-artist neighbours removed, mean over
classes), AMI of k-means, and the share of tracks with another of their artist among the 10 nearest.
Intervals are over seeds and resampled artists. The last table is the paired difference of the model
to the best rival of each figure; the rival is picked on the same tracks, which favours it. k is
that of `songscape compare`: chosen by stability in the space of balanced-pca, or `--k`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from shared_inputs import (
    markdown,
    read_folder,
    seeds_argument,
    stem_of,
    trained_model,
    with_interval,
)

OURS = "song-vae"
# How each model is told how many dimensions to give; two views of half as many, or one space.
LATENT = {
    "song-vae": "latent_dim",
    "song-vae-latent": "latent_dim",
    "vade": "latent_dim",
    "autoencoder": "latent_dim",
    "dense-vae": "latent_dim",
    "fusion-dense-vae": "latent_dim",
    "conv1d-vae": "latent_dim",
    "pca": "n_components",
    "tfidf": "n_components",
    "timbre-pca": "n_components",
}
PER_VIEW = {"song-vae": "reduced_dim", "balanced-pca": "n_components"}
MODELS = (
    *("song-vae", "balanced-pca", "pca", "raw", "tfidf"),
    *("autoencoder", "dense-vae", "fusion-dense-vae", "conv1d-vae"),
)
LIBRARY_MODELS = {
    "multivae MoPoE": "MoPoE",
    "multivae MVAE": "MVAE",
    "pythae VAE": "VAE",
    "multivae MVTCAE": "MVTCAE",
}


def export_features(views: Any, n_words: int, path: Path) -> None:
    """Timbre standardised, lyrics reduced, both of mean square 1, for the libraries."""
    from songscape.models.presets import make_model
    from songscape.models.standardisation import fit_input

    rows = np.arange(views.n_tracks)
    timbre = fit_input("timbre", views["timbre"]).read(views["timbre"], rows)[0]
    lyrics, has_lyrics = views["lyrics"], views["lyrics"].present
    if n_words:
        words = make_model("tfidf", n_components=n_words).fit_transform(views.select(["lyrics"]))
    else:
        words = lyrics.values.toarray()
    words = np.where(has_lyrics[:, None], words, 0.0)
    words = words / np.sqrt(np.mean(words[has_lyrics] ** 2))
    np.savez(
        path, timbre=timbre, lyrics=words.astype(np.float32), has_lyrics=has_lyrics.astype(bool)
    )


def library_latents(
    name: str, seeds: list[int], options: argparse.Namespace, features: Path, n_tracks: int
) -> list[np.ndarray]:
    """Posterior means of a model of pythae or multivae per seed, trained in its interpreter."""
    worker = Path(__file__).with_name("library_models.py")
    with tempfile.TemporaryDirectory() as folder:
        command = [options.libraries, str(worker), str(features), folder]
        command += ["--model", LIBRARY_MODELS[name], "--latent", str(options.latent)]
        command += ["--seeds", ",".join(map(str, seeds))]
        # As song-vae does: smaller batches for small collections.
        command += ["--batch", str(min(64, max(8, n_tracks // 16)))]
        subprocess.run(command, check=True)
        return [np.load(Path(folder) / f"{seed}.npy") for seed in seeds]


def arguments_of(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """What a model is given beside its preset."""
    if name in LIBRARY_MODELS:
        return {"latent": options.latent, "words": options.words}
    arguments = {LATENT[name]: options.latent} if name in LATENT else {}
    if name in PER_VIEW:
        arguments[PER_VIEW[name]] = options.latent // 2
    return arguments | (json.loads(options.ours) if name == OURS else {})


def spaces_of(
    name: str, views: Any, options: argparse.Namespace, features: Path, work: Path
) -> list[np.ndarray]:
    """One space per seed; those that lie in `work`, of the same input and arguments, are read."""
    from songscape.models.presets import find_preset

    arguments = arguments_of(name, options)
    paths = {seed: work / f"{stem_of(views, name, seed, arguments)}.npy" for seed in options.seeds}
    missing = [seed for seed, path in paths.items() if not path.exists()]
    if name in LIBRARY_MODELS and missing:
        found = library_latents(name, missing, options, features, views.n_tracks)
        for seed, latents in zip(missing, found):
            np.save(paths[seed], latents)
    for seed in missing if name not in LIBRARY_MODELS else ():
        # `placement.py` goes on with the models of ours.
        model = trained_model(views, name, seed, arguments, work if name == OURS else None)
        latents = model.transform(views.select(find_preset(name).views))
        np.save(paths[seed], latents)
    return [np.load(path) for path in paths.values()]


def measure(
    latents: np.ndarray, targets: Any, k: int, seed: int
) -> tuple[list[dict[str, Any]], dict[Any, np.ndarray], np.ndarray]:
    """Evidence rows, values per track, and the k-means partition of one space."""
    from songscape.benchmark.measure import space_rows
    from songscape.clustering.methods import cluster
    from songscape.metrics.clusters import ami

    rows, samples = space_rows(latents, targets, seed=seed)
    partition = cluster("kmeans", latents, k=k, random_state=seed).labels
    rows += [
        {"clusterer": "kmeans", "k": k, "axis": "agreement", "metric": "ami", "column": column}
        | {"value": ami(partition, truth)}
        for column, truth in targets.labels.items()
    ]
    return [row | {"seed": seed} for row in rows], samples, partition


def evidence_of(
    inputs: Any, targets: Any, k: int, options: argparse.Namespace, work: Path
) -> list[Any]:
    """Evidence of every model, each trained once per seed."""
    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.keys import PartitionKey

    evidence = []
    with tempfile.TemporaryDirectory() as folder:
        features = Path(folder) / "features.npz"
        export_features(inputs.views, options.words, features)
        names = [name for name in options.models.split(",") if name]
        if options.libraries:
            names += options.library_models.split(",")
        for name in names:
            start = time.perf_counter()
            spaces = spaces_of(name, inputs.views, options, features, work)
            measured = [measure(X, targets, k, seed) for X, seed in zip(spaces, options.seeds)]
            seconds = time.perf_counter() - start
            print(f"{name}: {seconds:.0f} s", file=sys.stderr, flush=True)
            samples = {key: np.stack([one[1][key] for one in measured]) for key in measured[0][1]}
            rows = [row for one in measured for row in one[0]]
            partitions = {PartitionKey("kmeans", k): np.stack([one[2] for one in measured])}
            # To `evaluate`, everything but ours is a baseline: it looks for the best of them.
            kind = "vae" if name == OURS else "baseline"
            evidence.append(Evidence(name, kind, rows, samples, partitions))
    return evidence


def figures(table: Any) -> list[tuple[str, str]]:
    """(metric, column) of the figures to show, in order."""
    shown = table[table["metric"].isin(["knn_balanced", "ami"]) | table["metric"].eq("hit")]
    order = {"knn_balanced": 0, "ami": 1, "hit": 2}
    pairs = {(row.metric, row.column) for row in shown.itertuples()}
    return sorted(pairs, key=lambda pair: (order[pair[0]], pair[1]))


TITLES = {"knn_balanced": "kNN", "ami": "AMI", "hit": "hit@10"}


def report(name: str, comparison: Any, k: int, reason: str, n_tracks: int) -> dict[str, Any]:
    """Print both tables of one folder; returns what goes into the JSON file."""
    table, differences = comparison.summary, comparison.differences
    columns = figures(table)
    wide = []
    for model in table["model"].unique():
        row: dict[str, Any] = {"model": model}
        for metric, column in columns:
            here = table[
                (table["model"] == model)
                & (table["metric"] == metric)
                & (table["column"] == column)
            ]
            found = here.iloc[0]
            row[f"{TITLES[metric]} {column}"] = with_interval(
                found["estimate"], found["low"], found["high"]
            )
        wide.append(row)
    chance = {"model": "chance"}
    for metric, column in columns:
        rows = table[(table["metric"] == metric) & (table["column"] == column)]
        value = rows["chance"].iloc[0]
        known = metric == "knn_balanced" and np.isfinite(value)
        chance[f"{TITLES[metric]} {column}"] = f"{value:.3f}" if known else ""
    paired = []
    for metric, column in columns:
        rows = differences[
            (differences["model"] == OURS)
            & (differences["metric"] == metric)
            & (differences["column"] == column)
        ]
        if len(rows):
            found = rows.iloc[0]
            low, high = found["low_to_best"], found["high_to_best"]
            paired.append(
                {
                    "figure": f"{TITLES[metric]} {column}",
                    "best rival": found["best_baseline"],
                    "difference": with_interval(found["difference_to_best"], low, high, True),
                    "verdict": "ahead" if low > 0 else "behind" if high < 0 else "not told apart",
                    "to balanced-pca": with_interval(
                        found["difference"], found["low"], found["high"], True
                    ),
                }
            )
    print(f"\n## {name}: {n_tracks} tracks\n\n{reason} (k-means with k = {k})\n")
    print(markdown([*wide, chance]))
    if paired:
        print(f"\n{OURS} minus the best rival, paired by track:\n\n{markdown(paired)}", flush=True)
    kept = ["model", "metric", "column", "estimate", "low", "high", "chance", "n_seeds"]
    return {
        "folder": name,
        "n_tracks": n_tracks,
        "k": k,
        "figures": json.loads(table[kept].to_json(orient="records")),
        "differences": json.loads(differences.to_json(orient="records")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="labelled folders (tracks.csv)")
    parser.add_argument("--libraries", metavar="PYTHON", help="interpreter with both libraries")
    parser.add_argument("--library-models", default=",".join(LIBRARY_MODELS))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--ours", default="{}", help="arguments for song-vae, as JSON")
    parser.add_argument("--seeds", type=seeds_argument, default=(0, 1, 2, 3, 4))
    parser.add_argument("--latent", type=int, default=32)
    parser.add_argument("--words", type=int, default=64, help="SVD dimensions for the libraries")
    parser.add_argument("--k", type=int, help="clusters (default: as `songscape compare`)")
    parser.add_argument(
        "--work",
        type=Path,
        help="keeps features and spaces: remove it after a change of the code",
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.folders:
        parser.error("name at least one folder with a tracks.csv")
    if not options.libraries:
        print("skipped: pythae and multivae (give --libraries PYTHON, see the top of this file)")

    from songscape.benchmark.benchmark import evaluate
    from songscape.benchmark.keys import PartitionKey
    from songscape.experiment.shared_k import shared_k

    results = []
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        for folder in options.folders:
            inputs, targets = read_folder(folder, work)
            clusters = shared_k(inputs.views, (options.k,) if options.k else ())
            k = clusters.ks[0]
            name = folder.resolve().name
            evidence = evidence_of(inputs, targets, k, options, work)
            found = evaluate(
                evidence,
                targets,
                baseline="balanced-pca",
                headline=PartitionKey("kmeans", k),
            )
            results.append(report(name, found, k, clusters.reason, inputs.views.n_tracks))
            if options.json:
                options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
