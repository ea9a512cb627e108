"""Tables that the readers of files and lyrics go by, as TOML."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

__all__ = ["read_table"]


def read_table(name: str) -> dict[str, Any]:
    """The table `name`.toml of this folder."""
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
