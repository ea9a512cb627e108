"""Turns a column of labels or clusters into a few named groups that a picture can show."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songscape.audit.nuisances import texts_of


@dataclass(frozen=True, eq=False)
class Category:
    """Songs drawn alike: `members`, shape (n,), says which.

    The kind is "category", "other", "missing" or "noise".
    """

    name: str
    kind: str
    members: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Number of songs in the group."""
        return int(self.members.sum())


def group_labels(values: Sequence[object], limit: int = 10) -> list[Category]:
    """Return the ``limit`` commonest labels as groups, then "other" and "missing" if there are any.

    Ties go by name, so the result does not depend on the order of the songs. When a single label
    would be left over it is shown rather than called "other".
    """
    names = np.array(texts_of(values), dtype=object)
    counts = Counter(name for name in names if name is not None)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    shown = ranked if len(ranked) <= limit + 1 else ranked[:limit]
    groups = [Category(name, "category", names == name) for name in shown]
    rest = ranked[len(shown) :]
    if rest:
        groups.append(Category(f"{len(rest)} others", "other", np.isin(names, np.array(rest))))
    missing = np.array([name is None for name in names], dtype=bool)
    if missing.any():
        groups.append(Category("not given", "missing", missing))
    return groups


def group_clusters(
    clusters: Sequence[int] | NDArray[np.integer], limit: int = 10
) -> list[Category]:
    """Return the ``limit`` largest clusters in the order of their numbers, the rest, and noise.

    Noise (−1) is never a cluster: it is a group of its own kind.
    """
    numbers = np.asarray(clusters, dtype=int)
    values, counts = np.unique(numbers[numbers >= 0], return_counts=True)
    order = np.lexsort((values, -counts))
    kept = values if len(values) <= limit + 1 else np.sort(values[order[:limit]])
    groups = [Category(str(value), "category", numbers == value) for value in kept]
    rest = np.setdiff1d(values, kept)
    if len(rest):
        groups.append(Category(f"{len(rest)} smaller ones", "other", np.isin(numbers, rest)))
    if (numbers < 0).any():
        groups.append(Category("noise", "noise", numbers < 0))
    return groups
