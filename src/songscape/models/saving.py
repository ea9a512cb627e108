"""Saving: a fitted model as safetensors and JSON; nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
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

__all__ = ["can_save", "load_model", "save_model"]

FORMAT = 4
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
    "CovariateEncoder": "covariates",
    "DecoderSpace": "decoder_space",
    "Diagnostics": "diagnostics",
    "Hardware": "parameters",
    "HotDeck": "imputation",
    "InputView": "standardisation",
    "JointSpace": "joint_space",
    "Objective": "parameters",
    "SongMeans": "within_song",
    "Spaces": "decoder_space",
    "Training": "parameters",
    "ViewSpec": "view_specs",
}
# What format 2 called the same things; its SongVAE had the fields of its groups as parameters.
# The joint space of formats 2 and 3 was another one; `Hardware` could have a precision until 4.
OLD_KINDS = {"Donors": "HotDeck", "Places": "Spaces", "ViewPlan": "ViewSpec"}
GONE = ("compiled", "contrast", "precision", "rotate")
OLD_ATTRIBUTES = {"donors_": "hot_deck_", "places_": "spaces_", "plans_": "view_specs_"}
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
    classes["CentredPCA"] = classes["BlockPCA"]
    classes["PresenceOnly"] = partial(classes["ViewOnly"], presence=True)
    kind = classes.get(str(description.get("model")))
    if description.get("format") not in (2, 3, FORMAT) or kind is None:
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
    kinds = _kinds(description["format"])
    parameters = decode(description["parameters"], arrays, kinds)
    if description["format"] > 2:
        model = kind(**{k: v for k, v in parameters.items() if k not in GONE})
    else:
        from songscape.models.presets import build_model

        try:
            model = build_model(kind, {k: v for k, v in parameters.items() if k not in GONE})
        except ValueError as error:
            raise SongscapeError(f"{path}: {error}; train it again") from None
    for name, value in decode(description["fitted"], arrays, kinds).items():
        setattr(model, OLD_ATTRIBUTES.get(name, name), value)
    if isinstance(model, classes["BlockPCA"]) and not hasattr(model, "alignment_"):
        _complete_linear(model, kinds["Alignment"])
    if isinstance(model, classes["SongVAE"]):
        for name in ("covariates_", "joint_", "linear_"):
            setattr(model, name, getattr(model, name, None))
        inner = description.get("linear")
        if inner is not None:
            model.linear_ = classes["BlockPCA"](**decode(inner["parameters"], arrays, kinds))
            for name, value in decode(inner["fitted"], arrays, kinds).items():
                setattr(model.linear_, name, value)
        _restore_modules(model, arrays)
    return model


def _classes(homes: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: getattr(import_module(f"songscape.models.{home}"), name)
        for name, home in homes.items()
    }


def _kinds(number: int) -> dict[str, Any]:
    """What makes the records of the format of this number; fields that are gone are passed over."""
    kinds = _classes(KINDS)
    hardware, objective, spaces = (kinds[name] for name in ("Hardware", "Objective", "Spaces"))
    kinds["Hardware"] = lambda precision="", **settings: hardware(**settings)
    if number < FORMAT:
        kinds["Objective"] = lambda contrast=0.0, **settings: objective(**settings)
        kinds["JointSpace"] = lambda **_: None
        kinds["Spaces"] = lambda own, average, joint=None: spaces(own, average)
    return kinds | {old: kinds[name] for old, name in OLD_KINDS.items()}


def _complete_linear(model: Any, alignment: Any) -> None:
    """Give a linear model of an earlier version the attributes that it did not have."""
    model.song_means_, model.scales_, model.alignment_ = {}, None, None
    model.word_weight_ = 1.0
    means = getattr(model, "category_means_", None)
    if means is not None:
        model.alignment_ = alignment(model.categories_, model.average_shares_, means)


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
