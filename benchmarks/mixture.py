"""The mixture prior's own clusters beside k-means on the same posterior means.

    python benchmarks/mixture.py FOLDER_OR_DB ... --work KEPT --json figures.json

`vade` is trained with as many components as k, for the k that `songscape compare` would choose and
for 10, once per seed. Two partitions of the same model are compared by their AMI with each label:
the most probable component of every track, and k-means (the same k) on the posterior means.
Intervals are over half samples of the artists, averaged over seeds, and paired for the difference.
Goal: the mixture at least as good as k-means on the means.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from shared_inputs import (
    collections,
    markdown,
    measuring_parser,
    seeds_argument,
    trained_model,
    with_interval,
    write_json,
)

WAYS = ("mixture", "k-means")


def partitions(model: Any, views: Any, k: int, seed: int) -> dict[str, np.ndarray]:
    """Labels of all tracks by each way of clustering one trained model."""
    from songscape.clustering.methods import cluster

    clusters = cluster("kmeans", model.posterior(views)[0], k=k, random_state=seed).labels
    return {WAYS[0]: model.memberships(views).argmax(axis=1), WAYS[1]: clusters}


def rows_of(
    runs: Sequence[dict[str, np.ndarray]], targets: Any, k: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Table rows and plain figures: AMI of each way with each label, and mixture minus k-means."""
    from songscape.statistics.intervals import half_sample_ami

    stacked = {way: np.stack([run[way] for run in runs]) for way in WAYS}
    used = [len(np.unique(labels)) for labels in stacked["mixture"]]
    table, figures = [], []
    for column, truth in targets.labels.items():
        row: dict[str, Any] = {"k": k, "used": f"{min(used)}-{max(used)}", "label": column}
        figure: dict[str, Any] = {"k": k, "used": used, "label": column}
        for way, labels in stacked.items():
            one = half_sample_ami(labels, truth, targets.groups)
            row[way] = with_interval(one.estimate, one.low, one.high)
            figure[way] = [one.estimate, one.low, one.high]
        gap = half_sample_ami(
            stacked["mixture"], truth, targets.groups, baseline=stacked["k-means"]
        )
        row["mixture - k-means"] = with_interval(gap.estimate, gap.low, gap.high, True)
        # What is nothing in print is no difference.
        low, high = round(gap.low, 3), round(gap.high, 3)
        verdict = "ahead" if low > 0 else "behind" if high < 0 else "not told apart"
        figure["difference"] = [gap.estimate, gap.low, gap.high]
        table.append({**row, "verdict": verdict})
        figures.append(figure)
    return table, figures


def main() -> None:
    parser = measuring_parser(__doc__.splitlines()[0])
    parser.add_argument("--k", type=seeds_argument, help="default: the one chosen, and 10")
    parser.add_argument("--arguments", default="{}", help="further ones for vade, as JSON")
    options = parser.parse_args()

    from songscape.experiment.request import shared_k

    results: dict[str, Any] = {}
    for name, inputs, targets in collections(options, also=("language",)):
        views, table, figures = inputs.views, [], []
        for k in options.k or sorted({*shared_k(views).ks, 10}):
            runs = []
            for seed in options.seeds:
                arguments = {"n_components": k, **json.loads(options.arguments)}
                model = trained_model(views, "vade", seed, arguments, options.work)
                runs.append(partitions(model, views, k, seed))
                print(f"{name}: k {k}, seed {seed} done", file=sys.stderr, flush=True)
            rows, plain = rows_of(runs, targets, k)
            table += rows
            figures += plain
        print(f"\n## {name}: {views.n_tracks} tracks\n\n{markdown(table)}", flush=True)
        results[name] = figures
        write_json(options.json, results)


if __name__ == "__main__":
    main()
