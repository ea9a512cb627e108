"""Which group of today is which of last time, and what became of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

LEAST_OVERLAP = 0.3
"""Jaccard similarity of members from which a group is the same one."""
LEAST_PART = 0.25
"""Share of a group that must go elsewhere for it to count as split or merged."""


def match_groups(before: Integers, after: Integers) -> dict[int, int]:
    """Group of `after` -> the group of `before` that it is; those that are new are left out.

    Both are of the same songs, -1 for songs that were in none. The pairs have the largest possible
    sum of Jaccard similarities (Kuhn 1955, the Hungarian method).
    """
    from scipy.optimize import linear_sum_assignment

    shared = _shared(before, after)
    if not shared.size:
        return {}
    known = before >= 0
    union = (
        np.bincount(before[known], minlength=len(shared))[:, None]
        + np.bincount(after[known & (after >= 0)], minlength=shared.shape[1])[None, :]
        - shared
    )
    overlap = shared / np.maximum(union, 1)
    pairs = zip(*linear_sum_assignment(-overlap))
    return {int(new): int(old) for old, new in pairs if overlap[old, new] >= LEAST_OVERLAP}


def changes(
    before: Integers, after: Integers, old_names: Sequence[str], new_names: Sequence[str]
) -> list[str]:
    """What became of the groups, in sentences: born, died, split, merged."""
    matched = match_groups(before, after)
    shared = _shared(before, after)
    said = []
    for new, name in enumerate(new_names):
        if new in matched:
            continue
        parts = _large_parts(shared[:, new]) if shared.size else []
        if len(parts) == 1:
            said.append(f"“{name}” has split off from “{old_names[parts[0]]}”")
        elif parts:
            of = " and ".join(f"“{old_names[old]}”" for old in parts)
            said.append(f"“{name}” is new, with songs of {of}")
        else:
            said.append(f"“{name}” is new")
    for old in sorted(set(range(len(old_names))) - set(matched.values())):
        parts = _large_parts(shared[old]) if shared.size else []
        if len(parts) == 1:
            said.append(f"“{old_names[old]}” is now part of “{new_names[parts[0]]}”")
        elif parts:
            into = " and ".join(f"“{new_names[new]}”" for new in parts)
            said.append(f"“{old_names[old]}” is gone; its songs are in {into}")
        else:
            said.append(f"“{old_names[old]}” is gone")
    return said


def _shared(before: Integers, after: Integers) -> NDArray[np.float64]:
    """Songs that each group of before and each of after have in common."""
    table = np.zeros((int(before.max(initial=-1)) + 1, int(after.max(initial=-1)) + 1))
    both = (before >= 0) & (after >= 0)
    np.add.at(table, (before[both], after[both]), 1.0)
    return table


def _large_parts(shared: NDArray[np.float64]) -> list[int]:
    total = shared.sum()
    return np.flatnonzero(shared >= LEAST_PART * total).tolist() if total else []
