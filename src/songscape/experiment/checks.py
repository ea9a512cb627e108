"""What can be known before the work is checked before the work, and what was promised after it."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from songscape.errors import SongscapeError, UsageError
from songscape.settings import Settings

__all__ = ["check_collection", "check_folder", "check_promises", "check_settings"]

MIN_TRACKS = 4
RESERVED = ("track_id",)
"""What our own tables call a column: no label of the collection may be called so."""
_OURS = ("self", "random_state", "callback", "checkpoint")


def check_settings(settings: Settings) -> None:
    """Refuse unknown models, clusterers and views, and options that they do not have or take.

    Raises
    ------
    UsageError
    """
    from songscape.benchmark.measure import MEASURES
    from songscape.clustering.options import check_options
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
        if options:
            _check_model_options(name, options)
        check_view_names(options.get("views") or ())
    for name in (*settings.clusterers, *settings.clusterer_options):
        check_options(name, settings.clusterer_options.get(name, {}))
    for name in settings.measures:
        if name not in MEASURES:
            raise UsageError(f"no measure {name!r}; known: {', '.join(MEASURES)}")


def _check_model_options(name: str, options: Mapping[str, Any]) -> None:
    from songscape.models.presets import find_preset

    module, _, attribute = find_preset(name).factory.partition(":")
    parameters = inspect.signature(getattr(import_module(module), attribute)).parameters
    known = [option for option in parameters if option not in _OURS]
    for option, value in options.items():
        where = f"model_options.{name}"
        if option == "random_state":
            raise UsageError(f"{where}: random_state comes from the setting 'seeds'")
        if option not in known:
            raise UsageError(f"{where}: no option {option!r}; known: {', '.join(known)}")
        wrong = _wrong_type(value, parameters[option].default)
        if wrong:
            raise UsageError(f"{where}: {option} = {value!r} {wrong}")


def _wrong_type(value: Any, default: Any) -> str:
    """What is wrong with the value of an option, as its default tells; "" where nothing is."""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "is neither true nor false"
    if not isinstance(default, int | float) or value is None:
        return ""
    kind = int if isinstance(default, int) else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value):
        return f"is no {'whole ' if kind is int else ''}number"
    return "is below 0" if value < min(0, default) else ""


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
