"""Verdicts: what a family of tests against one baseline allows to say, corrected together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.statistics.intervals import Difference

__all__ = ["Verdict", "holm", "verdicts"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """What a corrected comparison allows to say.

    Attributes
    ----------
    word : {"better than", "not distinguishable from", "worse than"}
    baseline : str
    adjusted_p : float
        Holm-corrected; NaN where there was nothing to test.
    """

    word: str
    baseline: str
    adjusted_p: float

    def __str__(self) -> str:
        return f"{self.word} {self.baseline}"


def holm(p_values: ArrayLike) -> Floats:
    """Holm's (1979) step-down correction for the family-wise error; NaN is no test and stays."""
    raw = np.asarray(p_values, dtype=np.float64)
    adjusted: Floats = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raw[order] * factors))
    return adjusted


def verdicts(
    differences: Mapping[str, Difference],
    baseline: str,
    *,
    alpha: float = 0.05,
    higher_is_better: bool = True,
) -> dict[str, Verdict]:
    """A verdict per method; all methods given form one family, corrected together.

    To be better or worse, the corrected p-value must be at most alpha and the interval, which
    knows about seeds too, must not hold 0.

    Parameters
    ----------
    differences : mapping of method to Difference
        Every test made for one claim; the more are given, the stricter each.
    baseline : str
        Name of what was subtracted.
    alpha : float
        Family-wise error rate.
    higher_is_better : bool
        False for leakage and other costs.
    """
    adjusted = holm([difference.p_value for difference in differences.values()])
    result = {}
    for (name, difference), p_value in zip(differences.items(), adjusted):
        word = "not distinguishable from"
        if p_value <= alpha and (difference.low > 0 or difference.high < 0):
            better = (difference.estimate > 0) == higher_is_better
            word = "better than" if better else "worse than"
        result[name] = Verdict(word, baseline, float(p_value))
    return result
