"""Reads the TOML tables in the `data` folders of the package."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
"""A row of a table; the file explains its fields."""


@cache
def read_table(folder: str, name: str) -> dict[str, Any]:
    """The table `name`.toml of a folder of the package, its arrays as tuples."""
    text = (Path(__file__).parent / folder / f"{name}.toml").read_text(encoding="utf-8")
    return {key: _frozen(value) for key, value in tomllib.loads(text).items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return {k: _frozen(v) for k, v in value.items()} if isinstance(value, dict) else value
