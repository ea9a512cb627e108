"""Why a song lies where it lies, and why two lie together: by sound, words and artist."""

from __future__ import annotations

from typing import Any

import numpy as np

from songscape.web.atlas import Atlas
from songscape.web.nearness import Floats, Nearness, NotMeasured

NEAREST = 10
NEAR_SHARE = 0.05
"""A song is near by sound, or by words, if it is among this share of all songs."""
PARTS = {"sound": 0.0, "words": 1.0}


def why_here(atlas: Atlas, nearness: Nearness, row: int, layout: int) -> dict[str, Any]:
    """What a song has in common with its nearest: in sentences, and by which part each is near."""
    near = nearness.asked(layout)[0].similar(atlas.ids[row], NEAREST)
    nearest = [atlas.row_of[one.id] for one in near]
    n_near = max(1, round(NEAR_SHARE * len(atlas.ids)))
    by: dict[str, list[str]] = {atlas.ids[i]: [] for i in nearest}
    found, without = [], []
    for part, words in PARTS.items():
        try:
            far = nearness.distances(row, words=words)
        except NotMeasured:
            without.append(part)
            continue
        order = [i for i in np.argsort(far, kind="stable")[: n_near + 1].tolist() if i != row]
        its = set(nearest).intersection(order[:n_near])
        found.append(f"{len(its)} by {part}")
        for i in its:
            by[atlas.ids[i]].append(part)
    lines = []
    if found and nearest:
        lines.append(
            f"Of its {len(nearest)} nearest songs, {' and '.join(found)} are among the "
            f"{100 * NEAR_SHARE:.0f} % of all songs that are most like it."
        )
    lines += [f"It has no {part}; only the rest places it." for part in without]
    artist = atlas.artists[row]
    own = sum(atlas.artists[i] == artist for i in nearest) if artist else 0
    if own:
        lines.append(f"{own} of them {'is' if own == 1 else 'are'} by {artist} too.")
    return {"lines": lines, "by": by}


def why_together(atlas: Atlas, nearness: Nearness, row: int, other: int, layout: int) -> list[str]:
    """How near two songs are, on the map, by sound and by words, compared with all other songs."""
    parts = [f"on this map than {_nearer_than(nearness.distances(row, layout), row, other)}"]
    for part, words in PARTS.items():
        try:
            found = nearness.distances(row, words=words)
            nearness.distances(other, words=words)  # has it that part?
        except NotMeasured:
            continue
        parts.append(f"by {part} than {_nearer_than(found, row, other)}")
    one, two = atlas.titles[row], atlas.titles[other]
    return [f"{two} is nearer to {one} {', '.join(parts)} of the songs."]


def _nearer_than(distances: Floats, row: int, other: int) -> str:
    rest = np.delete(distances, [row, other])
    return f"{100 * (rest > distances[other]).mean():.0f} %" if len(rest) else "none"
