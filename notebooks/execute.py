"""Executes the notebooks in place on a demo collection, with the interpreter that runs this file.

python notebooks/execute.py            executes all and keeps their outputs
python notebooks/execute.py --check    executes all and writes no notebook
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / "build" / "notebooks"
N_SONGS = 96
CELL_TIMEOUT_S = 600
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Where IPython says a warning came from: a temporary file of the kernel, new in every run.
_WARNING_PLACE = re.compile(r"^\S*ipykernel_\d+\S*:\d+: ", re.MULTILINE)


class ThisPython(KernelSpecManager):
    """The one kernel: ipykernel in the running interpreter, whatever kernels are registered."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name=kernel_name, language="python")


def notebook_paths() -> list[Path]:
    """All notebooks of this folder in their order."""
    return sorted(HERE.glob("[0-9]*.ipynb"))


def execute(
    path: Path, *, work: Path = WORK, n_songs: int = N_SONGS
) -> nbformat.notebooknode.NotebookNode:
    """Run every cell of one notebook in a fresh kernel; its file stays as it is.

    Parameters
    ----------
    path : Path
        The notebook; its cells run in `notebooks/`, so that their relative paths hold.
    work : Path
        Folder for the demo collection and its library, shared by the notebooks.
    n_songs : int
        Size of the demo collection.

    Returns
    -------
    NotebookNode
        With its outputs, without anything that differs between two runs or machines.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {
            "SONGSCAPE_NOTEBOOKS": str(work.resolve()),
            "SONGSCAPE_NOTEBOOKS_SONGS": str(n_songs),
            # A start-up profile of the user's must not change what the cells do.
            "IPYTHONDIR": str(Path(scratch) / "ipython"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            # Figures and the last digits depend on the number of threads.
            "OMP_NUM_THREADS": "1",
        }
        manager = AsyncKernelManager(
            kernel_spec_manager=ThisPython(),
            connection_file=str(Path(scratch) / "kernel.json"),
        )
        if os.name == "posix":
            # Sockets in the scratch folder, which nobody else may enter, and not open ports.
            manager.transport = "ipc"
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=CELL_TIMEOUT_S,
            record_timing=False,
            resources={"metadata": {"path": str(HERE)}},
        )
        client.execute(env=environment, cleanup_kc=True)
    return cleaned(notebook)


def cleaned(notebook: nbformat.notebooknode.NotebookNode) -> nbformat.notebooknode.NotebookNode:
    """Drop what tells of the machine or the moment: versions, timings, places of warnings."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = _WARNING_PLACE.sub("", output.text)
    return notebook


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute all notebooks, or those named; 0 if every cell ran."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of this folder")
    parser.add_argument("--check", action="store_true", help="execute, but write no notebook")
    parser.add_argument(
        "--work", type=Path, default=WORK, help="folder for the demo collection (build/notebooks)"
    )
    parser.add_argument("--songs", type=int, default=N_SONGS, help=f"its size ({N_SONGS})")
    options = parser.parse_args(arguments)
    for path in options.notebooks or notebook_paths():
        print(f"executing {path.name}", file=sys.stderr)
        try:
            notebook = execute(path, work=options.work, n_songs=options.songs)
        except CellExecutionError as error:
            print(f"{path.name}: a cell failed\n{error}", file=sys.stderr)
            return 1
        if not options.check:
            nbformat.write(notebook, path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
