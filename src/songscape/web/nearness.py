"""Which songs are near a song: on a map's vectors, or with sound and words weighed by hand."""

from __future__ import annotations

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.results import ResultsFolder
from songscape.web.atlas import Atlas

__all__ = ["Nearness", "NotMeasured"]

Floats = NDArray[np.float32]
PARTS = {"sound": "timbre-pca", "words": "tfidf"}


class NotMeasured(SongscapeError):
    """A song, or the whole collection, lacks what was asked for."""


class Nearness:
    """Distances between songs.

    Parameters
    ----------
    atlas : Atlas
    folder : ResultsFolder
        Its library has sound and words, read when they are first weighed.
    """

    def __init__(self, atlas: Atlas, folder: ResultsFolder) -> None:
        self._atlas, self._folder = atlas, folder
        self._parts: dict[str, Floats] = {}
        self._lock = Lock()

    def distances(self, row: int, layout: int = 0, words: float | None = None) -> Floats:
        """Of every song to one, (n,).

        Parameters
        ----------
        row : int
        layout : int
            Whose vectors are compared where `words` is None.
        words : float, optional
            The share of the words, 0 to 1; the rest is sound. A song without words is as far from
            every song as two songs are on average.

        Raises
        ------
        NotMeasured
            The song or the collection has no words, or there is no map.
        """
        if words is None:
            return _squared(self._atlas.layouts[layout].vectors, row) ** 0.5
        total = np.zeros(len(self._atlas.ids), np.float32)
        for name, share in (("sound", 1 - words), ("words", words)):
            if share > 0:
                total += share * self._part_distances(name, row)
        return total**0.5

    def _part_distances(self, name: str, row: int) -> Floats:
        """Squared distances in one part, 1 on average over random pairs."""
        vectors = self._part(name)
        if np.isnan(vectors[row]).any():
            raise NotMeasured(f"{self._atlas.titles[row]}: has no {name}; move the slider away")
        # The vectors have unit total variance.
        found: Floats = np.nan_to_num(_squared(vectors, row) / 2, nan=1.0)
        return found

    def _part(self, name: str) -> Floats:
        """Vectors of unit total variance; NaN for songs that lack the part."""
        with self._lock:
            if name not in self._parts:
                self._parts[name] = _vectors(self._folder, self._atlas, PARTS[name])
        return self._parts[name]


def _squared(vectors: Floats, row: int) -> Floats:
    return np.asarray(np.square(vectors - vectors[row]).sum(axis=1), np.float32)


def _vectors(folder: ResultsFolder, atlas: Atlas, model: str) -> Floats:
    from songscape.features.loading import load_views
    from songscape.library import Library
    from songscape.models.presets import find_preset, make_model

    view = find_preset(model).views[0]
    with Library.open(folder.library, must_exist=True) as library:
        views = load_views(library, [view])
    if views.track_ids != atlas.ids:
        raise NotMeasured("the library has changed; load the page again")
    present = views[view].present
    if present.sum() < 2:
        raise NotMeasured(f"the collection has no {view}")
    values = np.asarray(make_model(model).fit_transform(views), np.float32)
    values -= values[present].mean(axis=0)
    values /= max(float(np.square(values[present]).sum(axis=1).mean()) ** 0.5, 1e-12)
    values[~present] = np.nan
    return values
