"""How many clusters: as given, or one number for all models, chosen by stability in one space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songscape.benchmark.metric_table import KOrigin
from songscape.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_TO_CHOOSE = 5
"""Tracks, to choose k from."""


@dataclass(frozen=True, eq=False)
class NumberOfClusters:
    """The numbers that every model is clustered with, and why.

    Where they were given, `reason` is "" and `curve` (stability by k beside its null) is empty.
    """

    ks: tuple[int, ...]
    origin: KOrigin = KOrigin.GIVEN
    reason: str = ""
    curve: Sequence[Mapping[str, float]] = ()


def number_of_clusters(X: NDArray[Any], given: Sequence[int] = ()) -> NumberOfClusters:
    """The numbers given, else one chosen in the space `X` by stability.

    One k for all models keeps their partitions comparable. Labels and silhouettes play no part.
    Where no k is more stable than in data without groups, the most stable one is used, and
    `origin` is `NO_GROUPS`.
    """
    from songscape.clustering.choose import choose_k

    if given:
        return NumberOfClusters(tuple(given))
    if len(X) < FEWEST_TO_CHOOSE:
        reason = f"{len(X)} tracks are too few to choose k"
        return NumberOfClusters((2,), KOrigin.NO_GROUPS, reason)
    choice = choose_k(X, random_state=0)
    origin, k, curve = KOrigin.STABLE, choice.k, choice.curve
    if k < 2:
        origin = KOrigin.NO_GROUPS
        k = int(max(curve, key=lambda row: row["stability"] - row["null"])["k"])
    return NumberOfClusters((k,), origin, choice.reason, curve)


def check_k(ks: Sequence[int], n_tracks: int) -> None:
    """Refuse more clusters than tracks, and fewer than two, before anything is computed."""
    if ks and max(ks) >= n_tracks:
        raise UsageError(f"k = {max(ks)}: there are {n_tracks} tracks; k must be smaller")
    if ks and min(ks) < 2:
        raise UsageError(f"k = {min(ks)}: at least 2 clusters are needed")
