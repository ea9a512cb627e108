"""What tests of several folders share."""

from pathlib import Path
from types import ModuleType

import pytest
from by_path import load_module


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The functions of `comparison_tables.py` beside this file."""
    return load_module(Path(__file__).with_name("comparison_tables.py"))
