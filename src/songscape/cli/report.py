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
    parser.add_argument("out", type=Path, help="a results folder, as given to run --out")


def _report(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.report.page import write_report
    from songscape.results import ResultsFolder

    folder = ResultsFolder(parsed.out)
    path = folder.tables / "run.json"
    if not path.exists():
        raise SongscapeError(f"{path}: not there; `songscape run` writes it")
    title = json.loads(path.read_text(encoding="utf-8"))["title"]
    print(f"report: {write_report(folder.tables, title=title).resolve().as_uri()}")
    return DONE
