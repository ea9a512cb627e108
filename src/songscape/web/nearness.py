"""Which songs are near a song: in the vectors of a map, or with sound and words weighed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.library import Library
from songscape.neighbours.index import Index
from songscape.neighbours.songs import Songs, read_songs
from songscape.results import ResultsFolder
from songscape.web.atlas import Atlas
from songscape.web.relayout import laid_out_again

Floats = NDArray[np.float32]
PARTS = {"sound": "timbre-pca", "words": "tfidf"}


class NotMeasured(SongscapeError):
    """A song, or the whole collection, lacks what was asked for."""


class Nearness:
    """The songs near a song.

    Parameters
    ----------
    atlas : Atlas
    folder : ResultsFolder
        Its library has sound and words, read when they are first weighed.
    """

    def __init__(self, atlas: Atlas, folder: ResultsFolder) -> None:
        self._atlas, self._folder = atlas, folder
        self._lock = Lock()
        self._layouts: dict[int, Index] = {}
        self._weighed: Index | None = None

    @cached_property
    def songs(self) -> Songs:
        """What lists and playlists need of them."""
        with Library.open(self._folder.library, must_exist=True) as library:
            return read_songs(library, self._folder)

    @cached_property
    def parts(self) -> Mapping[str, Floats]:
        """Sound and words, (n, d) each; NaN where a song lacks it."""
        return {name: _vectors(self._folder, self._atlas, name) for name in PARTS}

    def index(self, layout: int = 0) -> Index:
        """The songs in the vectors that a layout draws."""
        with self._lock:
            if layout not in self._layouts:
                vectors = self._atlas.layouts[layout].vectors
                self._layouts[layout] = Index(self._atlas.ids, vectors, self.songs)
            return self._layouts[layout]

    def weighed(self, words: float, row: int | None = None) -> tuple[Index, Mapping[str, float]]:
        """The songs by sound and words, and the weights of both.

        Parameters
        ----------
        words : float
            The share of the words, 0 to 1; the rest is sound.
        row : int, optional
            The song that is asked about.

        Raises
        ------
        NotMeasured
            The song or the collection lacks what is weighed.
        """
        with self._lock:
            if self._weighed is None:
                self._weighed = Index(self._atlas.ids, self.parts, self.songs)
        weights = {"sound": 1 - words, "words": words}
        weights = {name: weight for name, weight in weights.items() if weight > 0}
        for name in weights:
            present = self._weighed.space.blocks[name].present
            if not present.any():
                raise NotMeasured(f"these songs have no {name}")
            if row is not None and not present[row]:
                raise NotMeasured(f"{self._atlas.titles[row]}: has no {name}; move the slider")
        return self._weighed, weights

    def asked(
        self, row: int, layout: int = 0, words: float | None = None
    ) -> tuple[Index, Mapping[str, float] | None]:
        """Where to look for the neighbours of a song: a layout's vectors, or sound and words."""
        return (self.index(layout), None) if words is None else self.weighed(words, row)

    def distances(self, row: int, layout: int = 0, words: float | None = None) -> Floats:
        """Of every song to one, (n,)."""
        index, weights = self.asked(row, layout, words)
        return index.distances(self._atlas.ids[row], weights)

    def places(self, layout: int, words: float) -> tuple[Floats, int]:
        """A layout laid out again with sound and words weighed by hand, and how many songs stay."""
        index, weights = self.weighed(words)
        found = laid_out_again(self._atlas.layouts[layout].places, index.space, weights)
        moved = np.any([index.space.blocks[name].present for name in weights], axis=0)
        return found, int((~moved).sum())


def _vectors(folder: ResultsFolder, atlas: Atlas, part: str) -> Floats:
    """Vectors of sound or words; NaN for songs that lack it."""
    from songscape.features.loading import load_views
    from songscape.models.presets import find_preset, make_model

    model = PARTS[part]
    view = find_preset(model).views[0]
    with Library.open(folder.library, must_exist=True) as library:
        views = load_views(library, [view])
    row_of = {track_id: row for row, track_id in enumerate(views.track_ids)}
    if not atlas.row_of.keys() <= row_of.keys():
        raise NotMeasured("the library has changed; reload the page")
    present = views[view].present
    if present.sum() < 2:
        return np.full((len(atlas.ids), 1), np.nan, np.float32)
    values = np.asarray(make_model(model).fit_transform(views), np.float32)
    values[~present] = np.nan
    return values[[row_of[track_id] for track_id in atlas.ids]]
