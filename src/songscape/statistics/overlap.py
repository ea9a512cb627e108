"""Overlap of a label with a covariate: would hiding the language hide the label too?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.features.views import View

__all__ = [
    "MIN_CATEGORIES",
    "MIN_TRACKS",
    "Overlap",
    "entropy",
    "measure_overlap",
    "shared_mask",
]

MIN_CATEGORIES = 2
MIN_TRACKS = 5
"""A label value is shared if it occurs in this many categories, with this many tracks in each."""
POOR_BELOW = 0.5
FREE_FROM = 0.75
"""A label of which the covariate leaves this share open is free, however thinly it is spread."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Overlap:
    """How far a label and a covariate can be told apart in a collection.

    Attributes
    ----------
    label, covariate : str
    shared_share : float
        Share of the tracks whose label value is shared between covariate categories; NaN where no
        track has both.
    left_open : float
        H(label | covariate) / H(label): how much of the label the covariate leaves open, less what
        it would seem to tell by chance. About 1 for independent columns, 0 where the covariate
        decides the label; NaN for a label of one value, or with too few tracks to say.
    shared, unshared : tuple of str
        The label values on either side, sorted; those with fewer tracks than two categories need
        are not counted against the collection.
    """

    label: str
    covariate: str
    shared_share: float
    left_open: float
    shared: tuple[str, ...]
    unshared: tuple[str, ...]

    @property
    def poor(self) -> bool:
        """Whether hiding the covariate hides much of the label too."""
        thin = self.shared_share < POOR_BELOW and self.left_open < FREE_FROM
        return thin or self.left_open < POOR_BELOW

    @property
    def sentence(self) -> str:
        """What that means, for people."""
        told = f"{self.covariate} leaves {self.left_open:.0%} of {self.label} open"
        if not self.poor:
            return (
                f"{self.label} and {self.covariate} overlap: the {self.label} of "
                f"{self.shared_share:.0%} of the tracks occurs with several values of "
                f"{self.covariate}, and {told}."
            )
        where = (
            f"on the shared ones ({_listed(self.shared)})"
            if self.shared
            else "as a lower bound: no value is shared"
        )
        return (
            f"{self.label} and {self.covariate} coincide: the {self.label} of only "
            f"{self.shared_share:.0%} of the tracks occurs with several values of "
            f"{self.covariate}, and {told}. A representation that hides {self.covariate} hides "
            f"{self.label} with it ({_listed(self.unshared)}). Read its {self.label} figures "
            f"{where}."
        )


def measure_overlap(
    values: Sequence[Any], composition: View, *, label: str = "label", covariate: str = "language"
) -> Overlap:
    """Overlap of a label column with a covariate.

    Parameters
    ----------
    values : sequence of length n_tracks
        The label; None, NaN and "" are missing.
    composition : View
        Shares of the covariate's categories, see `songscape.features.covariates`; a track in two
        languages counts in both by its shares. Absent tracks are left out.
    label, covariate : str
        What the columns are called.
    """
    table, names, code = _table(values, composition)
    if not table.sum():
        return Overlap(label, covariate, float("nan"), float("nan"), (), ())
    is_shared = _shared_rows(table)
    sizes = table.sum(axis=1)
    # Values with fewer tracks than two categories need can't be shared: they say nothing.
    judged = sizes >= MIN_CATEGORIES * MIN_TRACKS
    known = composition.present & (code >= 0)
    whole = entropy(sizes)
    columns = table.sum(axis=0)
    told = whole + entropy(columns) - entropy(table.ravel())
    # What independent columns would seem to tell of each other, by the luck of a few tracks
    # (Miller 1955, Madow): with 30 tracks as much as a quarter of a label.
    free = ((sizes > 0).sum() - 1) * ((columns > 0).sum() - 1)
    by_chance = free / (2.0 * table.sum())
    left_open = float("nan")
    if whole > by_chance and table.sum() >= MIN_CATEGORIES * MIN_TRACKS:
        left_open = 1.0 - min(max(told - by_chance, 0.0) / (whole - by_chance), 1.0)
    return Overlap(
        label,
        covariate,
        float(is_shared[code[known]].mean()),
        left_open,
        tuple(name for name, here in zip(names, is_shared) if here),
        tuple(name for name, here, big in zip(names, is_shared, judged) if big and not here),
    )


def shared_mask(values: Sequence[Any], composition: View) -> NDArray[np.bool_]:
    """Tracks whose label value occurs in two categories or more, with five tracks in each.

    Figures over these tracks alone do not reward a representation for knowing the covariate.

    Returns
    -------
    ndarray of shape (n_tracks,), bool
        Tracks of unknown composition are in if their label value is shared.
    """
    table, _, code = _table(values, composition)
    mask = np.zeros(len(code), dtype=bool)
    mask[code >= 0] = _shared_rows(table)[code[code >= 0]]
    return mask


def _table(values: Sequence[Any], composition: View) -> tuple[Floats, list[str], NDArray[np.int64]]:
    """Tracks per label value and category, by shares; the values' names; each track's value."""
    texts = [None if v is None or v != v or not str(v).strip() else str(v).strip() for v in values]
    if len(texts) != len(composition.present):
        raise ValueError(f"{len(texts)} labels for {len(composition.present)} tracks")
    names = sorted({text for text in texts if text is not None})
    position = {name: i for i, name in enumerate(names)}
    code = np.array([-1 if text is None else position[text] for text in texts], dtype=np.int64)
    table = np.zeros((len(names), composition.shape[1]))
    known = composition.present & (code >= 0)
    np.add.at(table, code[known], composition.values[known].astype(np.float64))
    return table, names, code


def _shared_rows(table: Floats) -> NDArray[np.bool_]:
    # Shares are float32: five times 1/3 + 2/3 may miss five by a hair.
    enough = (table >= MIN_TRACKS - 1e-3).sum(axis=1) >= MIN_CATEGORIES
    return np.asarray(enough, dtype=bool)


def entropy(counts: NDArray[Any]) -> float:
    """Entropy of categories with these counts, in nats."""
    shares = counts[counts > 0] / counts.sum()
    return float(-np.sum(shares * np.log(shares)))


def _listed(names: Sequence[str], most: int = 5) -> str:
    if not names:
        return "every value"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
