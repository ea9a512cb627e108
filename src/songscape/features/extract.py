"""Collection -> features in the library -> views: runs the workers, writes, and reads back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, UsageError
from songscape.features.analyse import (
    CORE,
    EVERY_PASS,
    MAX_FRAMES,
    RECIPES,
    Analysis,
    analyse_file,
)
from songscape.features.embeddings import (
    PREFIX,
    add_embedding,
    embedding_names,
    find_model,
    is_complete,
    without_stale_texts,
)
from songscape.features.jobs import Job, available_cores, run_jobs
from songscape.features.views import View, Views
from songscape.library import Counts, Library, Track

if TYPE_CHECKING:
    from songscape.ingest.scan import Collection

__all__ = [
    "DEFAULT_VIEWS",
    "VIEW_NAMES",
    "available_cores",
    "check_view_names",
    "complete",
    "extract",
    "load_views",
]

DEFAULT_VIEWS = (*CORE, "lyrics")
TEXT_VIEWS = ("lyrics", "lyrics-counts", "chars")
VIEW_NAMES = (*RECIPES, *TEXT_VIEWS)

Progress = Callable[[int, int, str], None]


def extract(
    library: Library,
    collection: Collection,
    *,
    views: Iterable[str] = (),
    workers: int | None = None,
    timeout_s: float = 120.0,
    progress: Progress | None = None,
    executor: Executor | None = None,
    function: Callable[..., Analysis] = analyse_file,
) -> Counts:
    """Bring the library up to date with a collection: analyse every track that is missing.

    A track is missing when its file's size or modification time changed, when features are made
    differently now (recipe), or when it failed before: a failure may be mended by installing a
    decoder, and costs little to meet again. Of a track that is there but lacks one of `views`,
    only that is computed. Every track is committed as it comes, so an interrupted run goes on
    where it was.

    Parameters
    ----------
    library : Library
    collection : Collection
    views : iterable of str
        Views that will be asked for besides `timbre`, `mfcc`, `segments` and `lyrics`;
        `embedding:NAME` for a model in the folder NAME or of that name in the hub cache.
    workers : int, optional
        Worker processes; by default one per available core.
    timeout_s : float
        Longest time for one track.
    progress : callable, optional
        Called with (done, total, track id) after each track, and once with (0, total, "").
    executor : concurrent.futures.Executor, optional
        Where to run instead; it must have the files at the same paths.
    function : callable
        What to run on a path and a list of features.

    Returns
    -------
    Counts

    Raises
    ------
    SongscapeError
        If workers cannot be started at all, or the model of an embedding is not on this machine.
    """
    views = tuple(views)
    embeddings = [find_model(name) for name in embedding_names(views)]
    library.update(collection)
    todo = list(_missing(library, collection.tracks, from_audio(views)))
    library.forget_outcomes(job.track.id for job in todo if job.whole)
    _work(library, todo, workers, timeout_s, progress, executor, function)
    for model in embeddings:
        add_embedding(library, model, workers=workers, progress=progress, executor=executor)
    return library.counts()


def complete(
    library: Library,
    views: Iterable[str],
    *,
    workers: int | None = None,
    timeout_s: float = 120.0,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> None:
    """Compute what analysed tracks lack of `views`, without looking at the collection again.

    Tracks whose file is gone or changed since are left as they are, and so are embeddings that
    were computed before where their model was changed or is not on this machine.

    Raises
    ------
    SongscapeError
        If workers cannot be started at all, or the model of an embedding is not on this machine.
    """
    views = tuple(views)
    names = [name for name in from_audio(views) if name not in CORE]
    made = library.feature_recipes(names)
    analysed = library.track_ids("analysed")
    lacking = {i for i in analysed for name in names if made[name].get(i) != RECIPES[name]}
    if lacking:
        # Files are only looked at where there is something to do: they may lie on a slow disk.
        tracks = [track for track in library.tracks("analysed") if track.id in lacking]
        todo = [job for job in _missing(library, tracks, names) if not job.whole]
        _work(library, todo, workers, timeout_s, progress, executor, analyse_file)
    for name in embedding_names(views):
        if is_complete(library, PREFIX + name):
            continue
        try:
            model = find_model(name)
        except SongscapeError:
            if not library.features(PREFIX + name):
                raise
        else:
            add_embedding(library, model, workers=workers, progress=progress, executor=executor)


def check_view_names(names: Iterable[str]) -> None:
    """Raise `UsageError` for the first that is no view."""
    for name in names:
        if name not in VIEW_NAMES and not name.startswith(PREFIX):
            raise UsageError(
                f"no view {name!r}; there are {', '.join(VIEW_NAMES)} and {PREFIX}NAME"
            )


def from_audio(views: Iterable[str]) -> tuple[str, ...]:
    """Those of `views` that are computed from audio, in the order of the table."""
    wanted = set(views)
    return tuple(name for name in RECIPES if name in wanted)


def _work(
    library: Library,
    todo: Sequence[Job],
    workers: int | None,
    timeout_s: float,
    progress: Progress | None,
    executor: Executor | None,
    function: Callable[..., Analysis],
) -> None:
    if progress is not None:
        progress(0, len(todo), "")
    if not todo:
        return
    results = run_jobs(todo, function, workers=workers, timeout_s=timeout_s, executor=executor)
    with closing(results):
        for done, (job, analysis) in enumerate(results, 1):
            _store(library, job, analysis)
            if progress is not None:
                progress(done, len(todo), job.track.id)


def _store(library: Library, job: Job, analysis: Analysis) -> None:
    if job.whole or analysis.failure is not None:
        size, mtime_ns = job.fingerprint
        library.store(
            job.track.id,
            analysis,
            size=size,
            mtime_ns=mtime_ns,
            recipe=RECIPES["timbre"],
            recipes=RECIPES,
        )
    else:
        library.add_features(job.track.id, analysis.features, RECIPES)


def _missing(library: Library, tracks: Sequence[Track], wanted: Sequence[str]) -> Iterator[Job]:
    known = library.fingerprints()
    recipes = library.feature_recipes(wanted)
    everything = tuple(name for name in RECIPES if name in (*EVERY_PASS, *wanted))
    for track in tracks:
        if track.audio is None:
            continue
        try:
            status = os.stat(track.audio)
            fingerprint = (status.st_size, status.st_mtime_ns)
        except OSError:
            fingerprint = (-1, -1)  # gone since the scan: the worker will say why
        if known.get(track.id) != ("ok", *fingerprint, RECIPES["timbre"]):
            yield Job(track, (everything,), fingerprint, whole=True)
            continue
        absent = tuple(n for n in wanted if recipes[n].get(track.id) != RECIPES[n])
        if absent:
            yield Job(track, (absent,), fingerprint)


def load_views(
    library: Library,
    names: Sequence[str] = DEFAULT_VIEWS,
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
        mask, `rhythm` (n, 160), `harmony` (n, 89), `mel` (n, 10, 128) with
        mask, `lyrics` (n, up to max_words), `lyrics-counts` (the same words, counted) and `chars`
        (character n-grams), all three sparse; `embedding:NAME` (n, d), rows of unit length.
    max_words : int
        Largest vocabulary of a view of the lyrics.
    max_frames : int
        Frames of `mfcc` to keep, up to 300 (7.0 s).

    Raises
    ------
    UsageError
        For a name that is no view, or more frames than are stored.
    SongscapeError
        If no track was analysed, or a view was never computed for this library.
    """
    check_view_names(names)
    if not 1 <= max_frames <= MAX_FRAMES:
        raise UsageError(f"max_frames is {max_frames}; the library stores up to {MAX_FRAMES}")
    tracks = library.tracks("analysed")
    if not tracks:
        raise SongscapeError(f"{library.path}: no analysed tracks; see its ledger for the reasons")
    ids = tuple(track.id for track in tracks)
    blocks: dict[str, View] = {}
    for name in names:
        if name in TEXT_VIEWS:
            blocks[name] = _text_view(name, [track.lyrics for track in tracks], max_words)
        else:
            stored = library.features(name)
            if not stored:
                raise SongscapeError(
                    f"{library.path}: the view {name!r} was not computed for this library; "
                    f"call extract(library, collection, views=[{name!r}])"
                )
            if name.startswith(PREFIX):
                stored = without_stale_texts(library, name, stored, tracks)
            rows = [stored.get(track_id) for track_id in ids]
            blocks[name] = _READERS.get(name, _dense)(rows, max_frames)
    return Views(ids, blocks)


def _text_view(name: str, texts: Sequence[str | None], max_words: int) -> View:
    from songscape.features import text

    if name == "chars":
        return text.chars_view(texts, max_ngrams=max_words)
    make = text.counts_view if name == "lyrics-counts" else text.lyrics_view
    return make(texts, max_words=max_words)


Stored = Sequence[NDArray[Any] | None]


def _dense(rows: Stored, _: int) -> View:
    values = np.zeros((len(rows), *_shape(rows)), np.float32)
    for position, row in enumerate(rows):
        if row is not None:
            values[position] = row
    return View(values, _present(rows))


def _mfcc(rows: Stored, max_frames: int) -> View:
    n_mfcc = _shape(rows)[0]
    values = np.zeros((len(rows), n_mfcc, max_frames), np.float32)
    mask = np.zeros((len(rows), max_frames), bool)
    for position, row in enumerate(rows):
        if row is not None:
            n_frames = min(row.shape[1], max_frames)
            values[position, :, :n_frames] = row[:, :n_frames]
            mask[position, :n_frames] = True
    return View(values, _present(rows), mask=mask, step_axis=2)


def _segments(rows: Stored, max_frames: int) -> View:
    view = _dense(rows, max_frames)
    return replace(view, mask=np.repeat(view.present[:, None], view.shape[1], axis=1))


def _shape(rows: Stored) -> tuple[int, ...]:
    return next(row.shape for row in rows if row is not None)


def _present(rows: Stored) -> NDArray[np.bool_]:
    return np.array([row is not None for row in rows], bool)


_READERS: dict[str, Callable[[Stored, int], View]] = {
    "mfcc": _mfcc,
    "segments": _segments,
    "mel": _segments,
}
