"""Features in the library -> views: the matrices of all analysed tracks, in one order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, UsageError
from songscape.features import TEXT_VIEWS
from songscape.features.analyse import CORE, MAX_FRAMES, N_SEGMENTS, RECIPES
from songscape.features.embeddings import current_tracks
from songscape.features.encoders.hub import PREFIX
from songscape.features.encoders.registry import ENCODERS
from songscape.features.views import View, Views
from songscape.library import Library

DEFAULT_VIEWS = (*CORE, "lyrics")
VIEW_NAMES = (*RECIPES, *TEXT_VIEWS, *ENCODERS)
_SPARSE = ("data", "indices", "indptr")
# Views of steps: the axis that they run along.
_STEP_AXES = {"mfcc": 2, "segments": 1, "mel": 1}
_STEP_AXES |= {name: 1 for name, encoder in ENCODERS.items() if len(encoder.shape) == 2}


def check_view_names(names: Iterable[str]) -> None:
    """Raise `UsageError` for the first that is no view."""
    for name in names:
        if name not in VIEW_NAMES and not name.startswith(PREFIX):
            raise UsageError(
                f"no view {name!r}; there are {', '.join(VIEW_NAMES)} and {PREFIX}NAME"
            )


def load_views(
    library: Library,
    names: Sequence[str] = DEFAULT_VIEWS,
    *,
    max_words: int = 5000,
    max_frames: int = MAX_FRAMES,
) -> Views:
    """The views of all analysed tracks, sorted by id.

    Parameters
    ----------
    library : Library
    names : sequence of str
        Of `timbre` (n, 160), `mfcc` (n, 40, max_frames) with mask, `segments` (n, 10, 120) with
        mask, `rhythm` (n, 160), `harmony` (n, 89), `descriptors` (n, 10), `mel` (n, 10, 128) with
        mask, `lyrics` (n, up to max_words), every word counted once; `lyrics-tfidf` and
        `lyrics-counts` (the same words, by plain TF-IDF, and counted), all three sparse; `musicnn`
        (n, 10, 1506) and `voice` (n, 10, 256) with mask, `e5` (n, 384) and `use` (n, 512), rows of
        unit length, where their packages are installed; `embedding:NAME` (n, d), rows of unit
        length.
    max_words : int
        Largest vocabulary of a view of the lyrics.
    max_frames : int
        Frames of `mfcc` to keep, up to 300 (7.0 s).

    Raises `UsageError` for a name that is no view, or more frames than are stored;
    `SongscapeError` if no track was analysed, or a view was never computed for this library.
    """
    check_view_names(names)
    texts = library.texts()
    if not texts:
        raise SongscapeError(f"{library.path}: no analysed tracks; see its ledger for the reasons")
    loader = ViewLoader(texts, max_words, max_frames)
    return Views(tuple(texts), {name: loader.load(library, name) for name in names})


class LazyBlocks(Mapping[str, View]):
    """Views by name, each made when it is first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], View]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, View] = {}

    def __getitem__(self, name: str) -> View:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def forget(self) -> None:
        """Give back the memory of what was made; it is made again when it is asked for again."""
        self._made.clear()

    def with_made(self, views: Mapping[str, View]) -> LazyBlocks:
        """And these, which are there."""
        found = LazyBlocks(
            self._makers | {name: partial(views.__getitem__, name) for name in views}
        )
        found._made = self._made | dict(views)
        return found

    def select(self, names: Iterable[str]) -> LazyBlocks:
        """Only these; none is made by that, nor made twice."""
        return LazyBlocks({name: partial(self.__getitem__, name) for name in names})


class ViewLoader:
    """Makes the views of some tracks from a library, and knows their digests without that.

    `texts` are track ids and lyrics, in the order of the views' rows; for the rest see
    `load_views`.
    """

    def __init__(
        self, texts: Mapping[str, str | None], max_words: int = 5000, max_frames: int = MAX_FRAMES
    ) -> None:
        if not 1 <= max_frames <= MAX_FRAMES:
            raise UsageError(f"max_frames is {max_frames}; the library stores up to {MAX_FRAMES}")
        self.texts, self.max_words, self.max_frames = texts, max_words, max_frames
        self._rows = {track_id: row for row, track_id in enumerate(texts)}

    def load(self, library: Library, name: str) -> View:
        """The view `name`, read from the library; views of words are kept there."""
        return self._text(library, name) if name in TEXT_VIEWS else self._array(library, name)

    def lazily(self, library: Library, names: Iterable[str]) -> LazyBlocks:
        """Views that are read when they are asked for, also after `library` was closed."""

        def read(name: str) -> View:
            with Library.open(library.path, must_exist=True) as opened:
                return self.load(opened, name)

        return LazyBlocks({name: partial(read, name) for name in names})

    def digest(self, library: Library, name: str) -> str | None:
        """A digest of the view `name` that costs no reading of it; None where no track has it."""
        if name in TEXT_VIEWS:
            return self._text_recipe(name) if self._has_words(name) else None
        digests, kept = library.feature_digests(name), self._current(library, name)
        found = [f"{r} {digests[i]}" for i, r in self._rows.items() if i in digests and i in kept]
        frames = [self.max_frames] if name == "mfcc" else []
        return _digest(name, len(self.texts), *frames, *found) if found else None

    def _array(self, library: Library, name: str) -> View:
        axis = _STEP_AXES.get(name, 0)
        kept = self._current(library, name)
        values: NDArray[np.float32] | None = None
        present = np.zeros(len(self._rows), bool)
        n_steps = np.zeros(len(self._rows), np.int64)
        for track_id, array in library.each_feature(name):
            row = self._rows.get(track_id)
            if values is None:
                shape = list(array.shape)
                if axis:
                    shape[axis - 1] = self.max_frames if name == "mfcc" else N_SEGMENTS
                values = np.zeros((len(self._rows), *shape), np.float32)
            if row is None or track_id not in kept:
                continue
            present[row] = True
            if axis:
                n_steps[row] = min(array.shape[axis - 1], values.shape[axis])
                valid = slice(int(n_steps[row]))
                np.moveaxis(values[row], axis - 1, 0)[valid] = np.moveaxis(array, axis - 1, 0)[
                    valid
                ]
            else:
                values[row] = array
        if values is None:
            raise SongscapeError(
                f"{library.path}: the view {name!r} was not computed for this library; "
                f"call extract(library, collection, views=[{name!r}])"
            )
        encoder = ENCODERS.get(name)
        modality = encoder.modality if encoder else "audio"
        if name.startswith(PREFIX) and any("/" in recipe for recipe in kept.values()):
            modality = "text"
        standardise = encoder.standardise if encoder else not name.startswith(PREFIX)
        view = View(values, present, modality=modality, standardise=standardise)
        if not axis:
            return view
        mask = np.arange(values.shape[axis]) < n_steps[:, None]
        return replace(view, mask=mask, step_axis=axis)

    def _current(self, library: Library, name: str) -> Mapping[str, Any]:
        """Tracks (and recipes) whose stored numbers are not of words that have changed since."""
        if name in RECIPES:
            return self.texts
        return current_tracks(library, name, self.texts)

    def _text(self, library: Library, name: str) -> View:
        import scipy.sparse as sp

        stored = library.arrays(f"view {name}", self._text_recipe(name))
        if stored is None:
            view = replace(self._make_text(name), modality="text", standardise=False)
            joined = "\0".join(view.feature_names).encode("utf-8", "surrogatepass")
            arrays = {part: getattr(view.values, part) for part in _SPARSE}
            arrays["words"] = np.frombuffer(joined, np.uint8)
            library.store_arrays(f"view {name}", self._text_recipe(name), arrays)
            return view
        text = stored["words"].tobytes().decode("utf-8", "surrogatepass")
        words = tuple(text.split("\0")) if text else ()
        shape = (len(self.texts), len(words))
        values = sp.csr_array(tuple(stored[part] for part in _SPARSE), shape=shape)
        present = np.diff(values.indptr) > 0
        return View(values, present, feature_names=words, modality="text", standardise=False)

    def _make_text(self, name: str) -> View:
        from songscape.features import text

        texts = list(self.texts.values())
        of_words = {"lyrics-counts": text.counts_view, "lyrics-tfidf": text.tfidf_view}
        return of_words.get(name, text.lyrics_view)(texts, max_words=self.max_words)

    def _text_recipe(self, name: str) -> str:
        from songscape.features.text import RECIPE

        return _digest(RECIPE, name, self.max_words, self._words_digest)

    @cached_property
    def _words_digest(self) -> str:
        return _digest(*map(ascii, self.texts.values()))

    def _has_words(self, name: str) -> bool:
        from songscape.features import text

        return any(text.tokenize(words) for words in self.texts.values() if words)


def _digest(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()
