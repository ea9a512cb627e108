"""Trials on machines that share no disk: their inputs are sent, and their results sent back."""

from __future__ import annotations

import io
import tarfile
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from songscape.experiment.trials import run_trial
from songscape.results import ResultsFolder, model_stem
from songscape.workers import IsolatingExecutor


def packed(folder: Path, names: Iterable[Path] | None = None) -> bytes:
    """Files below a folder (all, or these) as one archive."""
    buffer = io.BytesIO()
    files = folder.rglob("*") if names is None else names
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(path for path in files if path.is_file()):
            archive.add(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def packed_results(root: Path, model: str, seed: int) -> bytes:
    """What a results folder holds of one model and seed."""
    folder, stem = ResultsFolder(root), model_stem(model, seed)
    model_folder = folder.model(model, seed)
    places = [folder.latents(model, seed), folder.spread(model, seed)]
    places += list(folder.trial(model, seed).parent.glob(f"{stem}.*"))
    places += [*model_folder.rglob("*"), *model_folder.parent.glob(f"{stem}.*")]
    return packed(root, places)


def unpack_results(archive: bytes, root: Path) -> None:
    """Put files where they belong; trials last, as those say that the rest is there."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as stored:
        members = stored.getmembers()
        members.sort(key=lambda m: (m.name.startswith("trials/"), m.name.endswith(".json")))
        stored.extractall(root, members, filter="data")


def run_trial_apart(
    inputs: bytes, results: bytes, model: str, seed: int, *arguments: Any
) -> tuple[float, bytes]:
    """`run_trial` in a process and a folder of its own; returns its seconds and `packed_results`.

    `inputs` is a `packed` folder of `songscape.experiment.trial_inputs`, `results` the
    `packed_results` of what is known of the trial.
    """
    with tempfile.TemporaryDirectory(prefix="songscape-") as place:
        out, given = Path(place, "out"), Path(place, "inputs")
        for folder, archive in ((out, results), (given, inputs)):
            folder.mkdir()
            unpack_results(archive, folder)
        with IsolatingExecutor(1, threading.TIMEOUT_MAX, light=False) as pool:
            task: Sequence[Any] = (str(out), str(given), model, seed, *arguments)
            seconds = float(pool.submit(run_trial, *task).result())
        return seconds, packed_results(out, model, seed)
