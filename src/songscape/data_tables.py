"""Tables that the code goes by (names, codes, words, sounds): TOML files of the package."""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

__all__ = ["Row", "read_table"]

Row = Mapping[str, Any]
"""A row of a table, such as an instrument or a layer of a style; the file explains its fields."""


@functools.cache
def read_table(name: str) -> dict[str, Any]:
    """The table in `name`.toml, a path within the package; its arrays as tuples."""
    text = files("songscape").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return {key: _frozen(value) for key, value in tomllib.loads(text).items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
