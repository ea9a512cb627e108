"""A nested tree of groups: few regions that come back, each divided into neighbourhoods.

Regions are as many as surely come back when a fifth of the songs is missing; how surely, beside a
cloud that has no groups, is said with them. Neighbourhoods are handy pieces of a region, drawn for
orientation: the neighbours of a song are surer than its group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.clustering.choose import gaussian_cloud
from songscape.clustering.methods import check_rows
from songscape.clustering.neighbourhoods import divide
from songscape.clustering.smoothed import nearest, smooth, smoothed_kmeans
from songscape.errors import UsageError
from songscape.metrics.stability import NOT_DRAWN, cluster_jaccard, subsamples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEW_SONGS = 20
"""With fewer songs there is one group."""
COMES_BACK, WELL, WHOLE, _EXACT = 0.6, 0.72, 0.95, 0.99
"""Jaccard similarities to the best match when songs are missing. From the first on, a region comes
back (Hennig 2007); from the second on, as the mean of its regions, a level; from the third and
fourth on, if its worst region has that, a level comes back nearly whole, and exactly."""
COVERED = 0.9
"""Least share of the songs in regions that come back. This and `WELL` are a little above what is
wanted (0.85 and 0.7), because the chosen number is partly the best of several by chance."""
BETWEEN = 0.7
"""A song lies between two regions if a smaller share of the subsamples puts it into its own."""
FEWEST, MOST = 4, 10
LARGEST, SMALLEST = 0.5, 0.01
_LANDMARKS, _VOTERS = 2_000, 5
_N_SUBSAMPLES, _SHARE, _N_NULL, _NULL_SUBSAMPLES = 16, 0.8, 3, 4


@dataclass(frozen=True)
class LevelStability:
    """How surely regions come back, if there are k of them.

    ``jaccard`` is the mean over regions, ``null`` that of Gaussian clouds with the covariance of
    the songs, ``coverage`` the share of songs in regions that come back, ``worst`` the Jaccard
    similarity of the region that comes back least, ``largest`` the share of the largest.
    """

    k: int
    jaccard: float
    null: float
    coverage: float
    worst: float
    largest: float

    @property
    def comes_back(self) -> bool:
        """Whether these regions can be relied on."""
        return self.jaccard >= WELL and self.coverage >= COVERED


@dataclass(frozen=True, eq=False)
class Levels:
    """Regions and neighbourhoods of a collection.

    `regions` and `neighbourhoods` are numbered by size, the largest first, neighbourhoods region by
    region. `share` says of each song how many of the subsamples put it into its region, `second`
    into which region the others put it most often (-1: none). `jaccard` is per region the mean
    similarity to its best match in 80 % subsamples, `levels` every number of regions that was
    tried.
    """

    regions: Integers
    neighbourhoods: Integers
    share: Floats
    second: Integers
    jaccard: Floats
    levels: tuple[LevelStability, ...]
    reason: str

    @property
    def n_regions(self) -> int:
        return int(self.regions.max(initial=-1)) + 1

    @property
    def level(self) -> LevelStability | None:
        """The figures of the regions; None where the songs are too few for any."""
        return next((one for one in self.levels if one.k == self.n_regions), None)

    @property
    def between(self) -> NDArray[np.bool_]:
        """Songs that lie between two regions, shape (n_tracks,)."""
        return (self.share < BETWEEN) & (self.second >= 0)


def find_levels(
    X: ArrayLike,
    *,
    k: int | None = None,
    previous: tuple[Integers, Integers] | None = None,
    random_state: int = 0,
) -> Levels:
    """Find regions and neighbourhoods in a space whose rows are sorted by track id.

    Points are smoothed (each is moved to the mean of its nearest ones), grouped by K-Means, and so
    are subsamples of 80 %, which say how surely a song belongs to its region. Where some number of
    regions comes back nearly whole, that number is taken; else the largest that comes back well.
    None has more than half of the songs, where that can be, or less than a hundredth. Above 2,000
    songs all this is done with 2,000 of them, and the others go where their nearest are.

    `previous` are regions and neighbourhoods of these same rows at an earlier time (-1 for songs
    that are new): the new ones start there, and stay as many as long as they come back.
    """
    space = check_rows("grouping", X).astype(np.float32)
    n = len(space)
    if k is not None and not 1 <= k <= max(1, n // 2):
        raise UsageError(f"{k} groups of {n} songs: give a number from 1 to {max(1, n // 2)}")
    most = 0 if n < FEW_SONGS else min(MOST, n // 10)
    ks = range(2, most + 1) if k is None else [k]
    everyone, nobody = np.arange(n), np.full(n, -1)
    regions_before, pieces_before = previous or (nobody, nobody)
    rng = np.random.default_rng(random_state)
    few = n <= _LANDMARKS
    rows = everyone if few else np.sort(rng.choice(n, _LANDMARKS, replace=False))
    points = space[rows]
    levels: tuple[LevelStability, ...] = ()
    votes, reason = np.ones((len(rows), 1)), "too few songs for groups"
    partition, others = np.zeros(len(rows), np.int64), [np.zeros(len(rows), np.int64)]
    if max(ks, default=1) > 1:
        earlier = regions_before[rows]
        measured = _measure(points, ks, earlier, random_state)
        tried = [level for _, _, level in measured.values()]
        chosen, reason = _choose(tried, 0 if k else int(earlier.max(initial=-1)) + 1)
        if k is not None:
            reason = "as many as were asked for"
        partition, others, level = measured[chosen]
        votes = _votes(partition, others)
        null = _of_clouds(points, chosen, random_state)
        levels = tuple(replace(one, null=null) if one is level else one for one in tried)
    labels = partition
    if not few:
        near = nearest(space, points, _VOTERS)
        votes = votes[near].mean(axis=1)
        labels = votes.argmax(axis=1)
        labels[rows] = partition
    regions, votes = _numbered(votes, labels)
    share = votes[everyone, regions]
    votes[everyone, regions] = 0.0
    second = np.where(votes.max(axis=1) > 0, votes.argmax(axis=1), -1)
    jaccard = np.mean([cluster_jaccard(regions[rows], one) for one in others], axis=0)
    pieces = divide(smooth(space, points), regions, pieces_before)
    return Levels(regions, pieces, share, second, jaccard, levels, reason)


def _measure(
    points: NDArray[np.float32],
    ks: Sequence[int],
    earlier: Integers,
    seed: int,
    n_subsamples: int = _N_SUBSAMPLES,
) -> dict[int, tuple[Integers, list[Integers], LevelStability]]:
    """By number of regions: the partition, those of subsamples, and how well they agree."""
    partitions = smoothed_kmeans(points, ks, random_state=seed)
    known = np.unique(earlier[earlier >= 0])
    if len(known) in partitions:
        starts = np.array([points[earlier == one].mean(axis=0) for one in known])
        partitions |= smoothed_kmeans(points, [], starts=starts)
    others: dict[int, list[Integers]] = {k: [] for k in ks}
    drawn = subsamples(len(points), n_repeats=n_subsamples, share=_SHARE, random_state=seed)
    for repeat, rows in enumerate(drawn):
        again = smoothed_kmeans(points[rows], ks, random_state=seed + 1 + repeat)
        for k in ks:
            others[k].append(np.full(len(points), NOT_DRAWN))
            others[k][-1][rows] = again[k]
    found: dict[int, tuple[Integers, list[Integers], LevelStability]] = {}
    for k in ks:
        labels = partitions[k] if len(ks) == 1 else _folded(partitions[k], points)
        shares = np.bincount(labels) / len(points)
        if len(shares) in found:
            continue
        jaccard = np.mean([cluster_jaccard(labels, other) for other in others[k]], axis=0)
        back, largest = float(shares[jaccard >= COMES_BACK].sum()), float(shares.max())
        mean, worst = float(jaccard.mean()), float(jaccard.min())
        level = LevelStability(len(shares), mean, float("nan"), back, worst, largest)
        found[len(shares)] = labels, others[k], level
    return found


def _folded(labels: Integers, points: NDArray[np.float32]) -> Integers:
    """Clusters below a hundredth of the songs, or five, joined to the nearest one that is not."""
    sizes = np.bincount(labels)
    large = np.flatnonzero(sizes >= max(5.0, SMALLEST * len(labels)))
    if not len(large):
        return np.zeros_like(labels)
    centroids = np.array([points[labels == one].mean(axis=0) for one in large])
    small = ~np.isin(labels, large)
    place = np.searchsorted(large, np.where(small, large[0], labels))
    place[small] = nearest(points[small], centroids, 1)[:, 0]
    return np.asarray(place, np.int64)


def _of_clouds(points: NDArray[np.float32], k: int, seed: int) -> float:
    """The Jaccard similarity that clouds without groups give at a number of regions."""
    rng, nobody = np.random.default_rng(seed), np.full(len(points), -1)
    clouds = [gaussian_cloud(points.astype(np.float64), rng) for _ in range(_N_NULL)]
    found = [
        _measure(cloud.astype(np.float32), [k], nobody, seed, _NULL_SUBSAMPLES).values()
        for cloud in clouds
    ]
    return float(np.mean([level.jaccard for ((_, _, level),) in found]))


def _choose(levels: Sequence[LevelStability], kept: int) -> tuple[int, str]:
    """The number of regions, and why; the earlier one if it still comes back."""
    # Fewer than four only where they come back exactly, or songs are few.
    fewest = min(FEWEST, max(2, max(one.k for one in levels) - 1))
    usual = [one for one in levels if one.k >= fewest or one.worst >= _EXACT] or list(levels)
    allowed = [one for one in usual if one.largest <= LARGEST] or usual
    good = [one.k for one in allowed if one.comes_back]
    # People know these groups: they go only if most of them do not come back.
    if any(one.k == kept and one.jaccard >= COMES_BACK for one in levels):
        return kept, f"{kept} regions, as before: they still come back"
    if whole := [one.k for one in allowed if one.worst >= WHOLE]:
        return max(whole), f"{max(whole)} regions come back nearly whole, and no more than those"
    if good:
        return max(good), f"the largest number of regions that comes back ({max(good)})"
    best = max(allowed, key=lambda one: (one.jaccard, -one.k))
    return best.k, "no number of regions comes back well; this one does best"


def _votes(reference: Integers, others: Sequence[Integers]) -> Floats:
    """Share of the subsamples that put each song into each region, (n_tracks, n_regions).

    A cluster of a subsample stands for the region with which it shares most songs.
    """
    n_regions = int(reference.max()) + 1
    votes = 0.5 * np.eye(n_regions)[reference]  # a song that is in no subsample stays where it is
    for labels in others:
        rows = np.flatnonzero(labels != NOT_DRAWN)
        table = np.zeros((int(labels.max()) + 1, n_regions))
        np.add.at(table, (labels[rows], reference[rows]), 1.0)
        votes[rows, table.argmax(axis=1)[labels[rows]]] += 1.0
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def _numbered(votes: Floats, labels: Integers) -> tuple[Integers, Floats]:
    """Regions by size, the largest first, and the votes in their order."""
    sizes = np.bincount(labels, minlength=votes.shape[1])
    order = sorted(np.flatnonzero(sizes), key=lambda one: (-sizes[one], np.argmax(labels == one)))
    number = np.full(len(sizes), -1)
    number[order] = np.arange(len(order))
    return number[labels], votes[:, order]
