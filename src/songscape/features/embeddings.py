"""Embeddings: what pretrained models on this machine make of lyrics or audio, stored per track.

A model is a package of the registry, whose view has its name, or a folder: `embedding:NAME`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
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
from songscape.features.encoders.sound import encode_file, read_windows
from songscape.features.encoders.text import encode_lyrics
from songscape.features.jobs import Call, Runner, call_of
from songscape.library import LedgerRow, Library, Track

TEXTS_AT_ONCE = 16
TRACKS_AT_ONCE = 64

Task = tuple[Track, Mapping[str, str]]
"""A track, and the recipes of the views that it lacks."""
Found = Generator[tuple[Task, Mapping[str, NDArray[Any]] | str], None, None]
"""What is made of a track (nothing, if there is nothing in it), or why it could not be."""


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


def add_embeddings(library: Library, models: Sequence[Model], runner: Runner) -> None:
    """Let models describe every analysed track that lacks it; what fails is noted in the ledger.

    Packages that hear the same file hear it together. Raises `SongscapeError` if a model or the
    library that runs it does not work.
    """
    together = [m for m in models if m.folder is None and m.modality == "audio"]
    alone = [[model] for model in models if model not in together]
    for group in [together, *alone] if together else alone:
        _add(library, group, runner)


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


def _add(library: Library, group: Sequence[Model], runner: Runner) -> None:
    stored = library.feature_recipes([model.view for model in group])
    todo: list[Task] = []
    for track in library.tracks("analysed"):
        wanted = {model.view: model.recipe(track) for model in group}
        lacking = {v: r for v, r in wanted.items() if r and stored[v].get(track.id) != r}
        if lacking:
            todo.append((track, lacking))
    runner.tell(0, len(todo))
    if not todo:
        return
    failures: list[LedgerRow] = []
    with closing(_described(group[0], todo, runner)) as results:
        for done, ((track, recipes), found) in enumerate(results, 1):
            if isinstance(found, str):
                failures += [LedgerRow(track.id, view, "warning", found) for view in recipes]
            elif found:
                library.add_features(track.id, found, recipes)
            runner.tell(done, len(todo), track.id)
    for model in group:
        library.note(model.view, [row for row in failures if row.stage == model.view])


def _described(model: Model, todo: Sequence[Task], runner: Runner) -> Found:
    folder, is_text = model.folder, model.modality == "text"
    if is_text:
        size = TRACKS_AT_ONCE if folder else TEXTS_AT_ONCE
        batches = [todo[i : i + size] for i in range(0, len(todo), size)]
        if folder is None:
            yield from _read_by_package(model.view, batches, runner)
        else:
            yield from _read_by_folder(model.view, folder, batches)
    elif folder is None:
        for view in {view for _, recipes in todo for view in recipes}:
            ENCODERS[view].check()  # here first, so that a broken package is reported once
        heard = runner.run(todo, lambda task: call_of(task[0], encode_file, list(task[1])))
        for task, analysis in heard:
            yield task, analysis.failure or analysis.features
    else:
        encode, sample_rate = load_audio_encoder(folder.path)
        heard = runner.run(todo, lambda task: call_of(task[0], read_windows, sample_rate))
        for task, analysis in heard:
            if analysis.failure is None:
                vectors = encode(analysis.features["windows"])
                yield task, _kept(model.view, pooled(vectors, [1] * len(vectors)))
            else:
                yield task, analysis.failure


def _read_by_package(view: str, batches: Sequence[Sequence[Task]], runner: Runner) -> Found:
    def call(number: int) -> Call:
        return encode_lyrics, view, [track.lyrics or "" for track, _ in batches[number]]

    for number, analysis in runner.run(range(len(batches)), call, mend=""):
        if analysis.failure is None:
            for task, vector in zip(batches[number], analysis.features["vectors"]):
                yield task, _kept(view, vector)
        elif number == 0:
            raise ENCODERS[view].broken(analysis.failure.removeprefix("SongscapeError: "))
        else:
            yield from ((task, analysis.failure) for task in batches[number])


def _read_by_folder(view: str, folder: FolderModel, batches: Sequence[Sequence[Task]]) -> Found:
    encode = load_text_encoder(folder.path, folder.kind)
    for batch in batches:
        parts = [text_chunks(track.lyrics or "") for track, _ in batch]
        vectors = encode([chunk for chunks in parts for chunk in chunks])
        bounds = np.cumsum([len(chunks) for chunks in parts])[:-1]
        for task, chunks, own in zip(batch, parts, np.split(vectors, bounds)):
            yield task, _kept(view, pooled(own, [len(chunk) for chunk in chunks]))


def _kept(view: str, vector: NDArray[Any] | None) -> Mapping[str, NDArray[Any]]:
    """A vector under its name; nothing where there is none, or one that is not finite."""
    return {} if vector is None or not np.isfinite(vector).all() else {view: vector}


def _is_of_text(recipe: str, text: str | None) -> bool:
    return recipe.partition("/")[2] == _text_hash(text or "")


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
