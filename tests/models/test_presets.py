"""Presets: options change what a model reads, reach its groups, and are checked before any work."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from songscape.errors import SongscapeError, UsageError
from songscape.features import loading
from songscape.features.views import View, Views
from songscape.models.parameters import Hardware, Training
from songscape.models.presets import (
    PRESETS,
    TEXT_VIEWS,
    check_model_options,
    find_preset,
    make_model,
)


def test_without_options_a_preset_stays_as_it_is() -> None:
    for preset in PRESETS.values():
        assert preset.with_options({}).views == (
            *preset.modelled_views,
            *(preset.arguments.get("covariates") or ()),
        )
        assert set(preset.with_options({}).views) == set(preset.views)


def test_views_among_the_options_are_what_is_read() -> None:
    preset = find_preset("neutral-vae").with_options(
        {"views": ["segments", "rhythm", "lyrics-counts"]}
    )
    assert preset.views == ("segments", "rhythm", "lyrics-counts", "language")
    assert preset.modelled_views == ("segments", "rhythm", "lyrics-counts")
    assert "lyrics-counts" in preset.optional
    assert "segments" not in preset.optional


def test_a_model_that_needs_lyrics_needs_them_in_any_form() -> None:
    assert not find_preset("tfidf").with_options({"views": ["lyrics-counts"]}).optional


def test_covariates_among_the_options_are_read_and_not_modelled() -> None:
    preset = find_preset("song-vae").with_options({"covariates": ["language"]})
    assert preset.views == (*find_preset("song-vae").views, "language")
    assert preset.modelled_views == find_preset("song-vae").views


def test_the_views_of_lyrics_are_those_that_there_are() -> None:
    # Named twice so that the table of models can be shown without importing NumPy.
    assert TEXT_VIEWS == loading.TEXT_VIEWS


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_model(name: str) -> None:
    check_model_options(name, {})


def test_flat_options_reach_their_group_and_leave_the_rest_of_the_preset() -> None:
    model = make_model("song-vae", epochs=40, device="cpu", latent_dim=8)
    preset = make_model("song-vae").training
    assert (model.training.epochs, preset.epochs) == (40, 100)
    assert model.training == Training(**{**vars(preset), "epochs": 40})
    assert model.hardware == Hardware(device="cpu")
    assert model.latent_dim == 8


@pytest.mark.parametrize(
    ("model", "option", "reason"),
    [
        ("song-vae", "epoch", 'no option "epoch"; did you mean "epochs"?'),
        ("song-vae", "training", 'no option "training"; '),
        ("song-vae", "zzz", 'no option "zzz"; known: views, likelihoods, encoders, '),
        ("song-vae", "random_state", "random_state follows from the seeds; set those"),
        ("balanced-pca", "epochs", 'no option "epochs"; known: views, n_components, '),
        ("language-only", "name", 'no option "name"; known: view'),
    ],
)
def test_unknown_options_name_those_that_there_are(model: str, option: str, reason: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"model_options.{model}: {reason}")):
        check_model_options(model, {option: 1})


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("epochs", -1, "a whole number from 1 on"),
        ("epochs", 2.5, "a whole number from 1 on"),
        ("epochs", True, "a whole number from 1 on"),
        ("latent_dim", 0, "a whole number from 1 on"),
        ("hidden", 64, "a list of whole numbers from 1 on"),
        ("hidden", [64, 0], "a list of whole numbers from 1 on"),
        ("learning_rate", "fast", "a number above 0"),
        ("learning_rate", 0, "a number above 0"),
        ("beta", float("nan"), "a number from 0 on"),
        ("beta", float("inf"), "a number from 0 on"),
        ("dropout", 1.0, "a number from 0 to below 1"),
        ("variational", "no", "true or false"),
        ("variational", 1, "true or false"),
        ("prior", "vamp", "one of normal, mixture"),
        ("device", "gpu", "one of auto, cpu, cuda, mps"),
        ("views", "segments", "a list of names"),
        ("encoders", {"segments": "conv2d"}, "by view, one of dense, conv1d, set"),
    ],
)
def test_values_that_cannot_be_are_refused_with_the_reason(
    option: str, value: Any, reason: str
) -> None:
    expected = f"model_options.song-vae: {option} = {value!r}; give {reason}"
    with pytest.raises(UsageError, match=re.escape(expected)):
        check_model_options("song-vae", {option: value})


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rise": 0.6, "hold": 0.5}, "at most 1 together"),
        ({"prior": "mixture", "n_components": None}, "a mixture prior needs a number"),
        ({"encoders": {"mfcc": "conv1d"}}, 'encoders names the view "mfcc"'),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=f"model_options.song-vae: .*{re.escape(reason)}"):
        check_model_options("song-vae", options)


def test_a_view_that_is_not_there_is_named_with_those_that_are() -> None:
    views = Views(("a", "b"), {"timbre": View(np.eye(2), np.ones(2, dtype=bool))})
    for name in ("song-vae", "balanced-lda", "neutral-lda"):
        with pytest.raises(SongscapeError, match="no view 'segments'; there are timbre"):
            make_model(name).fit(views)
