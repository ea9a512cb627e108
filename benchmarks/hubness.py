"""Neighbours by plain distances, local scaling and mutual proximity, and how hub-like they are.

    python benchmarks/hubness.py SOURCE ... [--models balanced-lda,neutral-lda]

A SOURCE and the figures (genre / artist) are those of benchmarks/representations.py. skew: of how
many songs each is among the 10 nearest; hubs make it large (Radovanovic et al. 2010). Mutual
proximity as in Schnitzer et al. 2012, with normal distances; local scaling as in Zelnik-Manor and
Perona 2004, by the 10th neighbour; usual distances: that of two songs by the root of the product
of both songs' root mean squares, which is what `songscape.Index` does. All pairs are compared: for
collections of a few thousand.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from representations import LEAST, Collection, K, collection_of, space
from scipy.spatial.distance import cdist
from scipy.stats import norm, skew
from shared_inputs import markdown


def rescaled(D: np.ndarray) -> dict[str, np.ndarray]:
    """Distances of all pairs, shape (n, n), plain and made fairer to songs that are not hubs."""
    n = len(D)
    others = D[~np.eye(n, dtype=bool)].reshape(n, -1)
    reach = np.sort(others, axis=1)[:, K - 1]
    usual = np.sqrt(np.square(D).mean(axis=1))
    far = norm.sf((D - others.mean(axis=1)[:, None]) / others.std(axis=1)[:, None])
    return {
        "plain": D,
        "local scaling": 1 - np.exp(-(D**2) / np.outer(reach, reach)),
        "mutual proximity": 1 - far * far.T,
        "usual distances": D / np.sqrt(np.outer(usual, usual)),
    }


def measured(D: np.ndarray, collection: Collection) -> dict[str, str]:
    artists = np.unique(collection.artist, return_inverse=True)[1]
    genres = np.asarray(collection.genre, dtype=object)

    def nearest(banned: np.ndarray) -> np.ndarray:
        return np.argsort(np.where(banned, np.inf, D), axis=1, kind="stable")[:, :K]

    near = nearest(np.eye(len(D), dtype=bool))
    several = np.bincount(artists)[artists] > 1
    hit = (artists[near] == artists[:, None]).any(axis=1)[several].mean()
    strangers = nearest(artists[:, None] == artists)
    same = (genres[strangers] == genres[:, None]).mean(axis=1)
    large = [g for g in dict.fromkeys(genres) if g and (genres == g).sum() >= LEAST]
    genre = np.mean([same[genres == g].mean() for g in large])
    hubs = skew(np.bincount(near.ravel(), minlength=len(D)))
    return {"genre / artist": f"{genre:.3f} / {hit:.3f}", "skew": f"{hubs:.2f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--models", default="balanced-lda,neutral-lda")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as kept:
        for source in arguments.sources:
            collection = collection_of(source, Path(kept))
            for model in arguments.models.split(","):
                X = space(collection, "", model, 0, Path(kept)).astype(float)
                for name, D in rescaled(cdist(X, X)).items():
                    head = {"collection": collection.name, "model": model, "distances": name}
                    rows.append(head | measured(D, collection))
    print(markdown(rows))


if __name__ == "__main__":
    main()
