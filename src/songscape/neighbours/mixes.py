"""Playlists of what an index knows: around songs, of a group, between two songs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from songscape.library import Library
from songscape.neighbours.collection import NamedGroup, with_sound
from songscape.neighbours.index import Index
from songscape.neighbours.order import smooth_order, smooth_way
from songscape.neighbours.playlists import Playlist, plain_line
from songscape.neighbours.songs import Song

_AT_ONCE = 1_000
"""Songs that are put in order together; longer lists are ordered in parts."""


def mix_around(
    index: Index,
    track_ids: Sequence[str],
    n: int,
    library: Library,
    *,
    max_per_artist: int | None = None,
    weights: Mapping[str, float] | None = None,
) -> Playlist:
    """Songs and what is near to them, `n` in all, in an order that begins with the first.

    `library` knows tempo, loudness and key; `weights` are of the blocks of vectors, as
    `Index.similar` takes them.
    """
    ids = list(dict.fromkeys(track_ids))[:n]
    songs = [index.songs[i] for i in ids]
    if left := n - len(ids):
        near = index.similar(ids, left, max_per_artist=max_per_artist, weights=weights)
        songs += [one.song for one in near]
    return Playlist(f"Like {songs[0].title}", _in_order(index, songs, library))


def mix_of_group(
    index: Index,
    group: NamedGroup,
    n: int | None,
    library: Library,
    *,
    max_per_artist: int | None = None,
) -> Playlist:
    """A group's songs, or the `n` in its middle, in an order that begins with the most typical."""
    rows = [index.row_of[i] for i in group.track_ids if i in index.row_of]
    chosen = index.similar(
        index.space.centre(rows),
        n or len(rows),
        among=rows,
        max_per_artist=max_per_artist,
        versions=n is None,
    )
    mark = f"{group.id} of {plain_line(str(library.path.resolve()))}"
    return Playlist(group.name, _in_order(index, [one.song for one in chosen], library), mark)


def mix_between(
    index: Index,
    start: str,
    end: str,
    n: int,
    library: Library,
    *,
    max_per_artist: int | None = None,
) -> Playlist:
    """The way from one song to another."""
    path = index.path(start, end, n, max_per_artist=max_per_artist)
    songs = with_sound(path.songs, library)
    return replace(path, songs=tuple(songs[i] for i in smooth_way(songs)))


def _in_order(index: Index, songs: Sequence[Song], library: Library) -> tuple[Song, ...]:
    songs, ordered = with_sound(songs, library), list[Song]()
    for start in range(0, len(songs), _AT_ONCE):
        part = [*ordered[-1:], *songs[start : start + _AT_ONCE]]
        rows = np.array([index.row_of[song.id] for song in part])
        far = np.array([index.space.exact(int(row), rows) for row in rows])
        order = smooth_order(part, far)
        ordered += [part[i] for i in (order[1:] if start else order)]
    return tuple(ordered)
