"""Joint space: linear coordinates and latents side by side; what a track lacks is borrowed.

Linear coordinates tell most of genre and artist where every view is there; the latents add what
views share, and say of a track that lacks one which complete tracks it is like. What the missing
views would add is taken from those: a nearest-neighbour hot deck (Andridge & Little, A review of
hot deck imputation, 2010). At the average of the missing views instead, tracks without lyrics
would be a group of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songscape.features.views import Views
from songscape.models.imputation import HotDeck
from songscape.models.linear import BlockPCA
from songscape.models.parameters import WORD_COMPONENTS
from songscape.models.standardisation import chunks

__all__ = ["JointSpace", "fit_joint_space", "linear_coordinates"]

Floats = NDArray[np.float64]
LATENT_WEIGHT = 0.7
"""Of the latents beside the linear coordinates, whose sound and words have a weight of 1 each."""
N_DONORS = 2


@dataclass(frozen=True, eq=False)
class JointSpace:
    """Where tracks lie by linear coordinates and latents.

    Attributes
    ----------
    factor : float
        What latents are multiplied by.
    of_view : ndarray of shape (n_coordinates,), int
        The view that each linear coordinate comes from.
    donors : ndarray of shape (n_complete, n_coordinates), or None
        Linear coordinates of the complete tracks whose evidence the hot deck holds.
    """

    factor: float
    of_view: NDArray[np.int64]
    donors: Floats | None = None

    def project(
        self,
        linear: Floats,
        latents: Floats,
        present: NDArray[np.bool_],
        hot_deck: HotDeck | None,
    ) -> Floats:
        """Linear coordinates and weighted latents, (n_tracks, n_coordinates + latent_dim).

        Parameters
        ----------
        linear : ndarray of shape (n_tracks, n_coordinates)
            Zero where the view is missing.
        latents : ndarray of shape (n_tracks, latent_dim)
            Posterior means by the views that are there.
        present : ndarray of shape (n_tracks, n_views), bool
        hot_deck : HotDeck or None
            None borrows nothing.
        """
        if hot_deck is not None and self.donors is not None:
            linear, latents = self._completed(linear, latents, present, self.donors, hot_deck)
        return np.concatenate([linear, self.factor * latents], axis=1)

    def _completed(
        self,
        linear: Floats,
        latents: Floats,
        present: NDArray[np.bool_],
        donors: Floats,
        hot_deck: HotDeck,
    ) -> tuple[Floats, Floats]:
        """With the mean of what the missing views add to the nearest complete tracks.

        A mean lies nearer to the middle than what it is of. It is drawn out as far as that of each
        complete track's own neighbours would have to be, so that no group forms there.
        """
        linear, latents = linear.copy(), latents.copy()
        lacking = present.any(axis=1) & ~present.all(axis=1)
        for known in np.unique(present[lacking], axis=0):
            rows = np.flatnonzero((present == known).all(axis=1))
            partial = hot_deck.means(known)
            added = hot_deck.means(np.ones_like(known)) - partial
            there = known[self.of_view]
            factor = latent_factor(partial)
            bank = np.concatenate([donors[:, there], factor * partial], axis=1)
            asked = np.concatenate([linear[:, there], factor * latents], axis=1)
            missing = donors[:, ~there]
            of_others = np.concatenate(
                [missing[_nearest(bank, bank, p, own=True)].mean(axis=1) for p in chunks(len(bank))]
            )
            shrunk = float(np.square(of_others).sum())
            reach = (float(np.square(missing).sum()) / shrunk) ** 0.5 if shrunk > 0 else 1.0
            for piece in chunks(len(rows)):
                near = _nearest(asked, bank, rows[piece])
                linear[np.ix_(rows[piece], ~there)] = reach * missing[near].mean(axis=1)
                latents[rows[piece]] += added[near].mean(axis=1)
        return linear, latents


def _nearest(
    asked: Floats, bank: Floats, rows: NDArray[np.intp], *, own: bool = False
) -> NDArray[np.intp]:
    """Positions in the bank of the nearest to some rows, (n_rows, N_DONORS); not of itself."""
    from scipy.spatial.distance import cdist

    distances = cdist(asked[rows], bank)
    if own:
        distances[np.arange(len(rows)), rows] = np.inf
    return np.argsort(distances, axis=1, kind="stable")[:, :N_DONORS]


def linear_coordinates(
    names: Iterable[str], n_components: int, covariates: Sequence[str] | None, seed: int
) -> BlockPCA:
    """The linear model beside the latents, unfitted: "balanced-lda", or "neutral-lda"."""
    return BlockPCA(
        list(names),
        n_components=n_components,
        word_components=WORD_COMPONENTS,
        within_song=True,
        covariates=list(covariates or ())[:1] or None,
        neutral=bool(covariates),
        random_state=seed,
    )


def fit_joint_space(
    linear: BlockPCA,
    views: Views,
    latents: Floats,
    rows: NDArray[np.intp],
    whole: NDArray[np.intp],
) -> tuple[BlockPCA, JointSpace]:
    """Fit the linear coordinates to the tracks `rows`, and the weight of their latents.

    `whole` are the complete tracks of the hot deck, whose latents then decide alone, or none.
    """
    linear.fit(views.take(rows))
    of_view = np.repeat(np.arange(len(linear.centres_)), [len(c) for c in linear.centres_])
    donors = linear.transform(views.take(whole)).astype(np.float64) if len(whole) else None
    return linear, JointSpace(
        latent_factor(latents[whole if len(whole) else rows]), of_view, donors
    )


def latent_factor(latents: Floats) -> float:
    """What gives latents their weight beside a space with a total variance of 1."""
    variance = float(latents.var(axis=0).sum())
    return LATENT_WEIGHT * variance**-0.5 if variance > 0 else 0.0
