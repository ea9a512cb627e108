"""Is the posterior's spread calibrated: do uncertain tracks change company when songs are redrawn?

    python benchmarks/calibration.py FOLDER_OR_DB ... --work KEPT --json figures.json

song-vae is trained on all tracks, and on a random half of them, once per seed (5 by default). Every
model then places all tracks, each by all it has, by its audio alone and by its lyrics alone, among
the complete tracks. What a track does over the halves is its instability:

- neighbours: the share of its 10 nearest that differ, averaged over pairs of halves;
- clusters: one minus its assurance (Jaccard similarity of its company) between the k-means clusters
  of the model of all tracks and those of the halves, for the chosen k and for 10.

`neighbours, seeds` is the same over the models of all tracks, which differ in the seed alone.
Against them stand figures that a single model of all tracks gives for a track:

- `posterior`: `SongVAE.uncertainty`, the spread in latent space;
- `place`: the spread of the track's place in the model's space (where it is clustered) when its
  latents are drawn from its posterior;
- `relative`: that, as a share of the distance to the track's 10th neighbour;
- `turnover`: the share of its 10 nearest that change when all latents are drawn anew. It is in the
  unit of the instability of neighbours, and can be compared with it as it stands.
- `crowding`: minus the distance to the 10th neighbour in that space: not a spread, but what a
  spread has to be better than.

Printed: Spearman correlations, averaged over seeds, with intervals of a bootstrap over artists and
seeds; and the mean instability by fifths of each figure.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from placement import LATENT, MODEL, ONLY, complete_tracks, without
from shared_inputs import (
    collections,
    markdown,
    measuring_parser,
    seeds_argument,
    trained_model,
    with_interval,
    write_json,
)

K_NEAREST, N_DRAWS = 10, 8
SPREADS = ("posterior", "place", "relative", "turnover", "crowding")
Arrays = dict[str, np.ndarray]


def nearest(placed: np.ndarray, space: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices and distances of the nearest other tracks; row i of both is the same track."""
    from scipy.spatial.distance import cdist

    distances = cdist(placed, space)
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :K_NEAREST]
    return order, np.take_along_axis(distances, order, axis=1)


def changed(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Share of each row's neighbours in `first` that are not in `second`."""
    return 1.0 - (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)


def turnover(neighbours: Sequence[np.ndarray]) -> np.ndarray:
    """Mean share of changed neighbours over all pairs, per track."""
    pairs = itertools.combinations(neighbours, 2)
    return np.mean([changed(first, second) for first, second in pairs], axis=0)


def in_all_ways(model: Any, views: Any) -> Arrays:
    """The space of all tracks, placed by everything, by audio alone and by lyrics alone."""
    return {
        way: model.transform(without(views, absent)) if absent else model.transform(views)
        for way, absent in ONLY.items()
    }


def place(model: Any, views: Any, latents: np.ndarray) -> np.ndarray:
    """Where `transform` puts tracks whose posterior means are `latents`."""
    return model._places(views, latents, model.space, None)


def spreads(model: Any, views: Any, seed: int) -> dict[str, Arrays]:
    """The figures of one model, per way of placing."""
    places = in_all_ways(model, views)
    means = model.posterior(views)[0].astype(np.float64)
    np.testing.assert_allclose(place(model, views, means), places["complete"], atol=1e-3)
    rng = np.random.default_rng(seed)

    def draws(way: str) -> list[np.ndarray]:
        means, deviations = model.posterior(without(views, ONLY[way]))
        latents = [means + deviations * rng.normal(size=means.shape) for _ in range(N_DRAWS)]
        return [place(model, views, z.astype(np.float64)) for z in latents]

    complete = draws("complete")
    found = {}
    for way in ONLY:
        drawn = complete if way == "complete" else draws(way)
        radius = nearest(places[way], places["complete"])[1][:, -1]
        spread = np.sqrt(np.var(drawn, axis=0).sum(axis=1))
        found[way] = {
            "posterior": model.uncertainty(without(views, ONLY[way])),
            "place": spread,
            "relative": spread / np.maximum(radius, 1e-9),
            "turnover": turnover([nearest(x, y)[0] for x, y in zip(drawn, complete)]),
            "crowding": -radius,
        }
    return found


def instabilities(
    whole: Sequence[Arrays], halves: Sequence[Arrays], ks: Sequence[int]
) -> dict[str, Arrays]:
    """What tracks do over halves and over seeds, per way of placing."""
    from songscape.clustering.methods import cluster
    from songscape.metrics.stability import assurance

    def company(k: int) -> np.ndarray:
        runs = [
            [
                cluster("kmeans", places["complete"], k=k, random_state=seed).labels
                for seed, places in enumerate(models)
            ]
            for models in (whole, halves)
        ]
        return np.mean([1.0 - assurance(one, runs[1]) for one in runs[0]], axis=0)

    found: dict[str, Arrays] = {}
    for way in ONLY:
        over = {
            name: turnover([nearest(places[way], places["complete"])[0] for places in models])
            for name, models in (("halves", halves), ("seeds", whole))
        }
        found[way] = {"neighbours": over["halves"], "neighbours, seeds": over["seeds"]}
    # Only complete tracks are clustered.
    found["complete"] |= {f"clusters, k = {k}": company(k) for k in ks}
    return found


def by_fifths(spread: np.ndarray, instability: np.ndarray) -> list[list[float]]:
    """Mean spread and mean instability of each fifth of the tracks, averaged over seeds."""
    fifths = []
    for one in spread:
        pieces = np.array_split(np.argsort(one, kind="stable"), 5)
        fifths.append([[one[rows].mean(), instability[rows].mean()] for rows in pieces])
    return np.mean(fifths, axis=0).tolist()


def measure(
    views: Any, subject: Any, ks: Sequence[int], options: argparse.Namespace
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Plain figures, the table of correlations and that of fifths."""
    from songscape.benchmark.calibration import spearman

    both = np.flatnonzero(complete_tracks(views))
    some, groups = views.take(both), subject.groups[both]
    whole, halves, found = [], [], []
    for seed in options.seeds:
        model = trained_model(views, MODEL, seed, LATENT, options.work)
        whole.append(in_all_ways(model, some))
        found.append(spreads(model, some, seed))
        order = np.random.default_rng(seed).permutation(views.n_tracks)
        rows = np.sort(order[: views.n_tracks // 2])
        half = trained_model(views.take(rows), MODEL, seed, LATENT, options.work)
        halves.append(in_all_ways(half, some))
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    unstable = instabilities(whole, halves, ks)
    plain: dict[str, Any] = {"ks": list(ks), "spearman": {}, "fifths": {}, "means": {}}
    correlations, reliability = [], []
    for way, targets in unstable.items():
        for target, values in targets.items():
            row: dict[str, Any] = {"placed by": way, "instability": target}
            row["mean"] = f"{values.mean():.3f}"
            for name in SPREADS:
                spread = np.stack([one[way][name] for one in found])
                key = f"{way}; {target}; {name}"
                ranked = spearman(spread, values, groups)
                one = [ranked.estimate, ranked.low, ranked.high]
                row[name] = with_interval(*one, True)
                plain["spearman"][key] = one
                plain["means"][key] = [float(spread.mean()), float(values.mean())]
                if name != "crowding" and "seeds" not in target and np.ptp(values) > 0:
                    fifths = by_fifths(spread, values)
                    plain["fifths"][key] = fifths
                    cells = {
                        f"fifth {i}": f"{a:.3f}: {b:.3f}" for i, (a, b) in enumerate(fifths, 1)
                    }
                    head = {"placed by": way, "instability": target, "figure": name}
                    reliability.append({**head, **cells})
            correlations.append(row)
    return plain, correlations, reliability


def main() -> None:
    parser = measuring_parser(__doc__.splitlines()[0])
    parser.add_argument("--k", type=seeds_argument, help="default: the one chosen, and 10")
    options = parser.parse_args()

    from songscape.experiment.shared_k import shared_k

    results: dict[str, Any] = {}
    for name, inputs, subject in collections(options):
        ks = options.k or sorted({*shared_k(inputs.views).ks, 10})
        plain, correlations, reliability = measure(inputs.views, subject, ks, options)
        print(f"\n## {name}: {inputs.views.n_tracks} tracks")
        print(f"\nSpearman correlation\n\n{markdown(correlations)}")
        print(f"\nmean figure: mean instability\n\n{markdown(reliability)}", flush=True)
        results[name] = plain
        write_json(options.json, results)


if __name__ == "__main__":
    main()
