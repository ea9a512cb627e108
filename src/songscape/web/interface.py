"""How a question to the server is written: its fields, checked, and its OpenAPI description."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from songscape._version import __version__
from songscape.errors import UsageError
from songscape.web.desk import Desk

Values = dict[str, Any]
MOST_LETTERS = 4_000
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "string": lambda given: given if _is_text(given) else None,
    "array": lambda given: given if isinstance(given, list) and all(map(_is_text, given)) else None,
    "boolean": lambda given: _TRUTH.get(str(given).lower()),
    "integer": lambda given: int(str(given)),
    "number": lambda given: float(str(given)),
}
"""Kinds of values and how they are read; None or ValueError where it is none."""


def _is_text(given: Any) -> bool:
    return isinstance(given, str) and len(given) <= MOST_LETTERS


@dataclass(frozen=True)
class Field:
    """One value of a question; a number is from `low` to `high`."""

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
        try:
            value = _KINDS[self.kind](given)
        except ValueError:
            value = None
        if value is None or (self.choices and value not in self.choices):
            wanted = f"one of {', '.join(self.choices)}" if self.choices else f"a {self.kind}"
            raise UsageError(f"{self.name}: not {wanted}")
        if self.high and not self.low <= value <= self.high:
            raise UsageError(f"{self.name}: from {self.low:g} to {self.high:g}")
        return value

    def schema(self) -> dict[str, Any]:
        """As OpenAPI describes it."""
        found: dict[str, Any] = {"type": self.kind, "description": self.text}
        found |= {"items": {"type": "string"}} if self.kind == "array" else {}
        found |= {"minimum": self.low, "maximum": self.high} if self.high else {}
        found |= {"enum": list(self.choices)} if self.choices else {}
        return found if self.default is None else found | {"default": self.default}


@dataclass(frozen=True)
class Question:
    """Its address, the function that answers, and what it takes; POST where it `changes`.

    Without such a function, it is answered in a way of its own.
    """

    path: str
    summary: str
    answer: Callable[[Desk, Values], Any] | None = None
    fields: tuple[Field, ...] = ()
    changes: bool = False

    @property
    def method(self) -> str:
        return "POST" if self.changes else "GET"

    def read(self, given: Mapping[str, Any]) -> Values:
        """Its values by name."""
        unknown = given.keys() - {field.name for field in self.fields}
        if unknown:
            raise UsageError(f"{min(unknown)}: not known here")
        return {field.name: field.read(given.get(field.name)) for field in self.fields}

    def described(self) -> dict[str, Any]:
        """As OpenAPI has it."""
        answers = {"200": {"description": "the answer"}, "400": {"description": "why not"}}
        found: dict[str, Any] = {"summary": self.summary, "responses": answers}
        if not self.changes:
            parameters = [
                {"name": f.name, "in": "query", "required": f.required, "schema": f.schema()}
                for f in self.fields
            ]
            return found | {"parameters": parameters}
        schema = {
            "type": "object",
            "properties": {field.name: field.schema() for field in self.fields},
            "required": [field.name for field in self.fields if field.required],
        }
        return found | {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def openapi(questions: Iterable[Question]) -> dict[str, Any]:
    """An interface as an OpenAPI 3.1 document."""
    paths = {one.path: {one.method.lower(): one.described()} for one in questions}
    info = {"title": "Songscape", "version": __version__}
    return {"openapi": "3.1.0", "info": info, "paths": paths}
