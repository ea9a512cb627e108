"""`songscape compare`: every model beside every baseline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from songscape.cli.options import (
    add_settings,
    add_verb,
    asked_workers,
    name_list,
    path,
    with_options,
)
from songscape.cli.outcome import exit_code, greet, print_json
from songscape.progress import say


def add_parser(verbs: Any) -> None:
    """Add `compare` to the verbs."""
    parser = add_verb(
        verbs,
        "compare",
        _compare,
        "put every model beside every baseline, with intervals, and say what to believe",
        "The baselines stand in every comparison; the first clusterer is the one that is tested. "
        "Stopped and started again, it goes on where it was.",
    )
    parser.add_argument(
        "library",
        type=path,
        help="results folder of `songscape run`, its songscape.db, or a music folder",
    )
    parser.add_argument("--out", type=Path, help="where to write (default: compare/ beside it)")
    parser.add_argument("--quick", action="store_true", help="3 seeds instead of 10")
    parser.add_argument(
        "--nuisances", type=name_list, help="columns that must not decide, beside those found"
    )
    add_settings(parser)


def _compare(parsed: argparse.Namespace, arguments: list[str]) -> int:
    from songscape.experiment.compare import default_settings, run_comparison
    from songscape.settings import load_settings
    from songscape.workers import available_cores

    greet(f"comparing on {parsed.library}")
    base = default_settings(quick=parsed.quick) if parsed.config is None else None
    settings = with_options(base or load_settings(parsed.config), parsed)
    workers = asked_workers(parsed) or available_cores()
    done = run_comparison(
        parsed.library,
        parsed.out,
        settings,
        workers=workers,
        command=["songscape", *arguments],
    )
    if parsed.json:
        print_json(
            {
                "report": str(done.report),
                "verdicts": done.verdicts,
                "warnings": done.warnings,
                "failed": done.failed,
            }
        )
    else:
        for sentence in done.verdicts:
            print(sentence)
        for warning in done.warnings:
            print(f"warning: {warning}")
        print(f"report: {done.report.resolve().as_uri()}")
    for reason in done.failed:
        say(f"failed: {reason}")
    return exit_code(done.counts, done.library)
