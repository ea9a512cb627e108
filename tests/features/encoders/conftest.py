"""What the packages of encoders gave, and which tests need the packages themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from by_path import load_module
from numpy.typing import NDArray

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
