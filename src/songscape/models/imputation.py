"""Imputation: what is nearest to a track among those that have what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.views import Views

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["hidden", "nearest_by_view"]


def hidden(views: Views, names: Sequence[str]) -> Views:
    """The same tracks as if none of them had the views `names`."""
    blocks = {
        name: replace(view, present=np.zeros_like(view.present)) if name in names else view
        for name, view in views.items()
    }
    return Views(views.track_ids, blocks, views.groups)


def nearest_by_view(
    model: Any,
    views: Views,
    wanted: Sequence[str],
    *,
    tracks: Sequence[int] | None = None,
    n_neighbors: int = 5,
) -> pd.DataFrame:
    """For each track the tracks whose `wanted` views fit best to everything else of it.

    Both sides are placed in one space by the model, the track by all its views but the wanted ones,
    the candidates by the wanted ones alone; Euclidean distance in the space that the model
    transforms to. A track is no candidate for itself.

    Parameters
    ----------
    model : fitted SongVAE with a product of experts
    views : Views
    wanted : sequence of str
        Names of views, such as ["lyrics"].
    tracks : sequence of int, optional
        Positions of the tracks; default: all that lack the wanted views and have another.
    n_neighbors : int

    Returns
    -------
    DataFrame
        track_id, rank (1 is the nearest), nearest (its track id), distance; by track and rank.

    Raises
    ------
    SongscapeError
        The model does not know the views, no track has them, or a track has nothing else.
    """
    import pandas as pd

    known = [plan.name for plan in model.plans_]
    others = [name for name in known if name not in wanted]
    named = ", ".join(wanted)
    if not set(wanted) <= set(known) or not others or model.fusion != "poe":
        raise SongscapeError(
            f"this model cannot place a track by {named} alone; it needs fusion='poe' and reads "
            f"{', '.join(known)}"
        )
    has_wanted = np.any([views[name].present for name in wanted], axis=0)
    has_others = np.any([views[name].present for name in others], axis=0)
    candidates = np.flatnonzero(has_wanted)
    if not len(candidates):
        raise SongscapeError(f"no track has {named}: there is nothing to choose from")
    if tracks is None:
        rows = np.flatnonzero(has_others & ~has_wanted)
    else:
        rows = np.asarray(tracks, dtype=np.intp)
        bare = rows[~has_others[rows]]
        if len(bare):
            raise SongscapeError(
                f"{views.track_ids[bare[0]]}: has nothing but {named} to look it up by"
            )
    if not len(rows):
        return pd.DataFrame(columns=["track_id", "rank", "nearest", "distance"])
    # What a track's own views say, and nothing that is borrowed.
    queries = model.transform(hidden(views.take(rows), wanted), imputation="mean")
    places = model.transform(hidden(views.take(candidates), others), imputation="mean")
    found = []
    for row, query in zip(rows, queries):
        distances = _distances(query, places)
        distances[candidates == row] = np.inf
        order = np.argsort(distances, kind="stable")[:n_neighbors]
        for rank, chosen in enumerate(order[np.isfinite(distances[order])], start=1):
            nearest = views.track_ids[candidates[chosen]]
            found.append((views.track_ids[row], rank, nearest, float(distances[chosen])))
    return pd.DataFrame(found, columns=["track_id", "rank", "nearest", "distance"])


def _distances(query: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(places.astype(np.float64) - query, axis=1))
