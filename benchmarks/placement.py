"""Tracks without lyrics or without audio: are they placed well, and found by their other half?

    python benchmarks/placement.py FOLDER_OR_DB ... --work KEPT --json figures.json

Three questions about song-vae, each over the seeds (5 by default):

1. placement: every track is held out once (folds of whole artists, one per seed; the model sees
   only the others) and placed among the trained, complete tracks by its audio alone or its lyrics
   alone. Figure: neighbour agreement with a label (10 nearest, same-artist neighbours removed, mean
   over classes), beside that of the same track placed with both. The goal is 90 % of it: the last
   column is the paired difference to 0.9 x the complete placement. Which label belongs to audio and
   which to lyrics is for the reader to say.
2. retrieval: among the held-out tracks of a fold, is a track's own lyrics-only posterior one of the
   10 nearest to its audio-only posterior, and the reverse? Goal: 3 x chance. Nothing is borrowed
   from other tracks here. Beside it what the same tracks give to canonical correlations of timbre
   and words, which look for nothing else: a linear method's share of what sound tells of words.
3. has lyrics: with the lyrics removed from a random half of the tracks before training, AMI between
   "has lyrics" and the k-means clusters; beside it the same model with nothing borrowed from
   complete tracks (`imputation="mean"`), and balanced-pca. Goal: under 0.02.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from shared_inputs import (
    collections,
    markdown,
    measuring_parser,
    trained_model,
    with_interval,
    write_json,
)

MODEL, K_NEAREST = "song-vae", 10
KEPT_SHARE, RETRIEVAL_FACTOR = 0.9, 3.0
ONLY = {"complete": (), "audio only": ("lyrics",), "lyrics only": ("segments", "rhythm")}
LATENT = {"latent_dim": 32}
N_CANONICAL = {"timbre": 40, "words": 64, "shared": 8}


def without(views: Any, names: Sequence[str], tracks: np.ndarray | None = None) -> Any:
    """The views with some of them absent, for all tracks or those marked."""
    blocks = dict(views.blocks)
    for name in names:
        gone = np.ones(views.n_tracks, bool) if tracks is None else tracks
        blocks[name] = replace(blocks[name], present=blocks[name].present & ~gone)
    return replace(views, blocks=blocks)


def complete_tracks(views: Any) -> np.ndarray:
    return np.asarray(views["lyrics"].present & views["segments"].present)


def agreement(
    placed: np.ndarray, space: np.ndarray, among: np.ndarray, targets: Any
) -> dict[str, np.ndarray]:
    """Per label, neighbour agreement of tracks placed at `placed` among the tracks `among`."""
    from scipy.spatial.distance import cdist

    from songscape.metrics.neighbours import Neighbors, knn_agreement_samples, without_groups

    distances = cdist(placed, space)
    distances[:, ~among] = np.inf
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")
    distances = np.take_along_axis(distances, order, axis=1)
    order[np.isinf(distances)] = -1
    # Neither copies of a song nor songs of its artist count as neighbours.
    near = without_groups(Neighbors(order, distances), targets.groups, K_NEAREST)
    return {f"knn:{n}": knn_agreement_samples(near, v) for n, v in targets.labels.items()}


def placements(
    model: Any, views: Any, targets: Any, among: np.ndarray, asked: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """Agreement per way of placing and label; NaN for tracks that were not asked."""
    complete = model.transform(views)
    found = {}
    for way, absent in ONLY.items():
        placed = model.transform(without(views, absent)) if absent else complete
        values = agreement(placed, complete, among, targets)
        found[way] = {name: np.where(asked, v, np.nan) for name, v in values.items()}
    return found


def kept_table(samples: dict[str, dict[str, np.ndarray]], targets: Any) -> list[dict[str, Any]]:
    """Rows of the placement table; samples are (n_seeds, n_tracks) per way and label."""
    from songscape.benchmark.benchmark import evaluate
    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.keys import SPACE, SampleKey

    goal = {name: KEPT_SHARE * values for name, values in samples["complete"].items()}
    every = {**samples, "goal": goal}
    evidence = []
    for way, values in every.items():
        rows = [
            {"axis": "agreement", "metric": "knn_balanced", "column": name.partition(":")[2]}
            | {"value": float("nan"), "seed": 0}
            for name in values
        ]
        keyed = {SampleKey.parse(name): each for name, each in values.items()}
        evidence.append(Evidence(way, "vae", rows, keyed, {}))
    found = evaluate(evidence, targets, baseline="goal", headline=SPACE)
    table = found.summary.set_index(["model", "column"])
    differences = found.differences.set_index(["model", "column"])
    out = []
    for column in targets.labels:
        complete = table.loc[("complete", column)]
        for way in ("audio only", "lyrics only"):
            one, test = table.loc[(way, column)], differences.loc[(way, column)]
            verdict = "kept" if test["low"] > 0 else "not kept" if test["high"] < 0 else "open"
            out.append(
                {
                    "label": column,
                    "placed by": way,
                    "complete": with_interval(*complete[["estimate", "low", "high"]]),
                    "kNN": with_interval(*one[["estimate", "low", "high"]]),
                    "share": f"{one['estimate'] / complete['estimate']:.2f}",
                    "minus 0.9 x complete": with_interval(
                        *test[["difference", "low", "high"]], signed=True
                    ),
                    "90 %": verdict,
                }
            )
    return out


def retrieval_hits(model: Any, views: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
    """1 where a track's other half is among the 10 nearest of the rows, else 0; per way, space."""
    from scipy.spatial.distance import cdist

    some = views.take(rows)
    audio, words = without(some, ("lyrics",)), without(some, ("segments", "rhythm"))
    left, right = (model.posterior(half)[0] for half in (audio, words))
    weights = model.latent_weights_
    distances = {
        "posterior means": cdist(left, right),
        "in units of their uncertainty": cdist(left * weights, right * weights),
    }
    return hits_of(distances)


def canonical_hits(views: Any, training: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The same by canonical correlation analysis, fitted to complete training tracks."""
    from scipy.spatial.distance import cdist
    from sklearn.cross_decomposition import CCA
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    timbre, words = views["timbre"].values, views["lyrics"].values
    # Fewer axes where there are few tracks or words.
    n_axes = {name: min(n, len(training) - 1, words.shape[1]) for name, n in N_CANONICAL.items()}
    sound = make_pipeline(StandardScaler(), PCA(n_axes["timbre"], random_state=0))
    spoken = TruncatedSVD(n_axes["words"], random_state=0)
    model = CCA(n_axes["shared"], max_iter=2_000)
    model.fit(sound.fit_transform(timbre[training]), spoken.fit_transform(words[training]))
    found = model.transform(sound.transform(timbre[rows]), spoken.transform(words[rows]))
    return hits_of({"canonical correlations": cdist(*found, "cosine")})


def hits_of(measured: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Hits, per space, by the distances from every track's audio (rows) to every one's lyrics."""
    hits = {}
    for space, distances in measured.items():
        own = np.diag(distances)
        # A track at the same distance as its own counts as before it.
        hits[f"audio to lyrics, {space}"] = (distances <= own[:, None]).sum(1) <= K_NEAREST
        hits[f"lyrics to audio, {space}"] = (distances <= own[None, :]).sum(0) <= K_NEAREST
    return {way: values.astype(np.float64) for way, values in hits.items()}


def held_out(
    views: Any, targets: Any, seeds: Sequence[int], work: Path | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Placement and retrieval of tracks that the model has not seen."""
    from sklearn.model_selection import GroupKFold

    from songscape.statistics.intervals import bootstrap_mean, paired_difference

    both = complete_tracks(views)
    folds = GroupKFold(len(seeds), shuffle=True, random_state=0)
    samples: dict[str, dict[str, np.ndarray]] = {way: {} for way in ONLY}
    hits: dict[str, np.ndarray] = {}
    chance, within = np.full((2, views.n_tracks), np.nan)
    label = next(iter(targets.labels), None)
    for seed, (training, test) in zip(seeds, folds.split(both, groups=views.groups)):
        model = trained_model(views.take(training), MODEL, seed, LATENT, work)
        among = np.zeros(views.n_tracks, bool)
        among[training] = both[training]
        asked = np.zeros(views.n_tracks, bool)
        asked[test] = both[test]
        for way, values in placements(model, views, targets, among, asked).items():
            for name, new in values.items():
                known = samples[way].setdefault(name, np.full((1, views.n_tracks), np.nan))
                known[0, asked] = new[asked]
        rows = np.flatnonzero(asked)
        chance[rows] = K_NEAREST / len(rows)
        if label is not None:
            truth = np.asarray(targets.labels[label], dtype=object)[rows]
            alike = np.array([(truth == value).sum() for value in truth])
            within[rows] = np.minimum(1.0, K_NEAREST / np.maximum(alike, 1))
        found_again = retrieval_hits(model, views, rows)
        found_again |= canonical_hits(views, training[both[training]], rows)
        for way, values in found_again.items():
            hits.setdefault(way, np.full(views.n_tracks, np.nan))[rows] = values
        print(f"fold of seed {seed} done", file=sys.stderr, flush=True)
    found = []
    for way, values in hits.items():
        one = bootstrap_mean(values, targets.groups)
        test = paired_difference(values, RETRIEVAL_FACTOR * chance, targets.groups)
        inside = paired_difference(values, within, targets.groups)
        found.append(
            {
                "retrieval": way,
                "hit@10": with_interval(one.estimate, one.low, one.high),
                "chance": f"{np.nanmean(chance):.3f}",
                "x chance": f"{one.estimate / np.nanmean(chance):.1f}",
                "minus 3 x chance": with_interval(test.estimate, test.low, test.high, True),
                f"chance within {label}": f"{np.nanmean(within):.3f}",
                "minus that": with_interval(inside.estimate, inside.low, inside.high, True),
            }
        )
    return kept_table(samples, targets), found


def has_lyrics(
    views: Any, ks: Sequence[int], seeds: Sequence[int], work: Path | None
) -> list[dict[str, Any]]:
    """AMI of clusters with "has lyrics" after removing the lyrics of a random half."""
    from sklearn.metrics import adjusted_mutual_info_score

    from songscape.clustering.methods import cluster
    from songscape.models.presets import find_preset, make_model

    found: dict[tuple[str, int], list[float]] = {}
    for seed in seeds:
        there = np.flatnonzero(views["lyrics"].present)
        gone = np.zeros(views.n_tracks, bool)
        gone[np.random.default_rng(seed).permutation(there)[: len(there) // 2]] = True
        halved = without(views, ("lyrics",), gone)
        pca = make_model("balanced-pca")
        ours = trained_model(halved, MODEL, seed, LATENT, work)
        spaces = {
            MODEL: ours.transform(halved),
            f"{MODEL}, nothing borrowed": ours.set_params(imputation="mean").transform(halved),
            "balanced-pca": pca.fit_transform(halved.select(find_preset("balanced-pca").views)),
        }
        for name, X in spaces.items():
            for k in ks:
                labels = cluster("kmeans", X, k=k, random_state=seed).labels
                told = adjusted_mutual_info_score(halved["lyrics"].present, labels)
                found.setdefault((name, k), []).append(told)
        print(f"has lyrics: seed {seed} done", file=sys.stderr, flush=True)
    return [
        {
            "model": name,
            "k": k,
            "AMI with has lyrics (mean)": f"{np.mean(values):.4f}",
            "range over seeds": f"{min(values):.4f} … {max(values):.4f}",
        }
        for (name, k), values in found.items()
    ]


def main() -> None:
    parser = measuring_parser(__doc__.splitlines()[0])
    parser.add_argument("--parts", default="held-out,has-lyrics")
    options = parser.parse_args()

    from songscape.experiment.request import shared_k

    results: dict[str, Any] = {}
    for collection, inputs, targets in collections(options, also=("language",)):
        views, seeds, work = inputs.views, options.seeds, options.work
        tables: dict[str, list[dict[str, Any]]] = {}
        print(f"\n## {collection}: {views.n_tracks} tracks", flush=True)
        for part in options.parts.split(","):
            if part == "held-out":
                tables[part], tables["retrieval"] = held_out(views, targets, seeds, work)
            elif part == "has-lyrics":
                ks = sorted({2, *shared_k(views).ks, 10})
                tables[part] = has_lyrics(views, ks, seeds, work)
            else:
                parser.error(f"no part {part!r}")
            for name in (part, "retrieval") if part == "held-out" else (part,):
                print(f"\n{name}\n\n{markdown(tables[name])}", flush=True)
            results[collection] = tables
            write_json(options.json, results)


if __name__ == "__main__":
    main()
