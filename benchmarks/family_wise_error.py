"""How often any method is called better when labels mean nothing: the family-wise error.

    python benchmarks/family_wise_error.py            # 200 simulated comparisons

Each run draws a collection with artists of very unequal size, the partitions of several methods
and of a baseline (clumped by artist, as real ones are), and labels that have nothing to do with
any of them but are clumped by artist too. All methods on all axes (AMI, neighbour agreement) form
one family. At most 5 % of the runs may call any method better, but for chance: the script fails
above 5 % plus two standard errors.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np


def simulated_run(seed: int, n_methods: int = 6, n_seeds: int = 3) -> tuple[int, int]:
    """Verdicts "better" and "worse" in one comparison of methods with shuffled labels."""
    from songscape.clustering.methods import cluster
    from songscape.evaluation import metrics
    from songscape.evaluation.neighbors import knn_agreement_samples, nearest_neighbors
    from songscape.evaluation.statistics import (
        half_sample_difference,
        paired_difference,
        verdicts,
    )

    rng = np.random.default_rng(seed)
    sizes = 1 + rng.geometric(0.25, 50)
    artist = np.repeat(np.arange(50), sizes)
    n = len(artist)
    truth = rng.integers(0, 4, 50)[artist]
    truth = np.where(rng.random(n) < 0.2, rng.permutation(truth), truth)

    def method(k: int) -> tuple[np.ndarray, np.ndarray]:
        space = 1.5 * rng.normal(size=(50, 4))[artist] + rng.normal(size=(n, 4))
        labels = [
            cluster("kmeans", space, k=k, random_state=s, n_init=1).labels for s in range(n_seeds)
        ]
        return np.array(labels), knn_agreement_samples(nearest_neighbors(space, 10), truth)

    base_labels, base_values = method(4)
    differences = {}
    for number in range(n_methods):
        labels, values = method(3 + number)
        differences[f"{number} AMI"] = half_sample_difference(
            metrics.ami, labels, base_labels, truth, artist, n_resamples=60, random_state=seed
        )
        differences[f"{number} kNN"] = paired_difference(
            values, base_values, artist, random_state=seed
        )
    words = [verdict.word for verdict in verdicts(differences, "baseline").values()]
    return words.count("better than"), words.count("worse than")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    start = time.perf_counter()
    found = np.array([simulated_run(seed) for seed in range(options.runs)])
    better, worse = (found > 0).mean(axis=0)
    allowed = 0.05 + 2 * (0.05 * 0.95 / options.runs) ** 0.5
    print(
        f"{options.runs} runs with shuffled labels: any method 'better' in {better:.1%}, "
        f"'worse' in {worse:.1%} (nominal 5 %, allowed {allowed:.1%}); "
        f"{time.perf_counter() - start:.0f} s"
    )
    return int(better > allowed)


if __name__ == "__main__":
    sys.exit(main())
