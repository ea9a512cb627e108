"""The groups of a collection as people meet them: two levels, names, portraits, how sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from songscape.clustering.identity import NEIGHBOURHOODS, REGIONS, changes, groups_before
from songscape.clustering.levels import COMES_BACK, Levels, find_levels
from songscape.clustering.names import name_groups, told_apart
from songscape.clustering.portraits import (
    Portrait,
    Share,
    mix,
    portraits,
    primary_languages,
    values_of,
)
from songscape.columns import ColumnRoles, Role, display_title, find_roles, label_columns
from songscape.features.views import Views

if TYPE_CHECKING:
    import pandas as pd

SURE = 0.75
"""Jaccard similarity from which a group is called sure (Hennig 2007)."""
_MOST_BETWEEN = 12


@dataclass(frozen=True, eq=False)
class Group:
    """A region, or a neighbourhood, whose `parent` is its region.

    Its `id` stays the same over refits, as long as most of the songs do. People read `name`: the
    one that was given, or else `made_name`, which follows from the songs. `stability` is the mean
    Jaccard similarity to its best match when a fifth of the songs is missing. `between` are songs
    (by row) that could also be in another group, and its id; the least sure first.
    """

    id: str
    name: str
    made_name: str
    parent: str | None
    portrait: Portrait
    stability: float | None = None
    between: tuple[tuple[int, str], ...] = ()

    @property
    def size(self) -> int:
        return self.portrait.size

    @property
    def sure(self) -> str:
        """How sure the group is, in words; "" for a neighbourhood."""
        if self.stability is None:
            return ""
        if self.stability >= SURE:
            return "sure"
        return "fairly sure" if self.stability >= COMES_BACK else "not stable"


@dataclass(frozen=True, eq=False, repr=False)
class Groups:
    """All groups of a collection, in the order of the numbers in `levels`.

    `languages` are of the whole collection, `changes` say what became of the groups of last time,
    and `note` is a sentence about the space that was grouped.
    """

    track_ids: tuple[str, ...]
    titles: tuple[str, ...]
    levels: Levels
    regions: tuple[Group, ...]
    neighbourhoods: tuple[Group, ...]
    languages: tuple[Share, ...] = ()
    changes: tuple[str, ...] = ()
    note: str = ""

    def __repr__(self) -> str:
        found = (f"{one.name} ({one.size}, {one.sure or 'one group'})" for one in self.regions)
        return f"<{len(self.track_ids)} songs: {'; '.join(found)}>"

    def named(self, names: Mapping[str, str]) -> Groups:
        """The same with names that people gave, by id."""
        regions, pieces = (
            tuple(replace(one, name=names.get(one.id) or one.made_name) for one in level)
            for level in (self.regions, self.neighbourhoods)
        )
        return replace(self, regions=regions, neighbourhoods=pieces)

    def of(self, track_id: str) -> tuple[Group, Group]:
        """The region and the neighbourhood of a song."""
        row = self.track_ids.index(track_id)
        levels = self.levels
        return self.regions[levels.regions[row]], self.neighbourhoods[levels.neighbourhoods[row]]

    @property
    def warning(self) -> str:
        """What to be careful about; "" where the regions are sure enough."""
        level = self.levels.level
        if level is None:
            return ""
        if not level.comes_back:
            return "These groups do not come back well when songs are missing: read them as a map."
        if level.jaccard <= level.null + 0.02:
            return (
                "A cloud of songs without any groups would be divided as surely "
                f"({level.null:.2f}, here {level.jaccard:.2f}): the borders are drawn, not found."
            )
        return ""

    def table(self) -> pd.DataFrame:
        """One row per song: its groups, how sure its region is, and the next one."""
        import pandas as pd

        levels = self.levels
        regions = [self.regions[i] for i in levels.regions]
        other = zip(levels.second, levels.between)
        return pd.DataFrame(
            {
                "track_id": self.track_ids,
                "title": self.titles,
                "group": [one.id for one in regions],
                "name": [one.name for one in regions],
                "neighbourhood": [self.neighbourhoods[i].id for i in levels.neighbourhoods],
                "sure": levels.share.round(3),
                "could_also_be": [self.regions[i].name if unsure else "" for i, unsure in other],
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for `groups.json`."""
        levels = self.levels
        level = levels.level
        return {
            "tracks": list(self.track_ids),
            "titles": list(self.titles),
            "languages": [[s.value, round(s.share, 4)] for s in self.languages],
            "note": self.note,
            "warning": self.warning,
            "changes": list(self.changes),
            "reason": levels.reason,
            "stability": None if level is None else round(level.jaccard, 4),
            "null": None if level is None else round(level.null, 4),
            "coverage": None if level is None else round(level.coverage, 4),
            "tried": [{"k": one.k, "stability": round(one.jaccard, 4)} for one in levels.levels],
            "levels": [
                {
                    "name": REGIONS,
                    "groups": [self._plain(one) for one in self.regions],
                    "member": levels.regions.tolist(),
                    "certainty": levels.share.round(4).tolist(),
                    "second": levels.second.tolist(),
                },
                {
                    "name": NEIGHBOURHOODS,
                    "groups": [self._plain(one) for one in self.neighbourhoods],
                    "member": levels.neighbourhoods.tolist(),
                },
            ],
        }

    def _plain(self, one: Group) -> dict[str, Any]:
        portrait = one.portrait
        return {
            "id": one.id,
            "name": one.name,
            "made_name": one.made_name,
            "parent": one.parent,
            "size": one.size,
            "stability": None if one.stability is None else round(one.stability, 4),
            "sure": one.sure,
            "sentence": "; ".join(trait.sentence for trait in portrait.traits),
            "typical": [self.track_ids[row] for row in portrait.typical],
            "between": [[self.track_ids[row], other] for row, other in one.between],
            "descriptors": [
                [t.name, round(100 * t.place), t.sentence, round(t.effect, 3)]
                for t in portrait.traits
            ],
            "tags": [[s.label, round(s.lift, 4), s.column] for s in portrait.labels],
            "languages": [s.rounded() for s in portrait.languages],
            "decades": [s.rounded() for s in portrait.decades],
            "words": portrait.words,
        }


def group(
    X: ArrayLike,
    views: Views,
    columns: pd.DataFrame | None = None,
    *,
    k: int | None = None,
    before: Mapping[str, Any] | None = None,
    roles: ColumnRoles | None = None,
    random_state: int = 0,
) -> Groups:
    """Group the songs of a collection and describe the groups.

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_dimensions)
        The space to group in, rows as in `views`.
    views : Views
        `descriptors`, `lyrics-counts` and `language` describe the groups, where present.
    columns : DataFrame, optional
        What is known of each track, rows as in `views`: title, artist, genre, year, ...
    k : int, optional
        Number of regions; default: as many as surely come back.
    before : mapping, optional
        `Groups.as_dict` of an earlier time: groups that are still there keep their ids, and songs
        that are new find their places among them.
    roles : ColumnRoles, optional
        Default: by the names of the columns.
    random_state : int

    Raises
    ------
    SongscapeError
        Values that are not finite.
    UsageError
        A k that the songs are too few for.
    """
    import pandas as pd

    ids = views.track_ids
    table = pd.DataFrame(index=list(ids)) if columns is None else columns
    roles = roles or find_roles(table.columns)
    labels = [
        name
        for name in label_columns(table, roles=roles)
        if roles.by_column.get(name) is not Role.YEAR
    ]
    old, old_pieces = (groups_before(before, level, ids) for level in (REGIONS, NEIGHBOURHOODS))
    previous = old.member, old_pieces.member
    levels = find_levels(X, k=k, previous=previous, random_state=random_state)
    cells = (values_of(table, column) for column in (roles.column(Role.TITLE), roles.artist))
    titles = tuple(map(display_title, ids, *cells))
    regions = portraits(levels.regions, X, views, table, roles, labels)
    pieces = portraits(levels.neighbourhoods, X, views, table, roles, labels)
    region_ids = old.kept_ids(levels.regions, "g")
    piece_ids = old_pieces.kept_ids(levels.neighbourhoods, "n")
    names = name_groups(regions, titles)
    order = np.argsort(levels.share, kind="stable")
    found = []
    for i, (portrait, name) in enumerate(zip(regions, names)):
        unsure = [r for r in order if levels.regions[r] == i and levels.between[r]]
        between = tuple((int(r), region_ids[levels.second[r]]) for r in unsure[:_MOST_BETWEEN])
        stability = float(levels.jaccard[i]) if levels.levels else None
        found.append(Group(region_ids[i], name, name, None, portrait, stability, between))
    around = told_apart(f"around {titles[one.typical[0]]}" for one in pieces)
    small = [
        Group(piece, name, name, region_ids[levels.regions[portrait.rows[0]]], portrait)
        for piece, name, portrait in zip(piece_ids, around, pieces)
    ]
    said = changes(old.member, levels.regions, old.names, names) if old.ids else ()
    spoken = mix(primary_languages(views, table, roles), np.arange(len(ids)))
    return Groups(tuple(ids), titles, levels, tuple(found), tuple(small), spoken, tuple(said))
