"""Settings: what TOML may say, and what it is told when it says something else."""

from pathlib import Path

import pytest

from songscape.errors import UsageError
from songscape.settings import ClaimedRow, Settings, load_settings

EXPERIMENTS = Path(__file__).parent.parent / "experiments"


def write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_toml_becomes_frozen_settings(tmp_path: Path) -> None:
    settings = load_settings(
        write(
            tmp_path,
            """
            title = "Ü"
            models = ["pca"]
            k = [3, 4]
            seeds = 7
            [features]
            max_words = 100
            [model_options.pca]
            n_components = 5
            [[table]]
            method = "PCA"
            model = "pca"
            clusterer = "kmeans"
            silhouette = 0.5
            """,
        )
    )
    assert settings.title == "Ü"
    assert settings.models == ("pca",)
    assert (settings.k, settings.seeds) == ((3, 4), (7,))
    assert settings.features.max_words == 100
    assert settings.features.max_frames == 300
    assert settings.model_options == {"pca": {"n_components": 5}}
    assert settings.table == (ClaimedRow("PCA", "pca", "kmeans", 0.5, None),)
    assert settings.clusterers == Settings().clusterers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modles = ['pca']", "unknown key 'modles'; did you mean 'models'"),
        ("[features]\nmax_frame = 3", "did you mean 'max_frames'"),
        ("k = ['five']", "'five' is not of type int"),
        ("k = [1]", "at least 2 clusters"),
        ("seeds = [-1]", "whole numbers from 0"),
        ("models = []", "models is empty"),
        ("models = ['pca', 'pca']", "twice"),
        ("[[table]]\nmethod = 'x'", "lacks clusterer, model"),
        ("= broken", "not valid TOML"),
        ("[features]\nmax_words = true", "not of type int"),
        ("table = 5", "table: 5 is not of type list"),
        ("model_options = 3", "model_options: 3 is not of type dict"),
        (
            "[[table]]\nmethod = 'x'\nmodel = 'pca'\nclusterer = 'kmeans'\nsilhouette = 'abc'",
            "silhouette = 'abc' is not a number",
        ),
    ],
)
def test_a_mistake_is_named_with_its_mend(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load_settings(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such settings file"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="a folder"):
        load_settings(tmp_path)


def test_auto_k_is_left_to_the_run(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, 'k = "auto"')).k == ()


@pytest.mark.parametrize("name", sorted(path.name for path in EXPERIMENTS.glob("*.toml")))
def test_every_experiment_names_models_and_clusterers_that_exist(name: str) -> None:
    from songscape.clustering.methods import CLUSTERERS
    from songscape.models.presets import PRESETS

    settings = load_settings(EXPERIMENTS / name)
    assert set(settings.models) <= set(PRESETS)
    assert set(settings.clusterers) <= set(CLUSTERERS)
    for row in settings.table:
        assert row.model in settings.models
        assert row.clusterer in settings.clusterers
