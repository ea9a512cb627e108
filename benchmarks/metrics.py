"""Time and peak memory of the whole metric set, and the silhouette's ratio to scikit-learn's.

    python benchmarks/metrics.py                 # 100,000 tracks x 32 dimensions
    python benchmarks/metrics.py --tracks 20000

Prints one line per step: seconds passed, seconds of processor time (all threads; the figure to
compare on a busy machine), and the peak memory of the process so far. The data are a mixture of 20
clouds with artists, languages and lengths attached; clusters come from k-means.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from shared_inputs import knn_label_agreement


def peak_megabytes() -> float:
    """Peak resident memory of this process."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def timed(name: str, function: Callable[[], Any]) -> tuple[Any, float]:
    start, busy = time.perf_counter(), time.process_time()
    result = function()
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    print(f"{name:<42}{seconds:9.2f} s {busy:9.2f} s CPU {peak_megabytes():9.0f} MB", flush=True)
    return result, busy


def collection(n: int, d: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    style = rng.integers(0, 20, n)
    artist = rng.integers(0, max(2, n // 8), n)
    X = rng.normal(size=(n, d)) + 1.5 * rng.normal(size=(20, d))[style]
    X += 0.5 * rng.normal(size=(artist.max() + 1, d))[artist]
    language = np.where(rng.random(n) < 0.7, style % 5, rng.integers(0, 5, n))
    seconds = 180 + 60 * rng.normal(size=n) + 10 * language
    return X.astype(np.float32), {
        "genre": style,
        "artist": artist,
        "language": language,
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=32)
    parser.add_argument("--skip-reference", action="store_true", help="leave scikit-learn out")
    options = parser.parse_args()

    from songscape.benchmark.keys import SPACE
    from songscape.benchmark.measure import measure
    from songscape.benchmark.targets import Targets
    from songscape.clustering.methods import cluster
    from songscape.metrics import clusters as metrics
    from songscape.metrics import neighbours as neighbors
    from songscape.metrics import silhouette, stability
    from songscape.metrics.retrieval import average_precision_samples, hit_samples
    from songscape.statistics.intervals import bootstrap_mean, half_sample_ami
    from songscape.statistics.permutations import permutation_nulls

    X, columns = collection(options.tracks, options.dimensions)
    artist = columns["artist"]
    print(f"{len(X):,} tracks x {X.shape[1]} dimensions; {peak_megabytes():.0f} MB to begin with")
    runs, _ = timed(
        "k-means, k = 20, 3 seeds",
        lambda: [cluster("kmeans", X, k=20, random_state=s, n_init=1).labels for s in range(3)],
    )
    labels = runs[0]
    start, busy = time.perf_counter(), time.process_time()
    timed("internal metrics, sampled silhouette", lambda: metrics.internal_metrics(X, labels))
    for column in ("genre", "artist", "language"):
        timed(f"agreement with {column}", lambda c=column: metrics.agreement(labels, columns[c]))
    timed(
        "AMI with genre, interval by artist",
        lambda: half_sample_ami(runs, columns["genre"], artist),
    )
    timed(
        "AMI with genre, 999 permutations by artist",
        lambda: permutation_nulls(labels, columns["genre"], metrics=("ami",), groups=artist),
    )
    near, _ = timed("90 nearest neighbours, exact", lambda: neighbors.nearest_neighbors(X, 90))
    timed(
        "neighbour agreement, artist filter",
        lambda: knn_label_agreement(near, columns["genre"], artists=artist, X=X),
    )
    timed("artist retrieval, mAP of 2,000", lambda: average_precision_samples(X, artist))
    for column in ("language", "seconds"):
        targets = Targets({}, {column: columns[column]}, None, artist)
        timed(
            f"leakage of {column}: space, all nulls",
            lambda t=targets: measure(X, t, [SPACE], measures=("ilisi", "kbet")),
        )
    timed("stability over seeds", lambda: stability.pairwise_ari(runs))
    hits = hit_samples(near, artist)
    timed("bootstrap of hit@10 by artist", lambda: bootstrap_mean(hits, artist))
    exact, ours = timed("silhouette, exact", lambda: silhouette.silhouette(X, labels)[0])
    total, busy = time.perf_counter() - start, time.process_time() - busy
    print(f"whole set {total:.0f} s, {busy:.0f} s CPU; peak {peak_megabytes():.0f} MB")
    if not options.skip_reference:
        from sklearn.metrics import silhouette_score

        reference, theirs = timed("silhouette, scikit-learn", lambda: silhouette_score(X, labels))
        apart = abs(exact - reference)
        print(f"silhouette {theirs / ours:.1f} x scikit-learn's (CPU), apart {apart:.1e}")


if __name__ == "__main__":
    main()
