"""`songscape run`: read a collection and write its report."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_experiment, add_verb, conduct, path, with_options
from songscape.cli.outcome import exit_code, greet, print_outcome
from songscape.settings import EXCERPTS, LANGUAGES


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "run",
        _run,
        "say what is in a music collection: its groups, how sure they are, and a page to open",
        "Started again, it continues where it stopped.",
    )
    parser.add_argument(
        "folder",
        type=path,
        help="folder of audio (lyrics beside it as .txt or .lrc, or in lyrics/), its URL (s3://, "
        "gs://), or a tracks.csv",
    )
    parser.add_argument("--out", type=path, help="results folder (default: ./FOLDER-songscape)")
    parser.add_argument(
        "--groups",
        type=int,
        help="number of groups (default: as many as come back when songs are missing)",
    )
    parser.add_argument(
        "--level",
        choices=("regions", "fine"),
        default="regions",
        help="groups to print: regions, or fine ones within them (default: regions)",
    )
    parser.add_argument(
        "--languages",
        choices=LANGUAGES,
        help="whether the language counts: together with sound and words, ignored, or auto "
        "(ignored where songs would group by language first)",
    )
    parser.add_argument(
        "--excerpt",
        choices=EXCERPTS,
        help="what is read of files over a minute: all of it, or half a minute; a change reads "
        "these files again (default: as before; whole in a new folder)",
    )
    add_experiment(parser)


def _run(parsed: argparse.Namespace, arguments: list[str]) -> int:
    from songscape.experiment.experiment import default_folder, run
    from songscape.features.encoders.registry import offer
    from songscape.progress import at_terminal, say
    from songscape.settings import Settings

    settings = with_options(Settings(), parsed)
    greet(f"reading {parsed.folder}")
    out = parsed.out or default_folder(parsed.folder)
    done = conduct(run, parsed.folder, out, settings, parsed, arguments)
    print_outcome(done, as_json=parsed.json, fine=parsed.level == "fine")
    if "auto" in settings.encoders and at_terminal() and (line := offer()):
        say(line)
    return exit_code(done.counts, out)
