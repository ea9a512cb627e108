"""Embeddings: what a pretrained model on this machine makes of lyrics or audio, per track.

Nothing is ever downloaded: a model is a folder, or lies in the Hugging Face cache already.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.jobs import Job, run_jobs
from songscape.features.windows import read_windows
from songscape.library import LedgerRow, Library, Track

__all__ = [
    "PREFIX",
    "EmbeddingModel",
    "add_embedding",
    "current_tracks",
    "embedding_names",
    "find_model",
    "is_complete",
]

PREFIX = "embedding:"
VERSION = 1
CHUNK_CHARACTERS = 400
"""Lyrics are read in parts of whole lines: most models see the first 128 to 512 tokens only."""
TRACKS_AT_ONCE = 64
_PLAIN = (".json", ".txt", ".model", ".py", ".vocab")
_WEIGHTS = (".safetensors", ".bin")

Array = NDArray[np.float32]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class EmbeddingModel:
    """A pretrained model in a folder; `name` is as it was asked for: a folder, or in the hub cache.

    `kind` is model2vec, sentence-transformers or audio. By the `digest` of its files an embedding
    of another model of that name is made anew.
    """

    name: str
    path: Path
    kind: str
    digest: str

    @property
    def view(self) -> str:
        return PREFIX + self.name


def embedding_names(views: Iterable[str]) -> list[str]:
    """NAME of every `embedding:NAME` among `views`."""
    return [view.removeprefix(PREFIX) for view in dict.fromkeys(views) if view.startswith(PREFIX)]


def find_model(name: str) -> EmbeddingModel:
    """The model in the folder `name`, or of that name in the Hugging Face cache.

    Raises `SongscapeError` if there is none, or the folder holds no text or audio encoder.
    """
    if not name.strip():
        raise SongscapeError(f"{PREFIX} without a name; say which model: {PREFIX}FOLDER_OR_NAME")
    folder = Path(name).expanduser()
    path = folder if folder.is_dir() else _cached(name)
    config, modules = _json(path / "config.json"), _json(path / "modules.json")
    types = [str(m.get("type", "")) for m in modules] if isinstance(modules, list) else []
    if config.get("model_type") == "model2vec" or any(t.endswith("StaticEmbedding") for t in types):
        kind = "model2vec"
    elif types:
        kind = "sentence-transformers"
    elif "feature_extractor_type" in _json(path / "preprocessor_config.json") or (
        "feature_extractor" in _json(path / "processor_config.json")
    ):
        kind = "audio"
    elif config and any((path / f).exists() for f in ("tokenizer.json", "vocab.txt")):
        kind = "sentence-transformers"
    else:
        raise SongscapeError(
            f"{PREFIX}{name}: {path} holds neither a text model (model2vec, sentence-transformers) "
            "nor an audio encoder of transformers with its preprocessor_config.json"
        )
    return EmbeddingModel(name, path, kind, _digest(path))


def add_embedding(
    library: Library,
    model: EmbeddingModel,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> None:
    """Embed every analysed track that lacks it; an audio file that fails is noted in the ledger.

    Raises `SongscapeError` if the library that runs the model is not installed, or can't load it.
    """
    stored = library.feature_recipes([model.view])[model.view]
    tracks = library.tracks("analysed")
    failures: list[LedgerRow] = []
    if model.kind == "audio":
        todo = [t for t in tracks if t.audio is not None and stored.get(t.id) != _recipe(model)]
        found = _embed_audio(model, todo, workers, executor, failures)
    else:
        todo = [t for t in tracks if t.lyrics and stored.get(t.id) != _recipe(model, t.lyrics)]
        found = _embed_texts(model, todo)
    if progress is not None:
        progress(0, len(todo), "")
    if not todo:
        return
    with closing(found):
        for done, (track, vector) in enumerate(found, 1):
            if vector is not None:
                text = None if model.kind == "audio" else track.lyrics
                recipes = {model.view: _recipe(model, text)}
                library.add_features(track.id, {model.view: vector}, recipes)
            if progress is not None:
                progress(done, len(todo), track.id)
    library.note(model.view, failures)


def is_complete(library: Library, view: str) -> bool:
    """Whether every track that can have the embedding has one of its present lyrics or audio."""
    recipes = library.feature_recipes([view])[view]
    if not recipes:
        return False
    tracks = library.tracks("analysed")
    if any("/" in recipe for recipe in recipes.values()):
        return all(_is_of_text(recipes.get(t.id, ""), t.lyrics) for t in tracks if t.lyrics)
    return all(track.id in recipes for track in tracks if track.audio is not None)


def _is_of_text(recipe: str, text: str | None) -> bool:
    return recipe.partition("/")[2] == _text_hash(text or "")


def current_tracks(library: Library, view: str, texts: Mapping[str, str | None]) -> dict[str, str]:
    """Tracks (and recipes) whose embedding is not of lyrics that have changed since."""
    return {
        track_id: recipe
        for track_id, recipe in library.feature_recipes([view])[view].items()
        if track_id in texts and ("/" not in recipe or _is_of_text(recipe, texts[track_id]))
    }


def _recipe(model: EmbeddingModel, text: str | None = None) -> str:
    return model.digest if text is None else f"{model.digest}/{_text_hash(text)}"


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _embed_texts(
    model: EmbeddingModel, tracks: Sequence[Track]
) -> Generator[tuple[Track, Array | None], None, None]:
    from songscape.features.encoders.hub import load_text_encoder

    encode = load_text_encoder(model.path, model.kind)
    for start in range(0, len(tracks), TRACKS_AT_ONCE):
        batch = tracks[start : start + TRACKS_AT_ONCE]
        parts = [text_chunks(track.lyrics or "") for track in batch]
        vectors = encode([chunk for chunks in parts for chunk in chunks])
        at = 0
        for track, chunks in zip(batch, parts):
            own, at = vectors[at : at + len(chunks)], at + len(chunks)
            yield track, pooled(own, [len(chunk) for chunk in chunks])


def _embed_audio(
    model: EmbeddingModel,
    tracks: Sequence[Track],
    workers: int | None,
    executor: Executor | None,
    failures: list[LedgerRow],
) -> Generator[tuple[Track, Array | None], None, None]:
    from songscape.features.encoders.hub import load_audio_encoder

    encode, sample_rate = load_audio_encoder(model.path)
    jobs = [Job(track, (sample_rate,)) for track in tracks]
    with closing(run_jobs(jobs, read_windows, workers=workers, executor=executor)) as results:
        for job, analysis in results:
            if analysis.failure is not None:
                failures.append(LedgerRow(job.track.id, model.view, "warning", analysis.failure))
                yield job.track, None
                continue
            vectors = encode(analysis.features["windows"])
            yield job.track, pooled(vectors, [1] * len(vectors))


def text_chunks(text: str) -> list[str]:
    """Lyrics in parts of whole lines of about 400 characters; blank lines are left out."""
    chunks: list[str] = []
    for line in (line.strip() for line in text.splitlines()):
        if chunks and len(chunks[-1]) + len(line) < CHUNK_CHARACTERS:
            chunks[-1] += f"\n{line}" if line else ""
        elif line:
            chunks.append(line)
    return chunks


def pooled(vectors: Array, weights: Sequence[float]) -> Array | None:
    """Weighted mean of unit vectors, of unit length; None where nothing is left of it."""
    if not len(vectors) or not np.isfinite(vectors).all():
        return None
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = np.average(vectors / np.maximum(lengths, 1e-12), axis=0, weights=weights)
    length = float(np.linalg.norm(mean))
    return None if length < 1e-6 else np.asarray(mean / length, np.float32)


def _cached(name: str) -> Path:
    try:
        from huggingface_hub import constants, snapshot_download
    except ImportError:
        raise SongscapeError(
            f"{PREFIX}{name}: no such folder, and the Hugging Face cache cannot be read without "
            'huggingface_hub; install it with pip install "songscape[embeddings]"'
        ) from None
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError):  # not cached or not readable; no valid name
        raise SongscapeError(
            f"{PREFIX}{name}: no such folder, and not in the Hugging Face cache "
            f"({constants.HF_HUB_CACHE}); give a folder, or download it first: hf download {name}"
        ) from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _digest(path: Path) -> str:
    """Hash of the files that make the model: its configuration, vocabulary and weights."""
    files = sorted(f for f in path.rglob("*") if f.suffix in (*_PLAIN, *_WEIGHTS) and f.is_file())
    if any(f.suffix == ".safetensors" for f in files):
        files = [f for f in files if f.suffix != ".bin"]
    hasher = hashlib.sha256(f"{VERSION} {CHUNK_CHARACTERS}".encode())
    for file in files:
        hasher.update(f"\0{file.relative_to(path).as_posix()}\0".encode())
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: hasher)
    return hasher.hexdigest()[:16]
