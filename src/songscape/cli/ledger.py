"""`songscape ledger`: the tracks that were skipped, failed or have warnings."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.console import one_line
from songscape.cli.options import add_verb, find_library, path
from songscape.cli.outcome import DONE


def add_parser(verbs: Any) -> None:
    summary = "list the tracks that were skipped, failed or have warnings, each with its reason"
    parser = add_verb(verbs, "ledger", _ledger, summary)
    parser.add_argument("library", type=path, help="results folder, its songscape.db, or the music")
    parser.add_argument(
        "--all", action="store_true", help="list the tracks without problems as well"
    )


def _ledger(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.experiment.result_tables import ledger_table
    from songscape.library import Library
    from songscape.library.upkeep import files_of

    with Library.open(find_library(parsed.library), must_exist=True) as library:
        frame, files = ledger_table(library), files_of(library)
    if not parsed.all:
        frame = frame[frame["status"] != "ok"]
    for row in frame.itertuples():
        file = files.get(row.track_id, row.track_id)
        print(*map(one_line, (row.status, row.stage, file, row.reason)), sep="\t")
    return DONE
