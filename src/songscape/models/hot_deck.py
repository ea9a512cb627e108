"""Donors: what the missing views of a track would add is borrowed from a complete track.

The posterior mean of a track that lacks its lyrics says nothing of words, so it lies in the middle
of all that the words could be. Tracks without lyrics would gather there, and a fine clustering
would find "has no lyrics". Borrowing the difference that the missing views made to the complete
track that is nearest by the others spreads them as complete tracks are spread: a nearest-neighbour
hot deck (Andridge & Little, A review of hot deck imputation, 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from songscape.features.views import Views
from songscape.models.inference import Given, Inference
from songscape.models.linear import EXACT_LIMIT
from songscape.models.standardisation import chunks

__all__ = ["MIN_DONORS", "Donors", "fit_donors"]

Floats = NDArray[np.float64]
MIN_DONORS = 10


@dataclass(frozen=True, eq=False)
class Donors:
    """What each view of some complete tracks says of their latents under a product of experts.

    Attributes
    ----------
    weighted : ndarray of shape (n_donors, n_views, latent_dim)
        Means of the experts, times their precisions, summed over those of a view.
    precision : ndarray of shape (n_donors, n_views, latent_dim)
        Their precisions, summed likewise.
    """

    weighted: Floats
    precision: Floats

    def means(self, known: NDArray[np.bool_]) -> Floats:
        """Posterior means by some of the views, (n_donors, latent_dim); `known` is (n_views,)."""
        total = 1.0 + self.precision[:, known].sum(axis=1)
        return np.asarray(self.weighted[:, known].sum(axis=1) / total)

    def complete(self, means: Floats, present: NDArray[np.bool_]) -> Floats:
        """Posterior means of tracks as if no view were missing; complete tracks stay as they are.

        Parameters
        ----------
        means : ndarray of shape (n_tracks, latent_dim)
        present : ndarray of bool, shape (n_tracks, n_views)
            Which views each track has. A track without any stays where it is.
        """
        completed = means.copy()
        lacking = present.any(axis=1) & ~present.all(axis=1)
        for known in np.unique(present[lacking], axis=0):
            rows = np.flatnonzero((present == known).all(axis=1))
            alone = self.means(known)
            difference = self.means(np.ones_like(known)) - alone
            for piece in chunks(len(rows)):
                nearest = cdist(means[rows[piece]], alone).argmin(axis=1)
                completed[rows[piece]] += difference[nearest]
        return completed


def fit_donors(
    inference: Inference, views: Views, rows: NDArray[np.intp], covariates: Given = None
) -> Donors | None:
    """The complete tracks among `rows`, or evenly spaced ones if they are many.

    None if nothing can be missing, or if there are fewer than `MIN_DONORS` complete tracks.
    """
    plans = inference.network.plans
    whole = rows[np.all([views[plan.name].present[rows] for plan in plans], axis=0)]
    if len(plans) < 2 or len(whole) < MIN_DONORS:
        return None
    chosen = whole[:: -(-len(whole) // EXACT_LIMIT)]
    return Donors(*inference.evidence(views, chosen, covariates))
