"""`songscape assign`: the groups in which new songs belong."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from songscape.cli.console import one_line
from songscape.cli.options import add_results, add_verb, path
from songscape.cli.outcome import DONE, SOME_FAILED, greet, print_json
from songscape.progress import say

if TYPE_CHECKING:
    from songscape.neighbours.assigning import Assigned


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "assign",
        _assign,
        "say in which groups new songs belong",
        "Nothing is trained or grouped again, and the library stays as it is. Songs that can't be "
        "read are named and the others placed; the exit code is then 3.",
    )
    parser.add_argument(
        "what", nargs="+", type=path, metavar="FILE|FOLDER", help="audio files, or folders of them"
    )
    add_results(parser, "--in")
    parser.add_argument("-n", type=int, default=3, help="near songs listed for each (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON array")


def _assign(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.errors import UsageError
    from songscape.neighbours.assigning import assign_songs
    from songscape.results import find_folder

    if parsed.n < 1:
        raise UsageError("-n: at least 1")
    for one in parsed.what:
        if not one.exists():
            raise UsageError(f"{one}: no such file or folder; check the path")
    folder = find_folder(parsed.results)
    greet("reading the groups")
    found: list[dict[str, Any]] = []
    failed = False
    for assigned, unread, left_out in assign_songs(folder, parsed.what, parsed.n):
        failed |= bool(unread)
        for line in (*unread, *left_out):
            say(f"songscape: {one_line(line)}")
        for one in assigned:
            if not parsed.json:
                print(f"{one_line(one.song.name)}: {one_line(one.group)} ({one.sure})")
                print(f"  near {' · '.join(one_line(near.song.name) for near in one.near)}")
            found.append(_as_dict(one))
    if parsed.json:
        print_json(found)
    return SOME_FAILED if failed else DONE


def _as_dict(one: Assigned) -> dict[str, Any]:
    named = {"id": one.song.id, "title": one.song.title, "artist": one.song.artist}
    group = {"group": one.group_id or None, "name": one.group, "sure": one.sure}
    return named | group | {"near": [near.song.id for near in one.near]}
