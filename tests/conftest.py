"""What tests of several folders share."""

import os
from pathlib import Path
from types import ModuleType

import pytest
from by_path import load_module


def pytest_configure(config: pytest.Config) -> None:
    """Give every worker a numba cache of its own.

    Two workers that compile librosa's generalised ufuncs at once write one index for the code of
    both, and from then on every process that loads it crashes.
    """
    cache = config.cache.mkdir(f"numba-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")
    os.environ["NUMBA_CACHE_DIR"] = str(cache)


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The functions of `comparison_tables.py` beside this file."""
    return load_module(Path(__file__).with_name("comparison_tables.py"))
