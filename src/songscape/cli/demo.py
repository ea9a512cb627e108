"""`songscape demo`: composes a collection whose styles, languages and themes are known."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from songscape.cli.options import add_verb, asked_workers, path, share
from songscape.cli.outcome import DONE, print_json
from songscape.progress import progress_bar


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "demo",
        _demo,
        "compose a small multilingual collection with known styles, languages and themes",
        "Nothing is downloaded: the music is synthesised, the lyrics come with the package.",
    )
    parser.add_argument(
        "folder",
        type=path,
        nargs="?",
        default=Path("songscape-demo"),
        help="where to write (default: songscape-demo)",
    )
    parser.add_argument("--songs", type=int, default=240, help="number of songs (default: 240)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same files (default: 0)")
    parser.add_argument(
        "--confound",
        type=share,
        default=0.0,
        help="from 0, language and style independent (default), to 1, one language for each style",
    )
    parser.add_argument("--workers", type=int, help="processes (default: cores)")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _demo(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.demo import compose_collection
    from songscape.workers import available_cores

    with progress_bar("composing", "song") as advance:
        folder = compose_collection(
            parsed.folder,
            n_songs=parsed.songs,
            seed=parsed.seed,
            confound=parsed.confound,
            workers=asked_workers(parsed) or available_cores(),
            progress=advance,
        )
    if parsed.json:
        print_json({"folder": str(folder), "truth": str(folder / "tracks.csv")})
    else:
        print(f"collection: {folder}\nnext: songscape run {folder}")
    return DONE
