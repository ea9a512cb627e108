"""The groups of an earlier run, as `groups.json` holds them, and the ids that stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.clustering.identity import match_groups
from songscape.clustering.levels import Level, Levels

REGIONS, NEIGHBOURHOODS = "regions", "neighbourhoods"


@dataclass(frozen=True, eq=False)
class Earlier:
    """Groups of last time: ids, names and members, in the order of today's songs.

    `member` holds the positions in `ids` of each song's group, -1 for songs that are new.
    """

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    member: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def groups_before(before: Mapping[str, Any] | None, level: str, ids: Sequence[str]) -> Earlier:
    """The groups of last time on one level; none if there were none, or what is left is damaged."""
    try:
        before = before or {"levels": ()}
        one = next(found for found in before["levels"] if found["name"] == level)
        number = dict(zip(before["tracks"], one["member"]))
        member = np.array([int(number.get(track_id, -1)) for track_id in ids], np.int64)
        known = [str(group["id"]) for group in one["groups"]]
        if member.max(initial=-1) >= len(known):
            return Earlier()
        return Earlier(tuple(known), tuple(str(g["name"]) for g in one["groups"]), member)
    except (StopIteration, KeyError, TypeError, ValueError):
        return Earlier()


def stored_levels(before: Mapping[str, Any], ids: Sequence[str]) -> Levels | None:
    """The levels that `Groups.as_dict` holds; None where they are of other songs, or damaged."""
    try:
        regions, pieces = before["levels"]
        n, nan = len(regions["groups"]), float("nan")
        tried = [
            Level(int(one["k"]), float(one["stability"]), nan, nan, nan, nan)
            for one in before["tried"]
        ]
        known = {"null": before["null"], "coverage": before["coverage"]}
        levels = Levels(
            np.array(regions["member"], np.int64),
            np.array(pieces["member"], np.int64),
            np.array(regions["certainty"], np.float64),
            np.array(regions["second"], np.int64),
            np.array([g["stability"] or 1.0 for g in regions["groups"]], np.float64),
            tuple(replace(one, **known) if one.k == n else one for one in tried),
            str(before["reason"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
    rows = (levels.regions, levels.neighbourhoods, levels.share, levels.second)
    fits = list(before["tracks"]) == list(ids) and all(len(one) == len(ids) for one in rows)
    return levels if fits and levels.n_regions == n else None


def levels_before(of_regions: Earlier, of_neighbourhoods: Earlier) -> Levels | None:
    """Where `find_levels` starts from; None where no song was in a group."""
    regions, pieces = of_regions.member, of_neighbourhoods.member
    if not len(regions) or not len(pieces) or not (regions >= 0).any():
        return None
    nothing = np.zeros(len(regions))
    return Levels(regions, pieces, nothing, regions, np.zeros(0), (), "")


def kept_ids(labels: NDArray[np.int64], earlier: Earlier, letter: str) -> list[str]:
    """Ids: those of last time for groups that are still there, new numbers for the others."""
    matched = match_groups(earlier.member, labels) if len(earlier.ids) else {}
    numbers = [int(i[1:]) for i in earlier.ids if i[:1] == letter and i[1:].isdigit()]
    following = max(numbers, default=0)
    found = []
    for one in range(int(labels.max(initial=-1)) + 1):
        if one in matched:
            found.append(earlier.ids[matched[one]])
        else:
            following += 1
            found.append(f"{letter}{following}")
    return found
