"""The song that a person means: by title, "Artist - Title", file or id."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from songscape.columns import bare, display_title
from songscape.errors import UsageError
from songscape.neighbours.songs import Songs

MOST_SHOWN = 8
_DASH = re.compile(r"\s+[-–—]\s+")


def find_song(songs: Songs, text: str) -> str:
    """The id of the song that is meant by an id, a file, a title, "Artist - Title", or a part.

    Where no song is meant, or several, UsageError lists them.
    """
    if not text.strip():
        raise UsageError("an empty name; give a title, 'Artist - Title', a file or an id")
    if text in songs:
        return text
    by_file = song_of_file(songs, text)
    if by_file is not None:
        return by_file
    names = [bare(display_title(i, t)) for i, t in zip(songs.ids, songs.values("title"))]
    artists = [bare(artist or "") for artist in songs.values("artist")]
    found = next(filter(None, _readings(text, names, artists)), [])
    if len(found) == 1:
        return songs.ids[found[0]]
    if found:
        shown = [songs[songs.ids[row]] for row in found[:MOST_SHOWN]]
        lines = [f"  {song.name}   ({song.id})" for song in shown]
        if len(found) > MOST_SHOWN:
            lines.append(f"  and {len(found) - MOST_SHOWN:,} more")
        head = (
            f"{text}: {len(found):,} songs; name one by 'Artist - Title', or by its id in brackets:"
        )
        raise UsageError("\n".join([head, *lines]))
    close = difflib.get_close_matches(bare(text), dict.fromkeys(names), 3, 0.7)
    meant = [songs[songs.ids[names.index(name)]].name for name in close]
    raise UsageError(
        f"{text}: no such song here{'; did you mean ' + ' or '.join(meant) if meant else ''}; "
        "give a title, 'Artist - Title', a file or an id"
    )


def _readings(text: str, names: Sequence[str], artists: Sequence[str]) -> Iterator[list[int]]:
    """Rows that a text can mean, the strictest reading first: the title, both, a part."""
    wanted = bare(text)
    yield [row for row, name in enumerate(names) if wanted and name == wanted]
    for dash in _DASH.finditer(text):
        ends = bare(text[: dash.start()]), bare(text[dash.end() :])
        for who, title in (ends, ends[::-1]) if all(ends) else ():
            its = zip(names, artists)
            yield [row for row, (name, by) in enumerate(its) if name == title and who in by]
    both = [artist + name for artist, name in zip(artists, names)]
    yield [row for row, name in enumerate(both) if wanted and name == wanted]
    yield [row for row, name in enumerate(both) if wanted and wanted in name]


def song_of_file(songs: Songs, text: str) -> str | None:
    """The id of the song whose file this is; None where it is no file, or no song's."""
    if not os.path.lexists(text):
        return None
    wanted = Path(text).resolve()
    for track_id, file in zip(songs.ids, songs.values("file", None)):
        # Only of files of the same name: resolving all takes long.
        if file and os.path.basename(file) == wanted.name and Path(file).resolve() == wanted:
            return track_id
    return None
