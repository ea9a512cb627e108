"""`songscape impute`: the nearest lyrics by sound, or the nearest sound by lyrics."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_verb, name_list, path
from songscape.cli.outcome import DONE, print_json


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "impute",
        _impute,
        "name the tracks whose lyrics fit best to each track without lyrics, or the reverse",
        "Needs a model of a finished run: songscape run FOLDER --out OUT --models song-vae.",
    )
    parser.add_argument(
        "out", type=path, metavar="RESULTS", help="results folder of `songscape run`"
    )
    parser.add_argument(
        "--wanted",
        choices=("lyrics", "audio"),
        default="lyrics",
        help="what the tracks lack (default: lyrics)",
    )
    parser.add_argument("--model", default="song-vae", help="model of the run (default: song-vae)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the model (default: 0)")
    parser.add_argument(
        "--tracks", type=name_list, default=(), help="track ids (default: all that lack it)"
    )
    parser.add_argument(
        "--neighbors", type=int, default=5, help="tracks named for each (default: 5)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON array")


def _impute(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.experiment.impute import impute

    found = impute(
        parsed.out,
        parsed.wanted,
        model=parsed.model,
        seed=parsed.seed,
        tracks=parsed.tracks,
        n_neighbors=parsed.neighbors,
    )
    if parsed.json:
        print_json(found.to_dict(orient="records"))
    else:
        print(found.to_csv(index=False, sep="\t", float_format="%.4f", lineterminator="\n"), end="")
    return DONE
