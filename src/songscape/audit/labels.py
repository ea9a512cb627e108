"""Which columns of a table are labels: columns that put tracks into groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from songscape.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_columns", "label_columns"]

# Bookkeeping that groups tracks by accident; a user who wants one of them names it.
BOOKKEEPING = frozenset(
    {"id", "title", "audio", "lyrics", "licence", "license", "url", "path", "comment", "isrc"}
)
MIN_LABELLED_SHARE = 0.5


def label_columns(labels: pd.DataFrame, wanted: Sequence[str] = ()) -> list[str]:
    """The columns to compare clusters with.

    Parameters
    ----------
    labels : DataFrame of shape (n_tracks, n_columns)
        One row per track, missing values as None.
    wanted : sequence of str
        Columns to use as they are; empty means to choose those that group tracks: at least two
        values, at least half of the tracks labelled, fewer than half as many values as labelled
        tracks, not a number with many values (a year, a tempo), not bookkeeping.

    Raises
    ------
    UsageError
        A wanted column is not there.
    """
    check_columns(wanted, labels.columns)
    if wanted:
        return list(wanted)
    return [str(name) for name in labels.columns if _groups_tracks(str(name), labels[name])]


def check_columns(wanted: Iterable[str], there: Iterable[str], what: str = "label") -> None:
    """Refuse a column (of labels, or `what` else) that the collection does not have."""
    known = [str(name) for name in there]
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"no {what} column {name!r}; the collection has: {', '.join(known) or 'none'}"
            )


def _groups_tracks(name: str, column: pd.Series) -> bool:
    import pandas as pd

    lowered = name.casefold()
    if lowered in BOOKKEEPING or lowered.endswith(("_url", "_ref", "_id", "_path")):
        return False
    values = column.dropna()
    distinct = values.nunique()
    if distinct < 2 or len(values) < MIN_LABELLED_SHARE * len(column):
        return False
    if distinct > 20 and pd.to_numeric(values, errors="coerce").notna().mean() > 0.9:
        return False
    return bool(distinct < len(values) / 2)
