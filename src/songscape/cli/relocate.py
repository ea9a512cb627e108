"""`songscape relocate`: tell a library that the music moved; nothing is read again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from songscape.cli.console import one_line
from songscape.cli.options import add_verb, find_library, path
from songscape.cli.outcome import DONE

_SHOWN = 5


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "relocate",
        _relocate,
        "tell a library that the music moved to another folder, so that no file is read again",
        "Files of the same path, size and date below the new folder are taken for the same.",
    )
    parser.add_argument("old", type=path, help="where the music was")
    parser.add_argument("new", type=path, help="where it is now")
    parser.add_argument(
        *("--in", "--out"),
        dest="out",
        type=path,
        metavar="RESULTS",
        help="results folder (default: ./OLD-songscape)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be found; no change")


def _relocate(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.library.upkeep import opened_alone, relocate

    old, new = (Path(p).expanduser().absolute() for p in (parsed.old, parsed.new))
    file = find_library(parsed.out or old)
    with opened_alone(file) as library:
        found = relocate(library, old, new.resolve(), dry_run=parsed.dry_run)
    n = len(found.same) + len(found.other) + len(found.missing)
    print(f"{len(found.same):,} of {n:,} files are the same at the new place")
    for paths, what in (
        (found.other, "of another size or date: the next run compares their content"),
        (found.missing, "not there: the next run counts them as missing"),
    ):
        if paths:
            print(f"{len(paths):,} {what}")
            print(*(f"  {one_line(name)}" for name in paths[:_SHOWN]), sep="\n")
    if parsed.dry_run:
        print("nothing was changed; leave out --dry-run to do it")
    else:
        print(f"next: songscape run {one_line(str(found.root))} --out {one_line(str(file.parent))}")
    return DONE
