"""Library -> what models and metrics need: views, columns and facts in one order of tracks.

`load_dataset` reads a library once. What it finds out (languages of lyrics, copies of recordings,
word counts) is kept in the library and only read the next time. `Dataset.views` reads a view when
it is asked for; `Dataset.digests` says without that whether one has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.benchmark.targets import MIN_TRACKS
from songscape.columns import ColumnRoles, find_columns, find_roles, label_columns
from songscape.errors import SongscapeError
from songscape.experiment.checks import check_size, check_still_there
from songscape.progress import progress_bar, say
from songscape.settings import Settings
from songscape.spellings import known_artists, normalised

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from songscape.features.views import Views
    from songscape.library import Collection, Library
    from songscape.models.presets import Preset

# What a comparison needs, whatever the models read.
EVIDENCE_VIEWS = ("timbre", "lyrics", "mfcc", "segments", "descriptors", "lyrics-counts")


@dataclass(frozen=True, eq=False)
class Dataset:
    """An analysed collection, every table in the order of `views.track_ids`.

    `views` has features (each read when it is first asked for), covariates (`language` where a
    language is known, and columns that models are conditioned on), and the groups (artists, copies)
    that no split separates; `digests` has those of views that some track has, known without reading
    them. `columns` is the collection's table with one spelling for each value
    (`songscape.spellings.normalised`) and, where it has no language, a column `language` as the
    lyrics tell it. `label_columns` are named by the settings, or those that group tracks;
    `nuisance_columns` are named by the settings. `facts` is what the audio files say of themselves;
    tracks of one recording have one number in `copies`.
    """

    views: Views
    columns: pd.DataFrame
    label_columns: tuple[str, ...]
    nuisance_columns: tuple[str, ...]
    facts: pd.DataFrame
    texts: tuple[str | None, ...]
    roles: ColumnRoles
    digests: Mapping[str, str]
    copies: NDArray[np.int64] | None = None

    @property
    def track_ids(self) -> tuple[str, ...]:
        return self.views.track_ids

    @cached_property
    def artists(self) -> list[str | None] | None:
        """The artist of each track, None where unknown; None where the collection names none."""
        name = self.roles.artist
        return None if name is None else known_artists(self.columns[name])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything here but the lyrics as such: equal digests, equal results."""
        import numpy as np

        parts: list[Any] = [self.track_ids, sorted(self.digests.items()), self.label_columns]
        parts += [self.nuisance_columns, self.roles.as_dict(), self.columns.to_csv()]
        parts += [self.facts.to_csv(), np.asarray(self.views.groups).tolist()]
        return hashlib.sha256(ascii(parts).encode()).hexdigest()


def scan(source: Path, path: Path, lyrics_order: Iterable[str] = ()) -> Collection:
    """The tracks of a collection, with what the library at `path` (if it is there) knows of it."""
    from songscape.ingest import read_collection
    from songscape.ingest.remote import local_folder
    from songscape.library import Library

    known, listed = None, None
    if path.exists():
        with Library.open(path) as library:
            known, listed = library.read_before(), library.listed()
    folder = local_folder(source, path.parent)
    return read_collection(folder, known=known, listed=listed, lyrics_order=tuple(lyrics_order))


def read_library(
    source: Path,
    path: Path,
    settings: Settings,
    views: Iterable[str] = (),
    *,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Library:
    """Catalogue the collection at `source` and extract what is missing; the caller closes it.

    `views` are those that will be needed, so that no file is decoded twice. UsageError (the
    settings ask for what the collection does not have) is raised before any audio is decoded.
    """
    from songscape.features.embeddings import embeddings_of, find_models
    from songscape.features.extract import extract
    from songscape.library import Library

    views = readable(views, settings)
    pretrained = embeddings_of(views)
    find_models(pretrained)  # what is missing is reported before any audio is read
    collection = scan(source, path, settings.lyrics_order)
    find_columns(settings.labels, collection.label_columns)
    find_columns(settings.nuisances, collection.label_columns, "nuisance")
    find_roles(collection.label_columns, settings.roles)
    check_size(len(collection.tracks), collection.label_columns, settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with Library.open(path) as library, progress_bar("reading audio and lyrics") as advance:
        if library.counts().found and library.root != (root := collection.root):
            say(f"{path} was made from {library.root}; tracks outside {root} are left out")
        extract(
            library,
            collection,
            views=[name for name in views if name not in pretrained],
            excerpt=settings.features.excerpt,
            workers=workers,
            executor=executor,
            progress=advance,
        )
        if not library.counts().complete:
            check_still_there(collection)
    return Library.open(path)


def views_needed(settings: Settings, also: Iterable[str] = ()) -> list[str]:
    """Names of the views that the models read, with their options, and those named besides, sorted.

    `language` is among them, other covariates are not: they come from columns.
    """
    presets = _presets(settings)
    needed = {view for preset in presets for view in preset.modelled_views}
    language = {name for preset in presets for name in preset.covariates if name == "language"}
    return sorted(needed | language | set(also))


def _presets(settings: Settings) -> list[Preset]:
    from songscape.models.presets import find_preset

    options = settings.model_options
    return [find_preset(name).with_options(options.get(name, {})) for name in settings.models]


def readable(names: Iterable[str], settings: Settings, library: Library | None = None) -> list[str]:
    """Those of the views that may be read: encoders as the settings say, or a model's `views`.

    Where they name none, those that are installed, or whose views the library has already, but for
    encoders that are only read when they are named.
    """
    from songscape.features.encoders.registry import ENCODERS

    named = {*settings.encoders}
    for options in settings.model_options.values():
        named.update(options.get("views") or ())

    def may(name: str) -> bool:
        if name not in ENCODERS or name in named:
            return True
        if "auto" not in settings.encoders or not ENCODERS[name].by_default:
            return False
        stored = library is not None and library.feature_recipes([name])[name]
        return bool(stored) or ENCODERS[name].is_installed

    return [name for name in names if may(name)]


def compute_views(
    library: Library,
    names: Sequence[str],
    *,
    workers: int | None = None,
    executor: Executor | None = None,
) -> None:
    """Compute what analysed tracks lack of these views; each stage shows how far it is.

    Raises `SongscapeError` if an encoder does not work.
    """
    from songscape.features.embeddings import embeddings_of
    from songscape.features.encoders.registry import ENCODERS
    from songscape.features.extract import complete

    pretrained = embeddings_of(names)
    heard = [n for n in pretrained if n in ENCODERS and ENCODERS[n].modality == "audio"]
    stages = {"computing further views": [n for n in names if n not in pretrained]}
    stages[f"listening: {' and '.join(heard)}"] = heard
    stages |= {f"encoding: {name}": [name] for name in pretrained if name not in heard}
    for what, views in stages.items():
        with progress_bar(what) as advance:
            complete(library, views, workers=workers, executor=executor, progress=advance)


def load_dataset(
    library: Library,
    settings: Settings,
    view_names: Iterable[str],
    *,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Dataset:
    """Views, columns and facts of all analysed tracks; what the library lacks is computed first.

    A library that can't be written is read all the same; what it lacks is then found each time.
    """
    from songscape.audit.duplicates import split_groups
    from songscape.experiment.track_facts import KnownLanguages, known_copies
    from songscape.features.covariates import covariate_views, language_view, with_language
    from songscape.features.loading import ViewLoader
    from songscape.features.views import Views

    counts = library.counts()
    if counts.analysed < MIN_TRACKS:
        raise SongscapeError(
            f"{counts.analysed} of {counts.found} tracks could be analysed, and clustering needs "
            f"at least {MIN_TRACKS}; `songscape ledger {library.path}` names the reasons"
        )
    table = library.columns()
    nuisances = tuple(find_columns(settings.nuisances, table.columns, "nuisance"))
    # An empty column is nobody's artist or language, unless the settings say so.
    empty = {name for name in table if table[name].isna().all()}
    empty -= {*find_roles(table.columns, settings.roles).named.values()}
    roles = find_roles((n for n in table if n not in empty), settings.roles)
    wanted = readable(view_names, settings, library)
    compute_views(library, wanted, workers=workers, executor=executor)
    texts = library.texts()
    ids = list(texts)
    facts = library.audio_facts().reindex(ids)
    columns = normalised(table.reindex(ids), roles)
    loader = ViewLoader(texts, settings.features.max_words, settings.features.max_frames)
    languages = KnownLanguages(library, texts)
    language = language_view(columns, list(texts.values()), roles=roles, identify=languages)
    languages.keep()
    given = {name for preset in _presets(settings) for name in preset.covariates} - {"language"}
    covariates = covariate_views(sorted(given), columns, facts)
    if language is not None:
        covariates["language"] = language
        if roles.language is None:
            columns = with_language(columns, language, roles)
            known = int(columns["language"].notna().sum())
            say(f"language: identified from the lyrics of {known:,} of {len(ids):,} tracks")
            empty.discard("language")
            roles = find_roles((n for n in columns if n not in empty), settings.roles)
    read = [name for name in wanted if name != "language"]
    digests = {name: loader.digest(library, name) for name in read}
    digests |= {name: Views(tuple(ids), {name: v}).digest() for name, v in covariates.items()}
    copies = known_copies(library, texts, facts)
    groups = split_groups(copies, None if roles.artist is None else columns[roles.artist])
    blocks = loader.lazily(library, read, covariates)
    return Dataset(
        views=Views(tuple(ids), blocks, groups),
        columns=columns,
        label_columns=tuple(
            label_columns(columns, settings.labels, nuisances=nuisances, roles=roles)
        ),
        nuisance_columns=nuisances,
        facts=facts,
        texts=tuple(texts.values()),
        roles=roles,
        digests={name: digest for name, digest in digests.items() if digest is not None},
        copies=copies,
    )
