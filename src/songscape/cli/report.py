"""`songscape report`: write the report again."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from songscape.cli.options import add_verb
from songscape.cli.outcome import DONE
from songscape.errors import SongscapeError


def add_parser(verbs: Any) -> None:
    """Add `report` to the verbs."""
    parser = add_verb(verbs, "report", _report, "write the report again from a results folder")
    parser.add_argument(
        "out", type=Path, help="results folder of `songscape run` or `songscape compare`"
    )


def _report(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.results import ResultsFolder

    folder = ResultsFolder(parsed.out).tables
    if (folder / "run.json").exists():
        from songscape.report.run_page import write_report

        title = json.loads((folder / "run.json").read_text(encoding="utf-8"))["title"]
        path = write_report(folder, title=title)
    elif (folder / "compare.json").exists():
        from songscape.report.comparison_page import write_comparison_report

        path = write_comparison_report(folder)
    else:
        raise SongscapeError(
            f"{folder}: holds neither run.json nor compare.json, which `songscape run` and "
            "`songscape compare` write"
        )
    print(f"report: {path.resolve().as_uri()}")
    return DONE
