"""Baselines: what every autoencoder must beat, behind the same interface."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from songscape.errors import SongscapeError
from songscape.features.views import View, Views
from songscape.models.linear import EXACT_LIMIT, Axes, principal_axes
from songscape.models.standardisation import InputView, as_views, chunks, fit_input, sorted_by_id

__all__ = ["BlockPCA", "PresenceOnly", "RandomLatents", "ViewOnly"]


class _Baseline(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What the baselines share: Views or a plain array in, float32 out."""

    def _views(self, X: Any, reset: bool = False) -> Views:
        if isinstance(X, Views):
            return X
        least = 2 if reset else 1
        dtypes = [np.float64, np.float32]
        X = validate_data(self, X, dtype=dtypes, reset=reset, ensure_min_samples=least)
        return as_views(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class BlockPCA(_Baseline):
    """Principal components of several views: of each alone and balanced, or of all side by side.

    A track without a view gets that view's average, and so do padded steps.

    Parameters
    ----------
    views : sequence of str or None, default=None
        None takes all.
    n_components : int or None, default=16
        Per view, or in all where `joint`. None keeps every direction: the coordinates are those of
        the standardised columns, turned (distances between the fitted tracks stay exactly as they
        are) where there are fewer tracks than columns.
    joint : bool, default=False
        True standardises every column of every view and puts them side by side, so that a view
        counts by its number of columns. False reduces each view alone (sparse views without
        centring, as in latent semantic analysis) and scales it to unit total variance, so that
        every view counts the same.
    random_state : int, RandomState or None, default=0
        Only used where an exact solution would take too long (over 4,096 tracks and columns).

    Attributes
    ----------
    axes_ : tuple of Axes
    factors_ : tuple of float
        What the coordinates of each view are multiplied by.
    """

    def __init__(
        self,
        views: Sequence[str] | None = None,
        *,
        n_components: int | None = 16,
        joint: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.views = views
        self.n_components = n_components
        self.joint = joint
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> BlockPCA:
        """Find the components of `X`: Views, or an array of shape (n_tracks, n_features)."""
        views = sorted_by_id(self._views(X, reset=True))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        names = tuple(self.views or views)
        self.inputs_: dict[str, InputView] = {
            name: fit_input(name, views[name], standardise=self.joint or not views[name].is_sparse)
            for name in names
        }
        axes, centres, factors = [], [], []
        for block in self._blocks():
            present = np.any([views[name].present for name in block], axis=0)
            rows = np.flatnonzero(present)
            found = self._axes(views, block, rows, seed)
            coordinates = self._coordinates(views, block, found)[rows]
            centre = coordinates.mean(axis=0)
            variance = float(((coordinates - centre) ** 2).sum()) / len(rows)
            axes.append(found)
            centres.append(centre)
            factors.append(variance**-0.5 if variance > 0 and not self.joint else 1.0)
        self.axes_: tuple[Axes | None, ...] = tuple(axes)
        self.centres_: tuple[NDArray[np.float64], ...] = tuple(centres)
        self.factors_: tuple[float, ...] = tuple(factors)
        self._n_features_out = sum(len(centre) for centre in centres)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Coordinates, float32, of shape (n_tracks, n_components x n_blocks) or fewer columns."""
        check_is_fitted(self, "axes_")
        views = self._views(X)
        for name, reader in self.inputs_.items():
            reader.check(views[name])
        parts = []
        for block, axes, centre, factor in zip(
            self._blocks(), self.axes_, self.centres_, self.factors_
        ):
            present = np.any([views[name].present for name in block], axis=0)
            coordinates = (self._coordinates(views, block, axes) - centre) * factor
            parts.append(np.where(present[:, None], coordinates, 0.0))
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

    def _coordinates(
        self, views: Views, block: Sequence[str], axes: Axes | None
    ) -> NDArray[np.float64]:
        pieces = []
        for rows in chunks(views.n_tracks):
            values = self._read(views, block, rows)
            pieces.append(values.astype(np.float64) if axes is None else axes.project(values))
        return np.concatenate(pieces)


class RandomLatents(_Baseline):
    """Gaussian noise that knows nothing of the music: what any figure is worth at chance level.

    A track's numbers follow from its id (or the bytes of its row) and the seed alone, so they stay
    the same in any order and any subset.

    Parameters
    ----------
    views : sequence of str or None
        Not read; part of the common interface.
    n_components : int, default=16
    random_state : int, RandomState or None, default=0
    """

    def __init__(
        self,
        views: Sequence[str] | None = None,
        *,
        n_components: int = 16,
        random_state: Any = 0,
    ) -> None:
        self.views = views
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> RandomLatents:
        """Draw the seed."""
        self._views(X, reset=True)
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._n_features_out = self.n_components
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Noise of shape (n_tracks, n_components), float32."""
        check_is_fitted(self, "seed_")
        views = self._views(X)
        if isinstance(X, Views):
            keys = [track_id.encode() for track_id in views.track_ids]
        else:
            keys = [row.astype(np.float64).tobytes() for row in next(iter(views.values())).values]
        salt = self.seed_.to_bytes(16, "little")
        out = np.empty((len(keys), self.n_components), np.float32)
        for i, key in enumerate(keys):
            digest = hashlib.blake2b(key, digest_size=16, salt=salt).digest()
            generator = np.random.default_rng(int.from_bytes(digest, "little"))
            out[i] = generator.standard_normal(self.n_components)
        return out


class ViewOnly(_Baseline):
    """One small view as it is, such as the language composition: how far that alone gets.

    Parameters
    ----------
    view : str, default="language"
        A dense view of shape (n_tracks, n_features); absent tracks become zero.
    """

    def __init__(self, view: str = "language") -> None:
        self.view = view

    def fit(self, X: Any, y: Any = None) -> ViewOnly:
        """Remember the columns."""
        view = _one_view(self._views(X, reset=True), self.view)
        if view.is_sparse or len(view.shape) != 2:
            raise SongscapeError(f"view {self.view!r} is no small table; choose a dense 2-D view")
        self.columns_: tuple[str, ...] = view.feature_names
        self._n_features_out = view.shape[1]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """The view's numbers, float32; columns unknown at fitting time are left out."""
        check_is_fitted(self, "_n_features_out")
        view = _one_view(self._views(X), self.view)
        values = np.where(view.present[:, None], view.values, 0.0).astype(np.float32)
        if view.feature_names == self.columns_:
            return values
        position = {name: i for i, name in enumerate(view.feature_names)}
        out = np.zeros((len(values), len(self.columns_)), np.float32)
        for i, name in enumerate(self.columns_):
            if name in position:
                out[:, i] = values[:, position[name]]
        return out


class PresenceOnly(_Baseline):
    """Whether a track has a view, and nothing else: shows clusters that are just "has lyrics".

    Parameters
    ----------
    view : str, default="lyrics"
    """

    def __init__(self, view: str = "lyrics") -> None:
        self.view = view

    def fit(self, X: Any, y: Any = None) -> PresenceOnly:
        """Nothing to learn."""
        _one_view(self._views(X, reset=True), self.view)
        self._n_features_out = 1
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """1 where the view is present, 0 where not, of shape (n_tracks, 1), float32."""
        check_is_fitted(self, "_n_features_out")
        view = _one_view(self._views(X), self.view)
        return np.asarray(view.present[:, None], dtype=np.float32)


def _one_view(views: Views, name: str) -> View:
    """The named view; an array has only one."""
    return next(iter(views.values())) if name not in views and len(views) == 1 else views[name]
