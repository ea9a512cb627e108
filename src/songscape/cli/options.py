"""Options: their types, those that several verbs share, and the layout of each verb's help."""

from __future__ import annotations

import argparse
import textwrap
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.errors import UsageError

if TYPE_CHECKING:
    from songscape.settings import Settings

EPILOG = """\
exit codes: 0 done, 1 failed, 2 wrong usage, 3 finished with some tracks failed,
130 interrupted (143 by SIGTERM)
"""


def add_verb(verbs: Any, name: str, call: Any, summary: str, details: str = "") -> Any:
    """One verb's parser: `call` is what it runs, `summary` and `details` are its help."""
    parser = verbs.add_parser(
        name,
        help=summary,
        description=textwrap.fill(f"{summary[0].upper()}{summary[1:]}. {details}".strip(), 79),
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=call, parser=parser)
    return parser


def name_list(text: str) -> tuple[str, ...]:
    """Names, separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def number_list(text: str) -> tuple[int, ...]:
    """Whole numbers, separated by commas."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: whole numbers, separated by commas") from None


def cluster_numbers(text: str) -> tuple[int, ...]:
    """Numbers of clusters; `auto` is none, so that they are chosen."""
    return () if text == "auto" else number_list(text)


def encoder_names(text: str) -> tuple[str, ...]:
    """Names of encoders; `none` is no name."""
    return () if text == "none" else name_list(text)


def path(text: str) -> Path:
    """A path; an empty one is refused, because it would mean the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty path (an unset variable?)")
    return Path(text)


def add_results(parser: argparse.ArgumentParser, *options: str) -> None:
    """The results folder of a verb: the value of these options, else a positional argument."""
    place: dict[str, str] = {"dest": "results", "metavar": "RESULTS"} if options else {"nargs": "?"}
    parser.add_argument(
        *(options or ("results",)),
        type=path,
        default=Path(),
        help="results folder of songscape run, or its songscape.db (default: this folder)",
        **place,  # type: ignore[arg-type]
    )


def find_library(given: Path) -> Path:
    """The library of a results folder: named by it, by its file, or by the music it is of."""
    from songscape.results import find_folder

    return given if given.suffix == ".db" else find_folder(given).library


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 0 to 1")
    return value


def add_experiment(parser: argparse.ArgumentParser) -> None:
    """The options of an experiment; each overrides the settings file."""
    parser.add_argument("--config", type=path, help="settings as TOML; options below override it")
    parser.add_argument("--models", type=name_list, help="models, e.g. conv1d-vae,pca")
    parser.add_argument("--clusterers", type=name_list, help="clusterers, e.g. kmeans,ward,dbscan")
    parser.add_argument(
        "--k", type=cluster_numbers, help="numbers of clusters, e.g. 5 or 4,6,8, or auto"
    )
    parser.add_argument("--seeds", type=number_list, help="seeds, e.g. 0 or 0,1,2")
    parser.add_argument("--labels", type=name_list, help="label columns to compare with")
    parser.add_argument(
        "--nuisances",
        type=name_list,
        help="columns that clusters should not follow, besides language, artist and the like",
    )
    parser.add_argument(
        "--encoders",
        type=encoder_names,
        help="pretrained encoders whose views models read: auto (those that are installed, "
        "the default), none, or names, e.g. e5,voice",
    )
    parser.add_argument(
        "--measures", type=name_list, help="measures besides the usual ones: ilisi,kbet"
    )
    parser.add_argument("--title", help="heading of the report")
    parser.add_argument("--workers", type=int, help="processes (default: cores)")
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="Dask cluster that reads and trains, e.g. tcp://10.0.0.5:8786",
    )
    parser.add_argument(
        "--retry", action="store_true", help="try again all files that failed before"
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait for another songscape that uses the folder"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def with_options(settings: Settings, parsed: argparse.Namespace) -> Settings:
    """Settings as the settings file and then the command line override them."""
    from songscape.settings import load_settings

    if parsed.config is not None:
        settings = load_settings(parsed.config, settings)
    if getattr(parsed, "excerpt", None):
        settings = settings.updated(features=replace(settings.features, excerpt=parsed.excerpt))
    return settings.updated(**{f.name: getattr(parsed, f.name, None) for f in fields(settings)})


def conduct(
    experiment: Any, source: Path, out: Path, settings: Settings, parsed: Any, arguments: list[str]
) -> Any:
    """Call `run` or `compare` as `--wait`, `--retry`, `--workers` and `--cluster` ask for."""
    from songscape.dask_cluster import connected
    from songscape.library import Library
    from songscape.results import ResultsFolder

    workers, folder = asked_workers(parsed), ResultsFolder(out)
    retry = parsed.retry and folder.library.exists()
    if parsed.wait or retry:
        with folder.locked(wait=parsed.wait):
            if retry:
                with Library.open(folder.library) as library:
                    library.forget_outcomes(library.track_ids("failed"))
    where: dict[str, Any] = {"workers": workers, "command": ["songscape", *arguments]}
    with connected(parsed.cluster) if parsed.cluster else nullcontext() as cluster:
        if cluster is not None:
            where |= {"workers": workers or cluster.workers, "executor": cluster}
        return experiment(source, out, settings, **where)


def asked_workers(parsed: argparse.Namespace) -> int | None:
    """Processes asked for, None for as many as there are cores."""
    if parsed.workers is not None and parsed.workers < 1:
        raise UsageError("--workers: at least 1")
    asked: int | None = parsed.workers
    return asked
