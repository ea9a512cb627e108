"""How many groups come back? Ways to group a space, on collections of songs.

    python benchmarks/levels.py SOURCE ... [--methods ""] [--draws 10] [--large 100000]

A SOURCE is a library (NAME.db) or a folder of features (`tracks.csv`, `views.npz`). Songs are
grouped in the language-neutral default space. Tables:

1. the regions of `songscape.group`, and K-Means at the same number: mean Jaccard similarity of
   groups and their best matches in subsamples of 80 % that no choice has seen, that of Gaussian
   clouds with the same covariance in brackets, and the share of the songs in groups that come back
   (0.6 or more); adjusted mutual information with genre, genre within languages, and language;
2. identity: the groups of 90 % of the songs grouped again, and the other 10 % placed by `assign`
   among the groups of the 90 %, beside those that they get when all are grouped again;
3. every method at every number of groups (not with `--methods ""`).

`--large N`: how long N songs take, drawn around those of the first SOURCE.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from representations import of_arrays
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from shared_inputs import markdown, name_of
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.mixture import GaussianMixture

from songscape.clustering.choose import gaussian_cloud
from songscape.clustering.groups import SURE, group
from songscape.clustering.levels import COMES_BACK, find_levels
from songscape.clustering.smoothed import kmeans_runs, smooth, smoothed_kmeans
from songscape.features.covariates import language_view
from songscape.features.encoders.registry import ENCODERS
from songscape.features.loading import load_views
from songscape.features.views import Views
from songscape.library import Library
from songscape.metrics.stability import NOT_DRAWN, cluster_jaccard, subsamples
from songscape.models.presets import DEFAULT_NEUTRAL, find_preset, make_model
from songscape.neighbours.assigning import assign, far_limit

KS = (4, 5, 6, 7, 8, 9, 10)
Labels = dict[int, np.ndarray]
Method = Callable[[np.ndarray, int, Sequence[int]], Labels]


def kmeans(X: np.ndarray, seed: int, ks: Sequence[int]) -> Labels:
    return {k: KMeans(k, n_init=10, random_state=seed).fit_predict(X) for k in ks}


def gmm(X: np.ndarray, seed: int, ks: Sequence[int]) -> Labels:
    scaled = X / X.std()
    return {
        k: GaussianMixture(k, covariance_type="diag", n_init=3, random_state=seed).fit_predict(
            scaled
        )
        for k in ks
    }


def ward(X: np.ndarray, seed: int, ks: Sequence[int]) -> Labels:
    tree = linkage(X, "ward")
    return {k: fcluster(tree, k, "maxclust") - 1 for k in ks}


def consensus(X: np.ndarray, seed: int, ks: Sequence[int]) -> Labels:
    """Co-association over 60 subsamples per k, average linkage (Fred & Jain 2005)."""
    points = np.asarray(X, np.float32)
    found = {}
    for k in ks:
        runs = kmeans_runs(points, [k] * 60, seed)[0]
        cells = np.concatenate([run + i * k for i, run in enumerate(runs)])
        rows = np.tile(np.arange(len(points)), len(runs))
        shape = (len(points), k * len(runs))
        member = sp.csr_array((np.ones(len(cells)), (rows, cells)), shape=shape)
        together = (member @ member.T).toarray() / len(runs)
        tree = linkage(squareform(1 - together, checks=False), "average")
        found[k] = fcluster(tree, k, "maxclust") - 1
    return found


def graph(X: np.ndarray, seed: int, ks: Sequence[int]) -> Labels:
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
    return {k: found[k] for k in ks if k in found}


def smoothed(X: np.ndarray, seed: int, ks: Sequence[int]) -> Labels:
    return smoothed_kmeans(X, ks, random_state=seed)


def smoothed_consensus(X: np.ndarray, seed: int, ks: Sequence[int]) -> Labels:
    return consensus(smooth(X), seed, ks)


METHODS: dict[str, Method] = {
    "K-Means": kmeans,
    "Gaussian mixture": gmm,
    "Ward": ward,
    "consensus": consensus,
    "graph communities": graph,
    "smoothed K-Means": smoothed,
    "smoothed consensus": smoothed_consensus,
}


def comes_back(
    X: np.ndarray, labels: np.ndarray, method: Method, draws: int, k: int
) -> tuple[float, float]:
    """Mean Jaccard similarity, and the share of the songs in groups that come back."""
    found = []
    drawn = subsamples(len(X), n_repeats=draws, share=0.8, random_state=1_007)
    for i, rows in enumerate(drawn):
        again, other = method(X[rows], 8 + i, (k,)), np.full(len(X), NOT_DRAWN)
        if k not in again:
            return 0.0, 0.0
        other[rows] = again[k]
        found.append(cluster_jaccard(labels, other))
    jaccard, shares = np.mean(found, axis=0), np.bincount(labels) / len(labels)
    return float(jaccard.mean()), float(shares[jaccard >= COMES_BACK].sum())


def stability(X: np.ndarray, method: Method, draws: int) -> dict[int, tuple[float, float]]:
    """The same for every number of groups."""
    whole = method(X, 7, KS)
    return {k: comes_back(X, labels, method, draws, k) for k, labels in whole.items()}


def identity(X: np.ndarray, ids: Sequence[str], draws: int) -> dict[str, str]:
    """Groups found again among 90 % of the songs, and the others placed among the groups of those.

    A song is placed rightly if it gets the region that it has when all songs are grouped again;
    stable are regions with a Jaccard similarity of 0.75.
    """
    nothing = Views(tuple(ids), {}, None)
    first = group(X, nothing)
    regions, pieces, placed, right, unknown = [], [], 0, 0, 0
    for draw in range(draws):
        kept = np.sort(np.random.default_rng(draw).permutation(len(X))[: len(X) * 9 // 10])
        left = np.setdiff1d(np.arange(len(X)), kept)
        part = group(X[kept], nothing.take(kept), before=first.as_dict(), random_state=draw)
        for before, after, shares in (
            (first.regions, part.regions, regions),
            (first.neighbourhoods, part.neighbourhoods, pieces),
        ):
            shares.append(np.mean([one.id in {g.id for g in after} for one in before]))
        again = group(X, nothing, before=part.as_dict(), random_state=draw)
        levels = part.levels
        limit = far_limit(X[kept])
        found, _ = assign(X[left], X[kept], levels.regions, levels.share, limit)
        for row, region in zip(left, found.tolist()):
            if region < 0:
                unknown += 1
            elif (part.regions[region].stability or 0) >= SURE:
                placed += 1
                right += again.of(ids[row])[0].id == part.regions[region].id
    return {
        "regions that stay": f"{np.mean(regions):.0%}, in {np.mean(np.equal(regions, 1)):.0%} "
        "of the draws all",
        "neighbourhoods that stay": f"{np.mean(pieces):.0%}",
        "placed in stable groups as by grouping again": f"{right / max(placed, 1):.1%} "
        f"of {placed:,}",
        "unknown": f"{unknown / (draws * (len(X) - len(X) * 9 // 10)):.0%}",
    }


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


def agreement(labels: np.ndarray, columns: dict[str, np.ndarray]) -> dict[str, str]:
    """Adjusted mutual information with the genre, with the genre within languages, the language."""

    def score(values: np.ndarray, rows: np.ndarray) -> float:
        return float(adjusted_mutual_info_score(values[rows], labels[rows]))

    genre, language = columns.get("genre"), columns.get("language")
    found = dict.fromkeys(("genre", "genre within languages", "language"), "–")
    if genre is not None:
        found["genre"] = f"{score(genre, genre != ''):.3f}"
    if language is not None:
        found["language"] = f"{score(language, language != ''):.3f}"
    if genre is not None and language is not None:
        parts = [(language == one) & (genre != "") for one in np.unique(language[language != ""])]
        parts = [rows for rows in parts if rows.sum() >= 30 and len(set(genre[rows])) > 1]
        if parts:
            scores = [score(genre, rows) for rows in parts]
            within = np.average(scores, weights=[rows.sum() for rows in parts])
            found["genre within languages"] = f"{within:.3f}"
    return found


def beside(real: tuple[float, float], null: tuple[float, float]) -> str:
    return f"{real[0]:.2f} ({null[0]:.2f}), {real[1]:.0%}"


def beside_cloud(X: np.ndarray, cloud: np.ndarray, method: Method, draws: int, k: int) -> str:
    real, null = (comes_back(one, method(one, 7, (k,))[k], method, draws, k) for one in (X, cloud))
    return beside(real, null)


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--large", type=int, default=0)
    options = parser.parse_args()
    found, stay, every, large = [], [], [], None
    for source in options.sources:
        folder = (source / "views.npz").exists()
        views, columns = read_arrays(source) if folder else read_library(source)
        there = tuple(one for one in find_preset(DEFAULT_NEUTRAL).modelled_views if one in views)
        X = np.asarray(make_model(DEFAULT_NEUTRAL, views=there).fit_transform(views), np.float32)
        large = X if large is None else large
        levels = find_levels(X)
        k, name = levels.n_regions, {"collection": name_of(source)}
        cloud = gaussian_cloud(np.asarray(X, np.float64), np.random.default_rng(0))

        by_kmeans = stability(X, kmeans, options.draws)
        good = [n for n, (mean, back) in by_kmeans.items() if mean >= 0.7 and back >= 0.85]
        found.append(
            name
            | {"songs": len(X), "regions": k, "sizes": str(np.bincount(levels.regions).tolist())}
            | {"stability (cloud), coverage": beside_cloud(X, cloud, smoothed, options.draws, k)}
            | {"K-Means at the same number": beside_cloud(X, cloud, kmeans, options.draws, k)}
            | {"most by K-Means": max(good, default="none")}
            | agreement(levels.regions, columns)
        )
        stay.append(name | identity(X, views.track_ids, options.draws))
        for title in filter(None, options.methods.split(",")):
            real = stability(X, METHODS[title], options.draws)
            null = stability(cloud, METHODS[title], max(2, options.draws // 2))
            cells = {k: beside(real[k], null[k]) if k in real and k in null else "–" for k in KS}
            every.append(name | {"method": title} | cells)
            print(every[-1], file=sys.stderr, flush=True)
        if options.methods:
            print(f"{name_of(source)}: {plscan(X)}", flush=True)
    print("\n\n".join(markdown(rows) for rows in (found, stay, every) if rows), flush=True)
    if options.large:
        rng = np.random.default_rng(0)
        some = large[rng.integers(len(large), size=options.large)]
        some = some + rng.normal(size=some.shape) * 0.3 * large.std(axis=0)
        started, worked = time.perf_counter(), time.process_time()
        levels = find_levels(some.astype(np.float32))
        took, worked = time.perf_counter() - started, time.process_time() - worked
        print(f"{options.large:,} songs: {levels.n_regions} regions in {took:.0f} s, ", end="")
        print(f"{worked:.0f} s of processor time")


if __name__ == "__main__":
    main()
