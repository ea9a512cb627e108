"""`songscape doctor`: what is wrong with which file, before any training."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.cli.console import one_line
from songscape.cli.options import add_verb, asked_workers, path
from songscape.cli.outcome import DONE, SOME_FAILED, greet, print_json
from songscape.progress import progress_bar

if TYPE_CHECKING:
    from songscape.experiment.checkup import Checkup

_EXAMPLES = 5


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "doctor",
        _doctor,
        "check a collection for files that are unreadable, silent, misnamed, copies or doubtful",
        "Nothing is trained, and no file of the collection is changed. Audio is decoded once; with "
        "a results folder what was read is kept for `songscape run`.",
    )
    parser.add_argument("folder", type=path, help="folder of audio, its URL, or a tracks.csv")
    parser.add_argument(
        "--out", type=path, help="results folder (default: ./FOLDER-songscape if it is there)"
    )
    parser.add_argument("--all", action="store_true", help="name every file, not five of each kind")
    parser.add_argument("--workers", type=int, help="processes (default: cores)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _doctor(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.experiment.checkup import examine
    from songscape.experiment.dataset import scan
    from songscape.experiment.experiment import default_folder
    from songscape.features.extract import extract
    from songscape.library import Library
    from songscape.results import ResultsFolder

    workers = asked_workers(parsed)
    greet(f"checking {parsed.folder}")
    with ExitStack() as stack:
        file = (parsed.out or default_folder(parsed.folder)) / "songscape.db"
        if parsed.out is None and not file.exists():
            file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "songscape.db"
        else:
            stack.enter_context(ResultsFolder(file.parent).locked())
        collection = scan(parsed.folder, file)
        library = stack.enter_context(Library.open(file))
        with progress_bar("reading audio and lyrics") as advance:
            extract(library, collection, workers=workers, progress=advance)
        checkup = examine(library)
    if parsed.json:
        print_json(
            {
                "tracks": checkup.n_tracks,
                "fine": checkup.n_fine,
                "troubles": [vars(trouble) for trouble in checkup.troubles],
            }
        )
    else:
        _print(parsed.folder.resolve().name, checkup, every=parsed.all)
    return SOME_FAILED if checkup.of_kind("unreadable") else DONE


def _print(name: str, checkup: Checkup, *, every: bool) -> None:
    from songscape.experiment.checkup import KINDS

    found = {kind: checkup.of_kind(kind) for kind in KINDS if checkup.of_kind(kind)}
    told = ", ".join(f"{len(its):,} {KINDS[kind][0]}" for kind, its in found.items())
    n_odd = checkup.n_tracks - checkup.n_fine
    print(
        f"{one_line(name)}: {checkup.n_fine:,} of {checkup.n_tracks:,} tracks are fine"
        + (f", {n_odd:,} need a look: {told}" if n_odd else f"; {told}" if told else "")
    )
    for kind, its in found.items():
        heading, mend = KINDS[kind]
        print(f"\n{len(its):,} {heading}: {mend}")
        shown = its if every else its[:_EXAMPLES]
        for one in shown:
            where = "" if one.name == one.file else f" ({one_line(one.file)})"
            print(f"  {one_line(one.name)}{where}: {one_line(one.detail)}")
        if len(its) > len(shown):
            print(f"  and {len(its) - len(shown):,} more (--all names them)")
