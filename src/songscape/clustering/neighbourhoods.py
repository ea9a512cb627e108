"""Divides regions into pieces of a handy size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from songscape.clustering.smoothed import nearest

LEAST, MOST = 15, 60
"""Songs in a neighbourhood, where the region has as many."""

Points = NDArray[np.float32]
Integers = NDArray[np.int64]


def divide(points: Points, regions: Integers, previous: Integers) -> Integers:
    """Neighbourhoods of 15 to 60 songs within regions, numbered region by region, large ones first.

    A piece that is too large is cut in two, across the direction in which it is longest (Boley
    1998); no random number decides. Where there are `previous` neighbourhoods (-1: none), songs go
    to the nearest of those that their region had, and only what is then too large or too small is
    changed.
    """
    pieces = np.full(len(points), -1, np.int64)
    count = 0
    for region in range(int(regions.max(initial=-1)) + 1):
        parts = _as_before(points, np.flatnonzero(regions == region), previous)
        while too_large := [part for part in parts if len(part) > MOST]:
            parts = [part for part in parts if len(part) <= MOST]
            parts += [half for part in too_large for half in _cut(points, part)]
        for part in sorted(parts, key=lambda part: (-len(part), part[0])):
            pieces[part] = count
            count += 1
    return pieces


def _as_before(points: Points, rows: Integers, previous: Integers) -> list[Integers]:
    """Pieces around the means of the earlier ones; what is left of small ones is shared out."""
    names, sizes = np.unique(previous[rows], return_counts=True)
    names = names[(names >= 0) & (sizes >= LEAST // 2)]
    while len(names) > 1:
        means = np.array([points[rows[previous[rows] == name]].mean(axis=0) for name in names])
        place = nearest(points[rows], means, 1)[:, 0]
        sizes = np.bincount(place, minlength=len(names))
        if sizes.min() >= LEAST:
            return [rows[place == one] for one in range(len(names))]
        names = np.delete(names, sizes.argmin())
    return [rows]


def _cut(points: Points, rows: Integers) -> list[Integers]:
    """Two pieces of at least 15 songs."""
    centred = points[rows] - points[rows].mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    axis *= np.sign(axis[np.abs(axis).argmax()])
    along = centred @ axis
    # 2-means along the line: the cut that leaves the smallest squares on both sides.
    order = np.argsort(along, kind="stable")
    sums, n = np.cumsum(along[order], dtype=np.float64), len(rows)
    sizes = np.arange(1, n)
    between = sums[:-1] ** 2 / sizes + (sums[-1] - sums[:-1]) ** 2 / (n - sizes)
    least = max(LEAST, n // 4)
    at = least + int(between[least - 1 : n - least].argmax())
    return [np.sort(rows[half]) for half in (order[:at], order[at:])]
