"""Places new songs among groups that are there: a group or none, and how sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.clustering.levels import Levels
from songscape.clustering.smoothed import nearest, neighbourhood_size

Integers = NDArray[np.int64]

UNKNOWN = -1
FAR = 0.99
"""A song is unlike all known ones if it is farther from its nearest songs than this share of the
known songs are from theirs."""
_SURE = 0.5


@dataclass(frozen=True, eq=False)
class Assignment:
    """Where new songs belong.

    Attributes
    ----------
    regions : ndarray of shape (n_new,), int64
        -1 where a song is like none, or lies between several.
    confidence : ndarray of shape (n_new,)
        Mean over the nearest known songs of how surely each belongs to that region, 0 where it is
        in another one.
    """

    regions: Integers
    confidence: NDArray[np.float64]


def far_limit(known: ArrayLike) -> float:
    """How far from its nearest songs a song is like none: as only one known song in a hundred."""
    among = np.asarray(known, np.float32)
    rows = nearest(among, among, neighbourhood_size(len(among)) + 1)[:, 1:]
    return float(np.quantile(_distance(among, among, rows), FAR))


def assign(
    new: ArrayLike, known: ArrayLike, levels: Levels, limit: float | None = None
) -> Assignment:
    """Place songs by their nearest songs whose groups are known; nothing is grouped again.

    Parameters
    ----------
    new : array-like of shape (n_new, n_dimensions)
        In the space of `known`: from the same fitted model.
    known : array-like of shape (n_tracks, n_dimensions)
    levels : Levels
        The groups of the known songs.
    limit : float, optional
        `far_limit` of the known songs, where it is known already.
    """
    points, among = np.asarray(new, np.float32), np.asarray(known, np.float32)
    rows = nearest(points, among, neighbourhood_size(len(among)))
    votes = np.zeros((len(points), levels.n_regions))
    for column in rows.T:
        votes[np.arange(len(points)), levels.regions[column]] += (
            levels.share[column] / rows.shape[1]
        )
    regions, confidence = votes.argmax(axis=1), votes.max(axis=1)
    far = _distance(points, among, rows) > (far_limit(among) if limit is None else limit)
    regions = np.where(far | (confidence < _SURE), UNKNOWN, regions)
    return Assignment(regions, np.where(far, 0.0, confidence))


def _distance(
    points: NDArray[np.float32], among: NDArray[np.float32], rows: Integers
) -> NDArray[np.float64]:
    """Mean distance to the given rows."""
    total = np.zeros(len(points))
    for column in rows.T:
        total += np.linalg.norm(points - among[column], axis=1)
    return np.asarray(total / rows.shape[1])
