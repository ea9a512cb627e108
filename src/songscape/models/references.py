"""References: models that are no candidates, but show what a figure is worth."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from songscape.errors import SongscapeError
from songscape.features.views import View, Views
from songscape.models.estimator import ViewsTransformer


class RandomLatents(ViewsTransformer):
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
        self, views: Sequence[str] | None = None, *, n_components: int = 16, random_state: Any = 0
    ) -> None:
        self.views = views
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> RandomLatents:
        """Draw the seed."""
        self.check_parameters()
        self._views(X, reset=True)
        self.seed_ = self._seed()
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


class ViewOnly(ViewsTransformer):
    """One small view as it is, or whether a track has it: how far that alone gets.

    With `presence` it is 1 where a view of any kind is there and 0 where not; else the numbers of a
    dense view of shape (n_tracks, n_features), zero for absent tracks.
    """

    def __init__(self, view: str = "language", *, presence: bool = False) -> None:
        self.view = view
        self.presence = presence

    def fit(self, X: Any, y: Any = None) -> ViewOnly:
        """Remember the columns."""
        self.check_parameters()
        view = self._view(X, reset=True)
        if not self.presence and (view.is_sparse or len(view.shape) != 2):
            raise SongscapeError(f"view {self.view!r} is no small table; choose a dense 2-D view")
        self.columns_: tuple[str, ...] = () if self.presence else view.feature_names
        self._n_features_out = 1 if self.presence else view.shape[1]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """The view's numbers or presence, float32; columns unknown at fitting time are left out."""
        check_is_fitted(self, "_n_features_out")
        view = self._view(X)
        present = view.present[:, None]
        if self.presence:
            return np.asarray(present, dtype=np.float32)
        as_fitted = view.feature_names == self.columns_
        values = view.values if as_fitted else view.in_columns(self.columns_)
        return np.where(present, values, 0.0).astype(np.float32)

    def _view(self, X: Any, reset: bool = False) -> View:
        """The named view; an array has only one."""
        views = self._views(X, reset)
        return views[self.view] if isinstance(X, Views) else next(iter(views.values()))
