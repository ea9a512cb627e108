"""A large synthetic collection: default fit, placement and clusters; time and peak memory.

    python benchmarks/scale.py                                  # 100,000 tracks, everything default
    python benchmarks/scale.py --tracks 10000 --epochs 2        # what one epoch costs, extrapolated
    python benchmarks/scale.py --tracks 10000 --epochs 14 --k 20    # and what few epochs give

160 dense numbers and 5,000 sparse word weights (about 60 words a song) per track, drawn from 20
groups. Prints one line per step: seconds passed, seconds of processor time (the figure to compare
on a busy machine), and the peak memory of the process so far. With `--epochs` the time of the
default number of epochs is extrapolated from those that were run. Last come the agreement of the
clusters, and of the 10 nearest neighbours, with the groups: with fewer tracks and several numbers
of epochs they say what a short training costs. The goal for 100,000 tracks on 2 cores: under 15
minutes and 8 GB.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from metrics import peak_megabytes, timed

N_GROUPS, N_DENSE, N_WORDS, WORDS_PER_SONG = 20, 160, 5_000, 60


def synthetic_views(n_tracks: int, seed: int = 0) -> tuple[Any, np.ndarray]:
    """Views `timbre` and `lyrics` of tracks in 20 groups, and the group of each."""
    import scipy.sparse as sp

    from songscape.features.views import View, Views

    rng = np.random.default_rng(seed)
    group = rng.integers(0, N_GROUPS, n_tracks)
    factors = rng.normal(size=(16, N_DENSE)).astype(np.float32)
    places = 1.5 * rng.normal(size=(N_GROUPS, 16)).astype(np.float32)
    own = rng.standard_normal((n_tracks, 16), dtype=np.float32)
    dense = (places[group] + own) @ factors
    dense += 2 * rng.standard_normal((n_tracks, N_DENSE), dtype=np.float32)
    # Zipf's law for everyone, with words that each group prefers.
    common = 1.0 / np.arange(1, N_WORDS + 1)
    columns = np.empty((n_tracks, WORDS_PER_SONG), np.int32)
    for number in range(N_GROUPS):
        liked = common * rng.gamma(0.5, 1.0, N_WORDS)
        mine = np.flatnonzero(group == number)
        columns[mine] = rng.choice(N_WORDS, size=(len(mine), WORDS_PER_SONG), p=liked / liked.sum())
    rows = np.repeat(np.arange(n_tracks), WORDS_PER_SONG)
    ones = np.ones(columns.size, np.float32)
    words = sp.csr_array((ones, (rows, columns.ravel())), shape=(n_tracks, N_WORDS))
    words.sum_duplicates()
    # As TF-IDF: rare words count more, every song has unit length.
    rarity = np.log(n_tracks / (1 + np.bincount(words.indices, minlength=N_WORDS))) + 1
    words.data *= rarity[words.indices].astype(np.float32)
    lengths = np.sqrt(np.asarray(words.multiply(words).sum(axis=1)).ravel())
    words.data /= np.repeat(lengths, np.diff(words.indptr)).astype(np.float32)
    there = np.ones(n_tracks, bool)
    ids = tuple(f"{i:09d}" for i in range(n_tracks))
    return Views(ids, {"timbre": View(dense, there), "lyrics": View(words, there)}), group


def steps_per_epoch(model: Any, n_tracks: int) -> int:
    return int(model.training.steps_per_epoch(n_training(model, n_tracks)))


def n_training(model: Any, n_tracks: int) -> int:
    """Tracks that are not held out."""
    return n_tracks - round(model.training.validation_fraction * n_tracks)


def default_epochs(model: Any, n_tracks: int) -> int:
    """Epochs that the model takes by itself: a large collection has fewer, by `max_steps`."""
    return int(model.training.capped(n_training(model, n_tracks)).epochs)


def neighbour_agreement(space: np.ndarray, group: np.ndarray, n_asked: int = 2_000) -> float:
    """Share of the 10 nearest tracks that are of the same group, for evenly spaced tracks."""
    from sklearn.neighbors import NearestNeighbors

    asked = np.linspace(0, len(space) - 1, min(n_asked, len(space))).astype(int)
    near = NearestNeighbors(n_neighbors=11).fit(space).kneighbors(space[asked])[1]
    return float((group[near[:, 1:]] == group[asked, None]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, help="fewer than the default, to extrapolate")
    parser.add_argument("--arguments", default="{}", help="further ones for song-vae, as JSON")
    parser.add_argument("--k", type=int, default=0, help="clusters (default: chosen)")
    parser.add_argument("--seed", type=int, default=0, help="of the data and of the model")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    from sklearn.metrics import adjusted_mutual_info_score

    from songscape.clustering.methods import cluster
    from songscape.experiment.request import shared_k
    from songscape.models.presets import make_model

    views, group = synthetic_views(options.tracks, options.seed)
    print(f"{options.tracks:,} tracks; {peak_megabytes():.0f} MB to begin with", flush=True)
    clock: list[tuple[float, float]] = []
    arguments = {"views": ("timbre", "lyrics"), **json.loads(options.arguments)}
    default = default_epochs(make_model("song-vae", **arguments), options.tracks)
    if options.epochs:
        arguments["epochs"] = options.epochs

    def epoch_done(epoch: int, epochs: int, row: dict[str, float]) -> None:
        clock.append((time.perf_counter(), time.process_time()))

    model = make_model("song-vae", random_state=options.seed, **arguments)
    start, busy = time.perf_counter(), time.process_time()
    timed("fit", lambda: model.fit(views, callback=epoch_done))
    space, _ = timed("transform", lambda: model.transform(views))
    k = options.k
    if not k:
        k = timed("choosing k", lambda: shared_k(views))[0].ks[0]
    labels = timed(f"k-means, k = {k}", lambda: cluster("kmeans", space, k=k).labels)[0]
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    epoch = [0.0, 0.0]
    if len(clock) > 1:
        epoch = [(clock[-1][i] - clock[0][i]) / (len(clock) - 1) for i in (0, 1)]
    missing = default - len(clock)
    agreement = neighbour_agreement(space, group)
    ami = float(adjusted_mutual_info_score(group, labels))
    print(f"AMI with the groups {ami:.3f}, kNN agreement {agreement:.3f}")
    print(f"{len(clock)} epochs; one epoch: {epoch[0]:.1f} s, {epoch[1]:.1f} s CPU")
    print(f"in all {seconds:.0f} s, {busy:.0f} s CPU; peak {peak_megabytes():.0f} MB")
    result = {
        "tracks": options.tracks,
        "epochs": len(clock),
        "steps": len(clock) * steps_per_epoch(model, options.tracks),
        "ami": ami,
        "knn_agreement": agreement,
        "default_epochs": default,
        "seconds": seconds,
        "cpu_seconds": busy,
        "seconds_per_epoch": epoch[0],
        "cpu_seconds_per_epoch": epoch[1],
        "extrapolated_seconds": seconds + missing * epoch[0],
        "extrapolated_cpu_seconds": busy + missing * epoch[1],
        "peak_mb": peak_megabytes(),
    }
    if missing > 0:
        print(
            f"with the default {default} epochs about {result['extrapolated_seconds']:.0f} s, "
            f"{result['extrapolated_cpu_seconds']:.0f} s CPU (extrapolated)"
        )
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
