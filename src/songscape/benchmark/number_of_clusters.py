"""How many clusters: as given, or one number for all models, chosen by stability in one space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from songscape.benchmark.metric_table import KOrigin
from songscape.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = ["NumberOfClusters", "check_k", "number_of_clusters"]


@dataclass(frozen=True, eq=False)
class NumberOfClusters:
    """The numbers of clusters that every model is clustered with.

    Attributes
    ----------
    ks : tuple of int
    origin : KOrigin
    reason : str
        Why, in words; "" where they were given.
    curve : DataFrame or None
        Stability by k beside its null; None where they were given.
    """

    ks: tuple[int, ...]
    origin: KOrigin = KOrigin.GIVEN
    reason: str = ""
    curve: pd.DataFrame | None = None


def number_of_clusters(X: ArrayLike, given: Sequence[int] = ()) -> NumberOfClusters:
    """The numbers given, else one chosen in the space `X` by stability.

    One k for all models keeps their partitions comparable. Labels and silhouettes play no part.
    Where no k is more stable than in data without groups, the most stable one is used, and
    `origin` is `NO_GROUPS`.
    """
    import pandas as pd

    from songscape.clustering.choose import choose_k

    if given:
        return NumberOfClusters(tuple(given))
    choice = choose_k(X, random_state=0)
    curve = pd.DataFrame(choice.rows())
    if choice.k >= 2:
        return NumberOfClusters((choice.k,), KOrigin.STABLE, choice.reason, curve)
    k = int(choice.ks[(choice.stability - choice.null).argmax()])
    return NumberOfClusters((k,), KOrigin.NO_GROUPS, choice.reason, curve)


def check_k(ks: Sequence[int], n_tracks: int) -> None:
    """Refuse more clusters than tracks, and fewer than two, before anything is computed."""
    if ks and max(ks) >= n_tracks:
        raise UsageError(f"k = {max(ks)}: there are {n_tracks} tracks; k must be smaller")
    if ks and min(ks) < 2:
        raise UsageError(f"k = {min(ks)}: at least 2 clusters are needed")
