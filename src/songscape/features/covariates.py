"""Columns and lyrics -> covariate views: which languages a track mixes, in what shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from songscape.columns import ColumnRoles, Role, find_roles
from songscape.errors import SongscapeError
from songscape.features.views import View
from songscape.language_codes import is_mixed, language_name
from songscape.spellings import split_cell

if TYPE_CHECKING:
    import pandas as pd

LANGUAGE = "language"
MAX_CATEGORIES = 50
"""A covariate of more categories would leave a model nothing to compare tracks by."""

Cell = str | None
Identify = Callable[[int, str, Collection[str] | None], Mapping[str, float]]


def _identify(_: int, text: str, among: Collection[str] | None) -> dict[str, float]:
    from songscape.ingest.languages import language_composition

    return language_composition(text, among)


def composition_view(cells: Sequence[Cell]) -> View:
    """Shares of each category per track, from cells such as "German" or "German; English".

    Several categories in one cell (see `songscape.spellings.split_cell`) share the track equally.
    Values have shape (n_tracks, n_categories), rows of present tracks sum to 1, columns are sorted
    by name; a track of unknown category is absent.
    """
    return _shares_view([_equal(split_cell(cell)) for cell in cells])


def language_view(
    columns: pd.DataFrame,
    texts: Sequence[str | None] | None = None,
    *,
    roles: ColumnRoles | None = None,
    identify: Identify = _identify,
) -> View | None:
    """The `language` covariate of a collection: the share of each language in every track.

    A column comes first: `languages`, or else `language`, or another of that role. A track that it
    names several languages for has them in the shares that its lyrics show, or equally where these
    do not show them all. Where the column is missing, empty or says "mixed", the lyrics decide
    (`identify`: row, lyrics and the languages to choose from or None -> shares), and a track
    without lyrics that can be identified is unknown. Codes and names of one language ("de",
    "Deutsch") are one category, its English name. None where no track has a known language.
    """
    if texts is not None and len(texts) != len(columns):
        raise ValueError(f"{len(texts)} lyrics for {len(columns)} tracks: one per track")
    found = (roles or find_roles(columns.columns)).columns(Role.LANGUAGE)
    found.sort(key=lambda name: not name.casefold().endswith("s"))  # "languages" names them all
    cells: list[Cell] = [None] * len(columns)
    for name in found:
        cells = [known or _text(cell) for known, cell in zip(cells, columns[name])]
    rows: list[Mapping[str, float]] = []
    for row, (cell, text) in enumerate(zip(cells, texts or [None] * len(cells))):
        tags = split_cell(cell)
        names = [name for name in map(language_name, tags) if name is not None]
        shares: Mapping[str, float] = _equal(names)
        if text and (not names or any(map(is_mixed, tags))):
            shares = identify(row, text, None) or shares
        elif text and len(shares) > 1:
            measured = identify(row, text, sorted(shares))
            shares = measured if set(measured) == set(shares) else shares
        rows.append(shares)
    view = _shares_view(rows)
    return view if view.present.any() else None


def with_language(
    columns: pd.DataFrame, composition: View, roles: ColumnRoles | None = None
) -> pd.DataFrame:
    """`columns` with a column `language` where there is none: what `composition` says of a track.

    A song of several languages, none of them more than half, is labelled with all of them, in the
    order of the alphabet; an unknown one with None.
    """
    if (roles or find_roles(columns.columns)).language is not None:
        return columns
    import pandas as pd

    names = np.asarray(composition.feature_names, dtype=object)
    cells: list[Cell] = [None] * len(columns)
    for row in np.flatnonzero(composition.present):
        shares = composition.values[row]
        most = [shares.argmax()] if shares.max() > 0.5 else np.flatnonzero(shares)
        cells[row] = "; ".join(sorted(names[most]))
    return columns.assign(**{LANGUAGE: pd.Series(cells, columns.index, dtype=object)})


def covariate_views(
    names: Iterable[str], columns: pd.DataFrame, audio_facts: pd.DataFrame
) -> dict[str, View]:
    """Covariate views by name: any column that puts tracks into a few categories.

    Names are of columns of the collection ("source") or of `audio_facts` ("codec"). Raises
    `SongscapeError` for a name that is no such column, where no track has a value, or for more than
    50 categories.
    """
    found: dict[str, View] = {}
    for name in names:
        table = next((each for each in (columns, audio_facts) if name in each), None)
        if table is None:
            known = ", ".join(map(str, [*columns, *audio_facts]))
            raise SongscapeError(f"no column {name!r} for a covariate; there are: {known}")
        # Cells are taken as text whole: "Rock; Pop" is one category.
        view = _shares_view([_equal([cell] if cell else []) for cell in map(_text, table[name])])
        if not view.present.any():
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


def _text(cell: Any) -> Cell:
    return None if cell is None or cell != cell else str(cell).strip()
