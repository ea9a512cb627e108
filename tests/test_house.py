"""The order of the code: imports go down, files stay small, everything public is described."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from by_path import load_module

import songscape

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(songscape.__file__).resolve().parent
MOST_LINES_OF_A_FILE = 400
MOST_LINES = 33418  # the goal is 20,000

FLOORS = (
    *("settings", "library", "ingest", "features", "metrics", "statistics", "models", "clustering"),
    *("neighbours", "audit", "benchmark", "report", "experiment", "web", "demo", "cli", "__main__"),
)
"""From the ground up: a module imports from its own floor and from those below. The ground are the
other files of the package itself."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name, without `songscape.`; the package is ""."""
    files = {path.relative_to(SOURCE).with_suffix("").parts: path for path in SOURCE.rglob("*.py")}
    return {
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts): path
        for parts, path in sorted(files.items())
    }


def imports(path: Path) -> Iterator[str]:
    """Modules of the package that a file imports, those within functions and for types included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "songscape":
                while ".".join(parts[1:]) not in modules():
                    parts.pop()
                yield ".".join(parts[1:])


def floor(module: str) -> int:
    room = module.split(".")[0]
    return FLOORS.index(room) if room in FLOORS else -1


def test_no_module_imports_from_a_floor_above() -> None:
    wrong = {
        f"{name} imports {other}"
        for name, path in modules().items()
        for other in imports(path)
        if name and other and floor(other) > floor(name)
    }
    assert wrong == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: set(imports(path)) - {name, ""} for name, path in modules().items() if name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" <- ".join(circle.args[1]))


def test_every_room_has_a_floor() -> None:
    rooms = {name.split(".")[0] for name in modules() if "." in name}
    assert rooms | {"settings", "__main__"} == set(FLOORS)


def test_no_file_is_long() -> None:
    lengths = {name: path.read_bytes().count(b"\n") for name, path in modules().items()}
    assert {name for name, n in lengths.items() if n > MOST_LINES_OF_A_FILE} == set()
    assert sum(lengths.values()) <= MOST_LINES


def test_every_file_that_is_no_code_is_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["songscape"]
    packaged = {path for pattern in patterns for path in SOURCE.glob(pattern)}
    files = {path for path in SOURCE.rglob("*") if path.is_file()}
    assert {path for path in files - packaged if path.suffix not in (".py", ".pyc")} == set()


def test_every_verb_option_and_public_name_is_on_the_page_of_reference() -> None:
    script = load_module(ROOT / "docs" / "make_reference.py")
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert page == script.reference(), "write it again: python docs/make_reference.py"


def test_every_verb_option_and_argument_has_help() -> None:
    for name, parser in load_module(ROOT / "docs" / "make_reference.py").verbs().items():
        assert parser.description, name
        for action in parser._actions:
            assert action.help, f"{name} {action.option_strings or action.dest}"


@pytest.mark.parametrize("name", [name for name in songscape.__all__ if name != "__version__"])
def test_every_public_name_has_a_summary_and_names_what_it_takes(name: str) -> None:
    thing = getattr(songscape, name)
    text = inspect.getdoc(thing) or ""
    assert text.partition("\n")[0].endswith("."), "a summary in one line"
    if not (inspect.isclass(thing) and issubclass(thing, Exception)):
        for parameter in inspect.signature(thing).parameters:
            assert re.search(rf"\b{parameter}\b", text), parameter


def test_every_path_on_the_page_of_architecture_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = re.findall(r"`([\w-]+/[\w./-]*|[\w-]+\.py)`", page)
    assert len(paths) > 50
    assert [path for path in paths if not (SOURCE / path).exists() | (ROOT / path).exists()] == []
