"""Records: nested dictionaries, dataclasses and arrays as JSON beside named arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from songscape.errors import SongscapeError

Kinds = Mapping[str, Any]
"""Dataclasses by the names that they are stored under."""


def encode(value: Any, arrays: dict[str, Any], path: str = "", kinds: Kinds | None = None) -> Any:
    """`value` as JSON; arrays and tensors go into `arrays`, under their path."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        return {"$strings": [str(item) for item in value]}
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):  # a tensor of torch
        arrays[path] = value
        return {"$array": path}
    if is_dataclass(value) and type(value).__name__ in (kinds or {}):
        inner = {f.name: getattr(value, f.name) for f in fields(value)}
        return {"$record": type(value).__name__, "fields": encode(inner, arrays, path, kinds)}
    if isinstance(value, Mapping):
        return {str(k): encode(v, arrays, f"{path}/{k}", kinds) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        items = [encode(item, arrays, f"{path}/{i}", kinds) for i, item in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise SongscapeError(
        f"{path} is a {type(value).__name__}, which cannot be saved; use a number or a name"
    )


def decode(value: Any, arrays: Mapping[str, Any], kinds: Kinds | None = None) -> Any:
    """What `encode` was given."""
    if isinstance(value, list):
        return [decode(item, arrays, kinds) for item in value]
    if not isinstance(value, dict):
        return value
    if "$array" in value:
        return arrays[value["$array"]]
    if "$strings" in value:
        return np.array(value["$strings"], dtype=object)
    if "$tuple" in value:
        return tuple(decode(item, arrays, kinds) for item in value["$tuple"])
    if "$record" in value:
        return (kinds or {})[value["$record"]](**decode(value["fields"], arrays, kinds))
    return {key: decode(item, arrays, kinds) for key, item in value.items()}
