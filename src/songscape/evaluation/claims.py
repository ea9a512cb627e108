"""What a tested difference may claim: whoever is ahead must have something to be ahead with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from songscape.evaluation.measured import Measured, Where

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEGENERATE", "degenerate", "withhold"]

MAX_NOISE = 0.5
MAX_ONE_CLUSTER = 0.9
DEGENERATE = ("one cluster holds nearly all", "mostly noise", "all noise")
_HEALTH = ("n_clusters", "noise_share", "largest_cluster_share")
_SAME = "not distinguishable from"


def degenerate(model: str, where: Where, measured: Measured) -> list[str]:
    """Which of `DEGENERATE` a model's partition is: hardly a partition of the collection."""
    health = {name: measured.number(model, name, "", "health", where) for name in _HEALTH}
    if health["n_clusters"] == 0:
        return [DEGENERATE[2]]
    found = []
    if health["n_clusters"] <= 1 or health["largest_cluster_share"] > MAX_ONE_CLUSTER:
        found.append(DEGENERATE[0])
    if health["noise_share"] > MAX_NOISE:
        found.append(DEGENERATE[1])
    return found


def withhold(differences: pd.DataFrame, measured: Measured, headline: Where) -> pd.DataFrame:
    """Take back "better than" and "worse than" where the method that is ahead proves nothing.

    A difference says that one of two methods has more of something. On AMI that is withheld where
    the partition that is ahead is degenerate (`DEGENERATE`). Noise is left out of AMI, as there is
    no cluster to agree with; so a method that names a third of the songs and refuses the hard ones
    reaches an AMI of 1. Noise as a class of its own would take the edge off that and still let it
    win against whoever named every song, and it would give one partition two values of AMI, one
    tested and one shown. So AMI stays what it is, beside the noise share, and nobody wins with
    clusters for less than half of the songs.

    Parameters
    ----------
    differences : DataFrame
        Tests with their verdicts; verdict_to_best (against best_baseline) where it is there.
    measured : Measured
        The table that belongs to them.
    headline : (clusterer, k)
        The partitions that were tested.

    Returns
    -------
    DataFrame
        The same tests. A verdict that was taken back is "not distinguishable from", and `withheld`
        says why; "" elsewhere.
    """
    if not len(differences):
        return differences
    words: list[str] = []
    to_best: list[Any] = []
    reasons: list[str] = []
    for test in differences.itertuples(index=False):
        word, reason = str(test.verdict), getattr(test, "withheld", "")
        why = _nothing_to_be_ahead_with(test, test.difference, test.baseline, measured, headline)
        if why and not word.startswith("not"):
            word, reason = _SAME, why
        words.append(word)
        reasons.append(reason if isinstance(reason, str) else "")
        best = getattr(test, "verdict_to_best", None)
        if isinstance(best, str) and best and not best.startswith("not"):
            gap, other = test.difference_to_best, test.best_baseline
            if _nothing_to_be_ahead_with(test, gap, other, measured, headline):
                best = _SAME
        to_best.append(best)
    found = differences.assign(verdict=words, withheld=reasons)
    return found.assign(verdict_to_best=to_best) if "verdict_to_best" in differences else found


def _nothing_to_be_ahead_with(
    test: Any, difference: float, other: str, measured: Measured, headline: Where
) -> str:
    """Why a lead of the method (or, where the difference is negative, of the other) is none."""
    ahead = str(test.model if difference > 0 else other)
    if test.metric == "ami":
        flags = degenerate(ahead, headline, measured)
        if flags:
            return flags[-1]
    return ""
