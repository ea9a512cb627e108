"""`songscape playlist`: write a playlist of a group, around songs, or from one song to another."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.cli.console import one_line
from songscape.cli.options import add_results, add_verb, path
from songscape.cli.outcome import DONE

if TYPE_CHECKING:
    from songscape.library import Library
    from songscape.neighbours.playlists import Playlist
    from songscape.results import ResultsFolder

_MOST_ROUGH = 5


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "playlist",
        _playlist,
        "write a playlist of a group, around songs, or from one song to another",
        "The order is smooth in tempo, loudness and key; transitions that stay rough are named.",
    )
    parser.add_argument(
        "what", nargs="*", metavar="GROUP|TRACK", help="a group, or songs: titles, files or ids"
    )
    add_results(parser, "--in")
    parser.add_argument("--from", dest="start", metavar="TRACK", help="begin with this song")
    parser.add_argument("--to", dest="end", metavar="TRACK", help="end with this song")
    parser.add_argument("--all", action="store_true", help="one playlist for every group")
    parser.add_argument(
        "--level",
        choices=("regions", "neighbourhoods"),
        default="regions",
        help="which groups --all takes (default: regions)",
    )
    parser.add_argument(
        "-n", type=int, help="number of songs (default: 30; of a group, all of its songs)"
    )
    parser.add_argument("--max-per-artist", type=int, help="at most this many songs by one artist")
    parser.add_argument(
        "--out", type=path, help="file, or folder for its usual name (default: this folder)"
    )
    parser.add_argument(
        "--format", choices=("m3u8", "xspf", "jspf"), help="default: as --out ends, else m3u8"
    )
    parser.add_argument(
        "--relative-to",
        type=path,
        metavar="FOLDER",
        help="write paths from this folder (default: from the playlist's within the collection, "
        "else whole paths)",
    )
    parser.add_argument("--prefix", default="", help="text before every path")
    parser.add_argument("--forward-slash", action="store_true", help="write / also on Windows")


def _playlist(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.errors import UsageError
    from songscape.library import Library
    from songscape.neighbours.playlists import Places, earlier_file
    from songscape.results import find_folder

    ways = [bool(parsed.what), parsed.start is not None or parsed.end is not None, parsed.all]
    if sum(ways) != 1 or (parsed.start is None) != (parsed.end is None):
        raise UsageError("give a group or songs, or --from with --to, or --all")
    if parsed.n is not None and parsed.n < 2:
        raise UsageError("-n: at least 2 songs")
    folder = find_folder(parsed.results)
    with Library.open(folder.library, must_exist=True) as library:
        places = Places(parsed.relative_to, parsed.prefix, parsed.forward_slash, library.root)
        for playlist in _asked(parsed, folder, library):
            file = _file(parsed, playlist)
            before = earlier_file(playlist, file)
            playlist.save(file, places)
            if before is not None:
                before.unlink()
            _say(parsed, playlist, file)
    return DONE


def _asked(
    parsed: argparse.Namespace, folder: ResultsFolder, library: Library
) -> Iterator[Playlist]:
    from songscape.errors import SongscapeError
    from songscape.neighbours.collection import find_group, open_index, read_groups
    from songscape.neighbours.find import find_song
    from songscape.neighbours.mixes import mix_around, mix_between, mix_of_group

    options = {"max_per_artist": parsed.max_per_artist}
    groups = read_groups(folder, parsed.level if parsed.all else "")
    if parsed.all and not groups:
        raise SongscapeError(f"{folder.root}: no groups yet; make them with songscape run")
    if not parsed.all:
        named = find_group(groups, parsed.what[0]) if len(parsed.what) == 1 else None
        groups = () if named is None else (named,)
    index, n = open_index(folder, model=groups[0].model if groups else ""), parsed.n or 30
    for group in groups:
        yield mix_of_group(index, group, parsed.n, library, **options)
    if parsed.start is not None:
        start, end = (find_song(index.songs, text) for text in (parsed.start, parsed.end))
        yield mix_between(index, start, end, n, library, **options)
    elif not groups:
        seeds = [find_song(index.songs, text) for text in parsed.what]
        yield mix_around(index, seeds, n, library, **options)


def _file(parsed: argparse.Namespace, playlist: Playlist) -> Path:
    """Where to write: a playlist that Songscape wrote may be replaced, no other file."""
    from songscape.errors import UsageError
    from songscape.neighbours.playlists import FORMATS, place_for

    out: Path = parsed.out or Path()
    if out.suffix.casefold() in FORMATS and not out.is_dir():
        if parsed.all:
            raise UsageError(f"{out}: --all writes several files; name a folder with --out")
        if parsed.format and out.suffix.casefold() != f".{parsed.format}":
            raise UsageError(f"{out}: does not end in .{parsed.format}, which --format says")
        return out
    return place_for(playlist, out, f".{parsed.format or 'm3u8'}")


def _say(parsed: argparse.Namespace, playlist: Playlist, file: Path) -> None:
    from songscape.neighbours.order import rough_transitions

    minutes = sum(song.seconds or 0 for song in playlist) / 60
    print(f"{one_line(str(file))}: {len(playlist):,} songs, {minutes:,.0f} min")
    rough = [] if parsed.all else rough_transitions(playlist.songs)
    for one in rough[:_MOST_ROUGH]:
        print(f"  rough: {one_line(one)}")
    if len(rough) > _MOST_ROUGH:
        print(f"  and {len(rough) - _MOST_ROUGH:,} more rough transitions")
