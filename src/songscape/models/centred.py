"""Balanced PCA with every language's mean removed: the linear way to hide the language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from songscape.errors import SongscapeError
from songscape.features.views import View
from songscape.models.baselines import BlockPCA

__all__ = ["CentredPCA"]


class CentredPCA(BlockPCA):
    """BlockPCA whose coordinates are centred per category of a covariate.

    The category means are fitted by least squares on the composition, so that a song half in one
    language and half in another is moved half by each; with one language per song they are the
    plain means. Tracks of unknown composition are moved by the average of all.

    Parameters
    ----------
    views, n_components, joint, random_state
        As in `BlockPCA`.
    covariates : sequence of one str
        Name of the composition view (see `songscape.features.covariates`).
    """

    def __init__(
        self,
        views: Sequence[str] | None = None,
        *,
        covariates: Sequence[str] = ("language",),
        n_components: int | None = 16,
        joint: bool = False,
        random_state: Any = 0,
    ) -> None:
        super().__init__(views, n_components=n_components, joint=joint, random_state=random_state)
        self.covariates = covariates

    def fit(self, X: Any, y: Any = None) -> CentredPCA:
        """Fit the components and the mean of every category; `X` is Views."""
        composition = self._composition(X)
        super().fit(X)
        known = composition.present
        if not known.any():
            raise SongscapeError(f"no track has a known {self.covariates[0]}: nothing to centre by")
        coordinates = super().transform(X).astype(np.float64)
        shares = composition.values[known].astype(np.float64)
        self.category_means_ = np.linalg.lstsq(shares, coordinates[known], rcond=None)[0]
        self.categories_: tuple[str, ...] = composition.feature_names
        self.average_shares_ = shares.mean(axis=0)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Centred coordinates, float32, of shape (n_tracks, n_components x n_blocks)."""
        check_is_fitted(self, "category_means_")
        composition = self._composition(X)
        if composition.feature_names != self.categories_:
            raise SongscapeError(
                f"{self.covariates[0]} has the categories {', '.join(composition.feature_names)}; "
                f"the model was fitted with {', '.join(self.categories_)}"
            )
        known = composition.present[:, None]
        shares = np.where(known, composition.values, self.average_shares_)
        moved = super().transform(X) - shares @ self.category_means_
        return np.asarray(moved, dtype=np.float32)

    def _composition(self, X: Any) -> View:
        view: View = X[self.covariates[0]]
        return view
