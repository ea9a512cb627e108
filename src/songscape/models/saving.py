"""Saving: a fitted model as safetensors and JSON; nothing is ever unpickled.

Nested dictionaries, dataclasses and arrays become JSON and named arrays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from songscape._version import __version__
from songscape.errors import SongscapeError
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
    arrays: Arrays = {}
    described = _described(model, arrays)
    if not described["fitted"]:
        raise SongscapeError(f"this {kind} is not fitted; call fit before saving it")
    inner = getattr(model, "linear_", None)
    description = {
        "format": FORMAT,
        **described,
        "linear": None if inner is None else _described(inner, arrays, "linear/"),
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


def _described(model: Any, arrays: Arrays, prefix: str = "") -> dict[str, Any]:
    """Its parameters, and what it has learned but for its networks and linear model."""
    fitted = {
        name: value
        for name, value in sorted(vars(model).items())
        if (name.endswith("_") or name == "_n_features_out") and name not in (*MODULES, "linear_")
    }
    return {
        "model": type(model).__name__,
        "parameters": encode(model.get_params(deep=False), arrays, f"{prefix}parameters"),
        "fitted": encode(fitted, arrays, f"{prefix}fitted"),
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
    if description.get("format") != FORMAT or description.get("model") not in MODELS:
        raise SongscapeError(
            f"{path}: written by another version of songscape "
            f"({description.get('versions', {}).get('songscape', 'unknown')}); train it again"
        )
    if hashlib.sha256(content).hexdigest() != description["sha256"]:
        raise SongscapeError(f"{weights}: damaged (its checksum differs); train the model again")
    arrays = load_file(weights)
    model = _restored(description, arrays)
    try:
        model.check_parameters()
    except ValueError as error:
        raise SongscapeError(f"{path}: {error}; train the model again") from None
    if description["model"] == "SongVAE":
        model.linear_ = description["linear"] and _restored(description["linear"], arrays)
        _restore_modules(model, arrays)
    return model


def _class(name: str, homes: Mapping[str, str]) -> Any:
    return resolve_name(f"songscape.models.{homes[name]}:{name}")


def _restored(description: Mapping[str, Any], arrays: Arrays) -> Any:
    kind = _class(description["model"], MODELS)
    given, known = decode(description["parameters"], arrays), signature(kind).parameters
    # What only an earlier version could set has done its work in what was fitted.
    model = kind(**{name: value for name, value in given.items() if name in known})
    for name, value in decode(description["fitted"], arrays).items():
        setattr(model, name, value)
    return model


def _restore_modules(model: Any, arrays: Arrays) -> None:
    import torch

    for name, module in zip(MODULES, (model._network(model.view_specs_), model._prior())):
        own = {key.removeprefix(f"{name}/"): v for key, v in arrays.items() if key.startswith(name)}
        module.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in own.items()})
        setattr(model, name, module.eval())


def encode(value: Any, arrays: dict[str, Any], path: str = "") -> Any:
    """`value` as JSON; arrays and tensors go into `arrays`, under their path."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        return {"$strings": [str(item) for item in value]}
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):  # a tensor of torch
        arrays[path] = value
        return {"$array": path}
    if type(value).__name__ in KINDS:
        inner = {f.name: getattr(value, f.name) for f in fields(value)}
        return {"$record": type(value).__name__, "fields": encode(inner, arrays, path)}
    if isinstance(value, Mapping):
        return {str(k): encode(v, arrays, f"{path}/{k}") for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        items = [encode(item, arrays, f"{path}/{i}") for i, item in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise SongscapeError(
        f"{path} is a {type(value).__name__}, which cannot be saved; use a number or a name"
    )


def decode(value: Any, arrays: Mapping[str, Any]) -> Any:
    """What `encode` was given."""
    if isinstance(value, list):
        return [decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "$array" in value:
        return arrays[value["$array"]]
    if "$strings" in value:
        return np.array(value["$strings"], dtype=object)
    if "$tuple" in value:
        return tuple(decode(item, arrays) for item in value["$tuple"])
    if "$record" in value:
        given, name = decode(value["fields"], arrays), value["$record"]
        if name not in KINDS:
            return given  # of an earlier version; nothing reads it
        kind = _class(name, KINDS)
        known = {f.name for f in fields(kind)}
        return kind(**{name: item for name, item in given.items() if name in known})
    return {key: decode(item, arrays) for key, item in value.items()}
