"""Encoders in a folder, or in the Hugging Face cache: text and audio models as functions.

Nothing is ever downloaded. Weights come from safetensors, or from PyTorch files that transformers
reads without unpickling code. Code that a model's folder brings along is run only where the user
says so.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, first_line

PREFIX = "embedding:"
VERSION = 1
CHUNK_CHARACTERS = 400
"""Lyrics are read in parts of whole lines: most models see the first 128 to 512 tokens only."""
_PLAIN = (".json", ".txt", ".model", ".py", ".vocab")
_WEIGHTS = (".safetensors", ".bin")

TRUST = "SONGSCAPE_TRUST_MODEL_CODE"
BATCH = 8

Array = NDArray[np.float32]


@dataclass(frozen=True)
class FolderModel:
    """A pretrained model: model2vec, sentence-transformers or audio; `digest` is of its files."""

    path: Path
    kind: str
    digest: str


def find_model(name: str) -> FolderModel:
    """The model in the folder `name`, or of that name in the Hugging Face cache.

    Raises `SongscapeError` if there is none, or the folder holds no text or audio encoder.
    """
    if not name.strip():
        raise SongscapeError(f"{PREFIX} without a name; say which model: {PREFIX}FOLDER_OR_NAME")
    folder = Path(name).expanduser()
    path = folder if folder.is_dir() else _cached(name)
    config, modules = _json(path / "config.json"), _json(path / "modules.json")
    config = config if isinstance(config, dict) else {}
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
    return FolderModel(path, kind, _digest(path))


def load_text_encoder(path: Path, kind: str) -> Callable[[Sequence[str]], Array]:
    """A function from texts to vectors (n_texts, d): model2vec or sentence-transformers.

    Raises `SongscapeError` if that package is missing, or cannot load the folder.
    """
    if kind == "model2vec":
        package = _import("model2vec")
        with _loading(path):
            static = package.StaticModel.from_pretrained(str(path))
        return lambda texts: np.asarray(static.encode(list(texts)), np.float32)
    package, options = _import("sentence_transformers"), _transformers_options(path)
    with _loading(path):
        model = package.SentenceTransformer(str(path), **options)
    encode = partial(model.encode, convert_to_numpy=True, show_progress_bar=False)
    return lambda texts: np.asarray(encode(list(texts)), np.float32)


def load_audio_encoder(path: Path) -> tuple[Callable[[Array], Array], int]:
    """A function from windows of samples (n, size) to vectors (n, d), and its sample rate in Hz.

    Models that embed a whole clip (CLAP) give that embedding. Of the others (wav2vec 2.0, HuBERT,
    MERT, the encoder of Whisper) all layers are averaged over time and over one another: which of
    them holds timbre and which melody differs from model to model. Raises `SongscapeError` if
    transformers is missing, or cannot load the folder.
    """
    transformers, options = _import("transformers"), _transformers_options(path)
    with _loading(path):
        extractor = transformers.AutoFeatureExtractor.from_pretrained(path, **options)
        model = transformers.AutoModel.from_pretrained(path, **options)
    if getattr(model.config, "is_encoder_decoder", False):
        model = model.get_encoder()
    device = "cuda" if _import("torch").cuda.is_available() else "cpu"
    model = model.eval().to(device)
    sample_rate = int(extractor.sampling_rate)

    def encode(windows: Array) -> Array:
        import torch

        parts = []
        with torch.inference_mode():
            for start in range(0, len(windows), BATCH):
                batch = list(windows[start : start + BATCH])
                inputs = extractor(batch, sampling_rate=sample_rate, return_tensors="pt")
                parts.append(_vectors(model, inputs.to(device)).float().cpu().numpy())
        return np.asarray(np.concatenate(parts), np.float32)

    return encode, sample_rate


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


def _vectors(model: Any, inputs: Any) -> Any:
    """One vector per window, (n, d)."""
    import torch

    if hasattr(model, "get_audio_features"):
        found = model.get_audio_features(**inputs)
        return found if isinstance(found, torch.Tensor) else found.pooler_output
    output = model(**inputs, output_hidden_states=True)
    layers = [h.mean(dim=1) for h in output.hidden_states or () if h.dim() == 3]
    if not layers or len({layer.shape for layer in layers}) > 1:
        layers = [output.last_hidden_state.mean(dim=1)]
    return torch.stack(layers).mean(dim=0)


def _transformers_options(path: Path) -> dict[str, bool]:
    """No downloads, no bars; and code in the folder is only run where the user allowed it."""
    told = [_json(path / f"{name}.json") for name in ("config", "preprocessor_config", "modules")]
    has_code = any("auto_map" in each for each in told if isinstance(each, dict))
    if has_code and os.environ.get(TRUST, "") != "1":
        raise SongscapeError(
            f"{path}: this model comes with code of its own; read it, then set {TRUST}=1 to run it"
        )
    _import("transformers.utils.logging").disable_progress_bar()
    return {"local_files_only": True, "trust_remote_code": has_code}


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SongscapeError(
            f"embeddings need {name.replace('_', '-')} ({error}); install it with "
            'pip install "songscape[embeddings]"'
        ) from None


@contextmanager
def _loading(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of many kinds, from three packages
        raise SongscapeError(f"{path}: this model cannot be loaded ({first_line(error)})") from None


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
