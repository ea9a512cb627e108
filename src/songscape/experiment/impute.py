"""A finished run -> for tracks without lyrics (or audio), the nearest ones that have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from songscape.errors import SongscapeError, UsageError
from songscape.experiment.experiment import recorded_settings
from songscape.features import TEXT_VIEWS
from songscape.results import ResultsFolder

if TYPE_CHECKING:
    import pandas as pd


def impute(
    out: Path | str,
    wanted: str = "lyrics",
    *,
    model: str = "song-vae",
    seed: int = 0,
    tracks: Sequence[str] = (),
    n_neighbors: int = 5,
) -> pd.DataFrame:
    """Look up, by a trained model, what a track lacks among the tracks that have it.

    `tracks` are ids, also of tracks that have what is `wanted` ("lyrics" or "audio"); none means
    all that lack it. The columns are track_id, rank, nearest, distance; see
    `songscape.models.imputation.nearest_by_view`.
    """
    from songscape.experiment.dataset import load_dataset, views_needed
    from songscape.library import Library
    from songscape.models.imputation import nearest_by_view
    from songscape.models.saving import load_model

    if wanted not in ("lyrics", "audio"):
        raise UsageError(f"wanted is {wanted!r}; it can be lyrics or audio")
    if n_neighbors < 1:
        raise UsageError(f"{n_neighbors} neighbours; at least 1")
    folder = ResultsFolder(Path(out))
    used = [recorded_settings(folder, verb) for verb in ("run", "compare")]
    settings = next((one for one in used if one is not None and model in one.models), None)
    if settings is None or not (folder.model(model, seed) / "model.json").exists():
        raise SongscapeError(
            f"{out}: no {model} (seed {seed}) here; "
            f"songscape run FOLDER --out {out} --models {model} trains one"
        )
    with Library.open(folder.library, must_exist=True) as library:
        settings = settings.updated(models=(model,))
        views = load_dataset(library, settings, views_needed(settings)).views
    fitted = load_model(folder.model(model, seed))
    names = [spec.name for spec in getattr(fitted, "view_specs_", ())]
    lyrics = [name for name in names if name in TEXT_VIEWS]
    names = lyrics if wanted == "lyrics" else [name for name in names if name not in lyrics]
    if not names:
        raise SongscapeError(f"{model} (seed {seed}) was trained without {wanted}")
    for track in tracks:
        if track not in views.track_ids:
            raise UsageError(f"no track {track!r} was analysed; see songscape ledger {out}")
    rows = [views.track_ids.index(track) for track in tracks] or None
    found = nearest_by_view(fitted, views, names, tracks=rows, n_neighbors=n_neighbors)
    if found.empty:
        raise UsageError(
            f"every track has {wanted}; name tracks with --tracks to see what would be nearest"
        )
    return found
