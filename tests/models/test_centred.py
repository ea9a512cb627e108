"""Centring per language: plain means where each song has one language, half moves in between."""

from pathlib import Path

import numpy as np
import pytest

from songscape.errors import UsageError
from songscape.features.covariates import composition_view
from songscape.features.views import View, Views
from songscape.models.presets import make_model
from songscape.models.saving import load_model, save_model


def views(languages: list[str | None]) -> Views:
    rng = np.random.default_rng(0)
    n = len(languages)
    shift = np.array([5.0 if name == "German" else 0.0 for name in languages])
    timbre = (rng.normal(size=(n, 20)) + shift[:, None]).astype(np.float32)
    words = View(np.abs(rng.normal(size=(n, 30))).astype(np.float32), np.ones(n, bool))
    blocks = {"timbre": View(timbre, np.ones(n, bool)), "lyrics": words}
    ids = tuple(f"t{i:03}" for i in range(n))
    return Views(ids, blocks | {"language": composition_view(languages)})


def test_every_language_has_the_same_mean() -> None:
    languages: list[str | None] = ["German", "English"] * 30
    latents = make_model("balanced-pca-centred").fit_transform(views(languages))
    plain = make_model("balanced-pca").fit_transform(views(languages))
    german = np.array(languages) == "German"
    np.testing.assert_allclose(latents[german].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(latents[~german].mean(axis=0), 0, atol=1e-5)
    expected = plain[german] - plain[german].mean(axis=0)
    np.testing.assert_allclose(latents[german], expected, atol=1e-5)


def test_a_bilingual_song_is_moved_half_by_each() -> None:
    collection = views(["German", "English"] * 30 + ["German; English", None])
    model = make_model("balanced-pca-centred").fit(collection)
    plain = make_model("balanced-pca").fit_transform(collection)
    moved = plain - model.transform(collection)
    np.testing.assert_allclose(moved[60], model.alignment_.means.mean(axis=0), atol=1e-5)


def test_it_is_saved_and_loaded_with_the_same_latents(tmp_path: Path) -> None:
    collection = views(["German", "English"] * 20)
    model = make_model("balanced-pca-centred").fit(collection)
    again = load_model(save_model(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(collection), model.transform(collection))


def test_a_language_that_no_fitted_song_has_is_as_unknown_as_none() -> None:
    model = make_model("balanced-pca-centred").fit(views(["German", "English"] * 20))
    other, unknown = (model.transform(views(each)) for each in (["Turkish"] * 10, [None] * 10))
    np.testing.assert_allclose(other, unknown, atol=1e-6)


def test_two_covariates_are_refused() -> None:
    with pytest.raises(UsageError, match=r"balanced-pca-centred: covariates = .*; give one"):
        make_model("balanced-pca-centred", covariates=["language", "source"])
