"""Library -> what models and metrics need: views, labels and file facts in one order of tracks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.columns import find_columns, find_roles, label_columns
from songscape.errors import SongscapeError
from songscape.progress import progress_bar, say
from songscape.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from songscape.features.views import Views
    from songscape.library import Library
    from songscape.models.presets import Preset

__all__ = [
    "EVIDENCE_VIEWS",
    "Inputs",
    "artist_column",
    "artists_of",
    "covariates_needed",
    "load_inputs",
    "read_library",
    "views_needed",
]

MIN_TRACKS = 4
# What k is chosen in, whatever the models read; and what a comparison needs beyond that.
REFERENCE_VIEWS = ("timbre", "lyrics")
EVIDENCE_VIEWS = ("timbre", "lyrics", "mfcc", "segments")
# What tells copies of one recording.
FINGERPRINTED = ("timbre", "mfcc", "segments")


@dataclass(frozen=True, eq=False)
class Inputs:
    """An analysed collection, every table in the order of `views.track_ids`.

    Attributes
    ----------
    views : Views
        Features, the covariate `language` where the collection has such a column, and the groups
        (artists, copies) that no split separates.
    columns : DataFrame
        All columns of the collection's table, missing as None; where it has no language, a column
        `language` as the lyrics tell it.
    label_columns : tuple of str
        Those that group tracks and are not named as nuisances, or that the settings name.
    nuisance_columns : tuple of str
        Those that the settings name as nuisances.
    facts : DataFrame
        What the audio files say of themselves: length, loudness, codec, ...
    texts : tuple of str or None
        The lyrics.
    copies : ndarray of shape (n_tracks,), int64, or None
        Tracks of one recording have one number; None where nobody looked for copies.
    """

    views: Views
    columns: pd.DataFrame
    label_columns: tuple[str, ...]
    nuisance_columns: tuple[str, ...]
    facts: pd.DataFrame
    texts: tuple[str | None, ...]
    copies: NDArray[np.int64] | None = None

    @property
    def labels(self) -> pd.DataFrame:
        return self.columns[list(self.label_columns)]

    @property
    def languages(self) -> Views:
        """The view `language` alone; no view where no track's language is known."""
        return self.views.select([name for name in ("language",) if name in self.views])


def read_library(
    source: Path,
    path: Path,
    workers: int | None,
    labels: Sequence[str] = (),
    views: Sequence[str] = (),
    *,
    nuisances: Sequence[str] = (),
) -> Library:
    """Catalogue the collection at `source` and extract what is missing; the caller closes it.

    `views` are those that will be needed, so that no file is decoded twice.

    Raises
    ------
    UsageError
        One of `labels` or `nuisances` is no column of the collection: said before any audio is
        decoded.
    """
    from songscape.features.extract import extract
    from songscape.ingest import read_collection
    from songscape.library import Library

    collection = read_collection(source)
    find_columns(labels, collection.label_columns)
    find_columns(nuisances, collection.label_columns, "nuisance")
    path.parent.mkdir(parents=True, exist_ok=True)
    library = Library.open(path)
    if library.counts().found and library.root != collection.root:
        say(f"{path} was made from {library.root}; what is not in {collection.root} is left out")
    try:
        with progress_bar("reading audio and lyrics") as advance:
            extract(
                library,
                collection,
                views=views,
                workers=workers,
                progress=lambda d, n, _: advance(d, n),
            )
    except BaseException:
        library.close()
        raise
    return library


def artist_column(columns: pd.DataFrame) -> str | None:
    """The column that says who an artist's tracks are, None where there is none."""
    return find_roles(columns.columns).artist


def artists_of(columns: pd.DataFrame) -> list[str | None] | None:
    """The artist of each track, None where unknown; None where the collection names none."""
    from songscape.audit.duplicates import known_artists

    name = artist_column(columns)
    return None if name is None else known_artists(columns[name])


def views_needed(
    models: Iterable[str],
    also: Iterable[str] = REFERENCE_VIEWS,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[str]:
    """Names of the views that these models read, and those named besides, sorted.

    `language` is among them, other covariates are not: they come from columns.

    `options` are the models' arguments where they differ from the presets'.
    """
    presets = _presets(models, options)
    needed = {view for preset in presets for view in preset.modelled_views}
    language = {name for preset in presets for name in preset.covariates if name == "language"}
    return sorted(needed | language | set(also))


def covariates_needed(
    models: Iterable[str], options: Mapping[str, Mapping[str, Any]] | None = None
) -> list[str]:
    """Names of the covariates of these models, sorted; `options` as for `views_needed`."""
    return sorted({name for preset in _presets(models, options) for name in preset.covariates})


def _presets(
    models: Iterable[str], options: Mapping[str, Mapping[str, Any]] | None
) -> list[Preset]:
    from songscape.models.presets import find_preset

    return [find_preset(name).with_options((options or {}).get(name, {})) for name in models]


def load_inputs(
    library: Library,
    settings: Settings,
    view_names: Iterable[str],
    *,
    languages: Views | None = None,
) -> Inputs:
    """Views, labels and facts of all analysed tracks; what the library lacks is computed first.

    `languages` are those that an earlier call gave (`Inputs.languages`): of the same tracks they
    are taken as they are, for to identify the language of every line takes its time.

    Raises
    ------
    SongscapeError
        Too few tracks were analysed.
    UsageError
        The settings name a column that is not there, as a label or as a nuisance.
    """
    from songscape.audit.duplicates import duplicate_groups, split_groups
    from songscape.features.covariates import covariate_views, language_view, with_language
    from songscape.features.extract import complete
    from songscape.features.loading import load_views
    from songscape.features.views import Views

    counts = library.counts()
    if counts.analysed < MIN_TRACKS:
        raise SongscapeError(
            f"{counts.analysed} of {counts.found} tracks could be analysed, and clustering needs "
            f"at least {MIN_TRACKS}; `songscape ledger {library.path}` names the reasons"
        )
    find_columns(settings.nuisances, library.columns().columns, "nuisance")
    asked = [name for name in settings.models if name in settings.model_options]
    wanted = views_needed(asked, view_names, settings.model_options)
    with progress_bar("computing further views") as advance:
        complete(library, wanted, progress=lambda done, n, _: advance(done, n))
    views = load_views(
        library,
        sorted({*wanted, *FINGERPRINTED} - {"language"}),
        max_words=settings.features.max_words,
        max_frames=settings.features.max_frames,
    )
    ids = list(views.track_ids)
    columns, facts = library.columns().reindex(ids), library.audio_facts().reindex(ids)
    copies = duplicate_groups(views, facts)
    groups = split_groups(copies, artists=artists_of(columns))
    blocks = {name: views[name] for name in wanted if name != "language"}
    lyrics = {track.id: track.lyrics for track in library.tracks()}
    texts = tuple(lyrics[i] for i in ids)
    if languages is not None and languages.track_ids == views.track_ids:
        language = languages.blocks.get("language")
    else:
        language = language_view(columns, texts)
    given = covariates_needed(settings.models, settings.model_options)
    others = [name for name in given if name != "language"]
    blocks |= covariate_views(others, columns, audio_facts=facts)
    if language is not None:
        blocks["language"] = language
        columns = with_language(columns, language)
    return Inputs(
        views=Views(views.track_ids, blocks, groups),
        columns=columns,
        label_columns=tuple(
            label_columns(
                columns, settings.labels, nuisances=settings.nuisances, also_nuisances=True
            )
        ),
        nuisance_columns=settings.nuisances,
        facts=facts,
        texts=texts,
        copies=copies,
    )
