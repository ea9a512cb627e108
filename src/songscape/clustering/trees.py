"""Ward's tree in linear memory, and cutting it into k clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ward_merges(X: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Ward's hierarchical clustering by the nearest-neighbour chain.

    The chain grows from a cluster to its nearest neighbour until two are each other's nearest,
    which Ward's reducible criterion allows to merge at once (Murtagh 1983; Müllner 2011). Only
    centroids and sizes are kept: O(n) memory where a distance matrix takes n²/2, and O(n² d) time.

    Takes finite numbers of shape (n_tracks, n_dimensions); returns the merges, lowest first: a
    track of each of the two clusters, (n_tracks - 1, 2), and SciPy's heights, (n_tracks - 1,).
    """
    points = np.array(X, dtype=np.float64)
    points -= points.mean(axis=0)
    n = len(points)
    # Live clusters fill the first slots, so every pass reads memory in one line.
    centroids, sizes, tops = points, np.ones(n), np.zeros(n)
    norms = np.einsum("ij,ij->i", centroids, centroids)
    names, tracks = np.arange(n), np.arange(2 * n - 1)
    where = np.full(2 * n - 1, -1)
    where[:n] = names
    live = n
    merges, heights = np.empty((n - 1, 2), dtype=np.int64), np.empty(n - 1)
    chain: list[int] = []
    linked: set[int] = set()
    for step in range(n - 1):
        if not chain:
            chain.append(int(names[:live].min()))
            linked = {chain[0]}
        while True:
            tip = int(where[chain[-1]])
            distance = norms[:live] - 2.0 * (centroids[:live] @ centroids[tip]) + norms[tip]
            np.maximum(distance, 0.0, out=distance)
            distance *= 2.0 * sizes[tip] * sizes[:live] / (sizes[tip] + sizes[:live])
            distance[tip] = np.inf
            best = int(distance.argmin())
            # On a tie go back, or the chain would walk in circles among equals.
            if len(chain) > 1 and (
                names[best] in linked or distance[where[chain[-2]]] <= distance[best]
            ):
                break
            chain.append(int(names[best]))
            linked.add(chain[-1])
        first, second = chain.pop(), chain.pop()
        linked -= {first, second}
        left, right = sorted((int(where[first]), int(where[second])))
        gap = centroids[left] - centroids[right]
        total = sizes[left] + sizes[right]
        height = np.sqrt(2.0 * sizes[left] * sizes[right] / total * (gap @ gap))
        # A parent is never lower than its children in exact arithmetic; rounding may say otherwise.
        heights[step] = tops[left] = max(height, tops[left], tops[right])
        merges[step] = tracks[first], tracks[second]
        tracks[n + step] = tracks[first]
        centroids[left] = (sizes[left] * centroids[left] + sizes[right] * centroids[right]) / total
        sizes[left] = total
        norms[left] = centroids[left] @ centroids[left]
        names[left] = n + step
        where[n + step] = left
        live -= 1
        if right != live:
            for kept in (centroids, sizes, tops, norms, names):
                kept[right] = kept[live]
            where[names[live]] = right
    order = np.argsort(heights, kind="stable")
    return merges[order], heights[order]


def cut(merges: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The k clusters, from 1 to n_tracks, that are left without the last k - 1 merges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, kept = len(merges) + 1, merges[: len(merges) + 1 - k]
    edges = coo_array((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(n, n))
    return np.asarray(connected_components(edges, directed=False)[1], np.int64)
