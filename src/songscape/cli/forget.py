"""`songscape forget`: remove tracks from the library whose files are gone."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.console import one_line
from songscape.cli.options import add_verb, find_library, path
from songscape.cli.outcome import DONE


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "forget",
        _forget,
        "list the tracks whose files are gone; with --yes delete what is known of them",
        "Until then they are kept: a drive may only be away for a day.",
    )
    parser.add_argument("library", type=path, help="results folder, its songscape.db, or the music")
    parser.add_argument("--yes", action="store_true", help="delete them")


def _forget(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.library.upkeep import names_of, opened_alone

    file = find_library(parsed.library)
    with opened_alone(file) as library:
        gone, names = library.track_ids("gone"), names_of(library)
        if parsed.yes:
            library.forget(gone)
    print(f"{len(gone):,} missing tracks" + (" forgotten" if parsed.yes and gone else ""))
    print(*(f"  {one_line(names.get(i, i))}" for i in gone), sep="\n", end="\n" if gone else "")
    if gone and not parsed.yes:
        print("nothing was changed; --yes deletes what is known of them")
    return DONE
