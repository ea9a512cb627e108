"""A model of another package: found by its entry point, measured like ours."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

from songscape.experiment.fit import ModelFit, fit, trained
from songscape.features.views import View, Views
from songscape.models import presets
from songscape.results import ResultsFolder, read_latents


class FirstColumns(TransformerMixin, BaseEstimator):
    def __init__(self, views: tuple[str, ...] = (), random_state: int = 0, n: int = 2) -> None:
        self.views, self.random_state, self.n = views, random_state, n

    def fit(self, X: Views, y: Any = None) -> "FirstColumns":
        return self

    def transform(self, X: Views) -> np.ndarray:
        return X[self.views[0]].values[:, : self.n]


def test_its_latents_are_kept_like_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preset = presets.Preset(
        "first-columns", ("timbre",), "two columns", f"{__name__}:FirstColumns", {}
    )
    entry = SimpleNamespace(load=lambda: preset, value="elsewhere:preset")
    monkeypatch.setattr(
        presets, "entry_points", lambda group, name: [entry] if name == preset.name else []
    )
    values = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    views = Views(tuple("abcdef"), {"timbre": View(values, np.ones(6, bool))})
    folder = ResultsFolder(tmp_path)
    training = ModelFit.of("first-columns", 0, {}, {"timbre": views.digest()})
    summary = fit(training, views, folder)
    assert summary["status"] == "ok", summary
    latents = read_latents(folder.latents("first-columns", 0))[1]
    np.testing.assert_array_equal(latents, values[:, :2])
    assert trained(training, folder) == summary
