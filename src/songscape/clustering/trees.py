"""Ward's tree in linear memory, and cutting any tree into k clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ward_linkage(X: ArrayLike) -> NDArray[np.float64]:
    """Ward's hierarchical clustering by the nearest-neighbour chain.

    The chain grows from a cluster to its nearest neighbour until two are each other's nearest,
    which Ward's reducible criterion allows to merge at once (Murtagh 1983; Müllner 2011). Only
    centroids and sizes are kept: O(n) memory where a distance matrix takes n²/2, and O(n² d) time.

    Takes finite numbers of shape (n_tracks, n_dimensions); returns SciPy's linkage matrix of shape
    (n_tracks - 1, 4): the two clusters merged, the height, the size.
    """
    points = np.array(X, dtype=np.float64)
    points -= points.mean(axis=0)
    n = len(points)
    # Live clusters fill the first slots, so every pass reads memory in one line.
    centroids, sizes = points, np.ones(n)
    norms = np.einsum("ij,ij->i", centroids, centroids)
    names = np.arange(n)
    where = np.full(2 * n - 1, -1)
    where[:n] = names
    live = n
    merges = np.empty((n - 1, 2), dtype=np.int64)
    heights = np.empty(n - 1)
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
        merges[step] = min(first, second), max(first, second)
        heights[step] = np.sqrt(2.0 * sizes[left] * sizes[right] / total * (gap @ gap))
        centroids[left] = (sizes[left] * centroids[left] + sizes[right] * centroids[right]) / total
        sizes[left] = total
        norms[left] = centroids[left] @ centroids[left]
        names[left] = n + step
        where[n + step] = left
        live -= 1
        if right != live:
            centroids[right], sizes[right] = centroids[live], sizes[live]
            norms[right], names[right] = norms[live], names[live]
            where[names[live]] = right
    return _sorted_by_height(merges, heights, n)


def cut(linkage: ArrayLike, k: int) -> NDArray[np.int64]:
    """Cut SciPy's linkage matrix into exactly k clusters, from 1 to n_tracks.

    Merges are undone from the last on: equal heights never leave fewer than k.
    """
    from scipy.cluster.hierarchy import fcluster

    tree = np.array(linkage, dtype=np.float64).reshape(-1, 4)
    tree[:, 2] = np.arange(len(tree))
    return (
        fcluster(tree, k, "maxclust").astype(np.int64) - 1 if len(tree) else np.zeros(1, np.int64)
    )


def _sorted_by_height(
    merges: NDArray[np.int64], heights: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """The chain merges out of order: sort by height, children first, and renumber."""
    # A parent is never lower than its children in exact arithmetic; rounding may say otherwise.
    for step in range(n - 1):
        for child in merges[step]:
            if child >= n:
                heights[step] = max(heights[step], heights[child - n])
    order = np.argsort(heights, kind="stable")
    renamed = np.arange(2 * n - 1)
    renamed[n + order] = n + np.arange(n - 1)
    linkage = np.empty((n - 1, 4))
    linkage[:, :2] = np.sort(renamed[merges[order]], axis=1)
    linkage[:, 2] = heights[order]
    size = np.ones(2 * n - 1)
    for step in range(n - 1):
        left, right = linkage[step, :2].astype(int)
        size[n + step] = linkage[step, 3] = size[left] + size[right]
    return linkage
