"""Settings: what TOML may say, and what it is told when it says something else."""

import json
import tomllib
from pathlib import Path

import pytest

from songscape.errors import UsageError
from songscape.settings import Settings, load_settings, settings_from

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
            """,
        )
    )
    assert settings.title == "Ü"
    assert settings.models == ("pca",)
    assert (settings.k, settings.seeds) == ((3, 4), (7,))
    assert settings.features.max_words == 100
    assert settings.features.max_frames == 300
    assert settings.model_options == {"pca": {"n_components": 5}}
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
        ("seeds = [4294967296]", "whole numbers from 0 to 4294967295"),
        ("seeds = [1.5]", "1.5 is not of type int"),
        ("[[table]]\nmethod = 'x'", "unknown key 'table'"),
        ("= broken", "not valid TOML"),
        ("[features]\nmax_words = true", "not of type int"),
        ("model_options = 3", "model_options: 3 is not of type dict"),
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


TEXT = 'title = "Größe \u0995"\nmodels = ["pca"]\n'


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
        TEXT.replace("\n", "\r").encode(),
    ],
    ids=["mark", "utf-16", "big-endian", "mark-crlf", "utf-16-crlf", "cr"],
)
def test_what_editors_save_is_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    settings = load_settings(path)
    assert settings.title == "Größe \u0995"
    assert settings.models == ("pca",)


@pytest.mark.parametrize("content", ['title = "Größe"'.encode("cp1252"), b"\xff\xfet\x00i"])
def test_what_is_no_unicode_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"settings\.toml: not UTF-8 text; save it as UTF-8|TOML"):
        load_settings(path)


def test_a_file_overrides_only_what_it_names(tmp_path: Path) -> None:
    base = Settings(models=("tfidf",), seeds=(1, 2), k=(4,))
    settings = load_settings(write(tmp_path, 'k = "auto"\ntitle = "x"'), base)
    assert (settings.models, settings.seeds, settings.k) == (("tfidf",), (1, 2), ())
    assert settings.title == "x"


def test_settings_read_back_what_they_wrote() -> None:
    settings = Settings(
        title="x",
        k=(2, 3),
        roles={"artist": "singer"},
        measures=("kbet",),
        model_options={"pca": {"n_components": 3, "views": ["timbre"]}},
    )
    document = json.loads(json.dumps(settings.as_dict()))
    assert settings_from(document, "here") == settings


@pytest.mark.parametrize("name", sorted(path.name for path in EXPERIMENTS.glob("*.toml")))
def test_every_experiment_names_models_and_clusterers_that_exist(name: str) -> None:
    from songscape.clustering.methods import CLUSTERERS
    from songscape.models.presets import PRESETS

    settings = load_settings(EXPERIMENTS / name)
    assert set(settings.models) <= set(PRESETS)
    assert set(settings.clusterers) <= set(CLUSTERERS)
    published = tomllib.loads((EXPERIMENTS / "published" / "course.toml").read_text())
    for row in published[Path(name).stem]:
        assert row["model"] in settings.models
        assert row["clusterer"] in settings.clusterers
