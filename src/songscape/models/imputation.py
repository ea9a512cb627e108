"""Imputation: what a track lacks is taken from tracks that have it, or looked up among them.

The posterior mean of a track without lyrics says nothing of words, so it lies in the middle of all
that the words could be. Tracks without lyrics would gather there, and a fine clustering would find
"has no lyrics". `HotDeck` takes what the missing views would add from complete tracks that are like
it, which spreads them as complete tracks are spread: a nearest-neighbour hot deck (Andridge &
Little, A review of hot deck imputation, 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.views import Views
from songscape.models.principal_axes import EXACT_LIMIT
from songscape.models.standardisation import chunks

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
MIN_COMPLETE = 10
N_DONORS = 2


@dataclass(frozen=True, eq=False)
class HotDeck:
    """Some complete tracks: what each view says of them under a product of experts, and linearly.

    `weighted` and `precision`, (n_complete, n_views, latent_dim), are means of the experts times
    their precisions, and their precisions, each summed over those of a view; `linear` is
    (n_complete, n_coordinates), and `of_view` says which view each of its coordinates comes from.
    """

    weighted: Floats
    precision: Floats
    linear: Floats
    of_view: NDArray[np.int64]

    def means(self, known: NDArray[np.bool_]) -> Floats:
        """Posterior means by some of the views, (n_complete, latent_dim); `known` is (n_views,)."""
        total = 1.0 + self.precision[:, known].sum(axis=1)
        return np.asarray(self.weighted[:, known].sum(axis=1) / total)

    def complete(
        self, linear: Floats, latents: Floats, present: NDArray[np.bool_], weights: Floats
    ) -> tuple[Floats, Floats]:
        """Linear coordinates and posterior means of tracks as if no view were missing.

        The mean of what the missing views say of the nearest complete tracks, or add to their
        latents. Complete tracks stay as they are, and so do those without any view. Linear
        coordinates, (n_tracks, n_coordinates), and latents, (n_tracks, latent_dim), are by the
        views that are `present`, (n_tracks, n_views); `weights`, (latent_dim,), are those of the
        latents, as `latent_weights` of `vae` gives them.
        """
        from scipy.spatial.distance import cdist

        linear, latents = linear.copy(), latents.copy()
        lacking = present.any(axis=1) & ~present.all(axis=1)
        for known in np.unique(present[lacking], axis=0):
            rows = np.flatnonzero((present == known).all(axis=1))
            there, partial = known[self.of_view], self.means(known)
            added = self.means(np.ones_like(known)) - partial
            bank = np.concatenate([self.linear[:, there], weights * partial], axis=1)
            asked = np.concatenate([linear[:, there], weights * latents], axis=1)
            for piece in (rows[part] for part in chunks(len(rows))):
                order = np.argsort(cdist(asked[piece], bank), axis=1, kind="stable")
                near = order[:, :N_DONORS]
                linear[np.ix_(piece, ~there)] = self.linear[:, ~there][near].mean(axis=1)
                latents[piece] += added[near].mean(axis=1)
        return linear, latents


def complete_rows(present: NDArray[np.bool_], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """The tracks among `rows` that have every view, or evenly spaced ones if they are many.

    None of them if nothing can be missing, or if they are fewer than `MIN_COMPLETE`; `present` is
    (n_tracks, n_views).
    """
    whole = rows[present[rows].all(axis=1)]
    if present.shape[1] < 2 or len(whole) < MIN_COMPLETE:
        return whole[:0]
    return whole[:: -(-len(whole) // EXACT_LIMIT)]


def without_views(views: Views, names: Sequence[str]) -> Views:
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

    The model, a `SongVAE` with a product of experts, places the track by all its views but the
    wanted ones, the candidates by the wanted ones alone; distances are Euclidean, between posterior
    means in units of their uncertainty. A track is no candidate for itself. `tracks` are positions,
    by default of all that lack the wanted views and have another. The columns are track_id, rank (1
    is the nearest), nearest (its track id) and distance, by track and rank.

    Raises
    ------
    SongscapeError
        The model does not know the views, no track has them, or a track has nothing else.
    """
    import pandas as pd

    known = [spec.name for spec in model.view_specs_]
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
    rows = np.flatnonzero(has_others & ~has_wanted)
    if tracks is not None:
        rows = np.asarray(tracks, dtype=np.intp)
        bare = rows[~has_others[rows]]
        if len(bare):
            raise SongscapeError(
                f"{views.track_ids[bare[0]]}: has nothing but {named} to look it up by"
            )
    ranked = []
    asked = model.posterior(without_views(views.take(rows), wanted))[0]
    found = model.posterior(without_views(views.take(candidates), others))[0]
    for row, query in zip(rows, asked * model.latent_weights_):
        distances = np.linalg.norm(found * model.latent_weights_ - query, axis=1)
        distances[candidates == row] = np.inf
        order = np.argsort(distances, kind="stable")[:n_neighbors]
        for rank, chosen in enumerate(order[np.isfinite(distances[order])], start=1):
            nearest = views.track_ids[candidates[chosen]]
            ranked.append((views.track_ids[row], rank, nearest, float(distances[chosen])))
    return pd.DataFrame(ranked, columns=["track_id", "rank", "nearest", "distance"])
