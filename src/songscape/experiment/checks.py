"""Checks of settings, folders and collection before the work, and of the results after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from songscape.benchmark.number_of_clusters import check_k
from songscape.benchmark.targets import MIN_TRACKS
from songscape.errors import SongscapeError, UsageError
from songscape.settings import Settings

if TYPE_CHECKING:
    from songscape.library import Collection

RESERVED = ("track_id",)
"""What our own tables call a column: no label of the collection may be called so."""


def check_settings(settings: Settings) -> None:
    """Refuse unknown models, clusterers and views, and options that they do not have or take."""
    from songscape.benchmark.measure import MEASURES
    from songscape.clustering.methods import check_clusterer_options
    from songscape.features.analyse import MAX_FRAMES
    from songscape.features.encoders.registry import ENCODERS
    from songscape.features.loading import check_view_names
    from songscape.models.presets import check_model_options, find_preset

    if settings.features.max_frames > MAX_FRAMES:
        raise UsageError(
            f"features: max_frames = {settings.features.max_frames}; at most {MAX_FRAMES} are kept"
        )
    for name in (*settings.models, *settings.model_options):
        find_preset(name)
        if options := settings.model_options.get(name):
            check_model_options(name, options)
            check_view_names(options.get("views") or ())
    for name in (*settings.clusterers, *settings.clusterer_options):
        check_clusterer_options(name, settings.clusterer_options.get(name, {}))
    unknown = sorted(set(settings.encoders) - {"auto", *ENCODERS})
    if unknown:
        raise UsageError(f"no encoder {unknown[0]!r}; there are {', '.join(ENCODERS)}, auto, none")
    unknown = [name for name in settings.measures if name not in MEASURES]
    if unknown:
        raise UsageError(f"no measure {unknown[0]!r}; known: {', '.join(MEASURES)}")


def check_size(n_tracks: int, columns: Iterable[str], settings: Settings) -> None:
    """Refuse settings that a collection of this many tracks with these columns cannot fulfil."""
    if n_tracks < MIN_TRACKS:
        raise SongscapeError(
            f"{n_tracks} tracks: clustering needs at least {MIN_TRACKS}; add tracks"
        )
    check_k(settings.k, n_tracks)
    for name in (*settings.labels, *settings.nuisances):
        if name.strip().casefold() in RESERVED:
            raise UsageError(
                f"{name!r} cannot be a label: the tables of the results use that name for the "
                "tracks; rename the column"
            )


def check_still_there(collection: Collection) -> None:
    """Raise where none of the collection's audio files is there any more."""
    if not any(track.audio and track.audio.exists() for track in collection.tracks):
        raise SongscapeError(
            f"{collection.root}: none of its audio files is there any more; make the folder "
            "available again, and run the same command: it continues"
        )


def check_folder(out: Path, source: Path) -> None:
    """Refuse a results folder that cannot be written, or that holds somebody's music."""
    existing = next((path for path in (out, *out.parents) if path.exists()), Path())
    if not existing.is_dir():
        raise UsageError(f"{existing}: a file, not a folder; name another folder with --out")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"{existing}: not writable; name another folder with --out")
    ours = (out / "songscape.db").exists()
    if not ours and source.is_dir() and out.exists() and out.resolve() == source.resolve():
        raise UsageError(f"{out}: is the collection itself; name another folder with --out")


def check_written(paths: Sequence[Path]) -> None:
    """Raise where a file that was written is gone."""
    gone = [path for path in paths if not path.exists()]
    if gone:
        raise SongscapeError(
            f"{gone[0]}: was written and is gone; was the folder removed meanwhile? "
            "The same command makes what is missing"
        )
