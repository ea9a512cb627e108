"""Embeddings: what pretrained models on this machine make of lyrics or audio, stored per track.

A model is a package of the registry, whose view has its name, or a folder: `embedding:NAME`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.features.encoders.hub import (
    PREFIX,
    FolderModel,
    find_model,
    load_audio_encoder,
    load_text_encoder,
    pooled,
    text_chunks,
)
from songscape.features.encoders.registry import ENCODERS
from songscape.features.encoders.sound import encode_file
from songscape.features.encoders.text import encode_lyrics
from songscape.features.jobs import Job, executor_broke, run_jobs
from songscape.features.windows import read_windows
from songscape.library import Analysis, LedgerRow, Library, Track
from songscape.workers import (
    TIME_LIMIT_S,
    IsolatingExecutor,
    WorkerError,
    available_cores,
    run_limited,
)

TEXTS_AT_ONCE = 16
TRACKS_AT_ONCE = 64

Array = NDArray[np.floating]
Task = tuple[Track, Mapping[str, str]]
"""A track, and the recipes of the views that it lacks."""
Found = Generator[tuple[Task, Mapping[str, Array] | str], None, None]
"""What is made of a track (nothing, if there is nothing in it), or why it could not be."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Model:
    """A model that is on this machine, and the view that it gives.

    `modality` is audio or text. By the `digest` of its files and of how they are used, vectors of
    another model of that name are computed again.
    """

    view: str
    modality: str
    digest: str
    folder: FolderModel | None = None

    def recipe(self, track: Track) -> str | None:
        """How the track's vectors are made, and of which words; None where it can have none."""
        if self.modality == "audio":
            return None if track.audio is None else self.digest
        return f"{self.digest}/{_text_hash(track.lyrics)}" if track.lyrics else None


def embeddings_of(views: Iterable[str]) -> list[str]:
    """Those of `views` that pretrained models make."""
    return [v for v in dict.fromkeys(views) if v in ENCODERS or v.startswith(PREFIX)]


def find_models(views: Iterable[str]) -> list[Model]:
    """The models that make these views.

    Raises `SongscapeError` if a package is not installed or broken, or a folder is not there or
    holds no model.
    """
    found = []
    for view in embeddings_of(views):
        if view in ENCODERS:
            found.append(Model(view, ENCODERS[view].modality, ENCODERS[view].digest()))
        else:
            folder = find_model(view.removeprefix(PREFIX))
            modality = "audio" if folder.kind == "audio" else "text"
            found.append(Model(view, modality, folder.digest, folder))
    return found


def add_embeddings(
    library: Library,
    models: Sequence[Model],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> None:
    """Let models describe every analysed track that lacks it; what fails is noted in the ledger.

    Packages that hear the same file hear it together. Raises `SongscapeError` if a model or the
    library that runs it does not work.
    """
    together = [m for m in models if m.folder is None and m.modality == "audio"]
    alone = [[model] for model in models if model not in together]
    for group in [together, *alone] if together else alone:
        _add(library, group, workers, progress, executor)


def is_complete(library: Library, view: str) -> bool:
    """Whether every track that can have the embedding has one of its present lyrics or audio."""
    recipes = library.feature_recipes([view])[view]
    if not recipes:
        return False
    tracks = library.tracks("analysed")
    if any("/" in recipe for recipe in recipes.values()):
        return all(_is_of_text(recipes.get(t.id, ""), t.lyrics) for t in tracks if t.lyrics)
    return all(track.id in recipes for track in tracks if track.audio is not None)


def current_tracks(library: Library, view: str, texts: Mapping[str, str | None]) -> dict[str, str]:
    """Tracks (and recipes) whose embedding is not of lyrics that have changed since."""
    return {
        track_id: recipe
        for track_id, recipe in library.feature_recipes([view])[view].items()
        if track_id in texts and ("/" not in recipe or _is_of_text(recipe, texts[track_id]))
    }


def _add(
    library: Library,
    group: Sequence[Model],
    workers: int | None,
    progress: Progress | None,
    executor: Executor | None,
) -> None:
    stored = library.feature_recipes([model.view for model in group])
    todo: list[Task] = []
    for track in library.tracks("analysed"):
        wanted = {model.view: model.recipe(track) for model in group}
        lacking = {v: r for v, r in wanted.items() if r and stored[v].get(track.id) != r}
        if lacking:
            todo.append((track, lacking))
    if progress is not None:
        progress(0, len(todo), "")
    if not todo:
        return
    failures: list[LedgerRow] = []
    with closing(_work(group[0], todo, workers, executor)) as results:
        for done, ((track, recipes), found) in enumerate(results, 1):
            if isinstance(found, str):
                failures += [LedgerRow(track.id, view, "warning", found) for view in recipes]
            elif found:
                library.add_features(track.id, found, recipes)
            if progress is not None:
                progress(done, len(todo), track.id)
    for model in group:
        library.note(model.view, [row for row in failures if row.stage == model.view])


def _work(
    model: Model, todo: Sequence[Task], workers: int | None, executor: Executor | None
) -> Found:
    if model.folder is None:
        if model.modality == "text":
            yield from _package_reads(model.view, todo, workers, executor)
            return
        for view in {view for _, recipes in todo for view in recipes}:
            ENCODERS[view].check()  # here first, so that a broken package is reported once
        views = [[list(recipes)] for _, recipes in todo]
        for task, analysis in _decoded(todo, encode_file, views, workers, executor):
            yield task, analysis.failure or analysis.features
        return
    path = model.folder.path
    if model.modality == "text":
        yield from _folder_reads(model.view, load_text_encoder(path, model.folder.kind), todo)
        return
    encode, sample_rate = load_audio_encoder(path)
    rates = [[sample_rate] for _ in todo]
    for task, analysis in _decoded(todo, read_windows, rates, workers, executor):
        if analysis.failure is None:
            vectors = encode(analysis.features["windows"])
            yield task, _kept(model.view, pooled(vectors, [1] * len(vectors)))
        else:
            yield task, analysis.failure


def _decoded(
    todo: Sequence[Task],
    function: Callable[..., Analysis],
    arguments: Sequence[Sequence[Any]],
    workers: int | None,
    executor: Executor | None,
) -> Generator[tuple[Task, Analysis], None, None]:
    tasks = {task[0].id: task for task in todo}
    jobs = [Job(track, tuple(given)) for (track, _), given in zip(todo, arguments)]
    with closing(run_jobs(jobs, function, workers=workers, executor=executor)) as results:
        for job, analysis in results:
            yield tasks[job.track.id], analysis


def _package_reads(
    view: str, todo: Sequence[Task], workers: int | None, executor: Executor | None
) -> Found:
    batches = [todo[i : i + TEXTS_AT_ONCE] for i in range(0, len(todo), TEXTS_AT_ONCE)]
    texts = [[track.lyrics or "" for track, _ in batch] for batch in batches]
    own = IsolatingExecutor(max(1, min(workers or available_cores(), len(batches))))
    submit: Callable[..., Future[Any]] = own.submit
    if executor is not None:
        submit = partial(executor.submit, partial(run_limited, timeout_s=TIME_LIMIT_S))
    try:
        futures = [submit(encode_lyrics, view, some) for some in texts]
        for number, (batch, future) in enumerate(zip(batches, futures)):
            try:
                vectors = future.result()
            except WorkerError as error:
                if not number:
                    reason = str(error).removeprefix("SongscapeError: ")
                    raise ENCODERS[view].broken(reason) from None
                yield from ((task, str(error)) for task in batch)
                continue
            except BrokenExecutor as error:
                raise executor_broke(error) from None
            for task, vector in zip(batch, vectors):
                yield task, _kept(view, vector)
    finally:
        own.shutdown(cancel_futures=True)


def _folder_reads(view: str, encode: Callable[[list[str]], Any], todo: Sequence[Task]) -> Found:
    for start in range(0, len(todo), TRACKS_AT_ONCE):
        batch = todo[start : start + TRACKS_AT_ONCE]
        parts = [text_chunks(track.lyrics or "") for track, _ in batch]
        vectors = encode([chunk for chunks in parts for chunk in chunks])
        at = 0
        for task, chunks in zip(batch, parts):
            own, at = vectors[at : at + len(chunks)], at + len(chunks)
            yield task, _kept(view, pooled(own, [len(chunk) for chunk in chunks]))


def _kept(view: str, vector: Array | None) -> Mapping[str, Array]:
    """A vector under its name; nothing where there is none, or one that is not finite."""
    return {} if vector is None or not np.isfinite(vector).all() else {view: vector}


def _is_of_text(recipe: str, text: str | None) -> bool:
    return recipe.partition("/")[2] == _text_hash(text or "")


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
