"""Features in the library -> views: the matrices of all analysed tracks, in one order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, UsageError
from songscape.features.analyse import CORE, MAX_FRAMES, RECIPES
from songscape.features.embeddings import PREFIX, without_stale_texts
from songscape.features.views import View, Views
from songscape.library import Library

__all__ = ["DEFAULT_VIEWS", "VIEW_NAMES", "check_view_names", "load_views"]

DEFAULT_VIEWS = (*CORE, "lyrics")
TEXT_VIEWS = ("lyrics", "lyrics-counts", "chars")
VIEW_NAMES = (*RECIPES, *TEXT_VIEWS)

Stored = Sequence[NDArray[Any] | None]


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
        mask, `rhythm` (n, 160), `harmony` (n, 89), `mel` (n, 10, 128) with
        mask, `lyrics` (n, up to max_words), `lyrics-counts` (the same words, counted) and `chars`
        (character n-grams), all three sparse; `embedding:NAME` (n, d), rows of unit length.
    max_words : int
        Largest vocabulary of a view of the lyrics.
    max_frames : int
        Frames of `mfcc` to keep, up to 300 (7.0 s).

    Raises
    ------
    UsageError
        For a name that is no view, or more frames than are stored.
    SongscapeError
        If no track was analysed, or a view was never computed for this library.
    """
    check_view_names(names)
    if not 1 <= max_frames <= MAX_FRAMES:
        raise UsageError(f"max_frames is {max_frames}; the library stores up to {MAX_FRAMES}")
    tracks = library.tracks("analysed")
    if not tracks:
        raise SongscapeError(f"{library.path}: no analysed tracks; see its ledger for the reasons")
    ids = tuple(track.id for track in tracks)
    blocks: dict[str, View] = {}
    for name in names:
        if name in TEXT_VIEWS:
            blocks[name] = _text_view(name, [track.lyrics for track in tracks], max_words)
        else:
            stored = library.features(name)
            if not stored:
                raise SongscapeError(
                    f"{library.path}: the view {name!r} was not computed for this library; "
                    f"call extract(library, collection, views=[{name!r}])"
                )
            if name.startswith(PREFIX):
                stored = without_stale_texts(library, name, stored, tracks)
            rows = [stored.get(track_id) for track_id in ids]
            blocks[name] = _READERS.get(name, _dense)(rows, max_frames)
    return Views(ids, blocks)


def _text_view(name: str, texts: Sequence[str | None], max_words: int) -> View:
    from songscape.features import text

    if name == "chars":
        return text.chars_view(texts, max_ngrams=max_words)
    make = text.counts_view if name == "lyrics-counts" else text.lyrics_view
    return make(texts, max_words=max_words)


def _dense(rows: Stored, _: int) -> View:
    values = np.zeros((len(rows), *_shape(rows)), np.float32)
    for position, row in enumerate(rows):
        if row is not None:
            values[position] = row
    return View(values, _present(rows))


def _mfcc(rows: Stored, max_frames: int) -> View:
    n_mfcc = _shape(rows)[0]
    values = np.zeros((len(rows), n_mfcc, max_frames), np.float32)
    mask = np.zeros((len(rows), max_frames), bool)
    for position, row in enumerate(rows):
        if row is not None:
            n_frames = min(row.shape[1], max_frames)
            values[position, :, :n_frames] = row[:, :n_frames]
            mask[position, :n_frames] = True
    return View(values, _present(rows), mask=mask, step_axis=2)


def _segments(rows: Stored, max_frames: int) -> View:
    view = _dense(rows, max_frames)
    return replace(view, mask=np.repeat(view.present[:, None], view.shape[1], axis=1))


def _shape(rows: Stored) -> tuple[int, ...]:
    return next(row.shape for row in rows if row is not None)


def _present(rows: Stored) -> NDArray[np.bool_]:
    return np.array([row is not None for row in rows], bool)


_READERS: dict[str, Callable[[Stored, int], View]] = {
    "mfcc": _mfcc,
    "segments": _segments,
    "mel": _segments,
}
