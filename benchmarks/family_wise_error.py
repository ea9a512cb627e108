"""How often any method is called better when labels mean nothing: the family-wise error.

    python benchmarks/family_wise_error.py            # 200 simulated comparisons, minutes

Each run draws a collection with artists of very unequal size, the spaces and k-means partitions of
baselines, candidates and a reference that are correlated as those of real models are (one part of
every space is common to all, and clumped by artist), and labels that have nothing to do with any of
them: one goes by artist, one by track, one of them is a nuisance. The evidence goes through
`songscape.benchmark.benchmark.evaluate` as in `songscape compare`, headline partitions included.
Printed is the share of the runs in which any candidate is called better, with its 95 % interval
(Clopper & Pearson 1934). The script fails where even the lower end is above 5 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from songscape.benchmark.verdicts import Outcome, Rival

K = 5
CLAIMS = {
    "better than balanced-pca": ("agreement", Rival.YARDSTICK, Outcome.BETTER),
    "better than the best baseline": ("agreement", Rival.BEST, Outcome.BETTER),
    "leaks less than balanced-pca": ("leakage", Rival.YARDSTICK, Outcome.BETTER),
    "worse than balanced-pca": ("agreement", Rival.YARDSTICK, Outcome.WORSE),
    "worse than the best baseline": ("agreement", Rival.BEST, Outcome.WORSE),
}


def simulated_tests(
    seed: int, *, n_artists: int = 60, n_candidates: int = 6, n_seeds: int = 3
) -> Any:
    """The tests (`Evaluation.differences`) of one comparison in which labels mean nothing."""
    from songscape.benchmark.benchmark import evaluate
    from songscape.benchmark.keys import PartitionKey
    from songscape.benchmark.targets import Targets

    rng = np.random.default_rng(seed)
    # Most artists have a song or two, a few have dozens.
    sizes = np.minimum(1 + rng.lognormal(0.6, 1.1, n_artists).astype(int), 40)
    artist = np.repeat(np.arange(n_artists), sizes)
    n = len(artist)
    by_artist = [rng.choice(4, n_artists, p=[0.45, 0.3, 0.15, 0.1])[artist] for _ in range(2)]
    astray = rng.random(n) < 0.15
    genre = np.where(astray, rng.permutation(by_artist[0]), by_artist[0])
    targets = Targets(
        labels={"genre": genre, "mood": rng.choice(3, n, p=[0.5, 0.3, 0.2])},
        nuisances={"language": by_artist[1]},
        artists=artist,
        groups=artist,
    )
    common = 1.2 * rng.normal(size=(n_artists, 8))[artist] + rng.normal(size=(n, 8))
    kinds = {"balanced-pca": "baseline", "timbre-pca": "baseline", "tfidf": "baseline"}
    kinds |= {f"candidate {number}": "vae" for number in range(n_candidates)}
    kinds |= {"random": "reference"}
    evidence = []
    for model, kind in kinds.items():
        known = 0.0 if kind == "reference" else 1.0
        turned = known * common @ rng.normal(size=(8, 6)) / 8**0.5
        own = 0.7 * rng.normal(size=(n_artists, 6))[artist] + 0.7 * rng.normal(size=(n, 6))
        # What needs no training is the same with every seed, but for its clusters.
        by_seed = 0.4 * (kind == "vae")
        spaces = [turned + own + by_seed * rng.normal(size=(n, 6)) for _ in range(n_seeds)]
        evidence.append(_evidence(model, kind, spaces, targets))
    found = evaluate(evidence, targets, baseline="balanced-pca", headline=PartitionKey("kmeans", K))
    return found.differences


def _evidence(model: str, kind: str, spaces: list[np.ndarray], targets: Any) -> Any:
    """What `songscape.experiment` would hand over, without what no test reads."""
    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.keys import PartitionKey, SampleKey
    from songscape.clustering.methods import cluster
    from songscape.metrics.neighbours import (
        class_mean,
        knn_agreement_samples,
        nearest_neighbors,
        without_groups,
    )

    rows: list[dict[str, Any]] = []
    samples: dict[SampleKey, list[np.ndarray]] = {}
    partitions = []
    for seed, X in enumerate(spaces):
        near = without_groups(nearest_neighbors(X, 60), targets.artists, 10, X)
        clusters = cluster("kmeans", X, k=K, random_state=seed, n_init=1).labels
        partitions.append(clusters)
        for axis, columns in (("agreement", targets.labels), ("leakage", targets.nuisances)):
            for column, truth in columns.items():
                each = knn_agreement_samples(near, truth)
                samples.setdefault(SampleKey("knn", column), []).append(each)
                shared = {"seed": seed, "axis": axis, "column": column}
                space = {"metric": "knn_balanced", "value": class_mean(each, truth)}
                found = {"metric": "ami", "value": adjusted_mutual_info_score(truth, clusters)}
                rows += [shared | space, shared | found | {"clusterer": "kmeans", "k": K}]
    stacked = {name: np.stack(values) for name, values in samples.items()}
    key = PartitionKey("kmeans", K)
    return Evidence(model, kind, rows, stacked, {key: np.stack(partitions)})


def claims(differences: Any) -> dict[str, bool]:
    """Which claims are made of any candidate."""
    candidates = differences[differences["model"].str.startswith("candidate")]
    made = set(zip(candidates["axis"], candidates["rival"], candidates["verdict"]))
    return {name: claim in made for name, claim in CLAIMS.items()}


def main(arguments: list[str] | None = None) -> int:
    from scipy.stats import binomtest

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    parser.add_argument("--artists", type=int, default=60)
    parser.add_argument("--candidates", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of every model")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    made = []
    for run in range(options.runs):
        tests = simulated_tests(
            options.first + run,
            n_artists=options.artists,
            n_candidates=options.candidates,
            n_seeds=options.seeds,
        )
        made.append(claims(tests))
        if (run + 1) % 25 == 0:
            told = ", ".join(f"{name} {sum(one[name] for one in made)}" for name in CLAIMS)
            print(f"{run + 1} comparisons: {told}", file=sys.stderr, flush=True)
    print(
        f"{options.runs} comparisons with labels that mean nothing: {options.candidates} "
        f"candidates, {options.seeds} seeds, {options.artists} artists; "
        f"{time.perf_counter() - start:.0f} s"
    )
    too_often = False
    for name in CLAIMS:
        found = binomtest(sum(run[name] for run in made), options.runs)
        interval = found.proportion_ci(0.95)
        print(
            f"any candidate {name}: {found.statistic:.1%} of the runs "
            f"(95 % {interval.low:.1%} … {interval.high:.1%}; nominal 5 %)"
        )
        too_often |= bool(interval.low > 0.05)
    return int(too_often)


if __name__ == "__main__":
    sys.exit(main())
