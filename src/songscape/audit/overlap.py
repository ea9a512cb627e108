"""What hiding a covariate costs: labels hidden with it, and figures where they are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from songscape.audit.finding import Finding
from songscape.columns import same_column
from songscape.features.views import View
from songscape.metrics.neighbour_agreement import (
    class_mean,
    knn_agreement_samples,
    knn_label_agreement,
)
from songscape.metrics.neighbours import nearest_neighbors, without_groups
from songscape.statistics.overlap import Overlap, measure_overlap, shared_mask

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "overlap_findings",
    "overlaps",
    "shared_label_agreement",
    "within_category_agreement",
]

MAX_VALUES = 30
"""A label with more values (an artist, a poet) has too few tracks in each to occur twice."""
_NEIGHBORS = 90
MIN_IN_CATEGORY = 20
"""Tracks of a category that make ten neighbours of one's own label mean something."""


def overlaps(
    labels: pd.DataFrame, columns: Sequence[str], composition: View, *, covariate: str = "language"
) -> list[Overlap]:
    """Overlap of each label column with a covariate, in the order of `columns`.

    Parameters
    ----------
    labels : DataFrame of shape (n_tracks, n_columns)
    columns : sequence of str
        Those of more than 30 values, and the covariate itself, are left out.
    composition : View
        See `songscape.features.covariates`.
    covariate : str
        What the covariate is called.
    """
    return [
        measure_overlap(list(labels[name]), composition, label=name, covariate=covariate)
        for name in columns
        if not same_column(name, covariate) and labels[name].nunique() <= MAX_VALUES
    ]


def overlap_findings(
    labels: pd.DataFrame, columns: Sequence[str], composition: View, *, covariate: str = "language"
) -> list[Finding]:
    """One warning per label that a representation blind to the covariate would lose too.

    Parameters are those of `overlaps`.
    """
    return [
        Finding(
            "poor-overlap",
            "warning",
            overlap.sentence,
            values={
                "column": overlap.label,
                "covariate": covariate,
                "shared_share": round(overlap.shared_share, 4),
                "left_open": round(overlap.left_open, 4),
                "shared": list(overlap.shared),
            },
        )
        for overlap in overlaps(labels, columns, composition, covariate=covariate)
        if overlap.poor
    ]


def shared_label_agreement(
    X: ArrayLike,
    values: Sequence[Any],
    composition: View,
    *,
    k: int = 10,
    artists: Sequence[Any] | None = None,
) -> dict[str, float]:
    """Neighbour agreement with a label among the tracks whose label occurs in several languages.

    Over all tracks, whoever finds the language is paid for the labels that follow from it. Here
    only tracks of label values that occur in two categories or more, with five tracks in each, are
    neighbours of each other (`songscape.statistics.overlap.shared_mask`).

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_dimensions)
    values : sequence of length n_tracks
        The label.
    composition : View
        The covariate's shares.
    k : int
    artists : sequence, optional
        Switches the artist filter on.

    Returns
    -------
    dict
        As `songscape.metrics.neighbour_agreement.knn_label_agreement`, and `n_tracks`,
        `n_values`; NaN where fewer than two label values are shared.
    """
    mask = shared_mask(values, composition)
    kept = [value for value, here in zip(values, mask) if here]
    sizes: dict[str, float] = {"n_tracks": int(mask.sum()), "n_values": len(set(kept))}
    if len(set(kept)) < 2:
        nan = float("nan")
        names = ("mean", "balanced", "chance", "balanced_chance")
        return {**dict.fromkeys(names, nan), "n_used": 0, "n_missing": 0, **sizes}
    space = np.asarray(X)[mask]
    theirs: Any = None if artists is None else [a for a, here in zip(artists, mask) if here]
    near = nearest_neighbors(space, max(_NEIGHBORS, k))
    return knn_label_agreement(near, kept, k=k, artists=theirs, X=space) | sizes


def within_category_agreement(
    X: ArrayLike,
    values: Sequence[Any],
    composition: View,
    *,
    k: int = 10,
    artists: Sequence[Any] | None = None,
) -> dict[str, float]:
    """Neighbour agreement with a label among the tracks of one's own language.

    Knowing the language helps nobody here, so a representation that hides it can be compared with
    one that shows it also where label and language depend on each other.

    Parameters
    ----------
    X, values, composition, k, artists
        As in `shared_label_agreement`. A track belongs to the category of its largest share; those
        of categories with fewer than 20 tracks, or of unknown composition, are left out.

    Returns
    -------
    dict
        `mean` over tracks, `balanced` (mean of the label's class means), `n_used`.
    """
    space = np.asarray(X)
    names = np.asarray(values, dtype=object)
    everyone = None if artists is None else np.asarray(artists, dtype=object)
    samples = np.full(len(space), np.nan)
    category = np.where(composition.present, composition.values.argmax(axis=1), -1)
    for code in np.unique(category[category >= 0]):
        rows = np.flatnonzero(category == code)
        if len(rows) < MIN_IN_CATEGORY:
            continue
        near = nearest_neighbors(space[rows], max(_NEIGHBORS, k))
        if everyone is None:
            near = near.first(min(k, near.n_neighbors))
        else:
            near = without_groups(near, everyone[rows], k, space[rows])
        samples[rows] = knn_agreement_samples(near, names[rows])
    used = np.isfinite(samples)
    return {
        "mean": float(samples[used].mean()) if used.any() else float("nan"),
        "balanced": class_mean(samples, names),
        "n_used": int(used.sum()),
    }
