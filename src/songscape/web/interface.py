"""How a question to the server is written: its fields, checked, and its OpenAPI description."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from songscape._version import __version__
from songscape.errors import UsageError
from songscape.web.desk import Desk

Others = Mapping[str, tuple[str, tuple["Field", ...]]]


class NotThere(UsageError):
    """There is no track or group with that id."""


@dataclass(frozen=True)
class Field:
    """One value of a question: `kind` is "string", "integer", "number", "boolean" or "array"."""

    name: str
    text: str
    kind: str = "string"
    default: Any = None
    low: float = 0
    high: float = 0
    required: bool = False
    choices: tuple[str, ...] = ()

    def read(self, given: Any) -> Any:
        """The value, checked."""
        if given is None or given == "":
            if self.required:
                raise UsageError(f"{self.name}: missing; {self.text}")
            return self.default
        value = self._converted(given)
        if value is None or (self.choices and value not in self.choices):
            wanted = f"one of {', '.join(self.choices)}" if self.choices else f"a {self.kind}"
            raise UsageError(f"{self.name}: not {wanted}")
        if self.high and not self.low <= value <= self.high:
            raise UsageError(f"{self.name}: from {self.low:g} to {self.high:g}")
        return value

    def _converted(self, given: Any) -> Any:
        if self.kind == "array":
            texts = isinstance(given, list) and all(isinstance(one, str) for one in given)
            return given if texts else None
        if self.kind == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}.get(str(given).lower())
        if self.kind == "string":
            return given if isinstance(given, str) and len(given) <= 4_000 else None
        try:
            number = float(str(given))
        except ValueError:
            return None
        if not math.isfinite(number) or (self.kind == "integer" and number != int(number)):
            return None
        return int(number) if self.kind == "integer" else number

    def schema(self) -> dict[str, Any]:
        """As OpenAPI describes it."""
        found: dict[str, Any] = {"type": self.kind, "description": self.text}
        if self.kind == "array":
            found["items"] = {"type": "string"}
        if self.high:
            found |= {"minimum": self.low, "maximum": self.high}
        if self.choices:
            found["enum"] = list(self.choices)
        return found if self.default is None else found | {"default": self.default}


@dataclass(frozen=True)
class Endpoint:
    """A question: its address, what it takes, and the function that answers."""

    path: str
    summary: str
    answer: Callable[[Desk, dict[str, Any]], Any]
    fields: tuple[Field, ...] = ()
    changes: bool = False

    @property
    def method(self) -> str:
        return "POST" if self.changes else "GET"


def read_values(endpoint: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a question by name."""
    unknown = given.keys() - {field.name for field in endpoint.fields}
    if unknown:
        raise UsageError(f"{min(unknown)}: not known here")
    return {field.name: field.read(given.get(field.name)) for field in endpoint.fields}


def openapi(endpoints: Iterable[Endpoint], others: Others) -> dict[str, Any]:
    """An interface as an OpenAPI 3.1 document; `others` are answered in a way of their own."""
    paths: dict[str, Any] = {}
    for path, (summary, fields) in others.items():
        paths[path] = {"get": _operation(summary, fields)}
    for one in endpoints:
        operation = _operation(one.summary, () if one.changes else one.fields)
        if one.changes:
            schema = {
                "type": "object",
                "properties": {field.name: field.schema() for field in one.fields},
                "required": [field.name for field in one.fields if field.required],
            }
            operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        paths[one.path] = {one.method.lower(): operation}
    info = {"title": "Songscape", "version": __version__}
    return {"openapi": "3.1.0", "info": info, "paths": paths}


def _operation(summary: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    parameters = [
        {"name": f.name, "in": "query", "required": f.required, "schema": f.schema()}
        for f in fields
    ]
    return {
        "summary": summary,
        "parameters": parameters,
        "responses": {"200": {"description": "the answer"}, "400": {"description": "why not"}},
    }
