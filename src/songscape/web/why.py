"""Why a song lies where it lies, and why two lie together: by sound, words and artist."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from songscape.web.shown import Floats, NotMeasured, Shown

NEAREST = 10
NEAR_SHARE = 0.05
"""A song is near by sound, or by words, if it is among this share of all songs."""
PARTS = {"sound": 0.0, "words": 1.0}


def why_here(shown: Shown, row: int, layout: int) -> dict[str, Any]:
    """What a song has in common with its nearest: in sentences, and by which part each is near."""
    atlas = shown.atlas
    near = shown.asked(layout)[0].similar(atlas.ids[row], NEAREST)
    nearest = [atlas.row_of[one.id] for one in near]
    n_near = max(1, round(NEAR_SHARE * len(atlas.ids)))
    near_by: dict[str, set[int]] = {}
    for part, words in PARTS.items():
        with suppress(NotMeasured):
            order = np.argsort(shown.distances(row, words=words), kind="stable")
            near_by[part] = {*order[order != row][:n_near].tolist()}.intersection(nearest)
    lines = []
    if near_by and nearest:
        counts = " and ".join(f"{len(rows)} by {part}" for part, rows in near_by.items())
        lines.append(
            f"Of its {len(nearest)} nearest songs, {counts} are among the "
            f"{100 * NEAR_SHARE:.0f} % of all songs that are most like it."
        )
    without = [part for part in PARTS if part not in near_by]
    lines += [f"It has no {part}; only the rest places it." for part in without]
    artist = atlas.artists[row]
    own = sum(atlas.artists[i] == artist for i in nearest) if artist else 0
    if own:
        lines.append(f"{own} of them {'is' if own == 1 else 'are'} by {artist} too.")
    by = {atlas.ids[i]: [part for part, rows in near_by.items() if i in rows] for i in nearest}
    return {"lines": lines, "by": by}


def why_together(shown: Shown, row: int, other: int, layout: int) -> list[str]:
    """How near two songs are, on the map, by sound and by words, compared with all other songs."""
    parts = [f"on this map than {_nearer_than(shown.distances(row, layout), row, other)}"]
    for part, words in PARTS.items():
        with suppress(NotMeasured):
            found = shown.distances(row, words=words)
            shown.distances(other, words=words)  # has it that part?
            parts.append(f"by {part} than {_nearer_than(found, row, other)}")
    one, two = shown.atlas.titles[row], shown.atlas.titles[other]
    return [f"{two} is nearer to {one} {', '.join(parts)} of the songs."]


def _nearer_than(distances: Floats, row: int, other: int) -> str:
    rest = np.delete(distances, [row, other])
    return f"{100 * (rest > distances[other]).mean():.0f} %" if len(rest) else "none"
