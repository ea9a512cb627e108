"""What tests of several folders share."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The functions of `comparison_tables.py` beside this file."""
    path = Path(__file__).with_name("comparison_tables.py")
    spec = importlib.util.spec_from_file_location("comparison_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
