"""How a question to the server is written: what it takes as a type, and its description."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from songscape._version import __version__
from songscape.errors import UsageError
from songscape.web.desk import Desk

RESPONSES = {"200": {"description": "the answer"}, "400": {"description": "why not"}}


class Asked(BaseModel):
    """The values of a question; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Question:
    """Its address, the function that answers, and what it takes; POST where it `changes`.

    Without such a function, it is answered in a way of its own.
    """

    path: str
    summary: str
    answer: Callable[[Desk, Any], Any] | None = None
    takes: type[Asked] = Asked
    changes: bool = False

    @property
    def method(self) -> str:
        return "POST" if self.changes else "GET"

    def read(self, given: dict[str, str] | bytes) -> Asked:
        """The values of a query, or of a body in JSON; UsageError where they do not fit."""
        try:
            if isinstance(given, bytes):
                return self.takes.model_validate_json(given)
            return self.takes.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            raise UsageError(f"{where}: {first['msg']}") from None

    def described(self) -> dict[str, Any]:
        """As OpenAPI has it."""
        schema = self.takes.model_json_schema()
        found: dict[str, Any] = {"summary": self.summary, "responses": RESPONSES}
        if self.changes:
            return found | {"requestBody": {"content": {"application/json": {"schema": schema}}}}
        needed = schema.get("required", ())
        parameters = [
            {"name": name, "in": "query", "required": name in needed, "schema": value}
            for name, value in schema["properties"].items()
        ]
        return found | {"parameters": parameters}


def openapi(questions: Iterable[Question]) -> dict[str, Any]:
    """An interface as an OpenAPI 3.1 document."""
    paths = {one.path: {one.method.lower(): one.described()} for one in questions}
    info = {"title": "Songscape", "version": __version__}
    return {"openapi": "3.1.0", "info": info, "paths": paths}
