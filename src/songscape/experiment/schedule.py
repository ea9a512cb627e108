"""Running the cells of a comparison: in processes of their own, and the right one is blamed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from songscape.experiment.forecast import Announcer, Forecast
from songscape.experiment.trials import CellRun, CellTask, compute_cell, recorded_cell
from songscape.progress import progress_bar

__all__ = ["run_cells"]

PRELOADED = ("songscape.experiment.trials", "songscape.models.vae", "songscape.benchmark.measure")


def run_cells(
    tasks: Sequence[CellTask],
    workers: int,
    *,
    later: Mapping[str, float | None] | None = None,
    announcer: Announcer | None = None,
    compute: Callable[[CellTask], CellRun] = compute_cell,
) -> dict[tuple[str, int], str]:
    """Run every cell, and say now and then how long it still takes.

    Parameters
    ----------
    tasks : sequence of CellTask
        All models of the first seed first, so that every model is timed early.
    workers : int
        Processes.
    later : mapping of stage to seconds
        What follows the cells, for the estimate; None where that is not known.
    announcer : Announcer, optional
    compute : callable (task) -> CellRun
        Must be importable by name: it runs in another process.

    Returns
    -------
    dict of (model, seed) to str
        Cells that raised or whose process died, with the reason.
    """
    crashed: dict[tuple[str, int], str] = {}
    announcer = announcer or Announcer()
    forecast = _forecast(tasks, workers)
    context = _context()
    waiting, alone = list(tasks), False

    def announce() -> None:
        done = f"{len(tasks) - forecast.n_left} of {len(tasks)} cells done"
        announcer.announce(done, forecast.remaining(), later)

    with progress_bar("training and measuring", "cell") as advance:
        announce()
        while waiting:
            batch, broken = waiting[:1] if alone else list(waiting), False
            pool = ProcessPoolExecutor(
                1 if alone else workers, mp_context=context, max_tasks_per_child=1
            )
            futures = {pool.submit(compute, task): task for task in batch}
            try:
                for future in as_completed(futures):
                    task = futures[future]
                    try:
                        run = future.result()
                        if run.ok:
                            forecast.finished(task.name, run.seconds, reused=run.reused)
                        else:
                            forecast.gone(task.name)
                    except BrokenProcessPool:
                        broken = True
                        continue
                    except Exception as error:
                        # Whatever one cell raises is its reason; the others go on.
                        reason = str(error).splitlines() or [""]
                        crashed[task.name] = f"{type(error).__name__}: {reason[0]}"
                        forecast.gone(task.name)
                    waiting.remove(task)
                    advance(len(tasks) - len(waiting), len(tasks))
                    if waiting:
                        announce()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in multiprocessing.active_children():
                    process.terminate()
                raise
            pool.shutdown()
            # A process that dies takes the cells beside it along: only what dies alone is to blame.
            if broken and alone:
                blamed = waiting.pop(0)
                crashed[blamed.name] = "its process died (out of memory?)"
                forecast.gone(blamed.name)
            alone = alone != broken
    return crashed


def _forecast(tasks: Sequence[CellTask], workers: int) -> Forecast:
    """Start from what the cells on disk took."""
    found = {task.name: recorded_cell(task.path) for task in tasks}
    recorded = {
        name: cell.seconds
        for name, cell in found.items()
        if cell is not None and cell.ok and cell.seconds is not None
    }
    kept = {name for name, cell in found.items() if cell is not None and not cell.again}
    return Forecast([task.name for task in tasks], workers, recorded, kept)


def _context() -> multiprocessing.context.BaseContext:
    """A fresh process per cell, so that its peak memory is its own.

    Where there is a fork server the libraries are imported there, once for all cells.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context
