"""`songscape datasets`: which layouts of data sets are read."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_verb, path
from songscape.cli.outcome import DONE, print_json


def add_parser(verbs: Any) -> None:
    summary = "list the layouts of data sets that are read, their licences, and where files go"
    parser = add_verb(verbs, "datasets", _datasets, summary)
    parser.add_argument(
        "--mirdata-index",
        metavar="COLLECTION",
        type=path,
        help="print an index of this collection instead, as mirdata reads it (JSON with MD5 sums)",
    )


def _datasets(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.ingest.datasets import LAYOUTS, mirdata_index

    if parsed.mirdata_index is not None:
        from songscape.ingest import read_collection

        print_json(mirdata_index(read_collection(parsed.mirdata_index)))
        return DONE
    print("Give the folder that holds these files to songscape run; nothing is downloaded.")
    for row in LAYOUTS:
        print(f"\n{row['name']}\n  files    {row['files']}\n  licence  {row['licence']}")
    return DONE
