"""References: models that are no candidates, but show what a figure is worth."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from songscape.errors import SongscapeError
from songscape.models.estimator import ViewsTransformer


class RandomLatents(ViewsTransformer):
    """Gaussian noise that knows nothing of the music: what any figure is worth at chance level.

    A track's numbers follow from its id and the seed alone, so they stay the same in any order and
    any subset of `Views`.

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
        salt, ids = self.seed_.to_bytes(16, "little"), self._views(X).track_ids
        out = np.empty((len(ids), self.n_components), np.float32)
        for row, track_id in zip(out, ids):
            digest = hashlib.blake2b(track_id.encode(), digest_size=16, salt=salt).digest()
            generator = np.random.default_rng(int.from_bytes(digest, "little"))
            row[:] = generator.standard_normal(self.n_components)
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
        view = self._views(X, reset=True)[self.view]
        if not self.presence and (view.is_sparse or len(view.shape) != 2):
            raise SongscapeError(f"view {self.view!r} is no small table; choose a dense 2-D view")
        self.columns_: tuple[str, ...] = () if self.presence else view.feature_names
        self._n_features_out = 1 if self.presence else view.shape[1]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """The view's numbers or presence, float32; columns unknown at fitting time are left out."""
        check_is_fitted(self, "_n_features_out")
        view = self._views(X)[self.view]
        present = view.present[:, None]
        if self.presence:
            return np.asarray(present, dtype=np.float32)
        as_fitted = view.feature_names == self.columns_
        values = view.values if as_fitted else view.in_columns(self.columns_)
        return np.where(present, values, 0.0).astype(np.float32)
