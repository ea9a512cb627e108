"""Label columns -> covariate views: which languages a track mixes, in what shares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from songscape.features.views import View

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["composition_view", "language_view"]

_SEPARATOR = re.compile(r"\s*[;,/|+]\s*")


def composition_view(cells: Sequence[str | None]) -> View:
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
    split = [_categories(cell) for cell in cells]
    names = tuple(sorted({name for row in split for name in row}))
    position = {name: i for i, name in enumerate(names)}
    values = np.zeros((len(split), len(names)), dtype=np.float32)
    for row, found in enumerate(split):
        for name in found:
            values[row, position[name]] += 1 / len(found)
    present = np.array([bool(found) for found in split], dtype=bool)
    return View(values, present, feature_names=names)


def language_view(labels: pd.DataFrame) -> View | None:
    """The `language` covariate of a collection, from column `languages` or else `language`.

    None where the collection has neither column, or nothing stands in it. A track whose
    `languages` cell is empty falls back to its `language` cell.
    """
    columns = [name for name in ("languages", "language") if name in labels.columns]
    if not columns:
        return None
    joined = labels[columns].bfill(axis=1).iloc[:, 0]
    view = composition_view([None if cell is None or cell != cell else cell for cell in joined])
    return view if view.present.any() else None


def _categories(cell: str | None) -> list[str]:
    return [part for part in _SEPARATOR.split((cell or "").strip()) if part]
