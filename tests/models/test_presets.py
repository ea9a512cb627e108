"""Presets: options change what a model reads, and nothing else of the table."""

from __future__ import annotations

from songscape.features import loading
from songscape.models.presets import PRESETS, TEXT_VIEWS, find_preset


def test_without_options_a_preset_stays_as_it_is() -> None:
    for preset in PRESETS.values():
        assert preset.with_options({}).views == (
            *preset.modelled_views,
            *(preset.arguments.get("covariates") or ()),
        )
        assert set(preset.with_options({}).views) == set(preset.views)


def test_views_among_the_options_are_what_is_read() -> None:
    preset = find_preset("neutral-vae").with_options({"views": ["segments", "rhythm", "chars"]})
    assert preset.views == ("segments", "rhythm", "chars", "language")
    assert preset.modelled_views == ("segments", "rhythm", "chars")
    assert "chars" in preset.optional
    assert "rhythm" not in preset.optional


def test_a_model_that_needs_lyrics_needs_them_in_any_form() -> None:
    assert not find_preset("tfidf").with_options({"views": ["chars"]}).optional


def test_covariates_among_the_options_are_read_and_not_modelled() -> None:
    preset = find_preset("song-vae").with_options({"covariates": ["language"]})
    assert preset.views == ("segments", "lyrics", "language")
    assert preset.modelled_views == ("segments", "lyrics")


def test_the_views_of_lyrics_are_those_that_there_are() -> None:
    # Named twice so that the table of models can be shown without importing NumPy.
    assert TEXT_VIEWS == loading.TEXT_VIEWS
