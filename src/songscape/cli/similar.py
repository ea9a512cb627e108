"""`songscape similar`: the songs that are nearest to a song."""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.cli.console import one_line
from songscape.cli.options import add_results, add_verb
from songscape.cli.outcome import DONE, greet, print_json

if TYPE_CHECKING:
    from songscape.neighbours.index import Neighbour


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "similar",
        _similar,
        "list the songs that are nearest to a song",
        "Of the copies and versions of a song only one is listed.",
    )
    parser.add_argument(
        "track",
        help="a title, 'Artist - Title', an id, or a file, in the library or not",
    )
    add_results(parser, "--in")
    parser.add_argument("-n", type=int, default=10, help="number of songs (default: 10)")
    parser.add_argument("--language", help="only songs in this language, e.g. de or German")
    parser.add_argument(
        "--another-language", action="store_true", help="only songs in other languages than its own"
    )
    parser.add_argument(
        "--not-same-artist", action="store_true", help="leave out other songs of its artist"
    )
    parser.add_argument("--max-per-artist", type=int, help="at most this many songs by one artist")
    parser.add_argument(
        "--neutral",
        action="store_true",
        help="ignore the language (--language and --another-language always do)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _similar(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.errors import UsageError
    from songscape.neighbours.collection import find_space, open_index
    from songscape.neighbours.find import find_song, song_of_file
    from songscape.results import find_folder

    folder = find_folder(parsed.results)
    neutral = parsed.neutral or parsed.another_language or parsed.language is not None
    index = open_index(folder, neutral=neutral)
    given, what = Path(parsed.track), parsed.track
    if what not in index.songs and given.is_file() and song_of_file(index.songs, what) is None:
        from songscape.neighbours.placing import Placer

        if parsed.not_same_artist or parsed.another_language:
            raise UsageError(
                f"{what}: not in the library, which --not-same-artist and --another-language need"
            )
        greet(f"reading {given}")
        song, what = Placer(folder, *find_space(folder, neutral=neutral)).file(given)
    else:
        what = find_song(index.songs, what)
        song = index.songs[what]
    filters = ("language", "another_language", "not_same_artist", "max_per_artist")
    found = index.similar(what, parsed.n, **{name: getattr(parsed, name) for name in filters})
    if parsed.json:
        print_json({"id": song.id, "tracks": [_as_dict(one) for one in found]})
        return DONE
    language = f" ({song.language})" if song.language else ""
    print(f"near {one_line(song.name)}{language}:")
    if not found:
        print("no song fits")
    for line in columns([(one.song.name, one.song.language, one.how_near) for one in found]):
        print(f"  {line}")
    return DONE


def _as_dict(one: Neighbour) -> dict[str, Any]:
    song = one.song
    named = {"id": song.id, "title": song.title, "artist": song.artist, "language": song.language}
    return named | {"distance": round(one.distance, 6), "how_near": one.how_near}


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of a table with their cells one below the other, in any script."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*cells)]
    return [
        "   ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths)).rstrip()
        for row in cells
    ]


def _width(text: str) -> int:
    """Columns that a text takes in a terminal: two for an East Asian character, none for a mark."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in text)
