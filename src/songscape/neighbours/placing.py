"""A file that is in no library: read, analysed, and placed among the songs of a results folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.covariates import language_view
from songscape.features.extract import extract
from songscape.features.loading import TEXT_VIEWS, ViewLoader, load_views
from songscape.features.text import tokenize
from songscape.features.views import View, Views
from songscape.ingest import read_collection
from songscape.ingest.file_kinds import FileKind, kind_of
from songscape.library import Library
from songscape.models.saving import load_model
from songscape.neighbours.songs import Song, read_songs
from songscape.results import ResultsFolder

__all__ = ["place_file"]


def place_file(
    file: Path, folder: ResultsFolder, model: str, seed: int
) -> tuple[Song, NDArray[np.float32]]:
    """What is known of a file, and its vector in the space of a saved model.

    Its words come from its tags, or from a lyrics file of the same stem beside it.

    Raises
    ------
    SongscapeError
        The file can't be analysed, or the model reads what can't be made of one file.
    """
    estimator = load_model(folder.model(model, seed))
    names = list(getattr(estimator, "inputs_", None) or estimator.view_specs_)
    with TemporaryDirectory(prefix="songscape-") as place:
        music = Path(place) / "music"
        music.mkdir()
        for path in (file, *_sidecars(file)):
            shutil.copyfile(path, music / path.name)
        with Library.open(Path(place) / "songscape.db") as library:
            extract(
                library,
                read_collection(music),
                views=[name for name in names if name not in TEXT_VIEWS],
                workers=1,
            )
            texts = list(library.texts().values())
            if len(texts) != 1:
                reasons = [r.reason for r in library.ledger() if r.status in ("failed", "skipped")]
                raise SongscapeError(f"{file}: {'; '.join(reasons) or 'is not one song'}")
            text = texts[0]
            songs, table = read_songs(library), library.columns()
            views = {name: _view(library, folder, name, text) for name in names}
        language = language_view(table, [text])
    for name in getattr(estimator, "covariates", None) or ():
        views[name] = language or View(np.zeros((1, 0), np.float32), np.zeros(1, bool))
    vector = estimator.transform(Views(songs.ids, views))[0]
    return songs[songs.ids[0]], np.asarray(vector, np.float32)


def _sidecars(file: Path) -> list[Path]:
    alike = (p for p in sorted(file.parent.iterdir()) if p.name.startswith(f"{file.stem}."))
    return [p for p in alike if kind_of(p.name) is FileKind.LYRICS and p.is_file()]


def _view(own: Library, folder: ResultsFolder, name: str, text: str | None) -> View:
    """One view of one song; its words in the terms of the folder's library."""
    if name not in TEXT_VIEWS:
        return load_views(own, [name])[name]
    if name != "lyrics":
        raise SongscapeError(f"the view {name} of one file can't be made; use the default model")
    with Library.open(folder.library, must_exist=True) as library:
        return as_row_of(ViewLoader(library.texts()).load(library, name), text)


def as_row_of(view: View, text: str | None) -> View:
    """The words of another song as a row of `lyrics_view`, weighed as those of its songs are."""
    import scipy.sparse as sp

    weights = sp.csr_array(view.values)
    known: Mapping[str, int] = {word: at for at, word in enumerate(view.feature_names)}
    columns = sorted({known[word] for word in tokenize(text or "") if word in known})
    n, counts = int(view.present.sum()), np.bincount(weights.indices, minlength=len(known))
    row = np.log((1 + n) / (1 + counts[columns])) + 1
    row /= max(float(np.linalg.norm(row)), 1e-12)
    parts: Any = (row.astype(np.float32), (np.zeros(len(columns), int), columns))
    values = sp.csr_array(parts, shape=(1, len(known)), dtype=np.float32)
    present = np.array([len(columns) > 0])
    return View(
        values, present, feature_names=view.feature_names, modality="text", standardise=False
    )
