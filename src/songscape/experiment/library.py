"""The library as a person uses it in Python: scan a folder, extract, and take views."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from songscape.library import Counts
from songscape.library import Library as Stored
from songscape.progress import progress_bar

if TYPE_CHECKING:
    from songscape.features.views import Views

USUAL_VIEWS = ("segments", "timbre", "rhythm", "harmony", "descriptors", "lyrics", "lyrics-counts")
"""What the models that need no further packages read, and what describes groups."""


class Library(Stored):
    """A collection's tracks, ledger, features and facts in one SQLite file (write-ahead log).

    One process writes; any number may read meanwhile. Use `Library.scan` or `Library.open`, and a
    `with` block, not the path and the opened `database`.
    """

    @classmethod
    def scan(
        cls, source: str | os.PathLike[str], path: str | os.PathLike[str] | None = None
    ) -> Library:
        """Find the tracks of a folder: files, tags, lyrics, languages; no audio is decoded.

        `source` is a folder of music or a `tracks.csv`, `path` where the library lies or is made,
        by default `songscape.db` in NAME-songscape, where `songscape run` has it.
        """
        from songscape.experiment.dataset import scan
        from songscape.experiment.experiment import default_folder

        source = Path(source).expanduser()
        file = default_folder(source) / "songscape.db" if path is None else Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        collection = scan(source, file)
        library = cls.open(file)
        library.update(collection)
        library._source = source
        return library

    _source: Path | None = None

    def extract(
        self,
        views: Iterable[str] = USUAL_VIEWS,
        *,
        workers: int | None = None,
        executor: Executor | None = None,
    ) -> Counts:
        """Analyse every track that is missing or has changed, for the usual views and `views`.

        `workers` are processes, by default one per core; an `executor`, such as a Dask client's, is
        where to run instead.
        """
        from songscape.experiment.dataset import scan
        from songscape.features.extract import extract

        collection = scan(self._source or self.root, self.path)
        with progress_bar("reading audio and lyrics") as advance:
            return extract(
                self, collection, views=views, workers=workers, executor=executor, progress=advance
            )

    def views(self, names: Sequence[str] = USUAL_VIEWS) -> Views:
        """Views of all analysed tracks, sorted by id, with their languages where known.

        Those of `names` that no track has are left out.
        """
        from songscape.features.covariates import language_view
        from songscape.features.loading import ViewLoader, load_views
        from songscape.features.views import Views

        texts = self.texts()
        loader = ViewLoader(texts)
        views = load_views(self, [n for n in names if loader.digest(self, n) is not None])
        language = language_view(self.columns().reindex(list(texts)), list(texts.values()))
        made = {} if language is None else {"language": language}
        return Views(views.track_ids, {**views, **made})
