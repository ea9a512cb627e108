"""Label columns and lyrics -> covariate views: which languages a track mixes, in what shares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from songscape.errors import SongscapeError
from songscape.features.views import View

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "category_view",
    "composition_view",
    "covariate_views",
    "language_view",
    "with_language",
]

LANGUAGE = "language"
MAX_CATEGORIES = 50
"""A covariate of more categories would leave a model nothing to compare tracks by."""

_SEPARATOR = re.compile(r"\s*[;,/|+]\s*")
_LANGUAGE_COLUMNS = ("languages", "language")

Cell = str | None


def composition_view(cells: Sequence[Cell]) -> View:
    """Shares of each category per track, from cells such as "German" or "German; English".

    Parameters
    ----------
    cells : sequence of str or None
        One per track; several categories are separated by ``;``, ``,``, ``/``, ``|`` or ``+`` and
        share the track equally. Empty means unknown.

    Returns
    -------
    View
        values of shape (n_tracks, n_categories), rows of present tracks sum to 1; columns are
        sorted by name; a track of unknown category is absent.
    """
    return _shares_view([_equal(_categories(cell)) for cell in cells])


def category_view(cells: Sequence[Any]) -> View:
    """A covariate of one category per track (source, codec), as `composition_view` gives it.

    Parameters
    ----------
    cells : sequence
        One per track, taken as text whole: "Rock; Pop" is one category. None, NaN and "" are
        unknown.
    """
    return _shares_view([_equal([cell] if cell else []) for cell in map(_text, cells)])


def language_view(labels: pd.DataFrame, texts: Sequence[str | None] | None = None) -> View | None:
    """The `language` covariate of a collection: the share of each language in every track.

    What a label column says goes first: `languages`, or else `language`. A track that it names
    several languages for has them in the shares that its lyrics show, or equally where these do not
    show them all. Where the column is missing, empty or says "mixed", the lyrics decide
    (`songscape.ingest.languages`), and a track without words that can be told is unknown. Codes and
    names of one language ("de", "German") are one category, called what the column mostly calls it.

    Parameters
    ----------
    labels : DataFrame of shape (n_tracks, n_columns)
    texts : sequence of str or None, optional
        The lyrics in the order of `labels`; without them only the column counts.

    Returns
    -------
    View or None
        None where no track has a known language.
    """
    from songscape.ingest.languages import language_composition
    from songscape.language_codes import is_mixed, language_name

    columns = [name for name in _LANGUAGE_COLUMNS if name in labels.columns]
    cells: list[Cell] = [None] * len(labels)
    if columns:
        cells = [_text(cell) for cell in labels[columns].bfill(axis=1).iloc[:, 0]]
    if texts is not None and len(texts) != len(cells):
        raise ValueError(f"{len(texts)} lyrics for {len(cells)} tracks: one per track")
    spelled: dict[str, Counter[str]] = {}
    rows: list[dict[str, float]] = []
    for cell, text in zip(cells, texts or [None] * len(cells)):
        tags = _categories(cell)
        names: list[str] = []
        for tag in tags:
            name = language_name(tag)
            if name is not None:
                names.append(name)
                spelled.setdefault(name, Counter())[tag] += 1
        shares = _equal(names)
        if text and (not names or any(map(is_mixed, tags))):
            shares = language_composition(text) or shares
        elif text and len(shares) > 1:
            measured = language_composition(text, sorted(shares))
            shares = measured if set(measured) == set(shares) else shares
        rows.append(shares)
    called = {name: min(tags, key=lambda tag: (-tags[tag], tag)) for name, tags in spelled.items()}
    view = _shares_view([{called.get(n, n): share for n, share in row.items()} for row in rows])
    return view if view.present.any() else None


def with_language(labels: pd.DataFrame, composition: View) -> pd.DataFrame:
    """`labels` with a column `language` where there is none: what `composition` says of each track.

    A song of several languages, none of them more than half, is labelled with all of them, the
    largest first; an unknown one with None.
    """
    if any(name in labels.columns for name in _LANGUAGE_COLUMNS):
        return labels
    names = np.asarray(composition.feature_names, dtype=object)
    told: list[Cell] = []
    for row, known in zip(composition.values, composition.present):
        order = np.argsort(-row, kind="stable")
        kept = order[:1] if row[order[0]] > 0.5 else order[row[order] > 0]
        told.append("; ".join(names[kept]) if known else None)
    found = labels.copy()
    found.insert(len(found.columns), LANGUAGE, np.array(told, dtype=object))
    found[LANGUAGE] = found[LANGUAGE].astype(object).where(composition.present, None)
    return found


def covariate_views(
    names: Iterable[str],
    labels: pd.DataFrame,
    *,
    audio_facts: pd.DataFrame | None = None,
    texts: Sequence[str | None] | None = None,
) -> dict[str, View]:
    """Covariate views by name: `language`, or any column that puts tracks into a few categories.

    Parameters
    ----------
    names : iterable of str
        "language", label columns ("source"), columns of `audio_facts` ("codec").
    labels, audio_facts : DataFrame of shape (n_tracks, n_columns)
        `Library.columns()` and `Library.audio_facts()`, in one order of tracks.
    texts : sequence of str or None, optional
        Lyrics, see `language_view`.

    Returns
    -------
    dict of str to View

    Raises
    ------
    SongscapeError
        A name is no such column, no track has a value, or there are more than 50 categories.
    """
    tables = [labels] if audio_facts is None else [labels, audio_facts]
    found: dict[str, View] = {}
    for name in names:
        view: View | None
        if name == LANGUAGE:
            view = language_view(labels, texts)
        else:
            table = next((table for table in tables if name in table.columns), None)
            if table is None:
                known = ", ".join(str(c) for each in tables for c in each.columns)
                raise SongscapeError(f"no column {name!r} for a covariate; there are: {known}")
            view = category_view(list(table[name]))
        if view is None or not view.present.any():
            raise SongscapeError(
                f"covariate {name!r} is unknown for every track; leave it out of the model"
            )
        if view.shape[1] > MAX_CATEGORIES:
            raise SongscapeError(
                f"covariate {name!r} has {view.shape[1]} categories, at most {MAX_CATEGORIES} can "
                "be held constant; put them into coarser groups"
            )
        found[name] = view
    return found


def _shares_view(rows: Sequence[Mapping[str, float]]) -> View:
    names = tuple(sorted({name for row in rows for name in row}))
    position = {name: i for i, name in enumerate(names)}
    values = np.zeros((len(rows), len(names)), dtype=np.float32)
    for row, shares in enumerate(rows):
        for name, share in shares.items():
            values[row, position[name]] = share
    present = np.array([bool(shares) for shares in rows], dtype=bool)
    return View(values, present, feature_names=names)


def _equal(names: Sequence[str]) -> dict[str, float]:
    counts = Counter(names)
    return {name: count / len(names) for name, count in counts.items()}


def _categories(cell: Cell) -> list[str]:
    return [part for part in _SEPARATOR.split((cell or "").strip()) if part]


def _text(cell: Any) -> Cell:
    return None if cell is None or cell != cell else str(cell).strip()
