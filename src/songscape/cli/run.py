"""`songscape run`: read a collection and write its report."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import (
    add_experiment,
    add_verb,
    asked_executor,
    path,
    prepare_folder,
    with_options,
)
from songscape.cli.outcome import exit_code, greet, print_outcome


def add_parser(verbs: Any) -> None:
    """Add `run` to the verbs."""
    parser = add_verb(
        verbs,
        "run",
        _run,
        "read a collection, learn, cluster, measure, and write a report",
        "Started again, it continues where it stopped.",
    )
    parser.add_argument(
        "folder",
        type=path,
        help="folder of audio (lyrics beside it as .txt or .lrc, or in lyrics/), its URL (s3://, "
        "gs://), or a tracks.csv",
    )
    parser.add_argument("--out", type=path, help="results folder (default: ./FOLDER-songscape)")
    add_experiment(parser)


def _run(parsed: argparse.Namespace, arguments: list[str]) -> int:
    from songscape.experiment.experiment import default_folder, run
    from songscape.features.encoders.registry import offer
    from songscape.progress import at_terminal, say
    from songscape.settings import Settings

    settings = with_options(Settings(), parsed)
    greet(f"reading {parsed.folder}")
    out = parsed.out or default_folder(parsed.folder)
    prepare_folder(parsed, out)
    with asked_executor(parsed) as where:
        done = run(parsed.folder, out, settings, command=["songscape", *arguments], **where)
    print_outcome(done, as_json=parsed.json)
    if "auto" in settings.encoders and at_terminal() and (line := offer()):
        say(line)
    return exit_code(done.counts, out)
