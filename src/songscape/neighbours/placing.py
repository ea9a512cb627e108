"""Songs that are in no library: read, analysed, and placed among those of a results folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features import TEXT_VIEWS
from songscape.features.covariates import language_view
from songscape.features.extract import extract
from songscape.features.loading import ViewLoader, load_views
from songscape.features.text import tokenize
from songscape.features.views import View, Views
from songscape.ingest import read_collection
from songscape.ingest.file_kinds import FileKind, kind_of
from songscape.library import Collection, LedgerRow, Library
from songscape.models.saving import load_model
from songscape.neighbours.songs import Song, Songs, read_songs
from songscape.progress import progress_bar
from songscape.results import ResultsFolder


class Placer:
    """A saved model of a results folder, for songs that are not in its library.

    SongscapeError where the model is not there.
    """

    def __init__(self, folder: ResultsFolder, model: str, seed: int) -> None:
        self._folder = folder
        self._model: Any = load_model(folder.model(model, seed))
        self._names = list(getattr(self._model, "inputs_", None) or self._model.view_specs_)

    def file(self, file: Path) -> tuple[Song, NDArray[np.float32]]:
        """What is known of a file, and its vector.

        Its words come from its tags, or from a lyrics file of the same stem beside it.
        SongscapeError where it can't be analysed, or the model reads what can't be made of it.
        """
        with TemporaryDirectory(prefix="songscape-") as place:
            for path in (file, *_sidecars(file)):
                shutil.copyfile(path, Path(place) / path.name)
            songs, vectors, problems = self.collection(read_collection(place), workers=1)
        if len(songs) != 1:
            reasons = "; ".join(row.reason for row in problems)
            raise SongscapeError(f"{file}: {reasons or 'is not one song'}")
        return songs[songs.ids[0]], vectors[0]

    def collection(
        self, collection: Collection, workers: int | None = None
    ) -> tuple[Songs, NDArray[np.float32], list[LedgerRow]]:
        """The songs of a collection that could be read, their vectors, and what could not be read.

        SongscapeError where the model reads what can't be made of new songs.
        """
        with (
            TemporaryDirectory(prefix="songscape-") as place,
            Library.open(Path(place) / "songscape.db") as library,
            progress_bar("analysing") as advance,
        ):
            with Library.open(self._folder.library, must_exist=True) as of_folder:
                excerpt = of_folder.excerpt
            heard = [name for name in self._names if name not in TEXT_VIEWS]
            options: Any = {"views": heard, "excerpt": excerpt, "workers": workers}
            extract(library, collection, progress=advance, **options)
            texts = list(library.texts().values())
            problems = [row for row in library.ledger() if row.status in ("failed", "skipped")]
            songs = read_songs(library)
            if not texts:
                return songs, np.zeros((0, 0), np.float32), problems
            blocks = {name: self._view(library, name, texts) for name in self._names}
            language = language_view(library.columns().loc[list(songs.ids)], texts)
        nothing = View(np.zeros((len(songs), 0), np.float32), np.zeros(len(songs), bool))
        for name in getattr(self._model, "covariates", None) or ():
            blocks[name] = language or nothing
        vectors = self._model.transform(Views(songs.ids, blocks))
        return songs, np.asarray(vectors, np.float32), problems

    def _view(self, own: Library, name: str, texts: Sequence[str | None]) -> View:
        """One view of the songs; their words in the terms of the folder's library."""
        if name not in TEXT_VIEWS:
            return load_views(own, [name])[name]
        if name != "lyrics":
            raise SongscapeError(
                f"the view {name} of one file can't be made; use the default model"
            )
        return as_rows_of(self._lyrics, texts)

    @cached_property
    def _lyrics(self) -> View:
        with Library.open(self._folder.library, must_exist=True) as library:
            return ViewLoader(library.texts()).load(library, "lyrics")


def _sidecars(file: Path) -> list[Path]:
    alike = (p for p in sorted(file.parent.iterdir()) if p.name.startswith(f"{file.stem}."))
    return [p for p in alike if kind_of(p.name) is FileKind.LYRICS and p.is_file()]


def as_rows_of(view: View, texts: Sequence[str | None]) -> View:
    """The words of other songs as rows of `lyrics_view`, weighed as those of its songs are."""
    import scipy.sparse as sp
    from sklearn.feature_extraction.text import TfidfVectorizer

    words, n = list(view.feature_names), int(view.present.sum())
    if not words:
        nothing = sp.csr_array((len(texts), 0), dtype=np.float32)
        return replace(view, values=nothing, present=np.zeros(len(texts), bool))
    counts = np.bincount(sp.csr_array(view.values).indices, minlength=len(words))
    weigh = TfidfVectorizer(analyzer=tokenize, vocabulary=words, binary=True, dtype=np.float32)
    weigh.idf_ = np.log((1 + n) / (1 + counts)) + 1
    values = sp.csr_array(weigh.transform([text or "" for text in texts]))
    return replace(view, values=values, present=np.diff(values.indptr) > 0)
