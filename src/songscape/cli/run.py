"""`songscape run`: read a collection and write its report."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from songscape.cli.options import add_settings, add_verb, asked_workers, path, with_options
from songscape.cli.outcome import exit_code, greet, print_json

if TYPE_CHECKING:
    import pandas as pd


def add_parser(verbs: Any) -> None:
    """Add `run` to the verbs."""
    parser = add_verb(
        verbs,
        "run",
        _run,
        "read a collection, learn, cluster, measure, and write a report",
        "Started again, it goes on where it was.",
    )
    parser.add_argument(
        "folder",
        type=path,
        help="folder of audio (lyrics beside it as .txt or .lrc, or in lyrics/), or a tracks.csv",
    )
    parser.add_argument("--out", type=path, help="results folder (default: ./FOLDER-songscape)")
    add_settings(parser)


def _run(parsed: argparse.Namespace, arguments: list[str]) -> int:
    from dataclasses import asdict

    from songscape.experiment.run import default_folder, run
    from songscape.settings import Settings, load_settings

    settings = Settings() if parsed.config is None else load_settings(parsed.config)
    greet(f"reading {parsed.folder}")
    out = parsed.out or default_folder(parsed.folder)
    done = run(
        parsed.folder,
        out,
        with_options(settings, parsed),
        workers=asked_workers(parsed),
        command=["songscape", *arguments],
    )
    if parsed.json:
        print_json(
            {
                "report": str(done.report),
                "counts": asdict(done.counts),
                "k": done.k,
                "k_reason": done.k_reason,
                "metrics": str(out / "results" / "metrics.csv"),
                "table": json.loads(done.table.to_json(orient="records")),
            }
        )
    else:
        counts = done.counts
        print(
            f"{counts.found} found = {counts.analysed} analysed + "
            f"{counts.skipped} skipped + {counts.failed} failed"
        )
        print(f"k = {', '.join(map(str, done.k))} ({done.k_reason})")
        if not done.table.empty:
            print()
            print(_course_text(done.table))
            print("Each row is measured in its own space: the rows can't be ranked.\n")
        print(f"report: {done.report.resolve().as_uri()}")
    return exit_code(done.counts, out)


def _course_text(table: pd.DataFrame) -> str:
    shown = table.drop(columns=["Space"], errors="ignore")
    text: str = shown.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.4f}")
    return text
