"""`songscape status`: what became of every file, why, and what to do about it."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from songscape.cli.console import one_line
from songscape.cli.options import add_verb, find_library, path
from songscape.cli.outcome import DONE, in_one_line, print_json

if TYPE_CHECKING:
    from songscape.library.upkeep import ReasonGroup

_EXAMPLES = 3
_HEADINGS = {"failed": "failed", "skipped": "skipped", "warning": "remarks", "gone": "missing"}


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "status",
        _status,
        "say what became of every file: analysed, skipped or failed, and why",
        "Reads only the library, also while another songscape writes to it.",
    )
    parser.add_argument("library", type=path, help="results folder, its songscape.db, or the music")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _status(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.ingest.remote import url_of
    from songscape.library import Library
    from songscape.library.upkeep import group_by_reason, names_of
    from songscape.results import ResultsFolder

    file = find_library(parsed.library)
    with Library.open(file, must_exist=True) as library:
        counts, root, names = library.counts(), library.root, names_of(library)
        groups = [g for g in group_by_reason(library.ledger()) if g.status in _HEADINGS]
    user = ResultsFolder(file.parent).in_use()
    place = (url_of(root / "*") or os.fspath(root / "*"))[:-2]
    if parsed.json:
        about = {"library": str(file), "collection": place, "in_use_by": user}
        print_json(about | {"counts": asdict(counts), "reasons": [vars(g) for g in groups]})
        return DONE
    print(in_one_line(counts))
    print(f"collection: {one_line(place)}\nlibrary:    {one_line(str(file))}")
    if user:
        print(f"in use by another songscape: {user}")
    for status, heading in _HEADINGS.items():
        its = [group for group in groups if group.status == status]
        if its:
            print(f"\n{heading}")
        for group in its:
            print(f"{len(group.track_ids):>7,}  {one_line(group.reason)}")
            print(f"         {_examples(group, names)}")
    if counts.failed:
        print(
            "\nfailed files are tried again when they, their decoder or Songscape changed; "
            "all of them: songscape run --retry"
        )
    if counts.gone:
        print(f"missing tracks are kept until: songscape forget {one_line(str(file.parent))} --yes")
    return DONE


def _examples(group: ReasonGroup, names: dict[str, str]) -> str:
    shown = [one_line(names.get(i, i)) for i in group.track_ids[:_EXAMPLES]]
    more = len(group.track_ids) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
