"""`songscape compare`: every model against every baseline."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_experiment, add_verb, conduct, path, with_options
from songscape.cli.outcome import exit_code, greet, print_outcome


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "compare",
        _compare,
        "compare every model with every baseline, with intervals and a recommendation",
        "It uses what `songscape run` has trained, and its settings unless told otherwise. The "
        "baselines stand in every comparison; the first clusterer is the one that is tested. "
        "Stopped and started again, it continues where it stopped.",
    )
    parser.add_argument(
        "source",
        type=path,
        metavar="results",
        help="results folder of `songscape run`, its songscape.db, or a music folder",
    )
    parser.add_argument(
        "--out", type=path, help="results folder (default: that of the run, or ./FOLDER-songscape)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="3 seeds instead of 10, and no models of the course unless the run trained them",
    )
    add_experiment(parser)


def _compare(parsed: argparse.Namespace, arguments: list[str]) -> int:
    from songscape.experiment.experiment import (
        compare,
        comparison_folder,
        comparison_settings,
    )

    greet(f"comparing on {parsed.source}")
    out = comparison_folder(parsed.source, parsed.out)
    settings = with_options(comparison_settings(out, quick=parsed.quick), parsed)
    done = conduct(compare, parsed.source, out, settings, parsed, arguments)
    print_outcome(done, as_json=parsed.json)
    return exit_code(done.counts, out)
