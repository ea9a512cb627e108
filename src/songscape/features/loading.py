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
from songscape.features import TEXT_VIEWS, text
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

    def lazily(
        self, library: Library, names: Iterable[str], made: Mapping[str, View]
    ) -> LazyBlocks:
        """Views that are read when they are asked for, also after `library` was closed.

        Those that are `made` are among them.
        """

        def read(name: str) -> View:
            with Library.open(library.path, must_exist=True) as opened:
                return self.load(opened, name)

        makers = {name: partial(read, name) for name in names}
        return LazyBlocks(makers | {name: partial(made.__getitem__, name) for name in made})

    def digest(self, library: Library, name: str) -> str | None:
        """A digest of the view `name` that costs no reading of it; None where no track has it."""
        if name in TEXT_VIEWS:
            has_words = any(text.tokenize(words) for words in self.texts.values() if words)
            return self._text_recipe(name) if has_words else None
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
            if values is None:
                shape = list(array.shape)
                if axis:
                    shape[axis - 1] = self.max_frames if name == "mfcc" else N_SEGMENTS
                values = np.zeros((len(self._rows), *shape), np.float32)
            if track_id not in kept:
                continue
            row = self._rows[track_id]
            present[row] = True
            if axis:
                n_steps[row] = n = min(array.shape[axis - 1], values.shape[axis])
                np.moveaxis(values[row], axis - 1, 0)[:n] = np.moveaxis(array, axis - 1, 0)[:n]
            else:
                values[row] = array
        if values is None:
            raise SongscapeError(
                f"{library.path}: the view {name!r} was not computed for this library; "
                f"call extract(library, collection, views=[{name!r}])"
            )
        modality, standardise = "audio", True
        if name in ENCODERS:
            modality, standardise = ENCODERS[name].modality, ENCODERS[name].standardise
        elif name.startswith(PREFIX):
            modality = "text" if any("/" in recipe for recipe in kept.values()) else "audio"
            standardise = False
        mask = np.arange(values.shape[axis]) < n_steps[:, None] if axis else None
        return View(values, present, mask, axis or 1, (), modality, standardise)

    def _current(self, library: Library, name: str) -> Mapping[str, Any]:
        """Tracks (and recipes) whose stored numbers are not of words that have changed since."""
        return self.texts if name in RECIPES else current_tracks(library, name, self.texts)

    def _text(self, library: Library, name: str) -> View:
        import scipy.sparse as sp

        stored = library.arrays(f"view {name}", self._text_recipe(name))
        if stored is None:
            texts, words = list(self.texts.values()), self.max_words
            if name == "lyrics":
                view = text.lyrics_view(texts, max_words=words)
            else:
                view = text.counts_view(texts, max_words=words)
                view = text.weigh_words(view) if name == "lyrics-tfidf" else view
            view = replace(view, modality="text", standardise=False)
            joined = "\0".join(view.feature_names)
            arrays = {part: getattr(view.values, part) for part in _SPARSE}
            arrays["words"] = np.frombuffer(joined.encode("utf-8", "surrogatepass"), np.uint8)
            library.store_arrays(f"view {name}", self._text_recipe(name), arrays)
            return view
        joined = stored["words"].tobytes().decode("utf-8", "surrogatepass")
        names = tuple(joined.split("\0")) if joined else ()
        shape = (len(self.texts), len(names))
        values = sp.csr_array(tuple(stored[part] for part in _SPARSE), shape=shape)
        present = np.diff(values.indptr) > 0
        return View(values, present, feature_names=names, modality="text", standardise=False)

    def _text_recipe(self, name: str) -> str:
        return _digest(text.RECIPE, name, self.max_words, self._words_digest)

    @cached_property
    def _words_digest(self) -> str:
        return _digest(*map(ascii, self.texts.values()))


def _digest(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()
