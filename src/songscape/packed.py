"""Values as bytes, for workers and for files: JSON and raw arrays, nothing is unpickled."""

from __future__ import annotations

import dataclasses
import json
import struct
from pkgutil import resolve_name
from typing import Any

import numpy as np

_HEAD = struct.Struct("<Q")


def pack(value: Any) -> bytes:
    """JSON of a value, then the bytes of the arrays in it."""
    arrays: list[np.ndarray[Any, Any]] = []

    def plain(part: Any) -> Any:
        if isinstance(part, np.ndarray):
            arrays.append(np.ascontiguousarray(part))
            return {"__array__": [part.dtype.str, part.shape]}
        if isinstance(part, np.generic):
            return part.item()
        if dataclasses.is_dataclass(part):
            name = f"{type(part).__module__}:{type(part).__qualname__}"
            fields = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
            return {"__class__": name, "fields": fields}
        raise TypeError(f"{type(part).__name__} cannot be sent to or from a worker")

    head = json.dumps(value, default=plain).encode()
    return _HEAD.pack(len(head)) + head + b"".join(array.tobytes() for array in arrays)


def unpack(message: bytes) -> Any:
    """What `pack` packed; tuples come back as lists, but for fields of dataclasses."""
    (length,) = _HEAD.unpack_from(message)
    at = _HEAD.size + length

    def whole(part: dict[str, Any]) -> Any:
        nonlocal at
        if "__array__" in part:
            name, shape = part["__array__"]
            dtype, count = np.dtype(name), int(np.prod(shape))
            array = np.frombuffer(message, dtype, count, at).reshape(shape)
            at += count * dtype.itemsize
            return array
        if "__class__" in part:
            name = part["__class__"]
            if not name.startswith("songscape."):
                raise ValueError(f"{name} is not of this package")
            kind: Any = resolve_name(name)
            if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
                raise ValueError(f"{name} is no class of data")
            fields = part["fields"].items()
            return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields})
        return part

    return json.loads(message[_HEAD.size : at], object_hook=whole)
