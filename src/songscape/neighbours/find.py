"""The song that a person means: by title, "Artist - Title", file or id."""

from __future__ import annotations

import difflib
import os
import re
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
    wanted, rows = bare(text), range(len(songs))
    found = [row for row in rows if wanted and names[row] == wanted]
    for dash in () if found else _DASH.finditer(text):
        who, title = bare(text[: dash.start()]), bare(text[dash.end() :])
        found = [row for row in rows if names[row] == title and who and who in artists[row]]
        found = found or [
            row for row in rows if names[row] == who and title and title in artists[row]
        ]
        if found:
            break
    if not found and wanted:
        found = [row for row in rows if wanted in artists[row] + names[row]]
        exact = [row for row in found if artists[row] + names[row] == wanted]
        found = exact or found
    if len(found) == 1:
        return songs.ids[found[0]]
    if found:
        raise UsageError(_several(songs, text, found))
    close = difflib.get_close_matches(wanted, dict.fromkeys(names), 3, 0.7)
    meant = [songs[songs.ids[names.index(name)]].name for name in close]
    raise UsageError(
        f"{text}: no such song here{'; did you mean ' + ' or '.join(meant) if meant else ''}; "
        "give a title, 'Artist - Title', a file or an id"
    )


def song_of_file(songs: Songs, text: str) -> str | None:
    """The id of the song whose file this is; None where it is no file, or no song's."""
    if not os.path.lexists(text):
        return None
    wanted = Path(text).resolve()
    same_name = [
        (track_id, file)
        for track_id, file in zip(songs.ids, songs.values("file", None))
        if file is not None and os.path.basename(file) == wanted.name
    ]
    return next((i for i, file in same_name if Path(file).resolve() == wanted), None)


def _several(songs: Songs, text: str, rows: list[int]) -> str:
    shown = [songs.ids[row] for row in rows[:MOST_SHOWN]]
    lines = [f"  {songs[track_id].name}   ({track_id})" for track_id in shown]
    more = [f"  and {len(rows) - MOST_SHOWN:,} more"] if len(rows) > MOST_SHOWN else []
    head = f"{text}: {len(rows):,} songs; name one by 'Artist - Title', or by its id in brackets:"
    return "\n".join([head, *lines, *more])
