"""Runs trials in worker processes, or on an executor of the caller.

Where machines share no disk, inputs of trials are sent, and their results sent back.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from pathlib import Path
from typing import Any

from songscape.dask_cluster import Cluster
from songscape.errors import first_line
from songscape.experiment.fit import ModelFit
from songscape.experiment.trials import run_trial
from songscape.progress import TimeLeft, progress_bar
from songscape.results import ResultsFolder
from songscape.workers import IsolatingExecutor, WorkerError


def run_trials(
    tasks: Mapping[tuple[str, int], Sequence[Any]], workers: int, executor: Executor | None = None
) -> dict[tuple[str, int], str]:
    """Run every trial, and say now and then how long it still takes.

    `tasks` are the arguments of `run_trial`, all models of the first seed first, so that every
    model is timed early; each uses one core. Workers of an executor must be processes: training
    seeds the generators of its process. Returns the reasons of trials that raised or whose process
    died.
    """
    crashed: dict[tuple[str, int], str] = {}
    left = TimeLeft([model for model, _ in tasks], workers)
    own = IsolatingExecutor(min(workers, len(tasks)), threading.TIMEOUT_MAX, light=False)
    send = _submit if not isinstance(executor, Cluster) else _Apart(tasks, executor)
    with progress_bar("training and measuring", "model") as advance, own:
        futures = {send(executor or own, given): name for name, given in tasks.items()}
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                name, seconds = futures[future], 0.0
                try:
                    seconds = future.result()
                    if isinstance(seconds, tuple):
                        seconds, results = seconds
                        unpack_results(results, Path(tasks[name][0]))
                except WorkerError as error:
                    crashed[name] = first_line(error)
                except Exception as error:
                    crashed[name] = f"{type(error).__name__}: {first_line(error)}"
                left.done(name[0], seconds)
                advance(done, len(tasks))
        finally:
            for future in futures:
                future.cancel()
    return crashed


class _Apart:
    """Sends trials with all that they read; the inputs, which all of them read, once."""

    def __init__(self, tasks: Mapping[Any, Sequence[Any]], cluster: Cluster) -> None:
        folders = dict.fromkeys(given[1] for given in tasks.values())
        self._inputs = {folder: cluster.share(packed(Path(folder))) for folder in folders}

    def __call__(self, pool: Executor, given: Sequence[Any]) -> Future[Any]:
        out, inputs, training, *others = given
        known = packed_results(Path(out), training)
        return pool.submit(run_trial_apart, self._inputs[inputs], known, training, *others)


def _submit(pool: Executor, given: Sequence[Any]) -> Future[Any]:
    """An executor that broke takes nothing more: then the future has failed already."""
    try:
        return pool.submit(run_trial, *given)
    except BrokenExecutor as error:
        future: Future[float] = Future()
        future.set_exception(error)
        return future


def packed(folder: Path, names: Iterable[Path] | None = None) -> bytes:
    """Files below a folder (all, or these) as one archive."""
    buffer = io.BytesIO()
    files = folder.rglob("*") if names is None else names
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(path for path in files if path.is_file()):
            archive.add(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def packed_results(root: Path, training: ModelFit) -> bytes:
    """What a results folder holds of one model and seed."""
    folder, name = ResultsFolder(root), (training.model, training.seed)
    places = [folder.latents(*name), folder.spread(*name), folder.trial(*name)]
    return packed(root, [*places, *folder.model(*name).rglob("*")])


def unpack_results(archive: bytes, root: Path) -> None:
    """Put files where they belong; trials last, as those say that the rest is there."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as stored:
        members = sorted(stored.getmembers(), key=lambda m: m.name.startswith("trials/"))
        stored.extractall(root, members, filter="data")


def run_trial_apart(
    inputs: bytes, results: bytes, training: ModelFit, *arguments: Any
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
            task: Sequence[Any] = (str(out), str(given), training, *arguments)
            seconds = float(pool.submit(run_trial, *task).result())
        return seconds, packed_results(out, training)
