"""Results folders with known figures."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from by_path import load_module

folders = load_module(Path(__file__).with_name("results_folder.py"))
MODELS = ("balanced-pca", "tfidf", "song-vae", "random")


@pytest.fixture
def write_results(made: ModuleType) -> Callable[..., Path]:
    """`write_folder` of a folder, rows and, where methods were tested, tests; with songs."""

    def write(folder: Path, rows: list[Any], tests: list[Any] | None = None, **more: Any) -> Path:
        folders.write_folder(folder, made, rows, tests, **more)
        folders.write_songs(folder, made, tuple(dict.fromkeys(row["model"] for row in rows)))
        return folder

    return write


@pytest.fixture
def run_folder(made: ModuleType, write_results: Callable[..., Path], tmp_path: Path) -> Path:
    """A run of four models, of which song-vae knows the genre best."""
    better = {"song-vae": 0.3}
    rows = [r for m in MODELS for r in made.model_rows(m, genre_ami=better.get(m, 0.2))]
    return write_results(tmp_path / "results ü", rows)


@pytest.fixture
def compared_folder(made: ModuleType, write_results: Callable[..., Path], tmp_path: Path) -> Path:
    """Four models; song-vae wins at artists and hides the language, tfidf loses at both."""
    rows = [row for model in MODELS for row in made.model_rows(model)]
    tests = [made.outcome("song-vae", "better"), made.outcome("tfidf", "worse")]
    tests += [made.outcome("random", "same")]
    leaks = [("song-vae", "better"), ("tfidf", "worse")]
    tests += [made.outcome(m, word, "knn", "language", "leakage") for m, word in leaks]
    return write_results(tmp_path / "compared", rows, tests)
