"""Lays the map out again, from its present places, when sound and words are weighed anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from songscape.clustering.smoothed import nearest
from songscape.neighbours.space import Space

Floats = NDArray[np.float32]
MOST_MOVED = 2_000
"""So many songs are moved step by step; the others lie among the nearest of these."""
NEAREST, BESIDE = 15, 4
SMOOTHED, STEPS = 12, 80
WIDTH, PUSH = 0.22, 5.0


def laid_out_again(places: Floats, space: Space, weights: Mapping[str, float]) -> Floats:
    """Places (n, 2) where songs lie together that are near in a weighed space.

    Songs first move to the mean of their nearest, then as UMAP moves its points: to their nearest,
    and away from others chosen at random (McInnes, Healy & Melville 2018, arXiv:1802.03426). The
    result is turned and scaled onto the old places (Procrustes), so that what stays together stays
    where it was. Songs that have none of what is weighed don't move. Equal input, equal places.
    Places are from -1 to 1, weights those of the blocks of the space.
    """
    asked, among, known = _joined(space, weights)
    songs = np.flatnonzero(known)
    if len(songs) < 3:
        return places
    chosen = songs[np.linspace(0, len(songs) - 1, min(len(songs), MOST_MOVED)).astype(int)]
    near = _others(nearest(asked[chosen], among[chosen], NEAREST + 1))
    moved = _aligned(_settled(places[chosen], near), places[chosen])
    found = places.copy()
    rest = np.setdiff1d(songs, chosen)
    if len(rest):
        owner = _nearest_one(asked[rest], among[chosen])
        around = moved[np.column_stack([owner, near[owner, :BESIDE]])]
        chance = np.random.default_rng(0).normal(size=(len(rest), 2)) / 2
        found[rest] = around.mean(axis=1) + chance * around.std(axis=1)
    found[chosen] = moved
    return np.asarray(found / max(1.0, float(np.abs(found).max()) / 0.98), np.float32)


def _joined(space: Space, weights: Mapping[str, float]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Vectors to ask with and to look among, whose distances are those of the weighed space.

    A song that lacks a block is as far from all as two songs usually are: its own dimension holds
    half of that, and is empty in the song that asks.
    """
    total = sum(weights.values())
    parts, known = [], np.zeros(space.n_rows, bool)
    missing = np.zeros(space.n_rows)
    for name, weight in weights.items():
        block, share = space.blocks[name], weight / total
        parts.append(np.sqrt(share) * block.values)
        missing += np.where(block.present, 0.0, share / 2)
        known |= block.present
    asked = np.column_stack([*parts, np.zeros(space.n_rows)]).astype(np.float32)
    among = asked.copy()
    among[:, -1] = np.sqrt(missing)
    return asked, among, known


def _nearest_one(asked: Floats, among: Floats) -> NDArray[np.int64]:
    """The nearest row of `among` to each of `asked`: one is found much faster than several."""
    half = np.square(among).sum(axis=1) / 2
    parts = np.array_split(asked, 1 + len(asked) // 2_000)
    return np.concatenate([(half - part @ among.T).argmin(axis=1) for part in parts])


def _others(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each row of neighbours without the song itself, or else without the last."""
    itself = rows == np.arange(len(rows))[:, None]
    itself[~itself.any(axis=1), -1] = True
    return np.asarray(rows[~itself].reshape(len(rows), -1))


def _settled(places: Floats, near: NDArray[np.int64]) -> NDArray[np.float64]:
    """Points pulled to their neighbours and pushed from others, step by step."""
    n, k = near.shape
    found = places.astype(np.float64)
    for _ in range(SMOOTHED):
        found = (found + found[near].mean(axis=1)) / 2
    found -= found.mean(axis=0)
    found *= WIDTH * n**0.5 * places.std(axis=0) / np.maximum(found.std(axis=0), 1e-9)
    chance, ends = np.random.default_rng(0), near.ravel()
    for step in range(STEPS):
        pull = found[near] - found[:, None]
        pull /= 1 + np.square(pull).sum(axis=2, keepdims=True)
        push = found[:, None] - found[chance.integers(n, size=(n, k))]
        far = np.square(push).sum(axis=2, keepdims=True)
        push *= PUSH / ((0.01 + far) * (1 + far))
        back = [np.bincount(ends, pull[..., axis].ravel(), n) for axis in (0, 1)]
        force = pull.sum(axis=1) - np.column_stack(back) + push.sum(axis=1)
        found += (1 - step / STEPS) * np.clip(force / k, -4, 4)
    return found


def _aligned(moved: NDArray[np.float64], places: Floats) -> Floats:
    """Moved points turned, mirrored and scaled to lie on their old places as nearly as can be."""
    from scipy.linalg import orthogonal_procrustes

    middle = places.mean(axis=0)
    new, old = moved - moved.mean(axis=0), places - middle
    new *= np.linalg.norm(old) / max(float(np.linalg.norm(new)), 1e-9)
    return np.asarray(new @ orthogonal_procrustes(new, old)[0] + middle, np.float32)
