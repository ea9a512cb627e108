"""What the page shows: songs, their places on the map, their groups, and spaces to search in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from songscape.clustering.portraits import Scale

ABOUT: dict[str, Any] = dict.fromkeys(("languages", "decades", "descriptors", "tags"), ())
ABOUT |= {"stability": None, "sure": "", "words": {}}
"""What `groups.json` says of a group besides its songs, and what it is where nothing is said."""


@dataclass(frozen=True)
class Group:
    """A region or neighbourhood of songs.

    `id` stays the same over refits; `name` is what people read, and can be changed; `parent` is the
    id of the coarser group that holds it. `typical` and `between` are rows: the most typical songs,
    and songs that could also be elsewhere.
    """

    id: str
    name: str
    size: int
    parent: str | None = None
    typical: tuple[int, ...] = ()
    between: tuple[int, ...] = ()
    about: Mapping[str, Any] = field(default_factory=lambda: ABOUT)


@dataclass(frozen=True, eq=False)
class Level:
    """One way to divide all songs, coarse or fine.

    `member` (n,) is the row of each song's group in `groups`, -1 for none; `second` that of the
    second-best group; `certainty` (n,) from 0 to 1, NaN where it is not known.
    """

    name: str
    groups: tuple[Group, ...]
    member: NDArray[np.int32]
    certainty: NDArray[np.float32]
    second: NDArray[np.int32] | None = None


@dataclass(frozen=True, eq=False)
class Layout:
    """Places on a map (n, 2), and the vectors (n, d) whose neighbourhoods it draws."""

    name: str
    model: str
    places: NDArray[np.float32]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Atlas:
    """All that the page shows of a collection; rows are songs, sorted by id.

    Attributes
    ----------
    title : str
    ids, titles, artists : tuple of str
    audio : tuple of Path or None
    lyrics : tuple of str or None
    columns : DataFrame
        What can colour the map: one row per song, text or numbers.
    roles : mapping of role to column
    layouts : tuple of Layout
        The first is what opens; "neutral" ignores the language, "free" lets it count.
    levels : tuple of Level
        From coarse to fine.
    spans : tuple of (start, end) or None
        Seconds of the file that are the song, where that is not all of it.
    sounds : mapping of Scale to ndarray of shape (n,)
        What a person would hear (tempo, loudness, ...), NaN where it is not known.
    report : Path or None
        The page of the evidence.
    note : str
        One sentence about the map as a whole.
    """

    title: str
    ids: tuple[str, ...]
    titles: tuple[str, ...]
    artists: tuple[str, ...]
    audio: tuple[Path | None, ...]
    lyrics: tuple[str | None, ...]
    columns: pd.DataFrame
    roles: Mapping[str, str] = field(default_factory=dict)
    layouts: tuple[Layout, ...] = ()
    levels: tuple[Level, ...] = ()
    spans: tuple[tuple[float, float | None] | None, ...] = ()
    sounds: Mapping[Scale, NDArray[np.float64]] = field(default_factory=dict)
    report: Path | None = None
    note: str = ""

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        return {track_id: row for row, track_id in enumerate(self.ids)}

    @cached_property
    def group_of(self) -> Mapping[str, Group]:
        return {group.id: group for level in self.levels for group in level.groups}

    def members(self, group_id: str) -> list[int]:
        """Rows of a group's songs, the surest first."""
        for level in self.levels:
            for number, group in enumerate(level.groups):
                if group.id == group_id:
                    rows = np.flatnonzero(level.member == number)
                    certainty = np.nan_to_num(level.certainty[rows], nan=0.0)
                    rest = rows[np.argsort(-certainty, kind="stable")].tolist()
                    return list(dict.fromkeys([*group.typical, *rest]))
        return []
