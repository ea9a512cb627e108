"""The notebooks: every cell runs, outputs are committed, nothing of a machine or a private name."""

import ast
import importlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from by_path import load_module

import songscape

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
N_SONGS = 48
WITHOUT_SONGS = {"06_benchmark"}
WITHOUT_PICTURES = WITHOUT_SONGS | {"07_ten_lines"}
MAX_BYTES = 2_000_000
# Absolute paths on Linux, macOS and Windows, and the places of installed code.
MACHINE = re.compile(
    r"""(?<![\w.:/<])/(?:home|root|Users|tmp|var|work|mnt|opt|usr|private)/"""
    r"""|\b[A-Z]:\\\\|site-packages|ipykernel_\d"""
)

each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def assert_clean(notebook: Any) -> None:
    """No errors, nothing on stderr (progress bars, warnings), no path of a machine."""
    assert not [o for o in outputs(notebook) if o.output_type == "error"]
    noise = [o.text for o in outputs(notebook) if o.get("name") == "stderr"]
    assert not noise
    shown = [o.get("text") or o.data for o in outputs(notebook)]
    texts = [s if isinstance(s, str) else json.dumps(s | {"image/png": ""}) for s in shown]
    assert not [text for text in texts if MACHINE.search(text)]


def songscape_names(code: str) -> set[tuple[str, str]]:
    """(module, name) for everything that the code takes from the package."""
    lines = ["" if line.startswith("%") else line for line in code.splitlines()]
    tree = ast.parse("\n".join(lines))
    modules: dict[str, str] = {}
    used: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "songscape":
                    modules[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("songscape"):
            for alias in node.names:
                try:
                    module = f"{node.module}.{alias.name}"
                    importlib.import_module(module)
                except ModuleNotFoundError:
                    used.add((str(node.module), alias.name))
                else:
                    modules[alias.asname or alias.name] = module
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ):
            used.add((modules[node.value.id], node.attr))
    return used


def test_there_is_a_notebook_for_every_step() -> None:
    assert [path.stem[:2] for path in PATHS] == ["01", "02", "03", "04", "05", "06", "07"]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(path.name in readme for path in PATHS)


@each_notebook
def test_outputs_are_committed_and_clean(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    n_pictures = sum("image/png" in output.get("data", {}) for output in outputs(notebook))
    assert n_pictures >= (0 if path.stem in WITHOUT_PICTURES else 2)
    assert outputs(notebook)
    assert_clean(notebook)
    assert not MACHINE.search("\n".join(cell.source for cell in notebook.cells))


def test_notebooks_stay_small() -> None:
    assert sum(path.stat().st_size for path in PATHS) < MAX_BYTES


@each_notebook
def test_notebooks_use_public_names_only(path: Path) -> None:
    code = "\n".join(cell.source for cell in code_cells(nbformat.read(path, as_version=4)))
    used = songscape_names(code)
    needed = {"Benchmark"} if path.stem in WITHOUT_PICTURES else {"load_views", "extract"}
    assert {("songscape", name) for name in needed} & used
    for module, name in used:
        public = name in songscape.__all__ if module == "songscape" else name[0] != "_"
        assert public, f"{module}.{name} is not public"
        assert hasattr(importlib.import_module(module), name)


@each_notebook
def test_prose_quotes_no_measured_figure(path: Path) -> None:
    """A figure in the text would go stale; figures come from cells."""
    notebook = nbformat.read(path, as_version=4)
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert not [text for text in prose if re.search(r"\d\.\d|\d\s?%", text)]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks ü")


@each_notebook
def test_every_cell_runs_on_a_small_collection(path: Path, work: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(path, tmp_path))
    before = copy.read_bytes()
    notebook = load_module(FOLDER / "execute.py").execute(copy, work=work, n_songs=N_SONGS)
    assert copy.read_bytes() == before
    assert all(cell.execution_count for cell in code_cells(notebook))
    assert_clean(notebook)
