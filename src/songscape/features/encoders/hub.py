"""Encoders: pretrained text and audio models as functions, loaded from a folder and nothing else.

Weights come from safetensors, or from PyTorch files that transformers reads without unpickling
code. Code that a model's folder brings along is run only where the user says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, first_line

__all__ = ["load_audio_encoder", "load_text_encoder"]

TRUST = "SONGSCAPE_TRUST_MODEL_CODE"
BATCH = 8

Array = NDArray[np.float32]


def load_text_encoder(path: Path, kind: str) -> Callable[[Sequence[str]], Array]:
    """A function from texts to vectors (n_texts, d): model2vec or sentence-transformers.

    Raises `SongscapeError` if that package is missing, or cannot load the folder.
    """
    if kind == "model2vec":
        static = _load(path, lambda: _import("model2vec").StaticModel.from_pretrained(str(path)))
        return lambda texts: np.asarray(static.encode(list(texts)), np.float32)
    package = _import("sentence_transformers")
    with _without_bars():
        model = _load(
            path,
            lambda: package.SentenceTransformer(
                str(path), local_files_only=True, trust_remote_code=_trusted(path)
            ),
        )

    def encode(texts: Sequence[str]) -> Array:
        vectors = model.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)

    return encode


def load_audio_encoder(path: Path) -> tuple[Callable[[Array], Array], int]:
    """A function from windows of samples (n, size) to vectors (n, d), and its sample rate in Hz.

    Models that embed a whole clip (CLAP) give that embedding. Of the others (wav2vec 2.0, HuBERT,
    MERT, the encoder of Whisper) all layers are averaged over time and over one another: which of
    them holds timbre and which melody differs from model to model. Raises `SongscapeError` if
    transformers is missing, or cannot load the folder.
    """
    transformers = _import("transformers")
    options = {"local_files_only": True, "trust_remote_code": _trusted(path)}
    extractor = _load(
        path, lambda: transformers.AutoFeatureExtractor.from_pretrained(path, **options)
    )
    with _without_bars():
        model = _load(path, lambda: transformers.AutoModel.from_pretrained(path, **options))
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


def _trusted(path: Path) -> bool:
    """Whether code in the folder may be run: only where there is some and the user allowed it."""
    names = [path / "config.json", path / "preprocessor_config.json", path / "modules.json"]
    told = [json.loads(name.read_text(encoding="utf-8")) for name in names if name.exists()]
    has_code = any("auto_map" in each for each in told if isinstance(each, dict))
    allowed = os.environ.get(TRUST, "") == "1"
    if has_code and not allowed:
        raise SongscapeError(
            f"{path}: this model brings code of its own; read it, then set {TRUST}=1 to run it"
        )
    return has_code


def _import(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise SongscapeError(
            f"embeddings need {name.replace('_', '-')} ({error}); install it with "
            'pip install "songscape[embeddings]"'
        ) from None


@contextmanager
def _without_bars() -> Iterator[None]:
    """Keep transformers from drawing progress bars where nobody looks at a terminal."""
    bars = _import("transformers.utils.logging")
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _load(path: Path, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except SongscapeError:
        raise
    except Exception as error:  # of many kinds, from three packages
        raise SongscapeError(f"{path}: this model cannot be loaded ({first_line(error)})") from None
