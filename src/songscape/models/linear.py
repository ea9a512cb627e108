"""Linear models: principal components, balanced or side by side, and centred by a covariate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from songscape.errors import SongscapeError
from songscape.features.views import View, Views
from songscape.models.estimator import ViewsTransformer
from songscape.models.principal_axes import EXACT_LIMIT, Axes, principal_axes
from songscape.models.standardisation import InputView, chunks, fit_input, sorted_by_id

__all__ = ["BlockPCA"]

Floats = NDArray[np.float64]


class BlockPCA(ViewsTransformer):
    """Principal components of several views: of each alone and balanced, or of all side by side.

    A track without a view gets that view's average, and so do padded steps.

    Parameters
    ----------
    views : sequence of str or None, default=None
        None takes all that are not covariates.
    n_components : int or None, default=16
        Per view, or in all where `joint`. None keeps every direction: the coordinates are those of
        the standardised columns, turned (distances between the fitted tracks stay exactly as they
        are) where there are fewer tracks than columns.
    joint : bool, default=False
        True standardises every column of every view and puts them side by side, so that a view
        counts by its number of columns. False reduces each view alone (sparse views without
        centring, as in latent semantic analysis) and scales it to unit total variance, so that
        every view counts the same.
    covariates : sequence of one str, or None
        Name of a composition view (see `songscape.features.covariates`) by which the coordinates
        are centred. The category means are fitted by least squares on the composition: a song half
        in one language and half in another is moved half by each, and with one language per song
        they are the plain means. Tracks of unknown composition are moved by the average of all.
    random_state : int, RandomState or None, default=0
        Only used where an exact solution would take too long (over 4,096 tracks and columns).

    Attributes
    ----------
    axes_ : tuple of Axes
    factors_ : tuple of float
        What the coordinates of each view are multiplied by.
    category_means_ : ndarray of shape (n_categories, n_dimensions), or None
        What is subtracted; None without covariates.
    """

    def __init__(
        self,
        views: Sequence[str] | None = None,
        *,
        n_components: int | None = 16,
        joint: bool = False,
        covariates: Sequence[str] | None = None,
        random_state: Any = 0,
    ) -> None:
        self.views = views
        self.n_components = n_components
        self.joint = joint
        self.covariates = covariates
        self.random_state = random_state

    def check_parameters(self) -> None:
        """Raise ValueError for a parameter out of range, or for several covariates."""
        super().check_parameters()
        if len(self.covariates or ()) > 1:
            raise ValueError(f"covariates = {self.covariates!r}; give one to centre by")

    def fit(self, X: Any, y: Any = None) -> BlockPCA:
        """Find the components of `X`: Views, or an array of shape (n_tracks, n_features).

        Raises
        ------
        SongscapeError
            If a view is missing everywhere or holds NaN, or no track has a known covariate.
        """
        self.check_parameters()
        views = sorted_by_id(self._views(X, reset=True))
        seed = self._seed()
        names = self.views or [name for name in views if name not in (self.covariates or ())]
        self.inputs_: dict[str, InputView] = {
            name: fit_input(name, views[name], standardise=self.joint or not views[name].is_sparse)
            for name in names
        }
        all_axes, centres, factors = [], [], []
        for block in self._blocks():
            rows = np.flatnonzero(_present(views, block))
            axes = self._axes(views, block, rows, seed)
            coordinates = self._coordinates(views, block, axes)[rows]
            centre = coordinates.mean(axis=0)
            variance = float(((coordinates - centre) ** 2).sum()) / len(rows)
            all_axes.append(axes)
            centres.append(centre)
            factors.append(variance**-0.5 if variance > 0 and not self.joint else 1.0)
        self.axes_: tuple[Axes | None, ...] = tuple(all_axes)
        self.centres_: tuple[Floats, ...] = tuple(centres)
        self.factors_: tuple[float, ...] = tuple(factors)
        self._n_features_out = sum(len(centre) for centre in centres)
        self._fit_category_means(views)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Coordinates, float32, of shape (n_tracks, n_components x n_blocks) or fewer columns."""
        check_is_fitted(self, "axes_")
        views = self._views(X)
        for name, reader in self.inputs_.items():
            reader.check(views[name])
        reduced = self._reduced(views)
        if not self.covariates:
            return reduced
        composition = views[self.covariates[0]]
        if composition.feature_names != self.categories_:
            raise SongscapeError(
                f"{self.covariates[0]} has the categories {', '.join(composition.feature_names)}; "
                f"the model was fitted with {', '.join(self.categories_)}"
            )
        known = composition.present[:, None]
        shares = np.where(known, composition.values, self.average_shares_)
        return np.asarray(reduced - shares @ self.category_means_, dtype=np.float32)

    def _fit_category_means(self, views: Views) -> None:
        self.category_means_: Floats | None = None
        if not self.covariates:
            return
        composition: View = views[self.covariates[0]]
        known = composition.present
        if not known.any():
            raise SongscapeError(f"no track has a known {self.covariates[0]}: nothing to centre by")
        shares = composition.values[known].astype(np.float64)
        reduced = self._reduced(views)[known].astype(np.float64)
        self.category_means_ = np.linalg.lstsq(shares, reduced, rcond=None)[0]
        self.categories_: tuple[str, ...] = composition.feature_names
        self.average_shares_: Floats = shares.mean(axis=0)

    def _reduced(self, views: Views) -> NDArray[np.float32]:
        """All blocks' coordinates, float32, before any centring by category."""
        parts = []
        for block, axes, centre, factor in zip(
            self._blocks(), self.axes_, self.centres_, self.factors_
        ):
            coordinates = (self._coordinates(views, block, axes) - centre) * factor
            parts.append(np.where(_present(views, block)[:, None], coordinates, 0.0))
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _blocks(self) -> list[tuple[str, ...]]:
        names = tuple(self.inputs_)
        return [names] if self.joint else [(name,) for name in names]

    def _read(self, views: Views, block: Sequence[str], rows: NDArray[np.intp]) -> NDArray[Any]:
        parts = [
            self.inputs_[name].read(views[name], rows)[0].reshape(len(rows), -1) for name in block
        ]
        return np.concatenate(parts, axis=1)

    def _axes(
        self, views: Views, block: Sequence[str], rows: NDArray[np.intp], seed: int
    ) -> Axes | None:
        n_columns = sum(self.inputs_[name].size for name in block)
        most = min(len(rows), n_columns)
        if self.n_components is None and (len(rows) >= n_columns or len(rows) > EXACT_LIMIT):
            return None
        return principal_axes(
            lambda piece: self._read(views, block, rows[piece]),
            len(rows),
            n_columns,
            most if self.n_components is None else min(self.n_components, most),
            seed=seed,
            centre=self.joint or not views[block[0]].is_sparse,
        )

    def _coordinates(self, views: Views, block: Sequence[str], axes: Axes | None) -> Floats:
        pieces = []
        for rows in chunks(views.n_tracks):
            values = self._read(views, block, rows)
            pieces.append(values.astype(np.float64) if axes is None else axes.project(values))
        return np.concatenate(pieces)


def _present(views: Views, block: Sequence[str]) -> NDArray[np.bool_]:
    """Which tracks have any view of the block, (n_tracks,)."""
    return np.asarray(np.any([views[name].present for name in block], axis=0))
