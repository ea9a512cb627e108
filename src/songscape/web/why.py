"""Why a song lies where it lies, and why two lie together: in sentences."""

from __future__ import annotations

import numpy as np

from songscape.web.atlas import Atlas
from songscape.web.nearness import Floats, Nearness, NotMeasured

__all__ = ["why_here", "why_together"]

NEAREST = 10
NEAR_SHARE = 0.05
"""A song is near by sound, or by words, if it is among so many of all songs."""
PARTS = {"sound": 0.0, "words": 1.0}


def why_here(atlas: Atlas, nearness: Nearness, row: int, layout: int) -> list[str]:
    """What a song has in common with its nearest: sound, words, artist."""
    nearest = _order(nearness.distances(row, layout), row)[:NEAREST]
    if not len(nearest):
        return []
    n_near = max(1, round(NEAR_SHARE * len(atlas.ids)))
    found, without = [], []
    for part, words in PARTS.items():
        try:
            near = _order(nearness.distances(row, words=words), row)[:n_near]
        except NotMeasured:
            without.append(part)
            continue
        found.append(f"{np.isin(nearest, near).sum()} by {part}")
    lines = []
    if found:
        lines.append(
            f"Of its {len(nearest)} nearest songs, {' and '.join(found)} are among the "
            f"{100 * NEAR_SHARE:.0f} % of all songs that are most like it."
        )
    lines += [f"It has no {part}; only the rest places it." for part in without]
    artist = atlas.artists[row]
    own = sum(atlas.artists[i] == artist for i in nearest) if artist else 0
    if own:
        lines.append(f"{own} of them {'is' if own == 1 else 'are'} by {artist} too.")
    return lines


def why_together(atlas: Atlas, nearness: Nearness, row: int, other: int, layout: int) -> list[str]:
    """How near two songs are, on the map, by sound and by words, beside all other songs."""
    parts = [f"on this map than {_nearer_than(nearness.distances(row, layout), row, other)}"]
    for part, words in PARTS.items():
        try:
            found = nearness.distances(row, words=words)
            nearness.distances(other, words=words)  # has it that part?
        except NotMeasured:
            continue
        parts.append(f"by {part} than {_nearer_than(found, row, other)}")
    return [f"{atlas.titles[other]} is nearer to it {', '.join(parts)} of the songs."]


def _order(distances: Floats, row: int) -> list[int]:
    order: list[int] = np.argsort(distances, kind="stable").tolist()
    order.remove(row)
    return order


def _nearer_than(distances: Floats, row: int, other: int) -> str:
    rest = np.delete(distances, [row, other])
    return f"{100 * (rest > distances[other]).mean():.0f} %" if len(rest) else "none"
