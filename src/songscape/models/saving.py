"""Saving: a fitted model as safetensors and JSON; nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import load_file, save

from songscape._version import __version__
from songscape.errors import SongscapeError
from songscape.models.records import decode, encode
from songscape.results import write_atomically

FORMAT = 5
DESCRIPTION = "model.json"
# By module: a linear model is saved without importing the networks and torch.
MODELS = {
    "SongVAE": "vae",
    "BlockPCA": "linear",
    "RandomLatents": "references",
    "ViewOnly": "references",
}
KINDS = {
    "Alignment": "alignment",
    "Axes": "principal_axes",
    "CovariateEncoder": "covariate_encoder",
    "DecoderSpace": "decoder_space",
    "Diagnostics": "diagnostics",
    "Hardware": "parameters",
    "HotDeck": "imputation",
    "InputView": "standardisation",
    "Objective": "parameters",
    "SongMeans": "within_song",
    "Training": "parameters",
    "ViewSpec": "view_specs",
}
MODULES = ("network_", "prior_")
Arrays = dict[str, np.ndarray[Any, Any]]


def can_save(model: Any) -> bool:
    """Whether `save_model` knows how to: Songscape's own classes, not those of other packages."""
    home = MODELS.get(type(model).__name__)
    return home is not None and type(model).__module__ == f"songscape.models.{home}"


def save_model(model: Any, folder: str | Path) -> Path:
    """Write a fitted model into `folder` (made if needed) and return the folder.

    The description names its weights file by content and is replaced last, in one step: a reader
    sees the old model or the new one, never half of each.

    Raises
    ------
    SongscapeError
        If the model is of a kind that cannot be saved, or not fitted.
    """
    kind = type(model).__name__
    if not can_save(model):
        raise SongscapeError(f"{kind} cannot be saved; known models are {', '.join(MODELS)}")
    fitted = _fitted(model)
    if not fitted:
        raise SongscapeError(f"this {kind} is not fitted; call fit before saving it")
    arrays: Arrays = {}
    inner = fitted.pop("linear_", None)
    description = {
        "format": FORMAT,
        **_described(model, fitted, arrays),
        "linear": None if inner is None else _described(inner, _fitted(inner), arrays, "linear/"),
        "versions": {
            "songscape": __version__,
            "numpy": np.__version__,
            "scikit-learn": version("scikit-learn"),
            "torch": version("torch"),
        },
    }
    for name in MODULES:
        if hasattr(model, name):
            state = getattr(model, name).state_dict()
            arrays |= {f"{name}/{key}": value.numpy() for key, value in state.items()}
    weights = save({key: np.ascontiguousarray(value) for key, value in arrays.items()})
    digest = hashlib.sha256(weights).hexdigest()
    description |= {"weights": f"weights-{digest[:16]}.safetensors", "sha256": digest}
    text = json.dumps(description, indent=1, ensure_ascii=False, allow_nan=True) + "\n"
    folder = Path(folder)
    write_atomically(folder / str(description["weights"]), lambda path: path.write_bytes(weights))
    write_atomically(folder / DESCRIPTION, lambda path: path.write_text(text, encoding="utf-8"))
    for old in folder.glob("weights-*.safetensors"):
        if old.name != description["weights"]:
            old.unlink()
    return folder


def _fitted(model: Any) -> dict[str, Any]:
    """What a model has learned, but for its networks."""
    return {
        name: value
        for name, value in sorted(vars(model).items())
        if (name.endswith("_") or name == "_n_features_out") and name not in MODULES
    }


def _described(
    model: Any, fitted: Mapping[str, Any], arrays: Arrays, prefix: str = ""
) -> dict[str, Any]:
    return {
        "model": type(model).__name__,
        "parameters": encode(model.get_params(deep=False), arrays, f"{prefix}parameters", KINDS),
        "fitted": encode(fitted, arrays, f"{prefix}fitted", KINDS),
    }


def load_model(folder: str | Path) -> Any:
    """Read a model that `save_model` wrote; its latents are the same, bit for bit.

    Raises
    ------
    SongscapeError
        If the folder holds no model, a damaged one, or one of another format.
    """
    path = Path(folder) / DESCRIPTION
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        weights = path.parent / Path(description["weights"]).name
        content = weights.read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SongscapeError(
            f"{path.parent}: no readable model ({error}); train it again"
        ) from None
    classes = _classes(MODELS)
    kind = classes.get(str(description.get("model")))
    if description.get("format") != FORMAT or kind is None:
        raise SongscapeError(
            f"{path}: written by another version of songscape "
            f"({description.get('versions', {}).get('songscape', 'unknown')}); train it again"
        )
    if hashlib.sha256(content).hexdigest() != description["sha256"]:
        raise SongscapeError(f"{weights}: damaged (its checksum differs); train the model again")
    try:
        arrays = load_file(weights)
    except safetensors.SafetensorError as error:
        raise SongscapeError(f"{weights}: not safetensors ({error}); train it again") from None
    kinds = _classes(KINDS)
    model = _restored(description, kind, arrays, kinds)
    if isinstance(model, classes["SongVAE"]):
        inner = description["linear"]
        model.linear_ = inner and _restored(inner, classes["BlockPCA"], arrays, kinds)
        _restore_modules(model, arrays)
    return model


def _classes(homes: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: getattr(import_module(f"songscape.models.{home}"), name)
        for name, home in homes.items()
    }


def _restored(
    description: Mapping[str, Any], kind: Any, arrays: Arrays, kinds: Mapping[str, Any]
) -> Any:
    model = kind(**decode(description["parameters"], arrays, kinds))
    for name, value in decode(description["fitted"], arrays, kinds).items():
        setattr(model, name, value)
    return model


def _restore_modules(model: Any, arrays: Arrays) -> None:
    import torch

    states: dict[str, dict[str, torch.Tensor]] = {name: {} for name in MODULES}
    for key, value in arrays.items():
        module, _, name = key.partition("/")
        if module in states:
            states[module][name] = torch.from_numpy(value.copy())
    model.network_ = model._network(model.view_specs_)
    model.network_.load_state_dict(states["network_"])
    model.network_.eval()
    model.prior_ = model._prior()
    model.prior_.load_state_dict(states["prior_"])
