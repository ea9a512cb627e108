"""Collection -> features in the library -> views: runs the workers, writes, and reads back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, UsageError
from songscape.features.analyse import MAX_FRAMES, RECIPE, Analysis, analyse_file
from songscape.features.executor import IsolatingExecutor, WorkerCrash, WorkerTimeout
from songscape.features.views import View, Views
from songscape.library import Counts, Library, Track

if TYPE_CHECKING:
    from songscape.ingest.scan import Collection

__all__ = ["VIEW_NAMES", "extract", "load_views"]

VIEW_NAMES = ("timbre", "mfcc", "segments", "lyrics")
_QUEUE_PER_WORKER = 4

Progress = Callable[[int, int, str], None]


def extract(
    library: Library,
    collection: Collection,
    *,
    workers: int | None = None,
    timeout_s: float = 120.0,
    progress: Progress | None = None,
    executor: Executor | None = None,
    function: Callable[[str], Analysis] = analyse_file,
) -> Counts:
    """Bring the library up to date with a collection: analyse every track that is missing.

    A track is missing when its file's size or modification time changed, when features are made
    differently now (recipe), or when it failed before: a failure may be mended by installing a
    decoder, and costs little to meet again. Every track is committed as it comes, so an
    interrupted run goes on where it was.

    Parameters
    ----------
    library : Library
    collection : Collection
    workers : int, optional
        Worker processes; by default one per available core.
    timeout_s : float
        Longest time for one track.
    progress : callable, optional
        Called with (done, total, track id) after each track, and once with (0, total, "").
    executor : concurrent.futures.Executor, optional
        Where to run instead; it must have the files at the same paths.
    function : callable
        What to run on a path.

    Returns
    -------
    Counts

    Raises
    ------
    SongscapeError
        If workers cannot be started at all.
    """
    library.update(collection)
    todo = list(_missing(library, collection.tracks))
    library.forget_outcomes(track.id for track, _ in todo)
    if progress is not None:
        progress(0, len(todo), "")
    if not todo:
        return library.counts()
    count = max(1, min(workers or available_cores(), len(todo)))
    pool = executor or IsolatingExecutor(count, timeout_s)
    try:
        results = _run(pool, function, todo, count * _QUEUE_PER_WORKER)
        for done, (track, (size, mtime_ns), analysis) in enumerate(results, 1):
            library.store(track.id, analysis, size=size, mtime_ns=mtime_ns, recipe=RECIPE)
            if progress is not None:
                progress(done, len(todo), track.id)
    except BaseException:
        if executor is None:
            pool.shutdown(wait=True, cancel_futures=True)
        raise
    if executor is None:
        pool.shutdown()
    return library.counts()


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


Job = tuple[Track, tuple[int, int]]


def _missing(library: Library, tracks: Sequence[Track]) -> Iterator[Job]:
    known = library.fingerprints()
    for track in tracks:
        if track.audio is None:
            continue
        try:
            status = os.stat(track.audio)
            fingerprint = (status.st_size, status.st_mtime_ns)
        except OSError:
            fingerprint = (-1, -1)  # gone since the scan: the worker will say why
        if known.get(track.id) != ("ok", *fingerprint, RECIPE):
            yield track, fingerprint


def _run(
    pool: Executor, function: Callable[[str], Analysis], jobs: Sequence[Job], at_once: int
) -> Iterator[tuple[Track, tuple[int, int], Analysis]]:
    """Results as they come, with only a few tasks queued, so that memory stays small."""
    queue = iter(jobs)
    running: dict[Future[Analysis], Job] = {}
    while True:
        for job in queue:
            running[pool.submit(function, os.fspath(_path(job[0])))] = job
            if len(running) >= at_once:
                break
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            track, fingerprint = running.pop(future)
            yield track, fingerprint, _outcome(future)


def _outcome(future: Future[Analysis]) -> Analysis:
    try:
        return future.result()
    except (WorkerCrash, WorkerTimeout) as error:
        return Analysis(failure=str(error))
    except SongscapeError:
        raise
    except Exception as error:
        return Analysis(failure=f"{type(error).__name__}: {error}")


def _path(track: Track) -> Path:
    assert track.audio is not None
    return track.audio


def load_views(
    library: Library,
    names: Sequence[str] = VIEW_NAMES,
    *,
    max_words: int = 5000,
    max_frames: int = MAX_FRAMES,
) -> Views:
    """The views of all analysed tracks, sorted by id.

    Parameters
    ----------
    library : Library
    names : sequence of str
        Of `timbre` (n, 160), `mfcc` (n, 40, max_frames) with mask, `segments` (n, 10, 120) with
        mask, `lyrics` (n, up to max_words) sparse.
    max_words : int
        Largest vocabulary of `lyrics`.
    max_frames : int
        Frames of `mfcc` to keep, up to 300 (7.0 s).

    Raises
    ------
    UsageError
        For a name that is no view, or more frames than are stored.
    SongscapeError
        If no track was analysed.
    """
    unknown = [name for name in names if name not in VIEW_NAMES]
    if unknown:
        raise UsageError(f"no view {unknown[0]!r}; there are {', '.join(VIEW_NAMES)}")
    if not 1 <= max_frames <= MAX_FRAMES:
        raise UsageError(f"max_frames is {max_frames}; the library stores up to {MAX_FRAMES}")
    tracks = library.tracks("analysed")
    if not tracks:
        raise SongscapeError(f"{library.path}: no analysed tracks; see its ledger for the reasons")
    ids = tuple(track.id for track in tracks)
    blocks: dict[str, View] = {}
    for name in names:
        if name == "lyrics":
            from songscape.features.text import lyrics_view

            blocks[name] = lyrics_view([track.lyrics for track in tracks], max_words=max_words)
        else:
            stored = library.features(name)
            blocks[name] = _DENSE[name]([stored.get(track_id) for track_id in ids], max_frames)
    return Views(ids, blocks)


Stored = Sequence[NDArray[Any] | None]


def _timbre(rows: Stored, _: int) -> View:
    width = next((len(row) for row in rows if row is not None), 160)
    values = np.zeros((len(rows), width), np.float32)
    for position, row in enumerate(rows):
        if row is not None:
            values[position] = row
    return View(values, _present(rows))


def _mfcc(rows: Stored, max_frames: int) -> View:
    n_mfcc = next((len(row) for row in rows if row is not None), 40)
    values = np.zeros((len(rows), n_mfcc, max_frames), np.float32)
    mask = np.zeros((len(rows), max_frames), bool)
    for position, row in enumerate(rows):
        if row is not None:
            n_frames = min(row.shape[1], max_frames)
            values[position, :, :n_frames] = row[:, :n_frames]
            mask[position, :n_frames] = True
    return View(values, _present(rows), mask=mask, step_axis=2)


def _segments(rows: Stored, _: int) -> View:
    shape = next((row.shape for row in rows if row is not None), (10, 120))
    values = np.zeros((len(rows), *shape), np.float32)
    for position, row in enumerate(rows):
        if row is not None:
            values[position] = row
    present = _present(rows)
    return View(values, present, mask=np.repeat(present[:, None], shape[0], axis=1), step_axis=1)


def _present(rows: Stored) -> NDArray[np.bool_]:
    return np.array([row is not None for row in rows], bool)


_DENSE: dict[str, Callable[[Stored, int], View]] = {
    "timbre": _timbre,
    "mfcc": _mfcc,
    "segments": _segments,
}
