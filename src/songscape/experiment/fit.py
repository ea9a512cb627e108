"""Views -> latents on disk: each model is trained once for the same input, options and seed."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.errors import SongscapeError, first_line
from songscape.results import (
    ResultsFolder,
    has_key,
    read_json,
    write_json,
    write_latents,
    write_text,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from songscape.features.views import Views

# What an unsuitable input or option raises in NumPy, scikit-learn and torch.
MODEL_ERRORS = (ArithmeticError, MemoryError, RuntimeError, TypeError, ValueError)
RECIPE = 7
"""Raised when the same model gives other latents."""


@dataclass(frozen=True)
class ModelFit:
    """What is to be trained, and what its result is called.

    `views` are those that the collection has, of those that the model reads; `options` differ from
    the preset's. `key` is a digest of everything that the latents are computed from, "" where
    nothing can be trained. `row` is its row of the table of models as far as it is known before the
    training: model, seed, summary, and status and reason where it cannot be trained.
    """

    model: str
    seed: int
    views: tuple[str, ...]
    options: Mapping[str, Any]
    key: str
    row: Mapping[str, Any]

    @classmethod
    def of(
        cls, model: str, seed: int, options: Mapping[str, Any], digests: Mapping[str, str]
    ) -> ModelFit:
        """Plan a training; `digests` are of the views that some track has."""
        from songscape.features.encoders.registry import ENCODERS
        from songscape.models.presets import find_preset

        preset = find_preset(model).with_options(options)
        there = tuple(name for name in preset.views if name in digests)
        missing = [name for name in preset.views if name not in there]
        absent = [name for name in missing if name not in preset.optional]
        row: dict[str, Any] = {"model": model, "seed": seed, "summary": preset.summary}
        encoded = [name for name in there if name in ENCODERS]
        if options.get("views"):
            row["summary"] += f" (of {', '.join(preset.modelled_views)})"
        elif encoded:
            row["summary"] += f"; with {', '.join(encoded)}"
        if absent:
            reason = f"no track has the view {', '.join(absent)}"
            row |= {"status": "skipped", "reason": reason}
            return cls(model, seed, there, options, "", row)
        if missing:
            # That an encoder is not installed is usual, unless its view was asked for.
            told = [name for name in missing if name not in ENCODERS or options.get("views")]
            row["summary"] += f" (without {', '.join(told)}: no track has any)" if told else ""
            options = {**options, "views": tuple(n for n in preset.modelled_views if n in there)}
        parts = {
            "views": {name: digests[name] for name in there},
            "model": model,
            "seed": seed,
            # Those of the preset included: a preset that changes gives other latents.
            "arguments": dict(find_preset(model).with_options(options).arguments),
            "songscape": __version__,
            "recipe": RECIPE,
            "torch": version("torch"),
        }
        return cls(model, seed, there, options, digest_of(parts), row)


def digest_of(value: Any) -> str:
    """SHA-256 of plain values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def trained(training: ModelFit, folder: ResultsFolder) -> dict[str, Any] | None:
    """The summary of a training that was done before, as it is now asked for; None without one."""
    name, key = (training.model, training.seed), training.key
    summary = read_json(folder.model(*name) / "summary.json")
    if not key or summary is None or not has_key(folder.latents(*name), key):
        return None
    return summary if summary.get("has_spread") == has_key(folder.spread(*name), key) else None


def fit(training: ModelFit, views: Views, folder: ResultsFolder) -> dict[str, Any]:
    """Train one model, unless the same training was done before; returns its summary.

    The latents are written last, so that their presence means that the model, its summary and its
    training curve are complete. A model that can't be trained is a row with a reason.
    """
    before = trained(training, folder)
    if before is not None or not training.key:
        return before or dict(training.row)
    model, seed, key = training.model, training.seed, training.key
    row, start = dict(training.row), time.perf_counter()
    _forget_peak()
    try:
        own = views.select(training.views)
        if same := _without_information(own, training):
            reason = f"{same} is the same for every track and carries no information"
            return row | {"status": "skipped", "reason": reason}
        latents, spread, summary = _train(own, training, folder)
    except (*MODEL_ERRORS, SongscapeError) as error:
        return row | {"status": "failed", "reason": first_line(error)}
    cost = {"seconds": time.perf_counter() - start, "peak_memory_mib": _peak_mib()}
    summary = row | {"status": "ok", "reason": ""} | summary | cost
    write_json(folder.model(model, seed) / "summary.json", summary)
    spread_path = folder.spread(model, seed)
    if spread is None:
        spread_path.unlink(missing_ok=True)
    else:
        write_latents(spread_path, views.track_ids, spread[:, None], ["spread"], key)
    names = [f"z{i}" for i in range(latents.shape[1])]
    write_latents(folder.latents(model, seed), views.track_ids, latents, names, key)
    return summary


def _without_information(views: Views, training: ModelFit) -> str:
    """The views of a candidate or baseline, where none of them tells one track from another."""
    from songscape.audit.checks import uninformative_views
    from songscape.models.presets import find_preset

    preset = find_preset(training.model).with_options(training.options)
    modelled = [name for name in preset.modelled_views if name in views]
    if preset.kind == "reference" or not modelled:
        return ""
    same = uninformative_views(views.select(modelled))
    return " and ".join(same) if len(same) == len(modelled) else ""


def _train(
    views: Views, training: ModelFit, folder: ResultsFolder
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, dict[str, Any]]:
    import numpy as np
    import pandas as pd

    from songscape.models.presets import make_model
    from songscape.models.saving import can_save, save_model

    home = folder.model(training.model, training.seed)
    estimator = make_model(training.model, random_state=training.seed, **training.options)
    extras: dict[str, Any] = {}
    if "checkpoint" in inspect.signature(estimator.fit).parameters:
        from songscape.models.checkpoint import Checkpoint

        extras["checkpoint"] = Checkpoint(home / "checkpoint.safetensors", training.key)
    with warnings.catch_warnings():
        # What is odd about a model stands in its diagnostics, and from there in every report.
        warnings.simplefilter("ignore", UserWarning)
        estimator.fit(views, **extras)
    latents = np.ascontiguousarray(estimator.transform(views), dtype=np.float32)
    spread = _spread(estimator, views)
    if can_save(estimator):
        save_model(estimator, home)
    if extras:
        extras["checkpoint"].remove()
    summary: dict[str, Any] = {"n_latent": latents.shape[1], "has_spread": spread is not None}
    diagnostics = getattr(estimator, "diagnostics_", None)
    if diagnostics is not None:
        summary |= {
            "active_units": int(diagnostics.active_units),
            "collapsed": bool(diagnostics.collapsed),
            "validation_elbo": float(diagnostics.elbo) if diagnostics.held_out else None,
            "kl_per_dimension": [float(value) for value in diagnostics.kl_per_dimension],
            "warnings": "; ".join(text.rstrip(".") for text in diagnostics.warnings),
        }
    history = getattr(estimator, "history_", None)
    if history:
        text = pd.DataFrame(history).to_csv(index=False, lineterminator="\n")
        write_text(home / "history.csv", text)
    return latents, spread, summary


def _spread(estimator: Any, views: Views) -> NDArray[np.float32] | None:
    """Posterior spread per track; a deterministic autoencoder has none, whatever its methods."""
    import numpy as np

    if not hasattr(estimator, "uncertainty") or not getattr(estimator, "variational", True):
        return None
    spread = np.asarray(estimator.uncertainty(views), dtype=np.float32)
    if spread.shape != (views.n_tracks,):
        raise ValueError(f"uncertainty of shape {spread.shape} for {views.n_tracks} tracks")
    return spread


def _forget_peak() -> None:
    """Count this process's peak memory from now on, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mib() -> float:
    """Peak resident memory of this process in MiB; NaN on Windows, which doesn't say."""
    try:
        import resource
    except ImportError:
        return float("nan")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
