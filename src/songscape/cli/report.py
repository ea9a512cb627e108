"""`songscape report`: write the report again."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_verb, path
from songscape.cli.outcome import DONE


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "report", _report, "write the report again from a results folder")
    parser.add_argument(
        "out",
        type=path,
        metavar="RESULTS",
        help="results folder of `songscape run` or `songscape compare`",
    )


def _report(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.report.page import write_page
    from songscape.results import ResultsFolder

    page = write_page(ResultsFolder(parsed.out).tables)
    print(f"report: {page.resolve().as_uri()}")
    return DONE
