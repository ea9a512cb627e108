"""One state of a folder: its songs, and what is made of them when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, UsageError
from songscape.library import Library
from songscape.neighbours.index import Index
from songscape.neighbours.songs import Songs, read_songs
from songscape.results import ResultsFolder
from songscape.web.atlas import Atlas
from songscape.web.packing import as_json, map_document
from songscape.web.relayout import laid_out_again
from songscape.web.search import SongSearch

Floats = NDArray[np.float32]
PARTS = {"sound": "timbre-pca", "words": "tfidf"}


class NotMeasured(SongscapeError):
    """A song, or the whole collection, lacks what was asked for."""


class Shown:
    """What a folder shows, until `state` is another: the map, a search, and what is near a song."""

    def __init__(self, folder: ResultsFolder, state: tuple[int, ...], atlas: Atlas) -> None:
        self.folder, self.state, self.atlas = folder, state, atlas
        self._lock = Lock()
        self._indexes: dict[int | None, Index] = {}  # by layout; None is by sound and words

    @property
    def version(self) -> str:
        return f"{len(self.atlas.ids)}-{'-'.join(map(str, self.state))}"

    @cached_property
    def map_json(self) -> bytes:
        return as_json(map_document(self.atlas) | {"version": self.version})

    @cached_property
    def search(self) -> SongSearch:
        return SongSearch(self.atlas)

    @cached_property
    def songs(self) -> Songs:
        """What lists and playlists need of them."""
        with Library.open(self.folder.library, must_exist=True) as library:
            return read_songs(library, self.folder)

    @cached_property
    def parts(self) -> Mapping[str, Floats]:
        """Sound and words, (n, d) each; NaN where a song lacks it."""
        return {name: _vectors(self.folder, self.atlas, name) for name in PARTS}

    def asked(
        self, layout: int = 0, words: float | None = None, *rows: int
    ) -> tuple[Index, Mapping[str, float] | None]:
        """Where to look for what is near the songs in `rows`, and the weights of sound and words.

        Without `words` the vectors of a layout count; with it (0 to 1) the words have this weight
        and the sound the rest. Raises NotMeasured where there is no map yet or a song or the
        collection lacks what is weighed, UsageError where there is no such layout.
        """
        atlas = self.atlas
        if not atlas.layouts:
            raise NotMeasured("the songs are still being analysed; this comes with the map")
        if layout >= len(atlas.layouts):
            raise UsageError(f"map: there are {len(atlas.layouts)}, counted from 0")
        key = layout if words is None else None
        with self._lock:
            if key not in self._indexes:
                vectors = self.parts if key is None else atlas.layouts[key].vectors
                self._indexes[key] = Index(atlas.ids, vectors, self.songs)
            index = self._indexes[key]
        if words is None:
            return index, None
        weights = {"sound": 1 - words, "words": words}
        weights = {name: weight for name, weight in weights.items() if weight > 0}
        for name in weights:
            present = index.space.blocks[name].present
            if not present.any():
                raise NotMeasured(f"these songs have no {name}")
            for row in rows:
                if not present[row]:
                    raise NotMeasured(f"{atlas.titles[row]}: has no {name}; move the slider")
        return index, weights

    def distances(self, row: int, layout: int = 0, words: float | None = None) -> Floats:
        """Of every song to one, (n,)."""
        index, weights = self.asked(layout, words, row)
        return index.distances(self.atlas.ids[row], weights)

    def places(self, layout: int, words: float) -> tuple[Floats, int]:
        """A layout laid out again with sound and words weighed by hand, and how many songs stay."""
        index, weights = self.asked(layout, words)
        found = laid_out_again(self.atlas.layouts[layout].places, index.space, weights or {})
        moved = np.any([index.space.blocks[name].present for name in weights or ()], axis=0)
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
