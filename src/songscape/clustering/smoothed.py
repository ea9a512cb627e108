"""K-Means on smoothed points: many runs at once, and groups that come back more surely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

_CHUNK = 2_048
_LLOYD_STEPS = 30


def nearest(points: ArrayLike, among: ArrayLike, n: int) -> Integers:
    """The n nearest rows of `among` to each of `points`, (n_points, n); the nearest first."""
    X, Y = np.asarray(points, np.float32), np.asarray(among, np.float32)
    n, norms = min(n, len(Y)), np.einsum("ij,ij->i", Y, Y)
    found = np.empty((len(X), n), np.int64)
    for start in range(0, len(X), _CHUNK):
        distance = norms - 2.0 * (X[start : start + _CHUNK] @ Y.T)
        few = np.argpartition(distance, n - 1, axis=1)[:, :n]
        order = np.argsort(np.take_along_axis(distance, few, axis=1), axis=1, kind="stable")
        found[start : start + _CHUNK] = np.take_along_axis(few, order, axis=1)
    return found


def neighbourhood_size(n_tracks: int) -> int:
    """How many nearest songs a song is averaged with."""
    return int(np.clip(n_tracks // 16, 3, 15))


def smooth(X: ArrayLike, among: ArrayLike | None = None) -> Floats:
    """Each point moved to the mean of the nearest points of `among`, by default of its own.

    One step of mean shift (Fukunaga & Hostetler 1975) with a window of nearest neighbours: what
    songs share with those around them stays, and their own peculiarities go.
    """
    points = np.ascontiguousarray(X, np.float32)
    others = points if among is None else np.ascontiguousarray(among, np.float32)
    rows = nearest(points, others, neighbourhood_size(len(others)))
    return np.asarray(others[rows].mean(axis=1), np.float32)


def kmeans_runs(
    points: Floats, ks: Sequence[int], seed: int, starts: Floats | None = None
) -> tuple[list[Integers], NDArray[np.float64]]:
    """Lloyd's algorithm from k-means++ starts, for every k of `ks` at the same time.

    With `starts`, (k, d), the first run begins there. Returns labels and the summed squared
    distances of each run.
    """
    rng = np.random.default_rng(seed)
    n, d = points.shape
    most, runs = max(ks), len(ks)
    norms = np.einsum("ij,ij->i", points, points)
    centroids = points[_plus_plus(points, norms, runs, most, rng)]
    if starts is not None:
        centroids[0, : len(starts)] = starts
    unused = np.arange(most) >= np.asarray(ks)[:, None]
    labels, best = np.full((runs, n), -1), np.zeros((runs, n), np.float32)
    going = np.arange(runs)  # those whose labels still change
    for _ in range(_LLOYD_STEPS):
        here = centroids[going]
        scores = (here.reshape(-1, d) @ points.T).reshape(len(going), most, n)
        scores -= 0.5 * np.square(here).sum(axis=2)[:, :, None]
        scores[unused[going]] = -np.inf
        found = scores.argmax(axis=1)
        best[going] = np.take_along_axis(scores, found[:, None, :], axis=1)[:, 0]
        changed = (found != labels[going]).any(axis=1)
        labels[going] = found
        going, found = going[changed], found[changed]
        if not len(going):
            break
        cells = (found + (np.arange(len(going)) * most)[:, None]).ravel()
        rows, size = np.tile(np.arange(n), len(going)), len(going) * most
        members = sp.csr_array((np.ones(len(cells), np.float32), (cells, rows)), shape=(size, n))
        sizes = np.bincount(cells, minlength=size)
        flat = here[changed].reshape(-1, d)
        flat[sizes > 0] = (members @ points)[sizes > 0] / sizes[sizes > 0, None]
        centroids[going] = flat.reshape(len(going), most, d)
    cost = (norms - 2.0 * best).sum(axis=1, dtype=np.float64)
    return list(labels), cost


def smoothed_kmeans(
    X: ArrayLike,
    ks: Sequence[int],
    *,
    random_state: int = 0,
    starts: Floats | None = None,
) -> dict[int, Integers]:
    """K-Means of the smoothed points for every k: k -> labels (n,).

    The best of 30 starts up to 500 songs, of fewer beyond, of 10 from 1,500 on.

    With `starts`, groups of an earlier time (k of them, in the space of X): for that k these
    starts are taken, and no others.
    """
    points = smooth(X)
    if starts is not None:
        return {len(starts): kmeans_runs(points, [len(starts)], 0, starts)[0][0]}
    n_starts = int(np.clip(15_000 // max(1, len(points)), 10, 30))
    labels, cost = kmeans_runs(points, [k for k in ks for _ in range(n_starts)], random_state)
    # Of equal ones the first.
    best = cost.reshape(len(ks), n_starts).argmin(axis=1) + n_starts * np.arange(len(ks))
    return {k: labels[run].astype(np.int64) for k, run in zip(ks, best)}


def _plus_plus(
    points: Floats, norms: Floats, runs: int, k: int, rng: np.random.Generator
) -> Integers:
    """Rows to start from (Arthur & Vassilvitskii 2007), (runs, k)."""
    n = len(points)
    rows = np.empty((runs, k), np.int64)
    rows[:, 0] = rng.integers(n, size=runs)
    distance = np.full((runs, n), np.inf, np.float32)
    for j in range(k):
        centre = points[rows[:, j]]
        away = norms[None, :] - 2.0 * centre @ points.T + norms[rows[:, j], None]
        np.minimum(distance, np.maximum(away, 0.0), out=distance)
        if j + 1 < k:
            sums = np.cumsum(distance, axis=1, dtype=np.float64)
            drawn = rng.random(runs) * sums[:, -1]
            rows[:, j + 1] = np.minimum((sums < drawn[:, None]).sum(axis=1), n - 1)
    return rows
