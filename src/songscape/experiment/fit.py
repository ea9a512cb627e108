"""Views -> latents on disk: each model is trained once for the same input, options and seed."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.errors import SongscapeError, first_line
from songscape.results import (
    ResultsFolder,
    has_key,
    read_latents,
    write_atomically,
    write_latents,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from songscape.features.views import Views
    from songscape.progress import Advance

__all__ = ["Representation", "cache_key", "check_models", "models_table", "represent"]

# What an unsuitable input or option raises in NumPy, scikit-learn and torch.
MODEL_ERRORS = (ArithmeticError, MemoryError, RuntimeError, TypeError, ValueError)
RECIPE = 4
"""Raised when the same model gives other latents."""
MODEL_COLUMNS = (
    *("model", "kind", "seed", "status", "reason", "n_latent", "active_units", "collapsed"),
    *("validation_elbo", "kl_per_dimension", "warnings", "summary"),
)


@dataclass(frozen=True, eq=False)
class Representation:
    """What one model made of the collection with one seed.

    Attributes
    ----------
    model : str
        Name of the preset.
    seed : int
    trained : ndarray of shape (n_tracks, n_latent) or None
        The latents; None where the model could not be trained and `summary["reason"]` says why.
    summary : mapping
        The model's row in `results/models.csv`.
    key : str
        Hash of everything the latents were computed from.
    spread : ndarray of shape (n_tracks,) or None
        Posterior spread (see `songscape.models.vae.SongVAE.uncertainty`); None of models without a
        posterior.
    """

    model: str
    seed: int
    trained: NDArray[np.float32] | None
    summary: Mapping[str, Any]
    key: str
    spread: NDArray[np.float32] | None = None

    @property
    def ok(self) -> bool:
        return self.trained is not None

    @property
    def latents(self) -> NDArray[np.float32]:
        if self.trained is None:
            raise ValueError(f"{self.model} has no latents: {self.summary['reason']}")
        return self.trained


def models_table(summaries: Iterable[Mapping[str, Any]], *extra: str) -> pd.DataFrame:
    """`results/models.csv`: one row per model and seed, with these further columns."""
    import pandas as pd

    from songscape.models.presets import find_preset

    rows = []
    for summary in summaries:
        row = dict(summary) | {"kind": find_preset(str(summary["model"])).kind}
        if row.get("kl_per_dimension") is not None:
            row["kl_per_dimension"] = " ".join(f"{kl:.3g}" for kl in row["kl_per_dimension"])
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=[*MODEL_COLUMNS, *extra])


def check_models(names: tuple[str, ...], options: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse unknown model names, options and views before hours of work."""
    from songscape.features.loading import check_view_names
    from songscape.models.presets import check_options

    for name in (*names, *options):
        check_options(name, options.get(name, {}))
        check_view_names(options.get(name, {}).get("views") or ())


def cache_key(views: Views, model: str, seed: int, options: Mapping[str, Any]) -> str:
    """SHA-256 of the input, the model with its arguments, the seed and the versions that matter."""
    import torch

    from songscape.models.presets import find_preset

    parts = {
        "views": views.digest(),
        "model": model,
        "seed": seed,
        # Those of the preset included: a preset that changes gives other latents.
        "arguments": dict(find_preset(model).with_options(options).arguments),
        "songscape": __version__,
        "recipe": RECIPE,
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def represent(
    views: Views,
    model: str,
    seed: int,
    folder: ResultsFolder,
    *,
    options: Mapping[str, Any] | None = None,
    labels: pd.DataFrame | None = None,
    progress: Advance | None = None,
) -> Representation:
    """Train one model, or read its latents where the same training was done before.

    The latents are written last, so that their presence means that the model, its summary and its
    training curve are complete. A model that can't be trained is a row with a reason. No model
    learns from `labels`; one that hides a covariate says which of them it hides too.
    """
    from songscape.models.presets import find_preset

    options = options or {}
    preset = find_preset(model).with_options(options)
    there = [name for name in preset.views if name in views and views[name].present.any()]
    absent = [name for name in preset.views if name not in (*there, *preset.optional)]
    row: dict[str, Any] = {"model": model, "seed": seed, "summary": preset.summary}
    if options.get("views"):
        row["summary"] += f" (of {', '.join(preset.modelled_views)})"
    if absent:
        reason = f"no track has the view {', '.join(absent)}"
        return Representation(model, seed, None, row | {"status": "skipped", "reason": reason}, "")
    own = views.select(there)
    if len(there) < len(preset.views):
        options = {**options, "views": tuple(n for n in preset.modelled_views if n in there)}
        missing = ", ".join(name for name in preset.views if name not in there)
        row["summary"] += f" (without {missing}: no track has any)"
    key = cache_key(own, model, seed, options)
    path, summary_path = folder.latents(model, seed), folder.model(model, seed) / "summary.json"
    spread_path = folder.spread(model, seed)
    if has_key(path, key) and summary_path.exists():
        summary = json.loads(summary_path.read_text(encoding="utf-8"))
        spread = read_latents(spread_path)[1][:, 0] if has_key(spread_path, key) else None
        if summary.get("has_spread") == (spread is not None):
            return Representation(model, seed, read_latents(path)[1], summary, key, spread)
    start = time.perf_counter()
    try:
        latents, spread, summary = _train(own, model, seed, options, labels, folder, key, progress)
    except (*MODEL_ERRORS, SongscapeError) as error:
        failed = row | {"status": "failed", "reason": first_line(error)}
        return Representation(model, seed, None, failed, key)
    cost = {"seconds": time.perf_counter() - start, "peak_memory_mib": _peak_mib()}
    summary = row | {"status": "ok", "reason": ""} | summary | cost
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    write_atomically(summary_path, lambda p: p.write_text(text, encoding="utf-8"))
    if spread is None:
        spread_path.unlink(missing_ok=True)
    else:
        write_latents(spread_path, views.track_ids, spread[:, None], ["spread"], key)
    names = [f"z{i}" for i in range(latents.shape[1])]
    write_latents(path, views.track_ids, latents, names, key)
    return Representation(model, seed, latents, summary, key, spread)


def _train(
    views: Views,
    model: str,
    seed: int,
    options: Mapping[str, Any],
    labels: pd.DataFrame | None,
    folder: ResultsFolder,
    key: str,
    progress: Advance | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, dict[str, Any]]:
    import numpy as np
    import pandas as pd

    from songscape.models.presets import make_model
    from songscape.models.saving import can_save, save_model

    estimator = make_model(model, random_state=seed, **options)
    accepted = inspect.signature(estimator.fit).parameters
    extras: dict[str, Any] = {}
    checkpoint = None
    if "checkpoint" in accepted:
        from songscape.models.checkpoint import Checkpoint

        checkpoint = Checkpoint(folder.model(model, seed) / "checkpoint.safetensors", key)
        extras["checkpoint"] = checkpoint
    if progress is not None and "callback" in accepted:
        extras["callback"] = lambda epoch, epochs, _row: progress(epoch, epochs)
    with warnings.catch_warnings():
        # What is odd about a model stands in its diagnostics, and from there in every report.
        warnings.simplefilter("ignore", UserWarning)
        estimator.fit(views, labels if "covariates" in estimator.get_params() else None, **extras)
    latents = np.ascontiguousarray(estimator.transform(views), dtype=np.float32)
    spread = _spread(estimator, views)
    if can_save(estimator):
        save_model(estimator, folder.model(model, seed))
    if checkpoint is not None:
        checkpoint.remove()
    summary: dict[str, Any] = {
        "n_latent": int(latents.shape[1]),
        "has_spread": spread is not None,
    }
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
        frame = pd.DataFrame(history)
        write_atomically(
            folder.model(model, seed) / "history.csv",
            lambda p: frame.to_csv(p, index=False, lineterminator="\n"),
        )
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


def _peak_mib() -> float:
    """Peak resident memory of this process in MiB; NaN on Windows, which doesn't say."""
    try:
        import resource
    except ImportError:
        return float("nan")
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
