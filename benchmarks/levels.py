"""How many groups come back? Ways to group a space, on collections of songs.

    python benchmarks/levels.py FOLDER [--collections previews,artsong,...] [--draws 10]

FOLDER holds the libraries of collections, NAME.db or NAME/songscape.db, and may hold `previews`, a
folder of features (`tracks.csv`, `views.npz`). Songs are grouped in the language-neutral default
space. Figures are means over subsamples of 80 % that no choice has seen: the mean Jaccard
similarity of groups and their best matches, that of Gaussian clouds with the same covariance in
brackets, and the share of the songs in groups that come back (0.6 or more).
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from representations import of_arrays
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.mixture import GaussianMixture

from songscape.clustering.assign import assign
from songscape.clustering.choose import gaussian_cloud
from songscape.clustering.groups import SURE
from songscape.clustering.identity import match_groups
from songscape.clustering.levels import Levels, find_levels, take
from songscape.clustering.smoothed import kmeans_runs, smooth, smoothed_kmeans
from songscape.features.covariates import language_view
from songscape.features.encoders.registry import ENCODERS
from songscape.features.loading import load_views
from songscape.features.views import Views
from songscape.library import Library
from songscape.metrics.stability import NOT_DRAWN, cluster_jaccard, subsamples
from songscape.models.presets import DEFAULT_NEUTRAL, find_preset, make_model

KS = (4, 5, 6, 7, 8, 9, 10)
Labels = dict[int, np.ndarray]
Method = Callable[[np.ndarray, int], Labels]


def kmeans(X: np.ndarray, seed: int) -> Labels:
    return {k: KMeans(k, n_init=10, random_state=seed).fit_predict(X) for k in KS}


def gmm(X: np.ndarray, seed: int) -> Labels:
    scaled = X / X.std()
    return {
        k: GaussianMixture(k, covariance_type="diag", n_init=3, random_state=seed).fit_predict(
            scaled
        )
        for k in KS
    }


def ward(X: np.ndarray, seed: int) -> Labels:
    tree = linkage(X, "ward")
    return {k: fcluster(tree, k, "maxclust") - 1 for k in KS}


def consensus(X: np.ndarray, seed: int) -> Labels:
    """Co-association over 60 subsamples per k, average linkage (Fred & Jain 2005)."""
    points = np.asarray(X, np.float32)
    found = {}
    for k in KS:
        runs = kmeans_runs(points, [k] * 60, seed)[0]
        cells = np.concatenate([run + i * k for i, run in enumerate(runs)])
        rows = np.tile(np.arange(len(points)), len(runs))
        shape = (len(points), k * len(runs))
        member = sp.csr_array((np.ones(len(cells)), (rows, cells)), shape=shape)
        together = (member @ member.T).toarray() / len(runs)
        tree = linkage(squareform(1 - together, checks=False), "average")
        found[k] = fcluster(tree, k, "maxclust") - 1
    return found


def graph(X: np.ndarray, seed: int) -> Labels:
    """Communities of the graph of 15 nearest neighbours (Louvain), by resolution."""
    import networkx as nx
    from sklearn.neighbors import kneighbors_graph

    network = nx.from_scipy_sparse_array(kneighbors_graph(X, 15))
    found: Labels = {}
    for resolution in np.geomspace(0.3, 4.0, 24):
        parts = nx.community.louvain_communities(network, resolution=resolution, seed=seed)
        labels = np.zeros(len(X), int)
        for i, part in enumerate(parts):
            labels[list(part)] = i
        found.setdefault(len(parts), labels)
    return {k: found[k] for k in KS if k in found}


def smoothed(X: np.ndarray, seed: int) -> Labels:
    return smoothed_kmeans(X, KS, random_state=seed)


def smoothed_consensus(X: np.ndarray, seed: int) -> Labels:
    return consensus(smooth(X), seed)


METHODS: dict[str, Method] = {
    "K-Means": kmeans,
    "Gaussian mixture": gmm,
    "Ward": ward,
    "consensus": consensus,
    "graph communities": graph,
    "smoothed K-Means": smoothed,
    "smoothed consensus": smoothed_consensus,
}


def stability(
    X: np.ndarray, method: Method, draws: int, seed: int
) -> dict[int, tuple[float, float]]:
    """Per k the mean Jaccard similarity, and the share of songs in groups that come back."""
    whole = method(X, seed)
    found: dict[int, list[np.ndarray]] = {k: [] for k in whole}
    for i, rows in enumerate(
        subsamples(len(X), n_repeats=draws, share=0.8, random_state=seed + 1_000)
    ):
        again = method(X[rows], seed + 1 + i)
        for k, labels in whole.items():
            other = np.full(len(X), NOT_DRAWN)
            if k in again:
                other[rows] = again[k]
                found[k].append(cluster_jaccard(labels, other))
            else:
                found[k].append(np.zeros(labels.max() + 1))
    result = {}
    for k, labels in whole.items():
        jaccard, shares = np.mean(found[k], axis=0), np.bincount(labels) / len(labels)
        result[k] = (float(jaccard.mean()), float(shares[jaccard >= 0.6].sum()))
    return result


def refit(X: np.ndarray, levels: Levels, draws: int) -> str:
    """Groups found again among 90 % of the songs, and the others placed among the groups of those.

    A song is placed rightly if it gets the region that it has when all songs are grouped again.
    """
    regions, pieces, placed, right = [], [], 0, 0
    for draw in range(draws):
        kept = np.sort(np.random.default_rng(draw).permutation(len(X))[: len(X) * 9 // 10])
        left = np.setdiff1d(np.arange(len(X)), kept)
        before = take(levels, kept)
        after = find_levels(X[kept], previous=before, random_state=draw)
        matched = match_groups(before.regions, after.regions)
        regions.append(len(matched) / levels.n_regions)
        same = match_groups(before.neighbourhoods, after.neighbourhoods)
        pieces.append(len(same) / (before.neighbourhoods.max() + 1))
        # Placed among the groups of the 90 %, and grouped again with all.
        known = np.full(len(X), -1)
        known[kept] = np.arange(len(kept))
        again = find_levels(X, previous=take(after, known), random_state=draw)
        name = match_groups(after.regions, again.regions[kept])
        stable = set(np.flatnonzero(after.jaccard >= SURE).tolist())
        found = assign(X[left], X[kept], after).regions
        for one, other in zip(found.tolist(), again.regions[left].tolist()):
            if one in stable:
                placed, right = placed + 1, right + (name.get(other) == one)
    return (
        f"refit on 90 %: {np.mean(regions):.0%} of the regions and {np.mean(pieces):.0%} of the "
        f"neighbourhoods keep their identity; of the left-out songs placed in sure regions "
        f"{right / max(placed, 1):.0%} ({placed}) get the one of a new grouping"
    )


def plscan(X: np.ndarray) -> str:
    """Clusters of PLSCAN (Bot et al. 2025), and the share of songs in them."""
    try:
        from fast_plscan import PLSCAN
    except ImportError:
        return "PLSCAN: not installed (pip install fast-plscan)"
    labels = PLSCAN(min_samples=5).fit(X).labels_
    return f"PLSCAN: {labels.max() + 1} clusters with {np.mean(labels >= 0):.0%} of the songs"


def read_arrays(folder: Path) -> tuple[Views, dict[str, np.ndarray]]:
    """Views, and genre and language of the songs, of a folder of features."""
    collection = of_arrays(folder)
    columns = {"genre": collection.genre, "language": collection.language}
    return collection.views, {
        name: np.array([v or "" for v in each]) for name, each in columns.items()
    }


def read_library(path: Path) -> tuple[Views, dict[str, np.ndarray]]:
    preset = find_preset(DEFAULT_NEUTRAL)
    wanted = [name for name in preset.modelled_views if name not in ENCODERS]
    with Library.open(path, must_exist=True) as library:
        views = load_views(library, wanted)
        table, texts = library.columns().reindex(list(views.track_ids)), library.texts()
    language = language_view(table, [texts[i] for i in views.track_ids])
    blocks = {name: views[name] for name in views}
    if language is not None:
        blocks["language"] = language
    columns = {
        name: np.array(["" if v is None or v != v else str(v) for v in table[name]])
        for name in ("genre", "language")
        if name in table
    }
    return Views(views.track_ids, blocks), columns


def agreement(labels: np.ndarray, columns: dict[str, np.ndarray]) -> str:
    """Agreement with the genre, with the language, and with the genre within languages."""
    said = []
    for name, values in columns.items():
        known = values != ""
        said.append(f"{name} {adjusted_mutual_info_score(values[known], labels[known]):.3f}")
    if {"genre", "language"} <= columns.keys():
        parts = []
        for one in np.unique(columns["language"]):
            rows = (columns["language"] == one) & (columns["genre"] != "")
            if one and rows.sum() >= 30 and len(set(columns["genre"][rows])) > 1:
                score = adjusted_mutual_info_score(columns["genre"][rows], labels[rows])
                parts.append((score, int(rows.sum())))
        if parts:
            scores, sizes = zip(*parts)
            said.append(f"genre within languages {np.average(scores, weights=sizes):.3f}")
    return "AMI: " + ", ".join(said)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--collections", default="previews,artsong,songtraditions,demo")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--methods", default=",".join(METHODS))
    options = parser.parse_args()
    for name in options.collections.split(","):
        folder = options.folder / name
        if (folder / "views.npz").exists():
            views, columns = read_arrays(folder)
        else:
            file = options.folder / f"{name}.db"
            views, columns = read_library(file if file.exists() else folder / "songscape.db")
        there = tuple(one for one in find_preset(DEFAULT_NEUTRAL).modelled_views if one in views)
        X = make_model(DEFAULT_NEUTRAL, views=there).fit_transform(views)
        started = time.process_time()
        levels = find_levels(X)
        seconds = time.process_time() - started
        level = levels.level
        assert level is not None
        print(f"{name}: {len(X)} songs, {levels.n_regions} regions ({seconds:.1f} s)")
        print(
            f"  sizes {np.bincount(levels.regions).tolist()}; between {levels.between.mean():.0%}"
        )
        print(f"  stability {level.jaccard:.2f} (null {level.null:.2f})", end=", ")
        print(f"coverage {level.coverage:.2f}")
        print(f"  {agreement(levels.regions, columns)}")
        print(f"  {refit(np.asarray(X, np.float32), levels, options.draws)}")
        print(f"  {plscan(X)}")
        cloud = gaussian_cloud(np.asarray(X, np.float64), np.random.default_rng(0))
        print("  | groups | " + " | ".join(map(str, KS)) + " |")
        for title in filter(None, options.methods.split(",")):
            real = stability(X, METHODS[title], options.draws, 7)
            null = stability(cloud, METHODS[title], max(2, options.draws // 2), 7)
            cells = [
                f"{real[k][0]:.2f} ({null[k][0]:.2f}) {real[k][1]:.0%}"
                if k in real and k in null
                else "–"
                for k in KS
            ]
            print(f"  | {title} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
