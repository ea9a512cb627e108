"""What can be known before the work is checked before the work, and what was promised after it."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from songscape.errors import SongscapeError, UsageError
from songscape.settings import Settings

__all__ = ["check_collection", "check_folder", "check_promises", "check_settings"]

MIN_TRACKS = 4
RESERVED = ("track_id",)
"""What our own tables call a column: no label of the collection may be called so."""
# What songscape decides itself, from k and the seeds.
_DECIDED = ("k", "random_state", "X")
_METRICS = "euclidean cityblock cosine correlation chebyshev canberra braycurtis sqeuclidean"
_CHOICES = {
    "metric": tuple(_METRICS.split()),
    "covariance_type": ("full", "tied", "diag", "spherical"),
    "cluster_selection_method": ("eom", "leaf"),
}
_LEAST = {"n_init": 1, "max_iter": 1, "min_samples": 1, "min_cluster_size": 2}


def check_settings(settings: Settings) -> None:
    """Refuse unknown models, clusterers and views, and options that they do not have or take.

    Raises
    ------
    UsageError
    """
    from songscape.clustering.methods import CLUSTERERS
    from songscape.features.analyse import MAX_FRAMES
    from songscape.features.loading import check_view_names
    from songscape.models.presets import find_preset

    if settings.features.max_frames > MAX_FRAMES:
        raise UsageError(
            f"features: max_frames = {settings.features.max_frames}; at most {MAX_FRAMES} are kept"
        )
    for name in (*settings.models, *settings.model_options):
        find_preset(name)
    for name, options in settings.model_options.items():
        preset = find_preset(name)
        module, _, attribute = preset.factory.partition(":")
        if options:
            factory = getattr(import_module(module), attribute)
            _check_options(f"model_options.{name}", options, factory, _model_option)
        check_view_names(options.get("views") or ())
    for name in (*settings.clusterers, *settings.clusterer_options):
        if name not in CLUSTERERS:
            raise UsageError(f"no clusterer {name!r}; known: {', '.join(CLUSTERERS)}")
    for name, options in settings.clusterer_options.items():
        where = f"clusterer_options.{name}"
        _check_options(where, options, CLUSTERERS[name], _clusterer_option)


def _check_options(
    where: str,
    options: Mapping[str, Any],
    function: Callable[..., Any],
    check: Callable[[str, Any, Any], str],
) -> None:
    known = {
        name: one.default
        for name, one in inspect.signature(function).parameters.items()
        if name not in _DECIDED
    }
    for name, value in options.items():
        if name in ("k", "random_state"):
            decided = "k" if name == "k" else "seeds"
            raise UsageError(f"{where}: {name} comes from the setting {decided!r}")
        if name not in known:
            raise UsageError(f"{where}: no option {name!r}; known: {', '.join(known) or 'none'}")
        wrong = check(name, value, known[name])
        if wrong:
            raise UsageError(f"{where}: {name} = {value!r} {wrong}")


def _clusterer_option(name: str, value: Any, default: Any) -> str:
    """What is wrong with the value of a clusterer's option; "" where nothing is."""
    if name in _CHOICES:
        known = _CHOICES[name]
        return "" if value in known else f"is none of {', '.join(known)}"
    if name in _LEAST:
        whole = isinstance(value, int) and not isinstance(value, bool)
        right = whole and value >= _LEAST[name]
        return "" if right else f"is no whole number from {_LEAST[name]}"
    return "" if _is_number(value) and value > 0 else "is no number above 0"


def _model_option(_name: str, value: Any, default: Any) -> str:
    """What is wrong with the type of a model's option, as its default tells; "" where nothing is."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "is neither true nor false"
    if not isinstance(default, int | float) or value is None:
        return ""
    kind = int if isinstance(default, int) else int | float
    if not _is_number(value) or not isinstance(value, kind):
        return f"is no {'whole ' if kind is int else ''}number"
    return "is below 0" if value < min(0, default) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_collection(n_tracks: int, columns: Iterable[str], settings: Settings) -> None:
    """Refuse what a collection of so many tracks with these columns cannot give.

    Raises
    ------
    UsageError
        k is not below the number of tracks, or a column has the name of one of ours.
    SongscapeError
        Too few tracks.
    """
    if n_tracks < MIN_TRACKS:
        raise SongscapeError(
            f"{n_tracks} tracks: clustering needs at least {MIN_TRACKS}; add tracks"
        )
    if settings.k and max(settings.k) >= n_tracks:
        raise UsageError(f"k = {max(settings.k)}: there are {n_tracks} tracks; k must be smaller")
    for name in (*settings.labels, *settings.nuisances):
        if name.strip().casefold() in RESERVED:
            raise UsageError(
                f"{name!r} cannot be a label: the tables of the results use that name for the "
                "tracks; rename the column"
            )


def check_folder(out: Path, source: Path) -> None:
    """Refuse a results folder that cannot be written, or that holds somebody's music.

    Raises
    ------
    UsageError
    """
    existing = next((path for path in (out, *out.parents) if path.exists()), Path())
    if not existing.is_dir():
        raise UsageError(f"{existing}: a file, not a folder; name another folder with --out")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"{existing}: not writable; name another folder with --out")
    ours = (out / "songscape.db").exists()
    if not ours and source.is_dir() and out.exists() and out.resolve() == source.resolve():
        raise UsageError(f"{out}: is the collection itself; name another folder with --out")


def check_promises(paths: Sequence[Path]) -> None:
    """Make sure that everything that was written is still there.

    Raises
    ------
    SongscapeError
    """
    gone = [path for path in paths if not path.exists()]
    if gone:
        raise SongscapeError(
            f"{gone[0]}: was written and is gone; was the folder removed meanwhile? "
            "The same command makes what is missing"
        )
