"""What a tested difference may claim: whoever is ahead must have something to be ahead with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from songscape.benchmark.metric_table import Measured, Where

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEGENERATE", "NO_MORE_THAN_CHANCE", "above_chance", "degenerate", "withhold"]

MAX_NOISE = 0.5
MAX_ONE_CLUSTER = 0.9
DEGENERATE = ("one cluster holds nearly all", "mostly noise", "all noise")
NO_MORE_THAN_CHANCE = "no better than chance"
_TAIL = 0.025
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


def above_chance(
    row: dict[str, float] | None, metric: str, *, n_tests: int = 1, n_groups: float = float("nan")
) -> bool:
    """Whether a measured value is more than labels dealt out at random give.

    Its interval, widened for the number of tests (Bonferroni; Student's t over groups), must lie
    above chance; AMI must also be beyond 95 % of its permutations, whose mean is its chance here:
    where labels and clusters both follow artists, that mean is far above 0.

    Parameters
    ----------
    row : dict or None
        See `songscape.benchmark.metric_table.Measured.value`, its interval one of 95 %.
    metric : str
    n_tests : int
        How many values are asked this, of which any may be claimed.
    n_groups : float
        Groups that the interval rests on; NaN where unknown.

    Returns
    -------
    bool
        True also where chance is not known.
    """
    from scipy.special import ndtri, stdtrit

    if row is None:
        return True
    if metric == "ami" and row["estimate"] <= row["null_95"]:
        return False
    tails = 1 - _TAIL / n_tests, 1 - _TAIL
    if n_groups >= 2:
        corrected, plain = (float(stdtrit(n_groups - 1, tail)) for tail in tails)
    else:
        corrected, plain = (float(ndtri(tail)) for tail in tails)
    low = row["estimate"] - (row["estimate"] - row["low"]) * corrected / plain
    return not low <= row["chance"]


def withhold(
    differences: pd.DataFrame,
    measured: Measured,
    headline: Where,
    references: Collection[str] = (),
) -> pd.DataFrame:
    """Take back "better than" and "worse than" where the method that is ahead proves nothing.

    A difference says that one of two methods has more of something. That is withheld where the one
    that is ahead has no more of it than chance gives (`above_chance`, corrected for the tests of
    the family): noise is ahead of whoever is below chance, and where labels are dealt out among
    artists, clusters that follow artists have an AMI above 0 by chance, and others don't.

    On AMI it is also withheld where
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
    references : collection of str
        Models that are corrected among themselves.

    Returns
    -------
    DataFrame
        The same tests. A verdict that was taken back is "not distinguishable from", and `withheld`
        says why; "" elsewhere.
    """
    if not len(differences):
        return differences
    tests = list(differences.itertuples(index=False))
    sizes = Counter(_family(test, references) for test in tests if test.p_value == test.p_value)
    words: list[str] = []
    to_best: list[Any] = []
    reasons: list[str] = []
    for test in tests:
        n_tests = max(1, sizes[_family(test, references)])
        word, reason = str(test.verdict), getattr(test, "withheld", "")
        against = test.difference, test.baseline
        why = _nothing_to_be_ahead_with(test, *against, measured, headline, n_tests)
        if why and not word.startswith("not"):
            word, reason = _SAME, why
        words.append(word)
        reasons.append(reason if isinstance(reason, str) else "")
        best = getattr(test, "verdict_to_best", None)
        if isinstance(best, str) and best and not best.startswith("not"):
            against = test.difference_to_best, test.best_baseline
            if _nothing_to_be_ahead_with(test, *against, measured, headline, n_tests):
                best = _SAME
        to_best.append(best)
    found = differences.assign(verdict=words, withheld=reasons)
    return found.assign(verdict_to_best=to_best) if "verdict_to_best" in differences else found


def _family(test: Any, references: Collection[str]) -> tuple[bool, str, str]:
    """Tests that are corrected together, see `songscape.benchmark.significance.tested`."""
    column = str(test.column) if test.axis == "leakage" else ""
    return test.model in references, str(test.axis), column


def _nothing_to_be_ahead_with(
    test: Any, difference: float, other: str, measured: Measured, headline: Where, n_tests: int
) -> str:
    """Why a lead of the method (or, where the difference is negative, of the other) is none."""
    ahead = str(test.model if difference > 0 else other)
    where: Where = headline if test.metric == "ami" else ("", None)
    flags = degenerate(ahead, where, measured) if test.metric == "ami" else []
    if flags:
        return flags[-1]
    row = measured.value(ahead, str(test.metric), str(test.column), str(test.axis), where)
    n_groups = float(getattr(test, "n_groups", float("nan")))
    sure = above_chance(row, str(test.metric), n_tests=n_tests, n_groups=n_groups)
    return "" if sure else NO_MORE_THAN_CHANCE
