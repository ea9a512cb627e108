"""What Songscape's estimators share: Views or a plain array in, float32 out, parameters checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_random_state, validate_data

from songscape.errors import SongscapeError
from songscape.features.encoders.registry import ENCODERS
from songscape.features.views import View, Views
from songscape.models.parameters import check_parameters

ARRAY_VIEW = "x"


class ViewsTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn transformer of `Views`; an array is taken as the single view "x"."""

    def check_parameters(self) -> None:
        """Raise ValueError for a parameter out of range, or for two that do not go together."""
        check_parameters(self.get_params(deep=False))

    def _views(self, X: Any, reset: bool = False) -> Views:
        if isinstance(X, Views):
            return X
        dtypes = [np.float64, np.float32]
        least = 2 if reset else 1
        X = validate_data(self, X, dtype=dtypes, reset=reset, ensure_min_samples=least)
        ids = tuple(f"{i:09d}" for i in range(len(X)))
        return Views(ids, {ARRAY_VIEW: View(X, np.ones(len(X), dtype=bool))})

    def _modelled(self, views: Views) -> list[str]:
        """The views to model: those named, or all but the covariates.

        Those of encoders are left out where no track has them: they are read where they are there.
        """
        covariates = self.covariates or ()
        names = self.views or [name for name in views if name not in covariates]
        lacking = [n for n in (*names, *covariates) if n not in views and n not in ENCODERS]
        if lacking:
            raise SongscapeError(
                f"no view {lacking[0]!r}; there are {', '.join(views)}: name those that the "
                "model is to read, as views=[...]"
            )
        there = {name for name in ENCODERS if name in views and views[name].present.any()}
        return [name for name in names if name in there or name not in ENCODERS]

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
