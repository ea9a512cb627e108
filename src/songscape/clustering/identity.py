"""The groups of last time: which of them is which of today, and what became of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.metrics.stability import overlaps

Integers = NDArray[np.int64]

REGIONS, NEIGHBOURHOODS = "regions", "neighbourhoods"
LEAST_OVERLAP = 0.3
"""Jaccard similarity of members from which a group is the same one."""
LEAST_PART = 0.25
"""Share of a group that must go elsewhere for it to count as split or merged."""


@dataclass(frozen=True, eq=False)
class Earlier:
    """Groups of last time: ids, names and members, in the order of today's songs.

    `member` holds the positions in `ids` of each song's group, -1 for songs that are new.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    member: Integers

    def kept_ids(self, labels: Integers, letter: str) -> list[str]:
        """Ids: those of last time for groups that are still there, new numbers for the others."""
        matched = match_groups(self.member, labels)
        numbers = [int(i[1:]) for i in self.ids if i[:1] == letter and i[1:].isdigit()]
        new = count(max(numbers, default=0) + 1)
        return [
            self.ids[matched[one]] if one in matched else f"{letter}{next(new)}"
            for one in range(int(labels.max(initial=-1)) + 1)
        ]


def groups_before(before: Mapping[str, Any] | None, level: str, ids: Sequence[str]) -> Earlier:
    """The groups of last time on one level; none if there were none, or what is left is damaged."""
    try:
        before = before or {}
        one = next(found for found in before["levels"] if found["name"] == level)
        number = dict(zip(before["tracks"], one["member"]))
        member = np.array([int(number.get(track_id, -1)) for track_id in ids], np.int64)
        known, names = (tuple(str(g[key]) for g in one["groups"]) for key in ("id", "name"))
        if member.max(initial=-1) < len(known):
            return Earlier(known, names, member)
    except (StopIteration, KeyError, TypeError, ValueError):
        pass
    return Earlier((), (), np.full(len(ids), -1))


def match_groups(before: Integers, after: Integers) -> dict[int, int]:
    """Group of `after` -> the group of `before` that it is; those that are new are left out.

    Both are of the same songs; in `before`, -1 for those that are new. The pairs have the largest
    possible sum of Jaccard similarities (Kuhn 1955, the Hungarian method).
    """
    from scipy.optimize import linear_sum_assignment

    shared = overlaps(before, after, int(before.max(initial=-1)) + 1)[0]
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0) - shared
    overlap = shared / np.maximum(union, 1)
    pairs = zip(*linear_sum_assignment(-overlap))
    return {int(new): int(old) for old, new in pairs if overlap[old, new] >= LEAST_OVERLAP}


def changes(
    before: Integers, after: Integers, old_names: Sequence[str], new_names: Sequence[str]
) -> list[str]:
    """What became of the groups, in sentences: born, died, split, merged."""
    matched = match_groups(before, after)
    shared = overlaps(before, after, len(old_names))[0]
    born = ("is new", "has split off from", "is new, with songs of")
    gone = ("is gone", "is now part of", "is gone; its songs are in")
    return [
        _became(name, shared[:, new], old_names, *born)
        for new, name in enumerate(new_names)
        if new not in matched
    ] + [
        _became(name, shared[old], new_names, *gone)
        for old, name in enumerate(old_names)
        if old not in matched.values()
    ]


def _became(
    name: str, shared: NDArray[np.float64], others: Sequence[str], none: str, one: str, several: str
) -> str:
    """A sentence about a group, after the number of others that have a large part of its songs."""
    large = np.flatnonzero(shared >= max(LEAST_PART * shared.sum(), 1.0)).tolist()
    told = (none, one, several)[min(len(large), 2)]
    return f"“{name}” {told} {' and '.join(f'“{others[i]}”' for i in large)}".rstrip()
